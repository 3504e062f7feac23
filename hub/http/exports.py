"""What is taken out of the log: files that are made here, and the log's entry of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Annotated, Any, Final, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.core.candidate import Candidate
from hub.core.exports import Export
from hub.core.known import export_key
from hub.core.registry import History
from hub.errors import Rejected
from hub.http.actions import wait_logged
from hub.http.problems import RESPONSES
from hub.http.ranges import indexes_between
from hub.http.sight import may_read
from hub.http.state import Asker, Hub, HubState
from hub.log.bundle import BundleHeader, write_bundle
from hub.log.bundle_proofs import KEY_KINDS, Prover
from hub.log.columns import write_table
from hub.log.levels import best_note
from hub.log.scan import scan
from hub.log.store import LogRow
from hub.log.tree import Tree
from hub.members.roles import Principal, require
from hub.streams.submit import propose
from schemas.entry import ENTRY_KINDS, rfc3339

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)

_MOST: Final = 50_000
_MOST_BYTES: Final = 256 << 20
"""What is larger is for ``caspian log export``: no browser and no front wait for it."""

_LOT: Final = 500
_CHUNK: Final = 1 << 16
_TYPES: Final = {
    "bundle": ("jsonl.gz", "application/gzip"),
    "csv": ("csv", "text/csv; charset=utf-8"),
    "parquet": ("parquet", "application/vnd.apache.parquet"),
}


class Wanted(BaseModel):
    """What is to be taken out, and in which form."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["bundle", "csv", "parquet"] = "bundle"
    first: int | None = Field(None, ge=0, lt=1 << 53)
    through: int | None = Field(None, ge=0, lt=1 << 53)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    kinds: list[str] = Field(default_factory=list, max_length=50)
    agency: str = Field("", max_length=64)
    payloads: bool = True
    """Put the payloads in; a table has none anyway."""
    purpose: Annotated[str, Field(max_length=500)] = ""


