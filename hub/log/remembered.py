"""What a verifier keeps of earlier entries, on disk: memory is bounded however long the log.

A database of SQLite's own in a temporary file, which it removes by itself. Nothing of it
is taken from the store that is verified: it is made of the entries alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from hub.core.known import Known
from hub.core.rows import AcknowledgementRow, MessageRow, identity
from schemas.facts import MessageFacts

__all__ = ["Remembered"]

_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16384;
CREATE TABLE messages (
    idx INTEGER PRIMARY KEY, id TEXT, agency TEXT, sha256 TEXT, at_us INTEGER, facts TEXT);
CREATE TABLE acks (
    sender TEXT, identifier TEXT, agency TEXT, officer TEXT, idx INTEGER, note TEXT,
    at_us INTEGER, id TEXT, of TEXT, sent_us INTEGER);
CREATE TABLE changes (target TEXT, idx INTEGER);
CREATE INDEX changes_by_target ON changes (target);
CREATE INDEX acks_by_name ON acks (sender, identifier, agency, officer);
"""

_RECENT: Final = 4096


class Remembered:
    """The messages and acknowledgements so far."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._recent: dict[int, MessageRow] = {}
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def message(
        self, index: int, message_id: str, agency: str, sha256: str, at_us: int, slim: str
    ) -> None:
        """Take in a message, with what of its facts decides who may acknowledge it."""
        self._db.execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
            (index, message_id, agency, sha256, at_us, slim),
        )

    def change(self, names: Iterable[str], index: int) -> None:
        """Take in the identities of what an Update or Cancel names of its own agency's."""
        for name in names:
            self._db.execute("INSERT INTO changes VALUES (?, ?)", (name, index))

    def acknowledged(self, ack: AcknowledgementRow) -> None:
        """Take in an acknowledgement."""
        self._db.execute(
            "INSERT INTO acks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ack.sender,
                ack.identifier,
                ack.agency,
                ack.officer,
                ack.index,
                ack.note,
                ack.at_us,
                ack.message_id,
                ack.of,
                ack.sent_us,
            ),
        )

    def known_of(self, index: int, agency: str, officer: str) -> Known | None:
        """Return what bears on the acknowledgement of a message; None where it is not known."""
        row = self._message(index)
        if row is None:
            return None
        query = (
            "SELECT * FROM acks WHERE sender = ? AND identifier = ? AND agency = ? AND officer = ?"
        )
        names = (row.facts.sender, row.facts.identifier, agency, officer)
        acks = []
        with closing(self._db.execute(query, names)) as found:
            for sender, identifier, by, person, idx, note, at_us, message_id, of, sent_us in found:
                acks.append(
                    AcknowledgementRow(
                        idx, sender, identifier, by, person, note, at_us, message_id, of, sent_us
                    )
                )
        return Known([row], acks)

    def around(self, indexes: Iterable[int]) -> Known:
        """Return messages, and what their own agencies sent that updates or cancels them."""
        rows = {i: row for i in indexes if (row := self._message(i)) is not None}
        for row in list(rows.values()):
            query = "SELECT idx FROM changes WHERE target = ?"
            with closing(self._db.execute(query, (row.identity,))) as found:
                namers = [i for (i,) in found if i not in rows]
            rows |= {i: m for i in namers if (m := self._message(i)) is not None}
        return Known(list(rows.values()))

    def _message(self, index: int) -> MessageRow | None:
        """Return a message; most acknowledgements come soon after it, and several of each."""
        row = self._recent.get(index)
        if row is None and (row := self._read(index)) is not None:
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            self._recent[index] = row
        return row

    def _read(self, index: int) -> MessageRow | None:
        with closing(self._db.execute("SELECT * FROM messages WHERE idx = ?", (index,))) as found:
            row = found.fetchone()
        if row is None:
            return None
        idx, message_id, agency, sha256, at_us, slim = row
        facts = MessageFacts.model_validate_json(slim)
        name = identity(agency, facts.sender, facts.identifier)
        return MessageRow(idx, message_id, agency, name, sha256, at_us, facts)
