"""What a witness remembers: of each log the latest checkpoint it cosigned, and what contradicts.

One SQLite file with a rollback journal and ``synchronous=EXTRA``: a commit is on the disk when
it returns, and a copy of the file alone is the whole of it. Every submission is one
transaction that takes the writer's lock first: it reads what is held, judges, writes, and
commits before anything is signed away. So of any number of submissions at once, from any
number of processes, each is judged by what the one before it left.
"""

from __future__ import annotations

import base64
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from hub.core.witnessing import EMPTY, Held, Refused, Submission, judge
from hub.errors import Unavailable
from hub.witness.cosigning import cosign
from hub.witness.identity import Identity, Mark
from schemas.ed25519 import VerifierKey
from schemas.notes import Note, NoteSignature

__all__ = ["Evidence", "Latest", "WitnessStore", "make_store"]

PATIENCE_S: Final = 300
"""How far the clock may run behind the latest cosignature: its time is held for so long."""

_KEPT: Final = 10_000
"""How many cosigned checkpoints of a log are remembered, and how many suspicions."""

_TABLES: Final = """
CREATE TABLE meta (
  id TEXT NOT NULL, generation INTEGER NOT NULL, time_s INTEGER NOT NULL, recovered INTEGER NOT NULL
);
CREATE TABLE logs (
  origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL
);
CREATE TABLE cosigned (
  origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL,
  PRIMARY KEY (origin, size)
);
CREATE TABLE evidence (
  number INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL, sha256 BLOB NOT NULL UNIQUE,
  kind TEXT NOT NULL, why TEXT NOT NULL, seen_s INTEGER NOT NULL,
  size INTEGER NOT NULL, root BLOB NOT NULL, submission BLOB NOT NULL, held BLOB NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Latest:
    """Where a witness stands with one log."""

    origin: str
    size: int
    root: bytes
    note: bytes
    """The checkpoint with the log's signature and the witness's own."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a log signed that does not follow from what it had signed before.

    A *fork* is a proof for anybody: two checkpoints of one size with two roots, both
    signed by the log. A *suspicion* is a checkpoint that came without a proof that holds;
    it goes when the proof comes. Whoever passed it on may have spoilt the proof.
    """

    number: int
    origin: str
    kind: str
    why: str
    seen_s: int
    size: int
    root: bytes
    submission: bytes
    held: bytes
    """The checkpoint that it contradicts; empty where only a size and root were kept."""

    def record(self) -> dict[str, Any]:
        """Return it for programs: whoever has the log's key can check it."""
        return {
            "number": self.number,
            "origin": self.origin,
            "kind": self.kind,
            "why": self.why,
            "seen": datetime.fromtimestamp(self.seen_s, UTC).isoformat(),
            "size": self.size,
            "root": self.root.hex(),
            "submission": base64.b64encode(self.submission).decode(),
            "held": base64.b64encode(self.held).decode(),
        }


