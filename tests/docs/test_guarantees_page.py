"""docs/guarantees.md names tests that there are, for every guarantee."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, rows, sections, text_of

_TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_named_test_exists() -> None:
    missing = []
    for path, name in _TEST.findall(text_of("docs/guarantees.md")):
        file = ROOT / path
        if not file.exists() or not re.search(rf"def {name}\(", file.read_text("utf-8")):
            missing.append(f"{path}::{name}")

    assert missing == []


def test_every_guarantee_names_a_test() -> None:
    found = sections(text_of("docs/guarantees.md"), 2)

    assert list(found) == [f"G{number}" for number in range(1, 10)]
    for name, body in found.items():
        assert _TEST.search(body), name


def test_what_is_still_to_come_is_said() -> None:
    page = text_of("docs/guarantees.md")
    found = sections(page, 2)
    for cells in rows(page):
        number = re.sub(r"\W*(G\d).*", r"\1", cells[0])
        partly = cells[2].startswith("in part")

        assert partly == ("*Still to come*" in found[number]), number


def test_the_readme_tells_of_every_guarantee() -> None:
    linked = re.findall(r"docs/guarantees\.md#(g\d)", text_of("README.md"))

    assert sorted(set(linked)) == [f"g{number}" for number in range(1, 10)]
