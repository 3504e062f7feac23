"""An agency's own record of what it signed: its count, and what has no answer yet.

One SQLite file for an agency. Crash table:

=====================================  =================================================
killed                                 what is left
=====================================  =================================================
before the message is kept             nothing; its number is given to the next
after, before it is sent or answered   it waits, and is sent again, the same bytes, before
                                       anything newer: the count has no gap
after the answer, before it is kept    it is sent again and gets its first receipt
=====================================  =================================================
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from hub.client.signers import Signer
from hub.core.signing import Chain, audience_of
from hub.errors import Rejected
from schemas.dsse import HEADER_TYPE
from schemas.entry import micros
from schemas.header import header_text, uuid7
from schemas.payload import read_payload

__all__ = ["Outbox", "Signed"]

_TABLES = """
CREATE TABLE IF NOT EXISTS count (one INTEGER PRIMARY KEY CHECK (one = 1),
    agency TEXT NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, sha256 TEXT NOT NULL,
    header TEXT NOT NULL, signature TEXT NOT NULL, key TEXT NOT NULL,
    payload BLOB, payload_type TEXT NOT NULL, answer TEXT) STRICT;
CREATE INDEX IF NOT EXISTS by_payload ON messages (sha256, seq);
"""


@dataclass(frozen=True, slots=True)
class Signed:
    """A message as it is sent: the payload, and what the agency signed of it."""

    seq: int
    payload: bytes
    payload_type: str
    header: str
    signature: str
    key: str


class Outbox:
    """What one agency signed. Several processes may share the file; each takes its turn."""

    def __init__(self, path: Path, agency: str) -> None:
        """Open the record of *agency*, or begin it.

        Raises:
            Rejected: ``outbox-unusable``; it is another agency's, or cannot be opened.
        """
        self._path, self._agency = path, agency
        try:
            self._db = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
            path.chmod(0o600)
            self._db.execute("PRAGMA synchronous = EXTRA")
            self._db.executescript(_TABLES)
            self._db.execute("INSERT OR IGNORE INTO count VALUES (1, ?, 0, '')", (agency,))
            (found,) = self._db.execute("SELECT agency FROM count").fetchone()
        except (sqlite3.Error, OSError) as e:
            raise self._unusable(str(e)) from e
        if found != agency:
            raise self._unusable(f"it is {found}'s")

    def _unusable(self, why: str) -> Rejected:
        return Rejected(
            "outbox-unusable",
            f"{self._path}: {why}",
            remedy="Name the agency's own record of what it signed.",
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @property
    def chain(self) -> Chain:
        """The agency's count, as it keeps it itself."""
        return Chain(*self._db.execute("SELECT seq, head FROM count").fetchone())

    def sign(
        self, payload: bytes, signer: Signer, *, now: datetime, message_id: str = ""
    ) -> Signed:
        """Sign a message and keep it; the same payload again is what was signed before.

        Only a payload that was refused is signed anew: the reason may be gone.

        Raises:
            Rejected: any code of reading the payload, and of the signer.
        """
        read = read_payload(payload)
        digest = sha256(payload).hexdigest()
        with self._writing() as db:
            before = db.execute(
                "SELECT * FROM messages WHERE sha256 = ? ORDER BY seq DESC LIMIT 1", (digest,)
            ).fetchone()
            if before is not None and before[7] in {None, "receipt"}:
                return _signed(before, payload)
            chain = self.chain
            facts = read.facts
            header = header_text(
                message_id=message_id or uuid7(micros(now)),
                agency=self._agency,
                seq=chain.seq + 1,
                prev=chain.head,
                type_=facts.kind,
                created=now.isoformat(timespec="seconds"),
                expires=facts.expires.isoformat() if facts.expires else None,
                audience=audience_of(facts),
                payload_type=read.payload_type,
                payload_sha256=digest,
                payload_size=len(payload),
            )
            signature = base64.b64encode(signer.sign(HEADER_TYPE, header.encode())).decode()
            after = chain.after(header)
            key = str(signer.key)
            row = (after.seq, digest, header, signature, key, payload, read.payload_type, None)
            db.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("UPDATE count SET seq = ?, head = ?", (after.seq, after.head))
            return _signed(row, payload)

    def waiting(self) -> list[Signed]:
        """Return what has no answer yet, in the order of the count."""
        rows = self._db.execute("SELECT * FROM messages WHERE answer IS NULL ORDER BY seq")
        return [_signed(row, row[5]) for row in rows.fetchall()]

    def answered(self, seq: int, *, receipt: bool) -> None:
        """Note that a message has its place in the log, taken or refused."""
        with self._writing() as db:
            answer = "receipt" if receipt else "refusal"
            # A receipt is final; what asks again with the same bytes may be told other things.
            db.execute(
                "UPDATE messages SET answer = ?, payload = NULL "
                "WHERE seq = ? AND answer IS NOT 'receipt'",
                (answer, seq),
            )

    def take_back(self, seq: int) -> None:
        """Forget a message and all after it: the hub did not count them."""
        with self._writing() as db:
            found = db.execute(
                "SELECT header FROM messages WHERE seq = ? AND answer IS NULL", (seq,)
            ).fetchone()
            if found is None:
                return
            before = Chain(seq - 1, str(json.loads(found[0])["prev"]))
            db.execute("DELETE FROM messages WHERE seq >= ?", (seq,))
            db.execute("UPDATE count SET seq = ?, head = ?", (before.seq, before.head))

    def agrees(self, log: Chain) -> bool:
        """Tell whether the log's count is this one, but for what has no answer yet."""
        waiting = self.waiting()
        chain = Chain(*self._before(waiting[0])) if waiting else self.chain
        while chain != log and waiting:
            chain = chain.after(waiting.pop(0).header)
        return chain == log

    @staticmethod
    def _before(message: Signed) -> tuple[int, str]:
        return message.seq - 1, str(json.loads(message.header)["prev"])

    def adopt(self, chain: Chain) -> None:
        """Go on from another count: that of the log, where this record was lost."""
        with self._writing() as db:
            db.execute("DELETE FROM messages WHERE seq > ? OR answer IS NULL", (chain.seq,))
            db.execute("UPDATE count SET seq = ?, head = ?", (chain.seq, chain.head))


def _signed(row: tuple[Any, ...], payload: bytes) -> Signed:
    seq, _, header, signature, key, _, payload_type, _ = row
    return Signed(seq, payload, payload_type, header, signature, key)