def make_store(
    path: Path, *, time_s: int = 0, held: Sequence[Latest] = (), recovered: bool = False
) -> str:
    """Make a new store, on the disk when this returns; return its random id.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    made = secrets.token_hex(16)
    connection = _connect(path, "rwc")
    try:
        connection.executescript("BEGIN IMMEDIATE;" + _TABLES)
        connection.execute("INSERT INTO meta VALUES (?, 0, ?, ?)", (made, time_s, int(recovered)))
        for one in held:
            _hold(connection, one)
        connection.execute("COMMIT")
    finally:
        connection.close()
    return made


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=30.0, isolation_level=None
    )
    for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "fullfsync=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class WitnessStore:
    """The store of one witness. Safe to use from several threads and processes."""

    def __init__(self, path: Path, mark: Path, identity: Identity) -> None:
        self._path = path
        self._mark = mark
        self._identity = identity
        self._generation = 0

    def check(self) -> None:
        """Hold the store against the key and the mark; needed once, before anything is cosigned.

        Raises:
            Unavailable: ``witness-store-lost``: the store or its mark is gone, damaged, another
                key's, or an old copy. ``witness-store-unavailable``.
        """
        mark = Mark.read(self._mark)
        if mark is None or mark.store != self._identity.store:
            raise _lost(f"{self._mark} is missing, damaged, or of another store")
        self._generation = mark.generation
        with self._transaction() as (c, _):
            sound = c.execute("PRAGMA quick_check").fetchone()[0]
            held = {
                o: Held(s, bytes(r)) for o, s, r in c.execute("SELECT origin, size, root FROM logs")
            }
        if sound != "ok":
            raise _lost(f"{self._path} is damaged: {sound}")
        for origin, known in mark.logs.items():
            if held.get(origin, EMPTY).size < known.size:
                raise _lost(f"{self._path} is behind {self._mark} with {origin}")

    def add(self, one: Submission, *, keys: Sequence[VerifierKey], now_s: int) -> Note | Refused:
        """Judge an authentic submission; cosign it, or keep what it shows against its log.

        The cosignature's time never runs backwards: where the clock does, the latest
        time is held. *keys* are those of its log that were trusted.

        A refusal is ``suspect`` where it left new evidence.

        Raises:
            Unavailable: ``witness-store-unavailable``, ``witness-store-lost``,
                ``witness-clock-behind``, ``witness-unrecovered``; nothing was cosigned, or
                nobody got it.
        """
        origin = one.checkpoint.origin
        with self._transaction() as (c, meta):
            latest = _latest(c, origin)
            if latest is None and meta.recovered:
                raise Unavailable(
                    "witness-unrecovered",
                    f"this witness has lost what it knew of {origin}",
                    remedy="Run `caspian witness recover` with a checkpoint of it that you trust.",
                )
            held = EMPTY if latest is None else Held(latest.size, latest.root)
            refused = judge(one, held)
            if refused is not None:
                kept = _keep_evidence(c, one, refused, latest, now_s)
                if kept:
                    _advance(c, meta.time_s)
                return replace(refused, suspect=kept)
            if meta.time_s - now_s > PATIENCE_S:
                raise Unavailable(
                    "witness-clock-behind",
                    f"the clock is {meta.time_s - now_s} s behind the latest cosignature",
                    remedy="Set the clock. Where it was ahead before, wait, or make a new witness.",
                    retry_after_s=60,
                )
            time_s = max(now_s, meta.time_s)
            cosigned = cosign(self._identity.key, self._identity.sign, time_s, one.note.text)
            whole = Note(one.note.text, (*_by(keys, one.note), *cosigned.signatures))
            root = one.checkpoint.root
            _hold(c, Latest(origin, one.checkpoint.size, root, str(whole).encode()))
            c.execute(
                "DELETE FROM evidence WHERE kind = 'suspicion' AND origin = ? AND size = ?"
                " AND root = ?",
                (origin, one.checkpoint.size, root),
            )
            _advance(c, time_s)
        self._set_mark()
        return cosigned

    def latest(self) -> list[Latest]:
        """Return where the witness stands with each log that it has cosigned.

        Raises:
            Unavailable: ``witness-store-unavailable``, ``witness-store-lost``.
        """
        with self._transaction() as (c, _):
            rows = c.execute("SELECT origin, size, root, note FROM logs ORDER BY origin").fetchall()
        return [Latest(o, s, bytes(r), bytes(n)) for o, s, r, n in rows]

    def evidence(self, *, limit: int = 1000) -> list[Evidence]:
        """Return what was kept against logs, the latest first.

        Raises:
            Unavailable: ``witness-store-unavailable``, ``witness-store-lost``.
        """
        with self._transaction() as (c, _):
            rows = c.execute(
                "SELECT number, origin, kind, why, seen_s, size, root, submission, held"
                " FROM evidence ORDER BY kind, number DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [Evidence(*row) for row in rows]

    def hold(self, one: Latest, *, time_s: int) -> None:
        """Begin with a log at a checkpoint that a person trusts; only where nothing is held of it.

        Raises:
            Unavailable: ``witness-store-unavailable``, ``witness-store-lost``.
            ValueError: something is held of it.
        """
        with self._transaction() as (c, meta):
            if _latest(c, one.origin) is not None:
                raise ValueError(one.origin)
            _hold(c, one)
            _advance(c, max(time_s, meta.time_s))
        self._set_mark()

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, _Meta]]:
        """Open a transaction that holds the writer's lock; look at whose store it is first."""
        try:
            c = self._connected()
        except sqlite3.Error as e:
            raise _lost(f"{self._path} cannot be opened: {e}") from e
        try:
            c.execute("BEGIN IMMEDIATE")
            row = c.execute("SELECT id, generation, time_s, recovered FROM meta").fetchone()
            meta = _Meta(*row) if row is not None else _Meta("", 0, 0, 0)
            if meta.id != self._identity.store or meta.generation < self._generation:
                raise _lost(f"{self._path} is another store than the key's, or an old copy of it")
            yield c, meta
            c.execute("COMMIT")
            self._generation = max(self._generation, meta.generation)
        except sqlite3.Error as e:
            raise Unavailable(
                "witness-store-unavailable",
                f"{self._path}: {e}",
                remedy="See to its disk; then send the same again.",
            ) from e
        finally:
            # An open transaction is rolled back; a failure to close changes nothing.
            with suppress(sqlite3.Error):
                c.close()

    def _connected(self) -> sqlite3.Connection:
        return _connect(self._path, "rw")

    def _set_mark(self) -> None:
        """Write how far the store has come, as it is now; before anybody gets an answer by it."""
        with self._transaction() as (c, meta):
            rows = c.execute("SELECT origin, size, root FROM logs").fetchall()
            logs = {o: Held(s, bytes(r)) for o, s, r in rows}
            mark = Mark(meta.id, meta.generation, meta.time_s, logs)
            try:
                # Within the transaction, so that an older mark never follows a newer one.
                mark.write(self._mark)
            except OSError as e:
                raise Unavailable(
                    "witness-store-unavailable",
                    f"{self._mark}: {e.strerror or e}",
                    remedy="See to its disk; then send the same again.",
                ) from e


