"""Is this log whole and unchanged? Checked from its bytes, without trusting whoever keeps it.

For every entry: it stands where it should, its time is after the one before, its
columns say what its bytes say, its payload is the one it names, its header goes on
where its agency's last header ended, and no message is there twice. Over all: the
Merkle root (RFC 6962) is the one expected. Every change of the registry is decided
again from the log before it, and with a reader every admission of a message too: the
same bytes must come out (guarantee G5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from hub.core.admission import Rules
from hub.core.merkle import EMPTY, Frontier
from hub.core.registry import History
from hub.errors import Unavailable
from hub.log.checks import Checks, Tip
from hub.log.deliveries import FeedState, Kept
from hub.log.examine import Examiner, Reader
from hub.log.examining import SHAPES, Stretch, told_of
from hub.log.faults import HUB, STORAGE, Fault, Wrong, agency
from hub.log.hashes import first_unlike, hash_log
from hub.log.place import place_of
from hub.log.scan import scan
from hub.log.store import Head, Log, LogRow
from hub.log.tables import ENTRIES, HEAD, PAYLOADS
from hub.log.tiles import tiles_fault
from hub.log.tree import Tree
from hub.log.workers import Workers

__all__ = ["ALONE", "Fault", "Report", "Tip", "stretch", "verify", "verify_hashes", "verify_store"]

_TELL_EVERY: Final = 1024
ALONE: Final = Workers(None, 1)
"""No processes but this one."""
_BY_THE_HUB: Final = frozenset({"time", "chain", "twin", "decision", "signature", "entry"})
"""Faults of what an entry says: where the tree holds just this entry, the hub wrote it."""
_OTHER: Final = "these are not the bytes that the tree was made of"


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
    signatures: int = 0
    """Signatures of agencies that hold, by keys that counted then."""
    acknowledged: int = 0
    feeds: Mapping[str, FeedState] = field(default_factory=dict)
    """Where each feed stands by the log; empty where not every message could be routed."""
    kept: Mapping[str, Kept] = field(default_factory=dict, repr=False)
    """What each feed must hold, where that was asked for."""
    root: bytes | None = None
    """The root over the entries read; None where they were not all, from the first."""
    since: int = 0
    """The entry that the checks began with."""
    unread: int = 0
    """Entries that are not theirs to read: proven under the root by their leaf hash alone."""
    proven: int = 0
    """Entries of a part of a log that were proven under the root it states."""
    level: str = ""
    """How far the newest checkpoint has come by a policy; empty where none was asked for."""
    witnesses: tuple[str, ...] = ()
    """Who has cosigned it."""
    fault: Fault | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with what was checked."""
        return self.fault is None


def verify(
    rows: Iterable[LogRow] | Stretch,
    head: Tip | None,
    *,
    progress: Callable[[int], None] | None = None,
    first: int = 0,
    contiguous: bool = True,
    payloads_required: bool = True,
    earlier: Tip | None = None,
    read: Reader | None = None,
    rules: Rules | None = None,
    crew: Workers = ALONE,
    confirmed: Mapping[str, int] | None = None,
    frontier: Frontier = EMPTY,
    history: History | None = None,
    keep_feeds: bool = False,
    counted: bool = True,
) -> Report:
    """Check *rows* in order against *head*, and stop at the first fault.

    *first* is the index the rows begin with; where it is not 0, or the rows are a
    selection (not *contiguous*), there is no root to compare and *head* is None; unless
    *frontier* is the tree before the first, and *history* who was a member by then. A
    selection in which messages of an agency may be missing is not *counted*.
    *earlier* is an end that somebody kept from before: the log must have grown from
    it. With *read*, payloads are read and their admission is decided again under
    *rules*. *confirmed* says of feeds how far their readers have confirmed them.

    What can be told of each entry alone is done by the *crew*, which reads a `Stretch` of a
    store by itself; the rest is done here. Memory is
    constant, but for what is kept for each agency and feed, the facts of aid messages,
    8 bytes for each entry of a feed that is not confirmed, and some 60 bytes for each
    message, by which a twin is known. A twin is told by a 64-bit hash that is another in
    each process: a false alarm has one chance in 30 million for a log of a million
    messages, and a second run settles it.

    Raises:
        Unavailable: ``workers-lost``; whatever *rows* raise.
    """
    rules = rules or Rules()
    checks = Checks(
        first=first,
        contiguous=contiguous,
        earlier=earlier,
        read=read is not None,
        rules=rules,
        frontier=frontier,
        history=history,
        confirmed=confirmed,
        keep_feeds=keep_feeds,
        counted=counted,
    )
    examiner = Examiner(
        history or History(),
        checks.governed,
        payloads_required,
        read if checks.read else None,
        rules,
    )
    fault = None
    try:
        for told in told_of(rows, examiner, crew=crew):
            checks.take(told)
            if progress is not None and checks.entries % _TELL_EVERY == 0:
                progress(checks.entries)
        checks.finish(head)
    except Wrong as wrong:
        fault = wrong.fault
    finally:
        checks.close()
    if progress is not None:
        progress(checks.entries)
    return Report(
        checks.entries,
        checks.messages,
        checks.payloads,
        checks.withheld,
        checks.decided,
        checks.signatures,
        checks.acknowledged,
        {} if read is None or checks.deliveries.unknown else checks.deliveries.feeds(),
        {} if checks.deliveries.unknown else checks.deliveries.kept or {},
        checks.fold().root if checks.rooted else None,
        first,
        fault=fault,
    )


