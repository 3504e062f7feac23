"""docs/vocabularies.md has every list as it is, every fact that terms have, and code that runs."""

from __future__ import annotations

from schemas.vocab import vocabularies, vocabulary
from tests.docs.pages import bare, blocks, rows, sections, text_of

PAGE = "docs/vocabularies.md"


def test_every_list_is_documented_as_it_is() -> None:
    table = rows(sections(text_of(PAGE), 2)["The lists"])
    lists = {bare(row[0]): row[1:5] for row in table if len(row) == 6}

    assert list(lists) == list(vocabularies())
    for name, row in lists.items():
        found = vocabulary(name)
        assert row == [
            ", ".join(f"`{urn}`" for urn in found.urns),
            found.version,
            str(len(found.terms) + len(found.others)),
            "yes" if found.whole else "no",
        ]


def test_every_fact_is_explained() -> None:
    table = rows(sections(text_of(PAGE), 2)["The lists"])
    named = {part.strip(" `") for row in table if len(row) == 3 for part in row[0].split(",")}

    assert named == {
        fact
        for name in vocabularies()
        for term in vocabulary(name).terms.values()
        for fact in term.facts
    }


def test_the_example_runs() -> None:
    (example,) = (body for language, body in blocks(text_of(PAGE)) if language == "python")

    exec(compile(example, PAGE, "exec"), {})
