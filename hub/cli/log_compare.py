"""``caspian log compare``: are these two of one history? If not, who signed both."""

from __future__ import annotations

import json as json_
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.log_source import opened_bundle
from hub.cli.options import AsJson
from hub.cli.terminal import emit, fields, say, styled
from hub.cli.words import t
from hub.core.merkle import EMPTY, extend
from hub.log.bundle import Bundle
from hub.log.engine import open_to_read
from hub.log.faults import agency
from hub.log.scan import scan
from hub.log.signed_ends import SignedEnd, contradiction, open_end
from hub.log.store import Log, LogRow
from hub.log.tree import Tree
from schemas.dsse import HEADER_TYPE, signed_by
from schemas.ed25519 import VerifierKey, decode_base64
from schemas.errors import Rejected
from schemas.policy import read_policy

__all__ = ["compare"]


@dataclass(slots=True)
class _Side:
    """One of the two: a checkpoint, a bundle of the whole log, or a store."""

    name: str
    size: int
    end: SignedEnd | None = None
    bundle: Bundle | None = None
    log: Log | None = None
    roots: dict[int, bytes] = field(default_factory=dict)

    def root_at(self, size: int) -> bytes | None:
        """Return the root over so many entries; None where this side cannot tell."""
        if size in self.roots:
            return self.roots[size]
        if self.log is not None:
            return Tree(self.log).root(size) if size else EMPTY.root
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
        The file of a checkpoint, a bundle of the whole log, or a store's file.
    b: str
        Likewise.

    """
    trusted = read_policy(policy.read_bytes()) if policy is not None else None
    with ExitStack() as stack:
        one, other = _open(a, stack), _open(b, stack)
        size = min(one.size, other.size)
        roots = one.root_at(size), other.root_at(size)
        if None in roots:
            raise usage(
                t(
                    "{one} has {size} entries, {other} has {more}, and neither tells of both",
                    one=a,
                    other=b,
                    size=one.size,
                    more=other.size,
                ),
                remedy=t("Compare each with a bundle of the whole log, or with a store."),
            )
        same = roots[0] == roots[1]
        first = None if same else _first_unlike(one, other, size)
        culprits = [] if same else [*contradiction(one.end, other.end, trusted), *_liars(first)]
    index = first[0].index if first is not None else None
    _tell(size, index, culprits, same=same, json=json)
    return DONE if same else REFUSED


def _open(name: str, stack: ExitStack) -> _Side:
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


def _first_unlike(a: _Side, b: _Side, size: int) -> tuple[LogRow, LogRow] | None:
    if None in {a.log or a.bundle, b.log or b.bundle}:
        return None
    for one, other in zip_longest(a.rows(size), b.rows(size)):
        if one is None or other is None:
            return None
        if one.body != other.body:
            return one, other
    return None


def _liars(pair: tuple[LogRow, LogRow] | None) -> list[str]:
    """Return the hub, and an agency that signed two messages under one number."""
    if pair is None:
        return []
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
