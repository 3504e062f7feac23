"""Copy a log so that nothing unproven is ever kept, and go on after any crash.

For a new checkpoint, in this order:

1. The log's key has signed it.
2. The hashes of all new entries, on top of what is held already, come to its root: so the log
   has only grown, and each new entry's hash is known before the entry is.
3. Each entry has its hash. It is kept with its payload, where that may be read and has the
   digest that the entry states, in batches, each one commit.
4. When all are kept the checkpoint is kept, and may be cosigned.

A crash leaves what was proven: the next step begins where the store ends. A batch that was
kept under a checkpoint whose rest never came stays right, for a later one must hold it too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from hub.core.admission import NewEntry
from hub.core.merkle import extend_leaves, leaf_hash
from hub.core.proofs import range_root
from hub.core.redaction import REDACTED_TYPE
from hub.core.tiles import WIDTH, Tile, node_from
from hub.errors import Rejected
from hub.log.checkpoints import SignedCheckpoint, add_cosignatures, latest, put
from hub.log.projections import derive
from hub.log.store import Head, Log, LogRow
from hub.log.tree import Tree
from hub.mirror.source import Source
from schemas.checkpoint import Checkpoint, read_checkpoint
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey
from schemas.entry import decode, micros
from schemas.notes import Note

__all__ = ["Follower", "Forked", "Step"]

KEPT_REFUSED_BYTES: Final = 65_536
_BUNDLES: Final = 8
"""How many bundles are kept in one commit."""


class Forked(Exception):
    """The log signed what does not hold what it had signed before: a person must look.

    *ours* and *theirs* are the two checkpoints; who has the log's key can judge them.
    """

    def __init__(self, why: str, ours: str, theirs: str) -> None:
        super().__init__(why)
        self.why = why
        self.ours = ours
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Step:
    """What a step has brought."""

    size: int
    added: int
    withheld: int


class Follower:
    """What copies one log into a store."""

    def __init__(
        self, log: Log, source: Source, keys: Sequence[VerifierKey], *, payloads: bool = True
    ) -> None:
        self._log = log
        self._source = source
        self._keys = tuple(keys)
        self._origin = keys[0].name
        self._payloads = payloads

    def step(self, *, witnesses: Sequence[CosignerKey] = ()) -> Step:
        """Take the newest checkpoint, and all that it holds and the store does not.

        Of the cosignatures under it those are kept that verify with a key of *witnesses*.

        Raises:
            Forked: the log does not hold what it had signed.
            Rejected: ``source-wrong``: what is served is not what the log signed;
                ``note-invalid``, ``note-unsigned``.
            Unavailable: ``source-unavailable``, ``log-unavailable``.
        """
        served = self._source.checkpoint()
        checkpoint, note = read_checkpoint(served, self._origin, self._keys)
        head = self._log.head()
        if checkpoint.size <= head.size:
            self._still_holds(checkpoint, note, head)
            added = withheld = 0
        else:
            leaves = self._proven(checkpoint, note, head)
            added, withheld = self._copy(head, leaves)
        self._keep(checkpoint, note, witnesses)
        return Step(checkpoint.size, added, withheld)

    def _still_holds(self, checkpoint: Checkpoint, note: Note, head: Head) -> None:
        """See that an older or equal checkpoint is one that the copy grew through.

        Raises:
            Forked: it is not.
        """
        size = checkpoint.size
        own = head.root if size == head.size else Tree(self._log).root(size) if size else None
        if own is not None and own != checkpoint.root:
            raise Forked(
                f"the log signed another root at size {size} than what is held here comes to",
                self._ours(),
                str(note),
            )

    def _proven(self, checkpoint: Checkpoint, note: Note, head: Head) -> list[bytes]:
        """Return the hashes of all new entries, once they come to the signed root.

        Raises:
            Forked, Rejected, Unavailable: see `step`.
        """
        leaves = self._hashes(head.size, checkpoint.size)
        if extend_leaves(head.frontier, leaves).root == checkpoint.root:
            return leaves
        # Who is to blame? The tiles alone tell whether the log's own tree comes to its root.
        tiles: dict[Tile, bytes] = {}
        whole = self._root_served(tiles, checkpoint.size, checkpoint.size)
        if whole != checkpoint.root:
            raise _wrong(f"the tiles that are served do not come to the root at {checkpoint.size}")
        theirs = self._root_served(tiles, head.size, checkpoint.size) if head.size else b""
        if head.size and theirs != head.root:
            raise Forked(
                f"the log of {checkpoint.size} entries does not hold the {head.size} that are held",
                self._ours(),
                str(note),
            )
        raise _wrong("a tile of hashes is not that of the tiles above it")

    def _hashes(self, start: int, end: int) -> list[bytes]:
        found: list[bytes] = []
        for number in range(start // WIDTH, -(-end // WIDTH)):
            width = min(WIDTH, end - WIDTH * number)
            tile = self._source.tile(0, number, width)
            skip = max(0, start - WIDTH * number)
            found += [tile[32 * i : 32 * i + 32] for i in range(skip, width)]
        return found

    def _root_served(self, tiles: dict[Tile, bytes], size: int, of: int) -> bytes:
        while True:
            try:
                return range_root(node_from(tiles), 0, size)
            except KeyError as missing:
                level, number = missing.args[0]
                nodes = of >> (8 * level)
                width = min(WIDTH, nodes - WIDTH * number)
                if width < 1 or (level, number) in tiles:
                    raise _wrong(f"a tree of {of} has no tile {number} of level {level}") from None
                tiles[level, number] = self._source.tile(level, number, width)

    def _copy(self, head: Head, leaves: Sequence[bytes]) -> tuple[int, int]:
        """Keep the entries whose hashes are proven; return how many, and of how many no payload."""
        start, end, withheld = head.size, head.size + len(leaves), 0
        while start < end:
            stop = min(end, WIDTH * (start // WIDTH + _BUNDLES))
            bodies: list[bytes] = []
            for number in range(start // WIDTH, -(-stop // WIDTH)):
                width = min(WIDTH, end - WIDTH * number)
                bundle = self._source.entries(number, width)
                skip = max(0, start - WIDTH * number)
                bodies += bundle[skip:]
            for index, body in enumerate(bodies, start):
                if leaf_hash(body) != leaves[index - head.size]:
                    raise _wrong(f"the entry that is served at {index} is not the one in the log")
            rows = self._with_payloads(start, bodies)
            withheld += sum(one.payload_sha256 != "" and not one.payload for one in rows)
            expect = self._log.head()
            self._log.append(rows, expect=expect)
            start += len(bodies)
        return len(leaves), withheld

    def _with_payloads(self, start: int, bodies: Sequence[bytes]) -> list[NewEntry]:
        entries = [decode(body) for body in bodies]
        wanted = {start + n: _digest(entry) for n, entry in enumerate(entries) if _digest(entry)}
        held: dict[int, tuple[bytes, str]] = {}
        if wanted and self._payloads:
            for index, data, kind in self._source.payloads(min(wanted), max(wanted)):
                if kind == REDACTED_TYPE or index not in wanted:
                    continue  # its redaction comes, and brings what is left
                if not _is_of(entries[index - start], data, wanted[index]):
                    raise _wrong(f"the payload that is served at {index} has another digest")
                held[index] = data, kind
        return [
            _row(start + n, body, entry, *held.get(start + n, (None, "")))
            for n, (body, entry) in enumerate(zip(bodies, entries, strict=True))
        ]

    def _keep(self, checkpoint: Checkpoint, note: Note, witnesses: Sequence[CosignerKey]) -> None:
        own = [line for line in note.signatures if any(line.is_by(key) for key in self._keys)]
        text = str(replace(note, signatures=tuple(own)))
        lines = [
            line
            for line in note.signatures
            if any(key.verify(line, note.text) is not None for key in witnesses)
        ]
        with self._log.writing() as c:
            at_us = self._log.head().at_us
            put(c, SignedCheckpoint(checkpoint.size, checkpoint.root, at_us, text))
            add_cosignatures(c, checkpoint.size, lines)

    def _ours(self) -> str:
        with self._log.reading() as c:
            found = latest(c)
        return "" if found is None else found.note


def _digest(entry: dict[str, Any]) -> str:
    """Return the digest that an entry states of its payload; empty where it has none."""
    if entry["kind"] == "publish":
        return str(json.loads(entry["header"])["payload_sha256"])
    return str(entry.get("payload_sha256", ""))


def _is_of(entry: dict[str, Any], data: bytes, digest: str) -> bool:
    """Tell whether a payload is that of an entry; of a long refused one the beginning is kept."""
    if entry["kind"] == "refusal" and entry["payload_size"] > KEPT_REFUSED_BYTES:
        return len(data) == KEPT_REFUSED_BYTES
    return sha256(data).hexdigest() == digest


def _row(
    index: int, body: bytes, entry: dict[str, Any], payload: bytes | None, kind: str
) -> NewEntry:
    at_us = micros(datetime.fromisoformat(entry["at"]))
    row = LogRow(index, at_us, entry["kind"], entry["agency"], body, payload, kind)
    # What is removed there is removed here, in the same commit.
    return derive(row, withheld=True)


def _wrong(detail: str) -> Rejected:
    return Rejected(
        "source-wrong",
        detail,
        remedy="Nothing of it was kept. Whoever serves the log, or the way to it, alters it: ask"
        " another mirror, and tell the hub's operator.",
    )
