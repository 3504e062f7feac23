"""Is this log whole and unchanged? Checked from its bytes, without trusting whoever keeps it.

For every entry: it stands where it should, its time is after the one before, its
columns say what its bytes say, its payload is the one it names, its header goes on
where its agency's last header ended, and no message is there twice. Over all: the
Merkle root (RFC 6962) is the one expected. Every change of the registry is decided
again from the log before it, and with a reader every admission of a message too: the
same bytes must come out (guarantee G5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from hub.core.admission import Rules
from hub.errors import Unavailable
from hub.log.checks import Checks, Fault, Tip, Wrong
from hub.log.projections import Reader
from hub.log.scan import scan
from hub.log.store import Log, LogRow
from hub.log.tables import ENTRIES, HEAD, PAYLOADS
from hub.log.tiles import tiles_fault
from hub.log.tree import Tree

__all__ = ["Fault", "Report", "Tip", "verify", "verify_store"]

_TELL_EVERY: Final = 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, and the first fault."""

    entries: int = 0
    messages: int = 0
    payloads: int = 0
    """Payloads whose digest was compared."""
    withheld: int = 0
    """Messages whose payload was not there, and need not be."""
    decided: int = 0
    """Decisions that were made again."""
    root: bytes | None = None
    """The root over the entries read; None where they were not all, from the first."""
    fault: Fault | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with what was checked."""
        return self.fault is None


def verify(
    rows: Iterable[LogRow],
    head: Tip | None,
    *,
    progress: Callable[[int], None] | None = None,
    first: int = 0,
    contiguous: bool = True,
    payloads_required: bool = True,
    earlier: Tip | None = None,
    read: Reader | None = None,
    rules: Rules | None = None,
) -> Report:
    """Check *rows* in order against *head*, and stop at the first fault.

    *first* is the index the rows begin with; where it is not 0, or the rows are a
    selection (not *contiguous*), there is no root to compare and *head* is None.
    *earlier* is an end that somebody kept from before: the log must have grown from
    it. With *read*, payloads are read and their admission is decided again under
    *rules*; that needs all rows from the first.

    Memory is constant, but for what is kept for each agency and feed, the facts of aid
    messages, and some 60 bytes for each message, by which a twin is known. A twin is
    told by a 64-bit hash that is another in each process: a false alarm has one chance
    in 30 million for a log of a million messages, and a second run settles it.
    """
    checks = Checks(
        first=first,
        contiguous=contiguous,
        payloads_required=payloads_required,
        earlier=earlier,
        read=read,
        rules=rules or Rules(),
    )
    fault = None
    try:
        for row in rows:
            checks.take(row)
            if progress is not None and checks.entries % _TELL_EVERY == 0:
                progress(checks.entries)
        checks.finish(head)
    except Wrong as wrong:
        fault = wrong.fault
    if progress is not None:
        progress(checks.entries)
    return Report(
        checks.entries,
        checks.messages,
        checks.payloads,
        checks.withheld,
        checks.decided,
        checks.fold().root if checks.whole else None,
        fault,
    )


def verify_store(
    log: Log,
    *,
    earlier: Tip | None = None,
    progress: Callable[[int], None] | None = None,
    read: Reader | None = None,
    rules: Rules | None = None,
    withheld: bool = False,
) -> Report:
    """Check the log in a store against its own end, and against an *earlier* one.

    A store that was changed together with its end agrees with itself: only an end
    that somebody else has kept shows that. The hub may go on appending meanwhile.
    *withheld*: payloads may be missing, as in a mirror.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    try:
        head = log.head()
    except Unavailable as e:
        if e.code != "log-broken":
            raise
        return Report(fault=Fault(None, "head", e.detail))
    try:
        rows = scan(log, through=head.size - 1)
        report = verify(
            rows,
            head,
            progress=progress,
            earlier=earlier,
            payloads_required=not withheld,
            read=read,
            rules=rules,
        )
    except (TypeError, ValueError, AttributeError) as e:
        # SQLite keeps whatever type it was given; such a column cannot even be read.
        return Report(fault=Fault(None, "column", f"a value is not of its column's type: {e}"))
    if not report.ok:
        return report
    with log.reading() as c:
        wrong = tiles_fault(c, head.size)
    if wrong is not None:
        return replace(report, fault=Fault(wrong[0], "tree", wrong[1]))
    if head.size and Tree(log).root(head.size) != head.root:
        return replace(report, fault=Fault(None, "tree", "the tiles come to another root"))
    if any(
        last.at_us != head.at_us for last in scan(log, after=head.size - 2, through=head.size - 1)
    ):
        return replace(report, fault=Fault(None, "head", "the end states another time"))
    return replace(report, fault=_astray(log))


def _astray(log: Log) -> Fault | None:
    """Return what stands in the store outside the log, all seen in one moment."""
    size = select(func.coalesce(func.max(HEAD.c.size), 0)).scalar_subquery()
    heads = select(func.count()).select_from(HEAD).scalar_subquery()
    past = select(func.min(ENTRIES.c.idx)).where(ENTRIES.c.idx >= size).scalar_subquery()
    loose = (
        select(func.min(PAYLOADS.c.idx))
        .where(~select(ENTRIES.c.idx).where(ENTRIES.c.idx == PAYLOADS.c.idx).exists())
        .scalar_subquery()
    )
    try:
        with log.engine.connect() as c:
            found_heads, found_past, found_loose = c.execute(select(heads, past, loose)).one()
    except SQLAlchemyError as e:
        raise Unavailable("log-unavailable", f"the log cannot be read: {e}") from e
    if found_past is not None:
        return Fault(found_past, "gap", "an entry stands past the end of the log")
    if found_loose is not None:
        return Fault(found_loose, "payload", "belongs to no entry")
    if found_heads > 1:
        return Fault(None, "head", "the log has more than one end")
    return None
