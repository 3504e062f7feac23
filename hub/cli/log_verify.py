"""``caspian verify``: is this log whole and unchanged? If it is not, who did it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from hub.cli.connection import Connection
from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.log_remote import HubSource, Withheld, open_source
from hub.cli.log_source import BundleSource, Selection, StoreSource
from hub.cli.options import AsJson, FromBundle, FromStore
from hub.cli.terminal import Told, progress
from hub.cli.trusted import read_confirmed, read_end, read_policy_file
from hub.cli.verify_report import show_report
from hub.cli.verify_seen import verify_seen
from hub.cli.words import t
from hub.client import calls
from hub.core.admission import Rules
from hub.core.proofs import consistency_proof, verify_consistency
from hub.core.registry import REGISTRY_KINDS
from hub.core.tiles import node_from
from hub.log.bundle import verify_bundle
from hub.log.checkpoints import cosigned, latest
from hub.log.examine import Reader
from hub.log.examining import Stretch
from hub.log.faults import Fault, Wrong
from hub.log.feed_check import check_feeds
from hub.log.growth import Tiles, frontier_of, history_before, root_of_tiles, shrunk
from hub.log.projections import read_logged
from hub.log.scan import scan
from hub.log.signed_ends import check_end, read_signed_end
from hub.log.store import LogRow
from hub.log.tree import Tree
from hub.log.verify import Report, Tip, stretch, verify_hashes, verify_store
from hub.log.verify import verify as verify_rows
from hub.log.workers import Workers, cores, workers
from hub.settings import Settings
from schemas.checkpoint import Checkpoint
from schemas.policy import Policy

__all__ = ["verify"]

_FEW: Final = 5_000
"""So many entries are verified before other processes have begun."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a person wants verified, and with what."""

    earlier: Tip | None
    since: Tip | None
    hashes: bool
    read: Reader | None
    rules: Rules
    confirmed: dict[str, int]
    feeds: bool
    withheld: bool
    crew: Workers
    told: Told
    policy: Policy | None


def verify(
    *,
    bundle: FromBundle = None,
    store: FromStore = None,
    hashes: Annotated[
        bool,
        Parameter(
            negative="", help="Only the tree: every byte of every entry, its tiles, the end."
        ),
    ] = False,
    full: Annotated[
        bool,
        Parameter(
            negative="",
            help="Everything: signatures by the keys that counted, admission, routing, deliveries "
            "and acknowledgements decided again. It is what is done where nothing else is said.",
        ),
    ] = False,
    earlier: Annotated[
        str | None,
        Parameter(
            help="An end that you have kept, SIZE:ROOT or a checkpoint's file: the log must have "
            "grown from it. Without one, a log that was forged as a whole, with its end, cannot "
            "be told."
        ),
    ] = None,
    since: Annotated[
        str | None,
        Parameter(
            help="The same, but verify only what came after it: what came before is trusted."
        ),
    ] = None,
    decisions: Annotated[
        bool,
        Parameter(
            negative="--no-decisions",
            help="Read every payload and decide its admission again; slower.",
        ),
    ] = True,
    policy: Annotated[
        Path | None,
        Parameter(
            help="Whose word counts (C2SP tlog-policy): the newest checkpoint must be signed and "
            "cosigned by it, and be of this log."
        ),
    ] = None,
    confirmed: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="FEED=INDEX: how far an agency's system has itself confirmed its feed; what the "
            "log claims beyond it was never delivered. May be repeated.",
        ),
    ] = (),
    feeds: Annotated[
        bool,
        Parameter(
            negative="",
            help="Read every live feed of the hub, too: it must hold what the log says.",
        ),
    ] = False,
    processes: Annotated[
        int | None,
        Parameter(name="--workers", help="How many processes; as many as there are cores."),
    ] = None,
    withheld: Annotated[
        bool,
        Parameter(negative="", help="Payloads may be missing: the store is a mirror's."),
    ] = False,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> int:
    """Verify every entry, payload and decision, and the Merkle root over all; exit 5 if broken.

    Names the first wrong entry, and who is to blame. Prints the size and the root: keep
    them, and give them as --earlier the next time.
    """
    if hashes and (full or feeds or bundle is not None):
        raise usage(
            t("--hashes reads nothing but the tree of a store"),
            remedy=t("Leave --full, --feeds and --bundle out; a bundle is verified whole."),
        )
    if since is not None and (bundle is not None or feeds or earlier is not None):
        raise usage(
            t("--since verifies what a store or a hub has added"),
            remedy=t("Verify all of it, with --earlier; or leave the other options out."),
        )
    if feeds and not decisions:
        raise usage(t("--feeds needs the decisions"), remedy=t("Leave --no-decisions out."))
    trusted = None if policy is None else read_policy_file(policy)
    settings = Settings.from_environment()
    with open_source(bundle, connection, store) as source, progress(t("verifying"), None) as told:
        size = source.size
        told(0, size)
        count = (processes or cores()) if size > _FEW else 1
        with workers(count) as crew:
            wanted = _Wanted(
                read_end(earlier),
                read_end(since),
                hashes,
                read_logged if decisions else None,
                Rules(future_tolerance=settings.future_tolerance),
                read_confirmed(confirmed),
                feeds,
                withheld,
                crew,
                told,
                trusted,
            )
            report, reached = _verified(source, wanted, connection)
            if report.ok and trusted is not None and not isinstance(source, BundleSource):
                report = _witnessed(source, report, trusted)
    whole = not isinstance(source, BundleSource) or source.bundle.header.whole
    show_report(report, json=json, whole=whole, reached=reached)
    return DONE if report.ok else REFUSED


