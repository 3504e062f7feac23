"""docs/audit.md says of every fault what it means and who is to blame, as the code has it."""

from __future__ import annotations

from hub.log.faults import FAULTS
from tests.docs.pages import bare, rows, sections, text_of


def test_every_fault_is_explained() -> None:
    page = sections(text_of("docs/audit.md"), 2)["What is found, and who is to blame"]

    told = {bare(row[0]): (row[1], row[2]) for row in rows(page)}
    assert told == FAULTS
