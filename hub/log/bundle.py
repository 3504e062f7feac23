"""The log as one file: an export that anybody can keep, verify and replay without the hub.

JSON Lines in UTF-8, compressed where the name ends in ``.gz``. The first line is the
header: ``caspian_bundle`` (1), ``origin``, ``size`` and ``root`` (hexadecimal) of the log it was
taken from, ``first`` and ``through`` (log indexes, inclusive), and ``kinds``, ``agency`` and
``search`` where it is a selection, ``withheld`` where entries were left out that were not
the exporter's to read; ``checkpoint``, with its cosignatures, ``consistency`` (what
leads from one of checkpoint and bundle to the other) and the hub's ``policy``. Then one line for
each entry: ``index``, ``at``, ``entry`` (base64 of the exact bytes), ``payload`` (base64, or null
where there is none or it is withheld), ``payload_type``. In a part of the log each also has
its ``proof`` (RFC 6962, 2.1.1) under the root, and there are lines with ``keys`` for the
entries, wherever they stand, that say whose keys counted. The last line says how many entries
were asked for and what all bytes before it hash to: ``entries``, ``sha256``. It shows a file that
was cut or damaged; that nothing was forged, only verification against the root shows.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from heapq import merge
from pathlib import Path
from typing import IO, Any, Final

from hub.core.admission import Rules
from hub.core.merkle import EMPTY, extend
from hub.log.bundle_proofs import KEY_KINDS, Prover, proven_under, signed_end_fault
from hub.log.faults import Fault
from hub.log.projections import Reader
from hub.log.scan import scan
from hub.log.store import Log, LogRow
from hub.log.tree import Tree
from hub.log.verify import ALONE, Report, Tip, verify
from hub.log.workers import Workers
from schemas.entry import decode, micros, rfc3339
from schemas.errors import Rejected
from schemas.policy import Policy

__all__ = [
    "Bundle",
    "BundleHeader",
    "Line",
    "export",
    "open_bundle",
    "verify_bundle",
    "write_bundle",
    "writing",
]

_VERSION: Final = 1
_LONGEST_LINE: Final = 128 << 20
_TELL_EVERY: Final = 1024
_COUNTED: Final = frozenset({"publish", "refusal"})
"""In entries of these kinds an agency's count goes on."""


@dataclass(frozen=True, slots=True)
class BundleHeader:
    """What a bundle says it holds."""

    origin: str
    size: int
    """Of the log, when the bundle was made."""
    root: bytes
    """Over all entries of the log, not only those in the bundle."""
    first: int = 0
    through: int = -1
    kinds: tuple[str, ...] = ()
    agency: str | None = None
    logged: bool | None = None
    """Whether the log has an entry of this export; None where the file does not say."""
    search: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What its messages were searched by (`hub.core.search.Query.of`)."""
    withheld: bool = False
    """Whether entries were left out that were not the exporter's to read."""
    checkpoint: str = ""
    """A signed end of the log, with its cosignatures; empty where there was none."""
    consistency: tuple[bytes, ...] = ()
    """The proof (RFC 6962, 2.1.2) between the checkpoint and the bundle's own end."""
    policy: str = ""
    """Whose word counts by the hub's own policy; whoever verifies has their own."""

    @property
    def filtered(self) -> bool:
        """Whether entries were left out within the range: then each is verified for itself."""
        return bool(self.kinds or self.search or self.withheld) or self.agency is not None

    @property
    def part(self) -> bool:
        """Whether it does not go on from the first entry: then each entry has its proof."""
        return self.filtered or self.first > 0

    @property
    def reach(self) -> int:
        """The size of the log that it shows: all of it in a part, else as far as it goes."""
        return self.size if self.part else self.through + 1

    @property
    def whole(self) -> bool:
        """Whether it is the log from its first entry to its end."""
        return not self.filtered and self.first == 0 and self.through == self.size - 1


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in a bundle."""

    row: LogRow
    proof: tuple[bytes, ...] | None = None
    """That it is in the log of the header's size; None where there is none."""
    keys: bool = False
    """It was not asked for: it is there to say whose keys counted."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, opened: its header is read, its rows are read as they are asked for."""

    path: Path
    header: BundleHeader
    _first_line: bytes = field(repr=False)

    def rows(self) -> Iterator[LogRow]:
        """Yield the entries in order; the file is judged whole only at their end.

        Raises:
            Rejected: ``bundle-broken``; the file was cut or altered.
        """
        return (line.row for line in self.lines() if not line.keys)

    def lines(self) -> Iterator[Line]:
        """Yield all lines of entries in order, with their proofs.

        Raises:
            Rejected: ``bundle-broken``; the file was cut or altered.
        """
        with _reading(self.path) as file:
            digest, count, number, last, at = sha256(), 0, 0, -1, -1
            lines = _lines(file, self.path)
            for line in lines:
                number += 1
                record = _record(line, self.path, number)
                if number == 1:
                    if line != self._first_line:
                        raise _broken(self.path, "it was replaced while it was read")
                elif "entries" in record:
                    if record != {"entries": count, "sha256": digest.hexdigest()}:
                        raise _broken(self.path, "its content is not what its last line says")
                    if next(lines, None) is not None:
                        raise _broken(self.path, "something follows its last line")
                    self._complete(count, last)
                    return
                else:
                    one = _line(record, self.path, number)
                    index = one.row.index
                    first = 0 if one.keys else self.header.first
                    if not max(at + 1, first) <= index <= self.header.through:
                        raise _broken(self.path, f"index {index} is out of place", number)
                    if not one.keys:
                        count, last = count + 1, index
                    at = index
                    yield one
                digest.update(line)
            raise _broken(self.path, "it ends without its last line: it was cut", number)

    def _complete(self, count: int, last: int) -> None:
        h = self.header
        if not h.filtered and (count != h.through - h.first + 1 or (count and last != h.through)):
            raise _broken(self.path, f"it holds {count} of the entries {h.first} to {h.through}")


