"""Whether a code is of the list that it names, where the hub knows the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.cap.structure import MAX_FINDINGS
from schemas.vocab import vocabulary_of

if TYPE_CHECKING:
    from schemas.rm.parts import ValueList
    from schemas.rm.paths import Path
    from schemas.rm.rulebook import Case
    from schemas.vocab import Vocabulary

__all__ = ["judge_codes"]


def judge_codes(codes: ValueList | None, path: Path, case: Case) -> None:
    """Judge the codes at *path*; of a list that the hub does not know nothing is said."""
    listed = None if codes is None else vocabulary_of(codes.value_list_urn.strip())
    if codes is None or listed is None:
        return
    for i, value in enumerate(codes.value, 1):
        # What is found comes in document order, so one more would not be told; and to look
        # for what a sender may have meant takes longer than all the other rules together.
        if case.unlisted >= MAX_FINDINGS:
            return
        wrong = _wrong(value.strip(), listed)
        if wrong is not None:
            case.unlisted += 1
            case.found("A36", (*path, ("Value", i)), wrong)


def _wrong(code: str, listed: Vocabulary) -> str | None:
    where = f"{listed.title}, {listed.version}"
    term = listed.terms.get(code)
    if term is not None and term.deprecated is not None:
        return f"{code!r} is retired in {where}: use {term.deprecated}"
    if not code or listed.is_known(code) is not False:
        return None
    meant = listed.nearest(code)
    hint = "" if meant is None else f"; did you mean {meant!r}?"
    return f"{code[:40]!r} is no code of {where}{hint}"
