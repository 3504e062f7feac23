"""``caspian log export``: take the log out into a file; that it was taken out is logged, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from redis.exceptions import RedisError

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.log_remote import HubSource, open_source
from hub.cli.log_source import Selection, StoreSource, select
from hub.cli.options import AsJson, ByAgency, From, Kinds, To
from hub.cli.terminal import emit, note, progress, say, styled
from hub.cli.words import t
from hub.client import calls
from hub.core.candidate import Candidate
from hub.core.exports import Export
from hub.core.known import export_key
from hub.errors import Unavailable
from hub.log.bundle import BundleHeader, write_bundle
from hub.log.columns import write_table
from hub.log.scan import scan
from hub.log.store import Log
from hub.settings import Settings
from hub.streams.connect import connect
from hub.streams.submit import propose
from schemas.entry import rfc3339

__all__ = ["export"]


def export(
    file: Path,
    /,
    *,
    from_: From = None,
    to: To = None,
    kinds: Kinds = (),
    agency: ByAgency = None,
    format_: Annotated[
        Literal["bundle", "csv", "parquet"],
        Parameter(
            name="--format",
            help="A bundle can be verified without the hub; a table is for statistics.",
        ),
    ] = "bundle",
    payloads: Annotated[
        bool, Parameter(negative="--no-payloads", help="Put the payloads in, or withhold them.")
    ] = True,
    purpose: Annotated[str, Parameter(help="What for, for everybody to read in the log.")] = "",
    unlogged: Annotated[
        bool,
        Parameter(negative="", help="Export although it cannot be logged; the bundle says so."),
    ] = False,
    force: Annotated[bool, Parameter(negative="", help="Overwrite the file.")] = False,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Write the log, or a part of it, into one file; the log gets an entry of the export.

    The file appears under its name only when the log has the entry. From the store of a
    hub that does not run the export is not logged, and the bundle says so.

    Parameters
    ----------
    file: Path
        Where to write; a bundle is compressed where the name ends in .gz.

    """
    wanted = select(from_, to, kinds, agency)
    if file.exists() and not force:
        raise usage(
            t("{file} is there already", file=file),
            remedy=t("Choose another name, or add --force."),
        )
    with open_source(None, connection) as source, progress(t("exporting"), None) as told:
        if not isinstance(source, StoreSource | HubSource):  # pragma: no cover - none was asked for
            raise TypeError(source)
        header = _header(source, source.indexed(wanted))
        logs = None if unlogged else _logger(source)
        header = _with(header, logged=logs is not None)
        indexes: list[int] = []

        def before(entries: int, digest: str) -> None:
            if logs is None:
                return
            record = Export(
                format=format_,
                first=header.first,
                through=header.through,
                kinds=header.kinds,
                agency=header.agency or "",
                payloads=payloads and format_ == "bundle",
                entries=entries,
                sha256=digest,
                purpose=purpose,
            )
            indexes.append(logs(record))

        rows = (
            source.bare_rows(_selection(header))
            if isinstance(source, HubSource)
            else scan(
                source.log,
                after=header.first - 1,
                through=header.through,
                kinds=header.kinds,
                agency=header.agency,
            )
        )
        try:
            if format_ == "bundle":
                write_bundle(file, header, rows, payloads=payloads, progress=told, before=before)
            else:
                write_table(file, source.rows(_selection(header)), form=format_, before=before)
        except OSError as e:
            raise usage(
                t("{file} cannot be written: {why}", file=file, why=e.strerror or e),
                remedy=t("Make room, or name a file that you may write."),
            ) from e
    _tell(file, header, indexes[0] if indexes else None, json=json)


def _header(source: StoreSource | HubSource, wanted: Selection) -> BundleHeader:
    if isinstance(source, HubSource):
        found = source.client.head()
        origin, size, root = str(found["origin"]), int(found["size"]), bytes.fromhex(found["root"])
    else:
        head, genesis = source.log.head(), source.log.row(0)
        origin = str(genesis.entry.get("origin", "")) if genesis is not None else ""
        size, root = head.size, head.root
    last = size - 1 if wanted.last is None else min(wanted.last, size - 1)
    return BundleHeader(
        origin,
        size,
        root,
        max(wanted.first, 0),
        max(last, wanted.first - 1, -1),
        tuple(sorted(wanted.kinds)),
        wanted.agency,
    )


def _with(header: BundleHeader, *, logged: bool) -> BundleHeader:
    return BundleHeader(
        header.origin,
        header.size,
        header.root,
        header.first,
        header.through,
        header.kinds,
        header.agency,
        logged,
    )


def _selection(header: BundleHeader) -> Selection:
    return Selection(header.first, header.through, kinds=header.kinds, agency=header.agency)


def _logger(source: StoreSource | HubSource) -> Callable[[Export], int] | None:
    """Return what logs an export; None where the hub of a store does not run."""
    if isinstance(source, HubSource):
        client = source.client
        return lambda record: int(client.call(calls.export(record.model_dump()))["index"])
    settings = Settings.from_environment()
    if not asyncio.run(_reachable(settings)):
        return None
    log = source.log
    return lambda record: asyncio.run(_propose(settings, log, record))


async def _reachable(settings: Settings) -> bool:
    redis = connect(settings.redis_address)
    try:
        async with asyncio.timeout(2):
            await redis.ping()
    except (RedisError, OSError, TimeoutError):
        return False
    finally:
        await redis.aclose()
    return True


async def _propose(settings: Settings, log: Log, record: Export) -> int:
    """Propose the entry to the ledger, and wait until the log has it."""
    made = rfc3339(int(datetime.now(UTC).timestamp() * 1_000_000))
    body: dict[str, Any] = {
        "role": "operator",
        "made": made,
        "export": record.model_dump(mode="json"),
    }
    candidate = Candidate("export", "", body=body, person=getuser())
    redis = connect(settings.redis_address)
    try:
        await propose(redis, [candidate])
    finally:
        await redis.aclose()
    deadline = asyncio.get_running_loop().time() + settings.receipt_timeout.total_seconds()
    while True:
        known = await asyncio.to_thread(log.known_for, [candidate])
        if (found := known.inputs.get(export_key(candidate))) is not None:
            return found[0]
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(
                "receipt-pending",
                t("the ledger has not logged the export in time"),
                remedy=t("See that the hub's ledger runs, or export with --unlogged."),
            )
        await asyncio.sleep(0.02)


def _tell(file: Path, header: BundleHeader, index: int | None, *, json: bool) -> None:
    if json:
        emit(
            {
                "file": str(file),
                "first": header.first,
                "through": header.through,
                "size": header.size,
                "root": header.root.hex(),
                "logged": index,
            }
        )
        return
    say(
        styled(
            t(
                "{file}: entries {first} to {through} of {size}",
                file=file,
                first=header.first,
                through=header.through,
                size=header.size,
            )
        )
    )
    say(styled(t("root {root}", root=header.root.hex())))
    if index is None:
        note(styled(t("the log has no entry of this export: the hub was not asked"), "yellow"))
    else:
        say(styled(t("logged at {index}", index=index)))