def export(
    log: Log,
    path: Path,
    *,
    first: int = 0,
    through: int | None = None,
    kinds: Iterable[str] = (),
    agency: str | None = None,
    payloads: bool = True,
    checkpoint: str = "",
    policy: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> BundleHeader:
    """Write entries *first* to *through* (the last of the log) into a file; return its header.

    *kinds* and *agency* make a selection; without *payloads* the payloads are withheld.
    The file appears under its name only when it is whole and on the disk. The same log
    and range give the same bytes. *progress* is told the indexes done of those to do.

    Raises:
        Unavailable: ``log-unavailable``.
        OSError: the file cannot be written.
    """
    head = log.head()
    genesis = log.row(0)
    through = head.size - 1 if through is None else min(through, head.size - 1)
    header = BundleHeader(
        origin=str(genesis.entry.get("origin", "")) if genesis is not None else "",
        size=head.size,
        root=head.root,
        first=max(first, 0),
        through=max(through, first - 1, -1),
        kinds=tuple(sorted(kinds)),
        agency=agency,
        checkpoint=checkpoint,
        policy=policy,
    )
    prover = Prover(Tree(log).tile, header.size)
    header = replace(header, consistency=prover.between(header.reach, header.checkpoint))
    rows = scan(
        log,
        after=header.first - 1,
        through=header.through,
        kinds=header.kinds,
        agency=header.agency,
    )
    keys = scan(log, through=header.through, kinds=KEY_KINDS) if header.part else ()
    write_bundle(path, header, rows, keys=keys, prover=prover, payloads=payloads, progress=progress)
    return header


def write_bundle(
    path: Path,
    header: BundleHeader,
    rows: Iterable[LogRow],
    *,
    keys: Iterable[LogRow] = (),
    prover: Prover | None = None,
    payloads: bool = True,
    progress: Callable[[int, int], None] | None = None,
    before: Callable[[int, str], None] = lambda _entries, _sha256: None,
) -> None:
    """Write a bundle of *rows*; it appears under its name only when it is whole and on the disk.

    Of a part of the log, *prover* proves each, and *keys* are the entries that say whose keys
    counted. *before* is told the number of entries and the digest of the last line, when all is
    written; where it raises there is no file.

    Raises:
        OSError: the file cannot be written. Whatever *rows* and *before* raise.
    """
    with writing(path) as file:
        digest, count = sha256(), 0

        def write(record: dict[str, Any]) -> None:
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            file.write(line)
            digest.update(line)

        write(_header_record(header))
        for row, asked_for in _merged(rows, keys):
            record = _row_record(row, payloads=payloads)
            if header.part and prover is not None:
                record["proof"] = [one.hex() for one in prover.of(row.index)]
            if not asked_for:
                record["keys"] = True
            count += asked_for
            write(record)
            if progress is not None and asked_for and count % _TELL_EVERY == 0:
                progress(row.index + 1 - header.first, header.through + 1 - header.first)
        last = digest.hexdigest()
        write({"entries": count, "sha256": last})
        before(count, last)
    if progress is not None:
        progress(header.through + 1 - header.first, header.through + 1 - header.first)


def _merged(rows: Iterable[LogRow], keys: Iterable[LogRow]) -> Iterator[tuple[LogRow, bool]]:
    """Yield both in the order of the log, each entry once, and whether it was asked for."""
    both = merge(
        ((row.index, False, row) for row in rows), ((row.index, True, row) for row in keys)
    )
    last = -1
    for index, key, row in both:
        if index != last:
            yield row, not key
        last = index


def open_bundle(path: Path) -> Bundle:
    """Open a bundle and read its header.

    Raises:
        Rejected: ``bundle-broken``; it is not a bundle of a version known here.
        OSError: the file cannot be read.
    """
    with _reading(path) as file:
        first_line = next(_lines(file, path), b"")
    record = _record(first_line, path, 1)
    try:
        if record["caspian_bundle"] != _VERSION:
            raise _broken(path, f"it is of version {record['caspian_bundle']}, not {_VERSION}", 1)
        header = BundleHeader(
            origin=_str(record["origin"]),
            size=_int(record["size"]),
            root=bytes.fromhex(record["root"]),
            first=_int(record["first"]),
            through=_int(record["through"]),
            kinds=tuple(map(_str, record.get("kinds", ()))),
            agency=_str(record["agency"]) if "agency" in record else None,
            logged=bool(record["logged"]) if "logged" in record else None,
            search=dict(record.get("search", {})),
            withheld=record.get("withheld", False) is True,
            checkpoint=_str(record.get("checkpoint", "")),
            consistency=tuple(map(bytes.fromhex, record.get("consistency", ()))),
            policy=_str(record.get("policy", "")),
        )
    except (KeyError, TypeError, ValueError) as e:
        raise _broken(path, f"its header is not that of a bundle: {e!r}", 1) from e
    return Bundle(path, header, first_line)


def verify_bundle(
    bundle: Bundle,
    *,
    against: Tip | None = None,
    progress: Callable[[int], None] | None = None,
    read: Reader | None = None,
    rules: Rules | None = None,
    crew: Workers = ALONE,
    confirmed: Mapping[str, int] | None = None,
    keep_feeds: bool = False,
    policy: Policy | None = None,
) -> Report:
    """Verify a bundle as far as it goes (hub.log.verify).

    One that begins with the first entry is checked as a log; where it reaches the
    log's end, against the root it states, and in any case against an end that the
    auditor has kept (*against*). Of a selection, or a range from later on, every entry is
    proven under that root, and signatures are held against the keys that counted. A checkpoint
    in it must be of the same log; with *policy* its signatures are asked for.

    Raises:
        Rejected: ``bundle-broken``; or ``bundle-partial``, there is an end to compare
            with, but the bundle does not begin with the first entry.
    """
    header = bundle.header
    if against is not None and (header.filtered or header.first != 0):
        raise Rejected(
            "bundle-partial",
            f"{bundle.path.name} is a part of the log: it has no root to compare",
            remedy="Verify a bundle of all entries from the first.",
        )
    report = verify(
        bundle.rows(),
        header if header.whole else None,
        progress=progress,
        first=header.first,
        contiguous=not header.filtered,
        payloads_required=False,
        earlier=against,
        read=read,
        rules=rules,
        crew=crew,
        confirmed=confirmed,
        keep_feeds=keep_feeds,
        counted=not (header.search or header.withheld)
        and (not header.kinds or _COUNTED.issubset(header.kinds)),
    )
    if report.ok and header.part:
        lines = ((one.row, one.proof, one.keys) for one in bundle.lines())
        proven, fault = proven_under(lines, header.size, header.root)
        if fault is None and policy is not None and report.entries and not proven:
            fault = Fault(None, "root", "its entries have no proofs")
        report = replace(report, proven=proven, fault=fault)
    if not report.ok or not (header.checkpoint or policy):
        return report
    root = header.root if header.part else report.root or EMPTY.root

    def root_at(size: int) -> bytes | None:
        return None if header.part else _root_at(bundle, size)

    level, witnesses, fault = signed_end_fault(
        header.checkpoint, header.consistency, policy, size=header.reach, root=root, root_at=root_at
    )
    return replace(report, level=level, witnesses=witnesses, fault=fault)


def _root_at(bundle: Bundle, size: int) -> bytes:
    frontier = EMPTY
    for row in bundle.rows():
        if row.index == size:
            break
        frontier = extend(frontier, [row.body])
    return frontier.root


def _header_record(header: BundleHeader) -> dict[str, Any]:
    record: dict[str, Any] = {
        "caspian_bundle": _VERSION,
        "origin": header.origin,
        "size": header.size,
        "root": header.root.hex(),
        "first": header.first,
        "through": header.through,
    }
    if header.kinds:
        record["kinds"] = list(header.kinds)
    if header.agency is not None:
        record["agency"] = header.agency
    if header.logged is not None:
        record["logged"] = header.logged
    if header.search:
        record["search"] = dict(header.search)
    if header.withheld:
        record["withheld"] = True
    if header.checkpoint:
        record["checkpoint"] = header.checkpoint
    if header.consistency:
        record["consistency"] = [one.hex() for one in header.consistency]
    if header.policy:
        record["policy"] = header.policy
    return record


def _row_record(row: LogRow, *, payloads: bool) -> dict[str, Any]:
    payload = row.payload if payloads else None
    return {
        "index": row.index,
        "at": rfc3339(row.at_us),
        "entry": base64.b64encode(row.body).decode(),
        "payload": None if payload is None else base64.b64encode(payload).decode(),
        "payload_type": row.payload_type,
    }


def _line(record: dict[str, Any], path: Path, number: int) -> Line:
    row = _row(record, path, number)
    try:
        proof = tuple(map(bytes.fromhex, record["proof"])) if "proof" in record else None
    except (TypeError, ValueError) as e:
        raise _broken(path, f"this is no proof: {e!r}", number) from e
    return Line(row, proof, record.get("keys", False) is True)


def _row(record: dict[str, Any], path: Path, number: int) -> LogRow:
    try:
        body = base64.b64decode(record["entry"], validate=True)
        entry = decode(body)
        payload = record["payload"]
        row = LogRow(
            _int(record["index"]),
            micros(datetime.fromisoformat(entry["at"])),
            entry["kind"],
            _str(entry["agency"]),
            body,
            None if payload is None else base64.b64decode(payload, validate=True),
            _str(record["payload_type"]),
        )
    except (KeyError, TypeError, ValueError) as e:
        raise _broken(path, f"this is no entry: {e!r}", number) from e
    if record.get("at") != entry["at"]:
        raise _broken(path, "the time of the line is not that of its entry", number)
    return row


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _int(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no number")
    return value


def _record(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as e:
        raise _broken(path, f"this is no JSON: {e}", number) from e
    if not isinstance(record, dict):
        raise _broken(path, "this is no JSON object", number)
    return record


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    number = 0
    try:
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if not line.endswith(b"\n"):
                raise _broken(path, "this line is cut, or too long", number)
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as e:
        raise _broken(path, f"it cannot be unpacked: {e}", number + 1) from e


def _broken(path: Path, what: str, line: int | None = None) -> Rejected:
    where = f"{path.name}, line {line}" if line else path.name
    return Rejected(
        "bundle-broken",
        f"{where}: {what}",
        remedy="Get the bundle again from where it came; it is whole or it is worth nothing.",
    )


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        if raw.peek(2)[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
                yield unpacked  # type: ignore[misc]  # it reads as any file of bytes
        else:
            yield raw


@contextmanager
def writing(path: Path, *, pack: bool = True) -> Iterator[IO[bytes]]:
    """Write a file that appears under its name only when it is whole; .gz is compressed."""
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as raw:
            if pack and path.suffix == ".gz":
                # No name and no time inside: the same log gives the same file.
                with gzip.GzipFile("", mode="wb", fileobj=raw, mtime=0) as packed:
                    yield packed  # type: ignore[misc]  # it writes as any file of bytes
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
