"""docs/standards.md has every rule for messages with its severity."""

from __future__ import annotations

from schemas.cap.rulebook import RULES
from tests.docs.pages import bare, rows, sections, text_of


def test_every_cap_rule_is_documented_with_its_severity() -> None:
    documented = [
        (bare(row[0]), row[1]) for row in rows(sections(text_of("docs/standards.md"), 2)["CAP"])
    ]

    assert documented == list(RULES.items())
