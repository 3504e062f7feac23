"""The log as a table, for spreadsheets and statistics: one row an entry, as CSV or Parquet.

What cannot be seen in the columns is in the entry itself: a table proves nothing. The
leaf hash of each row leads back to it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Final

from hub.core.merkle import leaf_hash
from hub.log.bundle import writing
from hub.log.sheets import Sheet
from hub.log.store import LogRow
from schemas.entry import from_micros

__all__ = ["COLUMNS", "ENTRIES", "harmless", "record_of", "write_table"]

COLUMNS: Final = (
    "index",
    "at",
    "kind",
    "agency",
    "leaf",
    "message_id",
    "sender",
    "identifier",
    "status",
    "type",
    "severity",
    "urgency",
    "certainty",
    "headline",
    "incidents",
    "attested",
    "payload_sha256",
    "payload_size",
    "message",
    "officer",
    "note",
    "code",
    "detail",
)
_NUMBERS: Final = frozenset({"index", "payload_size", "message"})
_LOT: Final = 4096


def record_of(row: LogRow) -> dict[str, Any]:
    """Return the row of a table; columns that an entry has nothing for are None."""
    entry = row.entry
    found: dict[str, Any] = dict.fromkeys(COLUMNS)
    found |= {
        "index": row.index,
        "at": from_micros(row.at_us).isoformat(),
        "kind": row.kind,
        "agency": row.agency,
        "leaf": leaf_hash(row.body).hex(),
    }
    for name in (
        "message_id",
        "sender",
        "identifier",
        "status",
        "message",
        "officer",
        "note",
        "code",
        "detail",
        "payload_sha256",
        "payload_size",
        "attested",
    ):
        if isinstance(entry.get(name), str | int):
            found[name] = entry[name]
    if row.kind == "publish":
        header = json.loads(entry["header"])
        found |= {"message_id": header["id"], "type": header["type"]}
        found |= {name: header[name] for name in ("payload_sha256", "payload_size")}
        if (facts := row.facts) is not None:
            for name in (
                "sender",
                "identifier",
                "status",
                "severity",
                "urgency",
                "certainty",
                "headline",
            ):
                found[name] = getattr(facts, name)
            found["type"] = facts.msg_type
            found["incidents"] = " ".join(facts.incidents)
    return found


def _one(row: LogRow) -> Iterator[dict[str, Any]]:
    yield record_of(row)


ENTRIES: Final = Sheet((), COLUMNS, _NUMBERS, _one)
"""The table of all entries."""


def write_table(
    path: Path,
    rows: Iterable[LogRow],
    *,
    form: str,
    sheet: Sheet = ENTRIES,
    before: Callable[[int, str], None] = lambda _entries, _sha256: None,
) -> None:
    """Write *rows* as ``csv`` or ``parquet``; the file appears only when it is whole.

    *before* is told the number of entries and the SHA-256 of the file's bytes.

    Raises:
        OSError: the file cannot be written. Whatever *rows* and *before* raise.
    """
    numbers = count(1)
    last = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal last
        for row in rows:
            last = next(numbers)
            yield from sheet.records(row)

    with writing(path, pack=False) as file:
        hashed = _Hashed(file)
        (_csv if form == "csv" else _parquet)(hashed, sheet, counted())
        before(last, hashed.digest.hexdigest())


class _Hashed(io.RawIOBase):
    """A file that knows the digest of what was written into it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = sha256()

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: Any) -> int:
        """Write, and hash."""
        self.digest.update(data)
        self._file.write(data)
        return len(data)


def _csv(file: _Hashed, sheet: Sheet, records: Iterator[dict[str, Any]]) -> None:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, sheet.columns, lineterminator="\r\n")
    table.writeheader()
    for number, record in enumerate(records, 1):
        table.writerow({name: harmless(value) for name, value in record.items()})
        if number % _LOT == 0:
            file.write(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    file.write(text.getvalue().encode())


def harmless(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _parquet(file: _Hashed, sheet: Sheet, records: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - large, and only for this
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema(
        [(name, pa.int64() if name in sheet.numbers else pa.string()) for name in sheet.columns]
    )
    with pq.ParquetWriter(file, schema, compression="zstd") as table:
        lot: list[dict[str, Any]] = []
        for record in records:
            lot.append(record)
            if len(lot) == _LOT:
                table.write_table(pa.Table.from_pylist(lot, schema))
                lot = []
        table.write_table(pa.Table.from_pylist(lot, schema))
