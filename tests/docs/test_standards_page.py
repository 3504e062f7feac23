"""docs/standards.md has every rule for messages with its severity."""

from __future__ import annotations

from schemas import polrep
from schemas.cap.rulebook import RULES
from schemas.polrep.fields import FIELDS
from tests.docs.pages import bare, rows, sections, text_of


def test_every_cap_rule_is_documented_with_its_severity() -> None:
    documented = [
        (bare(row[0]), row[1]) for row in rows(sections(text_of("docs/standards.md"), 2)["CAP"])
    ]

    assert documented == list(RULES.items())


def test_every_rule_of_pollution_reports_is_documented_with_its_severity() -> None:
    table = rows(sections(text_of("docs/standards.md"), 2)["POLREP"])
    documented = [(bare(row[0]), row[1]) for row in table if bare(row[0]).startswith("P")]

    assert documented == list(polrep.RULES.items())


def test_every_field_of_pollution_reports_is_documented_under_its_name() -> None:
    table = rows(sections(text_of("docs/standards.md"), 2)["POLREP"])
    documented: dict[int, str] = {}
    for row in table:
        first, _, last = row[0].partition("-")
        if first.isdigit():
            documented |= dict.fromkeys(range(int(first), int(last or first) + 1), row[1])

    assert documented == {number: field.label.capitalize() for number, field in FIELDS.items()}