@router.post("/v1/exports", status_code=201, summary="Say that the log was exported")
async def export(record: Export, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log who took what out of the log, with the digest of the file."""
    require(asker, "audit")
    size = (await asyncio.to_thread(hub.log.head)).size
    if record.through >= size:
        raise Rejected("cursor-invalid", f"the log ends at {size - 1}")
    index = await _logged(hub, asker, record)
    return {"index": index, "by": _name(asker), **record.model_dump(mode="json")}


@router.post(
    "/v1/exports/files",
    summary="Take a part of the log out as a file",
    response_class=StreamingResponse,
    responses={200: {"content": {kind: {} for _, kind in _TYPES.values()}}},
)
async def file(given: Wanted, hub: HubState, asker: Asker) -> StreamingResponse:
    """Return entries as a bundle or a table, once the log has the entry of this export.

    The file is that of ``caspian log export``. The header ``Caspian-Export`` says where
    the log has it. Whoever may not read all that is asked for is refused.
    """
    require(asker, "audit")
    for kind in given.kinds:
        if kind not in ENTRY_KINDS:
            raise Rejected(
                "export-invalid",
                f"there is no kind {kind[:40]!r}",
                remedy=f"Kinds are {', '.join(ENTRY_KINDS)}.",
            )
    history = await hub.registry(fresh=True)
    header = await asyncio.to_thread(_header, hub, given)
    made = _Making(hub, asker, given, header, history, asyncio.get_running_loop())
    content, size = await asyncio.to_thread(made.whole)
    ending, kind = _TYPES[given.format]
    name = f"caspian-log-{header.first}-{header.through}.{ending}"
    return StreamingResponse(
        _chunks(content),
        media_type=kind,
        headers={
            "Content-Length": str(size),
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "Caspian-Export": str(made.index),
        },
    )


class _Making:
    """The making of one file."""

    def __init__(
        self,
        hub: Hub,
        asker: Principal,
        given: Wanted,
        header: BundleHeader,
        history: History,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.hub, self.asker, self.given, self.header = hub, asker, given, header
        self.history, self.loop = history, loop
        self.index = -1
        """Where the log has the entry of the export."""

    def whole(self) -> tuple[IO[bytes], int]:
        """Make the file; return it, open and without a name, and how long it is."""
        with TemporaryDirectory(prefix="caspian-export-") as directory:
            path = Path(directory) / f"export.{_TYPES[self.given.format][0]}"
            if self.given.format == "bundle":
                header, prover = self._signed()
                keys = scan(self.hub.log, through=header.through, kinds=KEY_KINDS)
                write_bundle(
                    path,
                    header,
                    self._rows(),
                    keys=keys if header.part else (),
                    prover=prover,
                    payloads=self.given.payloads,
                    before=self._before,
                )
            else:
                write_table(path, self._rows(), form=self.given.format, before=self._before)
            return path.open("rb"), path.stat().st_size

    def _signed(self) -> tuple[BundleHeader, Prover]:
        """Return the header with who stands for the log, and what proves its entries."""
        note = best_note(self.hub.levels.newest, self.header.through + 1)
        prover = Prover(Tree(self.hub.log).tile, self.header.size)
        file = self.hub.settings.policy
        header = replace(
            self.header,
            checkpoint=note,
            consistency=prover.between(self.header.reach, note),
            policy="" if file is None else file.read_text("utf-8"),
        )
        return header, prover

    def _rows(self) -> Iterator[LogRow]:
        after, count, size = self.header.first - 1, 0, 0
        while after < self.header.through and (
            rows := self.hub.log.rows(
                after=after,
                through=self.header.through,
                limit=_LOT,
                kinds=self.header.kinds,
                agency=self.header.agency,
            )
        ):
            for row in rows:
                if not may_read(self.asker, row, self.history):
                    raise _withheld(row.index)
                count, size = count + 1, size + len(row.body) + len(row.payload or b"")
                if count > _MOST or size > _MOST_BYTES:
                    raise _too_much(row.index)
                yield row
            after = rows[-1].index

    def _before(self, entries: int, digest: str) -> None:
        record = Export(
            format=self.given.format,
            first=self.header.first,
            through=self.header.through,
            kinds=self.header.kinds,
            agency=self.header.agency or "",
            payloads=self.given.payloads and self.given.format == "bundle",
            entries=entries,
            sha256=digest,
            purpose=self.given.purpose,
        )
        logging = _logged(self.hub, self.asker, record)
        self.index = asyncio.run_coroutine_threadsafe(logging, self.loop).result()


def _header(hub: Hub, given: Wanted) -> BundleHeader:
    head = hub.log.head()
    first, through = indexes_between(
        hub.log, first=given.first, through=given.through, since=given.since, until=given.until
    )
    through = min(through, head.size - 1)
    return BundleHeader(
        hub.settings.origin,
        head.size,
        head.root,
        first,
        max(through, first - 1),
        tuple(sorted(set(given.kinds))),
        given.agency or None,
        logged=True,
    )


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while chunk := content.read(_CHUNK):
            yield chunk


async def _logged(hub: Hub, asker: Principal, record: Export) -> int:
    """Log an export, and return where the log has it."""
    made = rfc3339(int(datetime.now(UTC).timestamp() * 1_000_000))
    body = {"role": asker.role, "made": made, "export": record.model_dump(mode="json")}
    candidate = Candidate("export", "", via="http", body=body, person=_name(asker))
    await propose(hub.redis, [candidate])

    async def logged() -> int | None:
        known = await asyncio.to_thread(hub.log.known_for, [candidate])
        found = known.inputs.get(export_key(candidate))
        return None if found is None else found[0]

    return await wait_logged(hub, logged)


def _name(asker: Principal) -> str:
    return (asker.account or asker.person or asker.agency or asker.role)[:200]


def _withheld(index: int) -> Rejected:
    return Rejected(
        "not-allowed",
        f"entry {index} is not your state's or agency's to read",
        remedy="Ask for the entries of one of your agencies; the whole is for the hub's auditor.",
    )


def _too_much(index: int) -> Rejected:
    return Rejected(
        "export-invalid",
        f"up to entry {index} it is more than {_MOST} entries or {_MOST_BYTES >> 20} MiB",
        remedy="Ask for a smaller part; `caspian log export` takes any.",
    )
