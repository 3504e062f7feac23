"""Whether a code is of the list that it names, where the hub knows the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.cap.structure import MAX_FINDINGS
from schemas.vocab import vocabulary_of

if TYPE_CHECKING:
    from schemas.rm.parts import ValueList
    from schemas.rm.paths import Path
    from schemas.rm.rulebook import Case

__all__ = ["judge_codes"]


def judge_codes(codes: ValueList | None, path: Path, case: Case) -> None:
    """Judge the codes at *path*; of a list that the hub does not know nothing is said."""
    listed = None if codes is None else vocabulary_of(codes.value_list_urn.strip())
    if codes is None or listed is None:
        return
    for i, value in enumerate(codes.value, 1):
        # What is found comes in document order, so one more would not be told; and an
        # objection takes long to find.
        if case.unlisted >= MAX_FINDINGS:
            return
        wrong = listed.objection(value.strip())
        if wrong is not None:
            case.unlisted += 1
            case.found("A36", (*path, ("Value", i)), wrong)