def _verified(
    source: StoreSource | BundleSource | HubSource, wanted: _Wanted, connection: Connection
) -> tuple[Report, dict[str, int]]:
    if wanted.since is not None:
        if isinstance(source, BundleSource):  # pragma: no cover - refused before
            raise TypeError(source)
        return _since(source, wanted.since, wanted), {}
    report = _whole(source, wanted)
    if not wanted.feeds or not report.ok:
        return report, {}
    if not report.kept:
        raise usage(
            t("the feeds cannot be made from this log: payloads are withheld or were removed"),
            remedy=t("Verify without --feeds, or a log that has its payloads."),
        )
    with _hub(source, connection) as hub:
        members = {f["feed"]: int(f["since"]) for f in hub.client.feeds()}
        found, fault = check_feeds(
            report.kept,
            members,
            report.entries,
            # What is older than the stream comes from the log: short pages reach the stream soon.
            lambda feed, after: hub.client.read(
                feed, after=after, limit=1 if after == members[feed] else 100
            ),
        )
    return replace(report, fault=fault), found


@contextmanager
def _hub(
    source: StoreSource | BundleSource | HubSource, connection: Connection
) -> Iterator[HubSource]:
    if isinstance(source, HubSource):
        yield source
        return
    with connection.client() as client:
        yield HubSource(client)


def _whole(source: StoreSource | BundleSource | HubSource, wanted: _Wanted) -> Report:
    given: dict[str, Any] = {
        "progress": wanted.told,
        "read": wanted.read,
        "rules": wanted.rules,
        "crew": wanted.crew,
        "confirmed": wanted.confirmed,
        "keep_feeds": wanted.feeds,
    }
    if isinstance(source, BundleSource):
        return verify_bundle(source.bundle, against=wanted.earlier, policy=wanted.policy, **given)
    if isinstance(source, HubSource):
        if wanted.hashes:
            raise usage(
                t("--hashes reads a store"), remedy=t("Name one with --store, or verify in full.")
            )
        end = source.end()
        rows = source.bare_rows(Selection(last=end.size - 1))
        try:
            return verify_rows(rows, end, payloads_required=False, earlier=wanted.earlier, **given)
        except Withheld:
            return verify_seen(
                source, earlier=wanted.earlier, crew=wanted.crew, progress=wanted.told
            )
    if wanted.hashes:
        return verify_hashes(
            source.log, earlier=wanted.earlier, progress=wanted.told, crew=wanted.crew
        )
    return verify_store(source.log, earlier=wanted.earlier, withheld=wanted.withheld, **given)


