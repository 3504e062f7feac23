"""``caspian log compare``: are these two of one history? If not, who signed both."""

from __future__ import annotations

import json as json_
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.log_source import opened_bundle
from hub.cli.options import AsJson
from hub.cli.terminal import emit, fields, say, styled
from hub.cli.trusted import read_policy_file
from hub.cli.verify_report import show_fault
from hub.cli.words import t
from hub.core.merkle import EMPTY, extend, leaf_hash
from hub.core.proofs import consistency_proof, verify_consistency
from hub.core.tiles import WIDTH, node_from
from hub.log.bundle import Bundle
from hub.log.engine import open_to_read
from hub.log.faults import HUB, Wrong, agency
from hub.log.growth import Tiles, root_of_tiles
from hub.log.scan import scan
from hub.log.signed_ends import SignedEnd, contradiction, open_end, read_signed_end
from hub.log.store import Log, LogRow
from hub.log.tree import Tree
from hub.mirror.source import Source
from schemas.dsse import HEADER_TYPE, signed_by
from schemas.ed25519 import VerifierKey, decode_base64
from schemas.errors import Rejected
from schemas.policy import Policy

__all__ = ["compare"]


@dataclass(slots=True)
class _Side:
    """One of the two: a checkpoint, a bundle of the whole log, a store, or whoever serves it."""

    name: str
    size: int
    end: SignedEnd | None = None
    bundle: Bundle | None = None
    log: Log | None = None
    tiles: Tiles | None = None
    roots: dict[int, bytes] = field(default_factory=dict)

    def root_at(self, size: int) -> bytes | None:
        """Return the root over so many entries; None where this side cannot tell."""
        if size in self.roots:
            return self.roots[size]
        if self.log is not None:
            return Tree(self.log).root(size) if size else EMPTY.root
        if self.tiles is not None and self.end is not None:
            return _served_root(self.name, self.tiles, self.end, size)
        if self.bundle is not None:
            frontier = EMPTY
            for row in self.bundle.rows():
                if row.index == size:
                    break
                frontier = extend(frontier, [row.body])
            return frontier.root if frontier.size == size else None
        return None

    def rows(self, size: int) -> Iterator[LogRow]:
        """Yield the entries before *size*, where this side has entries."""
        if self.log is not None:
            yield from scan(self.log, through=size - 1)
        elif self.bundle is not None:
            yield from (row for row in self.bundle.rows() if row.index < size)

    def leaves(self, size: int) -> Iterator[tuple[bytes, LogRow | None]]:
        """Yield the leaf hashes before *size*, and the entries where this side has them."""
        if self.tiles is None:
            yield from ((leaf_hash(row.body), row) for row in self.rows(size))
            return
        for number in range(-(-size // WIDTH)):
            row = self.tiles[0, number]
            for at in range(min(WIDTH, size - WIDTH * number)):
                yield row[32 * at : 32 * at + 32], None


def _served_root(name: str, tiles: Tiles, end: SignedEnd, size: int) -> bytes:
    """Return the root over so many entries that a hub or mirror serves the tiles of.

    Raises:
        Wrong: ``tree``; its tiles are not those of the checkpoint that it serves.
    """
    whole, node = end.checkpoint, node_from(tiles)
    root = EMPTY.root if not size else root_of_tiles(tiles, size)
    proof = consistency_proof(node, size, whole.size)
    if size and not verify_consistency(
        proof, old=size, size=whole.size, old_root=root, root=whole.root
    ):
        raise Wrong(
            None,
            "tree",
            f"the tiles that {name} serves are not those of its checkpoint",
            culprit=HUB,
        )
    return root


def compare(
    a: str,
    b: str,
    /,
    *,
    policy: Annotated[
        Path | None, Parameter(help="Whose keys count (C2SP tlog-policy): names who signed both.")
    ] = None,
    json: AsJson = False,
) -> int:
    """Compare two views of one log; exit 5 where they contradict each other.

    Two people who were shown two histories find it out by this. Two checkpoints of different
    size need a log that tells how one came to the other: compare each with a bundle or a store.

    Parameters
    ----------
    a: str
        The file of a checkpoint, a bundle of the whole log, a store's file, or the address
        (https://…) of a hub or a mirror.
    b: str
        Likewise.

    """
    trusted = read_policy_file(policy) if policy is not None else None
    try:
        with ExitStack() as stack:
            size, same, first, culprits = _compared(_open(a, stack), _open(b, stack), trusted)
    except Wrong as wrong:
        show_fault(wrong.fault, json=json)
        return REFUSED
    index = first[0] if first is not None else None
    _tell(size, index, culprits, same=same, json=json)
    return DONE if same else REFUSED


_Unlike = tuple[int, tuple[LogRow, LogRow] | None]
"""Where two histories part, and the two entries there, where both sides show theirs."""


def _compared(
    one: _Side, other: _Side, trusted: Policy | None
) -> tuple[int, bool, _Unlike | None, list[str]]:
    size = min(one.size, other.size)
    roots = one.root_at(size), other.root_at(size)
    if None in roots:
        raise usage(
            t(
                "{one} has {size} entries, {other} has {more}, and neither tells of both",
                one=one.name,
                other=other.name,
                size=one.size,
                more=other.size,
            ),
            remedy=t("Compare each with a bundle of the whole log, a store, a hub or a mirror."),
        )
    if roots[0] == roots[1]:
        return size, True, None, []
    first = _first_unlike(one, other, size)
    pair = None if first is None else first[1]
    culprits = [*contradiction(one.end, other.end, trusted), *(_liars(pair) if first else [])]
    return size, False, first, culprits


def _open(name: str, stack: ExitStack) -> _Side:
    if name.startswith(("http://", "https://")):
        source = stack.enter_context(Source(name))
        served = read_signed_end(source.checkpoint())
        at = served.checkpoint
        tiles = Tiles(source.tile, at.size)
        return _Side(name, at.size, served, tiles=tiles, roots={at.size: at.root})
    if "://" in name:
        return _store(name, name, stack)
    path = Path(name)
    try:
        with path.open("rb") as file:
            begins = file.read(16)
        end = open_end(path.read_bytes()) if path.stat().st_size < 1 << 20 else None
    except OSError as e:
        raise usage(f"{name}: {e.strerror or e}", remedy=t("Name a file that there is.")) from e
    if begins.startswith(b"SQLite format 3"):
        return _store(name, f"sqlite:///{path}", stack)
    if end is not None:
        checkpoint = end.checkpoint
        return _Side(name, checkpoint.size, end, roots={checkpoint.size: checkpoint.root})
    bundle = opened_bundle(path)
    header = bundle.header
    if header.first or header.filtered:
        raise usage(
            t("{name} is a part of the log", name=name), remedy=t("Compare a bundle from entry 0.")
        )
    return _Side(name, header.through + 1, bundle=bundle)


def _store(name: str, url: str, stack: ExitStack) -> _Side:
    log = Log(open_to_read(url))
    stack.callback(log.close)
    return _Side(name, log.head().size, log=log)


def _first_unlike(a: _Side, b: _Side, size: int) -> _Unlike | None:
    for index, (one, other) in enumerate(zip(a.leaves(size), b.leaves(size), strict=False)):
        if one[0] != other[0]:
            rows = one[1], other[1]
            return index, None if rows[0] is None or rows[1] is None else (rows[0], rows[1])
    return None


def _liars(pair: tuple[LogRow, LogRow] | None) -> list[str]:
    """Return the hub, and an agency that signed two messages under one number."""
    if pair is None:
        return ["hub"]
    told = [_signed(row) for row in pair]
    if None in told or told[0] != told[1]:
        return ["hub"]
    return ["hub", agency(pair[0].agency)]


def _signed(row: LogRow) -> tuple[str, int] | None:
    """Return whose count a message is in, and where; None where nobody rightly signed it."""
    try:
        entry: dict[str, Any] = row.entry
        key, signature = VerifierKey.read(entry["key"]), decode_base64(entry["signature"]) or b""
        header = entry["header"].encode()
        seq = int(json_.loads(header)["seq"])
    except (Rejected, ValueError, KeyError, TypeError, AttributeError):
        return None
    return (row.agency, seq) if signed_by(HEADER_TYPE, header, key, signature) else None


def _tell(size: int, index: int | None, culprits: list[str], *, same: bool, json: bool) -> None:
    who = list(dict.fromkeys(culprits))
    if json:
        emit({"ok": same, "size": size, "index": index, "culprits": who})
        return
    if same:
        say(
            styled(t("OK"), "bold green"),
            styled(t("both begin with the same {size} entries", size=size)),
        )
        return
    say(
        styled(t("FORK"), "bold white on red"),
        Text(" ")
        + styled(t("two histories: the first {size} entries are not the same", size=size)),
    )
    blamed = ", ".join(who) or t("unknown: name the keys with --policy")
    rows = [] if index is None else [(t("first"), t("entry {index}", index=index))]
    fields([*rows, (t("blame"), blamed)], width=7)