@dataclass(frozen=True, slots=True)
class _Meta:
    id: str
    generation: int
    time_s: int
    recovered: int


def _latest(c: sqlite3.Connection, origin: str) -> Latest | None:
    row: Any = c.execute("SELECT size, root, note FROM logs WHERE origin = ?", (origin,)).fetchone()
    return None if row is None else Latest(origin, row[0], bytes(row[1]), bytes(row[2]))


def _hold(c: sqlite3.Connection, one: Latest) -> None:
    values = (one.origin, one.size, one.root, one.note)
    c.execute("INSERT OR REPLACE INTO logs VALUES (?, ?, ?, ?)", values)
    c.execute("INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?, ?)", values)
    c.execute(
        "DELETE FROM cosigned WHERE origin = ? AND size <= (SELECT size FROM cosigned"
        " WHERE origin = ? ORDER BY size DESC LIMIT 1 OFFSET ?)",
        (one.origin, one.origin, _KEPT),
    )


def _keep_evidence(
    c: sqlite3.Connection,
    one: Submission,
    refused: Refused,
    held: Latest | None,
    now_s: int,
) -> bool:
    """Keep what contradicts; return whether it was new."""
    checkpoint = one.checkpoint
    known = c.execute(
        "SELECT root, note FROM cosigned WHERE origin = ? AND size = ?",
        (checkpoint.origin, checkpoint.size),
    ).fetchone()
    against = b"" if held is None else held.note
    if known is not None and bytes(known[0]) != checkpoint.root:
        kind, against = "fork", bytes(known[1])
    elif checkpoint.size == 0 and refused.suspect:
        kind, against = "fork", b""
    elif refused.suspect:
        kind = "suspicion"
    else:
        return False
    # A fork is told apart by its note alone; a spoilt proof makes no second of it.
    digest = sha256(f"{kind}\n{one.note.text}".encode()).digest()
    done = c.execute(
        "INSERT OR IGNORE INTO evidence (origin, sha256, kind, why, seen_s, size, root,"
        " submission, held) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            checkpoint.origin,
            digest,
            kind,
            refused.why if kind == "suspicion" else "the log signed two roots of one size",
            now_s,
            checkpoint.size,
            checkpoint.root,
            one.body,
            against,
        ),
    )
    c.execute(
        "DELETE FROM evidence WHERE kind = 'suspicion' AND number <= ("
        "SELECT number FROM evidence WHERE kind = 'suspicion' ORDER BY number DESC LIMIT 1"
        " OFFSET ?)",
        (_KEPT,),
    )
    return done.rowcount > 0


def _advance(c: sqlite3.Connection, time_s: int) -> None:
    c.execute("UPDATE meta SET generation = generation + 1, time_s = ?", (time_s,))


def _by(keys: Sequence[VerifierKey], note: Note) -> tuple[NoteSignature, ...]:
    return tuple(one for one in note.signatures if any(one.is_by(key) for key in keys))


def _lost(detail: str) -> Unavailable:
    return Unavailable(
        "witness-store-lost",
        detail,
        remedy='Nothing is cosigned any more. See docs/witness.md, "A lost store".',
    )
