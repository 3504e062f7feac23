"""Checkpoints as the store keeps them: each signed by the log, and who has cosigned it.

Duties of this table:

* **One history.** There is never another root for a size, nor a smaller size after a
  larger: `put` writes nothing then. Two signers that were started by mistake cannot
  contradict each other.
* **Cosignatures** are added under a checkpoint that is there, each key once; the first stays.

Each function works in a transaction that its caller has opened (`Log.reading`, `Log.writing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hub.log.tables import CHECKPOINTS, COSIGNATURES
from schemas.cosignature import CosignerKey, time_of
from schemas.notes import NoteSignature

__all__ = [
    "SignedCheckpoint",
    "add_cosignatures",
    "at_least",
    "cosignatures",
    "cosigned",
    "last_of_each",
    "latest",
    "latest_where",
    "prune",
    "put",
    "stands_at",
]

_MAKE: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": pg_insert}
_LOCK: Final = 0x636865636B  # "check": PostgreSQL's advisory lock for those who sign
_PAGE: Final = 500
_KEPT: Final = timedelta(hours=1)
_THIN: Final = timedelta(days=1)
_BUCKET_US: Final = 600_000_000


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """The log had *size* entries with this *root*, and has signed that."""

    size: int
    root: bytes
    at_us: int
    """When it was signed, in microseconds since 1970."""
    note: str
    """The note with the log's own signatures, as `schemas.checkpoint.read_checkpoint` reads it."""


def latest(c: Connection) -> SignedCheckpoint | None:
    """Return the newest checkpoint."""
    row = c.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(1)).first()
    return None if row is None else _read(row)


def at_least(c: Connection, size: int) -> SignedCheckpoint | None:
    """Return the first checkpoint that covers *size* entries, of those that are kept."""
    query = select(CHECKPOINTS).where(CHECKPOINTS.c.size >= size).order_by(CHECKPOINTS.c.size)
    row = c.execute(query.limit(1)).first()
    return None if row is None else _read(row)


def put(c: Connection, one: SignedCheckpoint) -> bool:
    """Keep a checkpoint that is larger than all before it; return whether it is kept now.

    What is there already, with the same root, counts as kept.
    """
    if c.dialect.name == "postgresql":
        # SQLite's writer is alone by nature. Here another could commit a larger one meanwhile.
        c.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    last = latest(c)
    if last is not None and one.size <= last.size:
        there = at_least(c, one.size)
        return there is not None and (there.size, there.root) == (one.size, one.root)
    row = {"size": one.size, "root": one.root, "at_us": one.at_us, "note": one.note}
    c.execute(insert(CHECKPOINTS).values(row))
    return True


def add_cosignatures(c: Connection, size: int, lines: Iterable[NoteSignature]) -> int:
    """Add cosignatures under the checkpoint of *size*; return how many are new.

    The caller has verified them (`schemas.cosignature.CosignerKey.verify`). Where the
    checkpoint is not there, or not any more, nothing is added.
    """
    if c.execute(select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.size == size)).first() is None:
        return 0
    added = 0
    for line in lines:
        at = time_of(line)
        if at is None or len(line.name) > 200:
            continue
        row = {
            "size": size,
            "name": line.name,
            "key_id": line.key_id,
            "time": at,
            "signature": line.signature[8:],
        }
        make = _MAKE[c.dialect.name](COSIGNATURES).values(row).on_conflict_do_nothing()
        added += len(c.execute(make.returning(COSIGNATURES.c.size)).all())
    return added


def cosignatures(c: Connection, size: int) -> tuple[NoteSignature, ...]:
    """Return the cosignatures under a checkpoint, in the order of the witnesses' names."""
    of = COSIGNATURES.c
    query = select(COSIGNATURES).where(of.size == size).order_by(of.name, of.key_id)
    return tuple(_line(row) for row in c.execute(query))


def stands_at(c: Connection, key: CosignerKey) -> int:
    """Return the largest size of which a cosignature by *key* is kept; 0 where there is none."""
    of = COSIGNATURES.c
    query = select(func.max(of.size)).where(of.name == key.name, of.key_id == bytes.fromhex(key.id))
    return c.execute(query).scalar_one() or 0


def last_of_each(c: Connection) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Return of each key, by its name and id, the largest size that it cosigned, and when."""
    of = COSIGNATURES.c
    query = select(of.name, of.key_id, func.max(of.size), func.max(of.time))
    return {
        (name, key_id.hex()): (size, at)
        for name, key_id, size, at in c.execute(query.group_by(of.name, of.key_id))
    }


def cosigned(c: Connection, one: SignedCheckpoint) -> str:
    """Return a checkpoint's note with the log's signatures and all cosignatures."""
    return one.note + "".join(f"{line}\n" for line in cosignatures(c, one.size))


def latest_where(
    c: Connection, enough: Callable[[str], bool], *, covering: int = 0, least: int = 1
) -> SignedCheckpoint | None:
    """Return the newest checkpoint over *covering* entries or more whose note is *enough*.

    *enough* is asked about the notes with their cosignatures, the newest first, of those that
    *least* keys have cosigned; of the newest 500 at most.
    """
    of = COSIGNATURES.c.size
    sizes = select(of).where(of >= covering).group_by(of).having(func.count() >= least)
    for size in c.execute(sizes.order_by(of.desc()).limit(_PAGE)).scalars().all():
        one = at_least(c, size)
        if one is not None and one.size == size and enough(cosigned(c, one)):
            return one
    return None


def prune(c: Connection, now_us: int) -> int:
    """Forget checkpoints that newer ones stand for; return how many.

    Kept are all of the last hour, the newest of all, for a day every one that was cosigned,
    and then of each ten minutes the newest with each number of cosignatures. So what a
    message has reached is never taken back.
    """
    hour, day = (now_us - kept // timedelta(microseconds=1) for kept in (_KEPT, _THIN))
    count = func.count(COSIGNATURES.c.size)
    joined = CHECKPOINTS.outerjoin(COSIGNATURES, COSIGNATURES.c.size == CHECKPOINTS.c.size)
    query = (
        select(CHECKPOINTS.c.size, CHECKPOINTS.c.at_us, count)
        .select_from(joined)
        .where(CHECKPOINTS.c.at_us < hour)
        .group_by(CHECKPOINTS.c.size, CHECKPOINTS.c.at_us)
        .order_by(CHECKPOINTS.c.size)
    )
    newest = latest(c)
    keep = {newest.size} if newest is not None else set()
    rows = c.execute(query).all()
    for _, group in groupby(rows, key=lambda r: r.at_us // _BUCKET_US):
        keep.update({by: size for size, at_us, by in group if by and at_us < day}.values())
    keep.update(size for size, at_us, by in rows if by and at_us >= day)
    gone = [size for size, _, _ in rows if size not in keep]
    for start in range(0, len(gone), _PAGE):
        sizes = gone[start : start + _PAGE]
        c.execute(delete(COSIGNATURES).where(COSIGNATURES.c.size.in_(sizes)))
        c.execute(delete(CHECKPOINTS).where(CHECKPOINTS.c.size.in_(sizes)))
    return len(gone)


def _read(row: Row[Any]) -> SignedCheckpoint:
    return SignedCheckpoint(row.size, row.root, row.at_us, row.note)


def _line(row: Row[Any]) -> NoteSignature:
    return NoteSignature(row.name, row.key_id, row.time.to_bytes(8, "big") + row.signature)