def _witnessed(
    source: StoreSource | BundleSource | HubSource, report: Report, policy: Policy
) -> Report:
    """Hold the newest checkpoint against the policy and the log that was verified."""
    if isinstance(source, HubSource):
        note = source.client.call(calls.checkpoint())
        tile, size = source.tile, source.size
    elif isinstance(source, StoreSource):
        with source.log.reading() as c:
            newest = latest(c)
            note = b"" if newest is None else cosigned(c, newest).encode()
        tile, size = Tree(source.log).tile, source.log.head().size
    else:  # pragma: no cover - refused before
        raise TypeError(source)
    if not note:
        return replace(report, fault=Fault(None, "checkpoint", "the log has signed nothing"))
    end = read_signed_end(note)

    def root_at(at: int) -> bytes | None:
        return root_of_tiles(Tiles(tile, at), at)

    try:
        level, witnesses, fault = check_end(end, policy, size=size, root_at=root_at)
        if fault is None and isinstance(source, HubSource):
            fault = _unlinked(source, report, end.checkpoint)
    except Wrong as wrong:
        return replace(report, fault=wrong.fault)
    return replace(report, level=level or "", witnesses=witnesses, fault=fault)


def _unlinked(source: HubSource, report: Report, told: Checkpoint) -> Fault | None:
    """Hold the root that was verified against the checkpoint: one tree must have grown to both."""
    size, root = report.since + report.entries + report.unread, report.root
    if root is None or not min(size, told.size):
        return None
    (old, old_root), (new, new_root) = sorted(((size, root), (told.size, told.root)))
    proof = consistency_proof(node_from(Tiles(source.tile, new)), old, new)
    if verify_consistency(proof, old=old, size=new, old_root=old_root, root=new_root):
        return None
    return Fault(None, "checkpoint", f"it is not of the log of {size} entries that was shown")


def _since(source: StoreSource | HubSource, since: Tip, wanted: _Wanted) -> Report:
    """Verify what was added after a trusted end."""
    head: Tip
    if isinstance(source, HubSource):
        head, tile = source.end(), source.tile
    else:
        head, tile = source.log.head(), Tree(source.log).tile
    if (fault := shrunk(head.size, since)) is not None:
        return Report(fault=fault, since=since.size)
    tiles = Tiles(tile, since.size)
    try:
        return _added(source, since, head, tiles, wanted)
    except Wrong as wrong:
        return Report(fault=wrong.fault, since=since.size)
    except Withheld:
        if not isinstance(source, HubSource):  # pragma: no cover - only a hub withholds
            raise
        return verify_seen(source, since=since, crew=wanted.crew, progress=wanted.told)


def _added(
    source: StoreSource | HubSource, since: Tip, head: Tip, tiles: Tiles, wanted: _Wanted
) -> Report:
    frontier = frontier_of(tiles, since)
    history = history_before(_changes(source, since), tiles, since)
    return verify_rows(
        _rows_after(source, since, head),
        head,
        first=since.size,
        payloads_required=isinstance(source, StoreSource) and not wanted.withheld,
        frontier=frontier,
        history=history,
        read=None if wanted.hashes else wanted.read,
        rules=wanted.rules,
        crew=wanted.crew,
        progress=wanted.told,
    )


def _rows_after(
    source: StoreSource | HubSource, since: Tip, head: Tip
) -> Iterator[LogRow] | Stretch:
    if isinstance(source, HubSource):
        return source.bare_rows(Selection(first=since.size, last=head.size - 1))
    return stretch(source.log, since.size, head.size)


def _changes(source: StoreSource | HubSource, since: Tip) -> Iterator[LogRow]:
    kinds = tuple(sorted(REGISTRY_KINDS))
    if isinstance(source, HubSource):
        return source.bare_rows(Selection(last=since.size - 1, kinds=kinds))
    return scan(source.log, through=since.size - 1, kinds=kinds)