def stretch(log: Log, first: int, end: int) -> Stretch:
    """Return the entries of a store from *first* to before *end*, for `verify` to have read.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    changes = scan(log, after=first - 1, through=end - 1, kinds=SHAPES)
    return Stretch(place_of(log.engine), first, end, tuple((c.index, c.body) for c in changes))


def verify_store(
    log: Log,
    *,
    earlier: Tip | None = None,
    progress: Callable[[int], None] | None = None,
    read: Reader | None = None,
    rules: Rules | None = None,
    crew: Workers = ALONE,
    confirmed: Mapping[str, int] | None = None,
    keep_feeds: bool = False,
    withheld: bool = False,
) -> Report:
    """Check the log in a store against its own end, and against an *earlier* one.

    A store that was changed together with its end agrees with itself: only an end
    that somebody else has kept shows that. The hub may go on appending meanwhile.
    *withheld*: payloads may be missing, as in a mirror.

    Raises:
        Unavailable: ``log-unavailable``, ``workers-lost``.
    """
    head = _head(log)
    if isinstance(head, Fault):
        return Report(fault=head)
    try:
        report = verify(
            stretch(log, 0, head.size),
            head,
            progress=progress,
            earlier=earlier,
            read=read,
            rules=rules,
            crew=crew,
            confirmed=confirmed,
            keep_feeds=keep_feeds,
            payloads_required=not withheld,
        )
    except (TypeError, ValueError, AttributeError) as e:
        # SQLite keeps whatever type it was given; such a column cannot even be read.
        return Report(fault=Fault(None, "column", f"a value is not of its column's type: {e}"))
    if report.fault is not None:
        return replace(report, fault=_blamed(log, head, report.fault, earlier))
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


def verify_hashes(
    log: Log,
    *,
    earlier: Tip | None = None,
    progress: Callable[[int], None] | None = None,
    crew: Workers = ALONE,
) -> Report:
    """Check the tree alone: every entry, every tile, the end, and an *earlier* end.

    Raises:
        Unavailable: ``log-unavailable``, ``workers-lost``.
    """
    head = _head(log)
    if isinstance(head, Fault):
        return Report(fault=head)
    if earlier is not None and earlier.size > head.size:
        return Report(fault=_set_back(head.size, earlier))
    hashed = hash_log(log, head.size, head.root, crew=crew, progress=progress)
    fault = hashed.fault
    if fault is None and earlier is not None and Tree(log).root(earlier.size) != earlier.root:
        fault = Fault(None, "root", _rewritten(earlier))
    report = Report(hashed.entries, root=hashed.root, fault=fault)
    return report if fault is not None else replace(report, fault=_astray(log))


def _head(log: Log) -> Head | Fault:
    try:
        return log.head()
    except Unavailable as e:
        if e.code != "log-broken":
            raise
        return Fault(None, "head", e.detail)


def _set_back(size: int, earlier: Tip) -> Fault:
    return Fault(
        size, "rollback", f"the log has {size} entries, and was shown with {earlier.size} before"
    )


def _rewritten(earlier: Tip) -> str:
    return f"the first {earlier.size} entries do not come to {earlier.root.hex()} any more"


def _blamed(log: Log, head: Head, fault: Fault, earlier: Tip | None) -> Fault:
    """Lay a fault at the door of who must have done it, by what the tree says of the entry."""
    if fault.index is None and fault.code == "root":
        return _found(log, head, fault, earlier)
    if fault.index is None or fault.code not in _BY_THE_HUB:
        return fault
    end = min(fault.index + 1, head.size)
    index = _unlike(log, end)
    if index is None:
        return fault if fault.culprit.startswith(agency("")) else fault.blamed(HUB)
    if index >= fault.index:
        return fault.blamed(STORAGE)
    detail = f"{_OTHER}; it showed at {fault.index}: {fault.code}: {fault.detail}"
    return Fault(index, "tree", detail)


def _found(log: Log, head: Head, fault: Fault, earlier: Tip | None) -> Fault:
    """Name the first entry that is not the one that the tiles were made of, if there is one."""
    index = _unlike(log, head.size)
    if index is not None:
        return Fault(index, "tree", f"{_OTHER}: {fault.detail}")
    return fault if earlier is not None else fault.blamed(STORAGE)


def _unlike(log: Log, end: int) -> int | None:
    try:
        return first_unlike(log, end, crew=ALONE)
    except Unavailable:
        return None


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
