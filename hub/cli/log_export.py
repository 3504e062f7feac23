"""``caspian log export``: take the log out into a file; that it was taken out is logged, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from hub.cli.checkpoints import best_checkpoint
from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.log_remote import HubSource, Withheld, open_source
from hub.cli.log_source import Selection, StoreSource, select
from hub.cli.logged_exports import logger
from hub.cli.options import AsJson, ByAgency, From, Kinds, To
from hub.cli.searching import Sought, query_of
from hub.cli.terminal import Told, emit, note, progress, say, styled
from hub.cli.trusted import read_policy_file
from hub.cli.words import t
from hub.client import calls
from hub.core.exports import Export
from hub.core.search import Query
from hub.log.bundle import BundleHeader, write_bundle
from hub.log.bundle_proofs import KEY_KINDS, Prover
from hub.log.columns import ENTRIES, write_table
from hub.log.scan import scan
from hub.log.search import judged
from hub.log.sheets import SHEETS, Sheet
from hub.log.signed_ends import read_signed_end
from hub.log.store import LogRow
from hub.log.tree import Tree
from hub.settings import Settings
from schemas.policy import read_policy

__all__ = ["export"]

_Source = StoreSource | HubSource


def export(
    file: Path,
    /,
    *,
    from_: From = None,
    to: To = None,
    kinds: Kinds = (),
    agency: ByAgency = None,
    sought: Sought = Sought(),  # noqa: B008 - frozen, and made of the options
    format_: Annotated[
        Literal["bundle", "csv", "parquet"],
        Parameter(
            name="--format",
            help="A bundle can be verified without the hub; a table is for statistics.",
        ),
    ] = "bundle",
    table: Annotated[
        Literal["entries", "messages", "acknowledgements", "deliveries"],
        Parameter(
            help="Which table of --format csv or parquet: all entries alike, or those of one kind "
            "with columns of their own."
        ),
    ] = "entries",
    payloads: Annotated[
        bool, Parameter(negative="--no-payloads", help="Put the payloads in, or withhold them.")
    ] = True,
    policy: Annotated[
        Path | None,
        Parameter(help="The policy for the bundle; else CASPIAN_POLICY, else the hub's own."),
    ] = None,
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
    sheet = _sheet(table, format_, kinds)
    wanted = select(from_, to, kinds or sheet.kinds, agency)
    query = query_of(wanted, sought)
    if file.exists() and not force:
        raise usage(
            t("{file} is there already", file=file),
            remedy=t("Choose another name, or add --force."),
        )
    policy_text = _policy(policy)
    with open_source(None, connection) as opened, progress(t("exporting"), None) as told:
        if not isinstance(opened, StoreSource | HubSource):  # pragma: no cover - none was asked for
            raise TypeError(opened)
        source: _Source = opened
        part = source.indexed(wanted)
        # Asked for before the head: so it cannot be of a longer log.
        covering = source.size if part.last is None else part.last + 1
        checkpoint = best_checkpoint(source, covering) if format_ == "bundle" else ""
        header = _header(source, part, query)
        header = replace(header, checkpoint=checkpoint, policy=policy_text or _told(source))
        logs = None if unlogged else logger(source)
        header = replace(header, logged=logs is not None)
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
                search=dict(header.search),
                payloads=payloads and format_ == "bundle",
                entries=entries,
                sha256=digest,
                purpose=purpose,
            )
            indexes.append(logs(record))

        def write(source: _Source) -> None:
            if format_ == "bundle":
                _bundle(source, file, header, query, payloads=payloads, told=told, before=before)
            else:
                rows = _rows(source, header, query, facts=True)
                write_table(file, rows, form=format_, sheet=sheet, before=before)

        try:
            try:
                write(source)
            except Withheld:
                if not isinstance(source, HubSource):  # pragma: no cover - only a hub withholds
                    raise
                # Of what is left each entry has its proof; nothing was written by then.
                header = replace(header, withheld=True)
                source = replace(source, part=True)
                write(source)
        except OSError as e:
            raise usage(
                t("{file} cannot be written: {why}", file=file, why=e.strerror or e),
                remedy=t("Make room, or name a file that you may write."),
            ) from e
        left_out = len(source.withheld) if isinstance(source, HubSource) else 0
    _tell(file, header, indexes[0] if indexes else None, left_out, json=json)


def _sheet(table: str, form: str, kinds: tuple[str, ...]) -> Sheet:
    sheet = SHEETS.get(table, ENTRIES)
    if sheet is not ENTRIES and (form == "bundle" or kinds):
        raise usage(
            t("--table is for --format csv or parquet, and has its own kind"),
            remedy=t("Add --format csv, and leave --kind out."),
        )
    return sheet


def _policy(file: Path | None) -> str:
    file = file or Settings.from_environment().policy
    if file is None:
        return ""
    read_policy_file(file)
    return file.read_text("utf-8")


def _told(source: _Source) -> str:
    """Return the policy that a hub says it goes by, where there is one."""
    if not isinstance(source, HubSource):
        return ""
    text = str(source.client.call(calls.levels()).get("policy", ""))
    if text:
        read_policy(text.encode())
    return text


def _bundle(
    source: _Source,
    file: Path,
    header: BundleHeader,
    query: Query,
    *,
    payloads: bool,
    told: Told,
    before: Callable[[int, str], None],
) -> None:
    tile = source.tile if isinstance(source, HubSource) else Tree(source.log).tile
    prover = Prover(tile, header.size)
    header = replace(header, consistency=prover.between(header.reach, header.checkpoint))
    keys = _of_keys(source, header) if header.part else ()
    write_bundle(
        file,
        header,
        _rows(source, header, query, facts=False),
        keys=keys,
        prover=prover,
        payloads=payloads,
        progress=told,
        before=before,
    )


def _rows(source: _Source, header: BundleHeader, query: Query, *, facts: bool) -> Iterator[LogRow]:
    wanted = Selection(header.first, header.through, kinds=header.kinds, agency=header.agency)
    if header.search:
        yield from (row for row in source.rows(wanted) if judged(row, query))
    elif facts:
        yield from source.rows(wanted)
    elif isinstance(source, HubSource):
        yield from source.bare_rows(wanted)
    else:
        yield from scan(
            source.log,
            after=header.first - 1,
            through=header.through,
            kinds=header.kinds,
            agency=header.agency,
        )


def _of_keys(source: _Source, header: BundleHeader) -> Iterator[LogRow]:
    if isinstance(source, HubSource):
        return source.bare_rows(Selection(last=header.through, kinds=KEY_KINDS))
    return scan(source.log, through=header.through, kinds=KEY_KINDS)


def _header(source: _Source, wanted: Selection, query: Query) -> BundleHeader:
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
        search=query.of_what,
    )


def _tell(
    file: Path, header: BundleHeader, index: int | None, left_out: int, *, json: bool
) -> None:
    if json:
        emit(
            {
                "file": str(file),
                "first": header.first,
                "through": header.through,
                "size": header.size,
                "root": header.root.hex(),
                "logged": index,
                "checkpoint": _signed(header),
                "withheld": left_out,
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
    if (signed := _signed(header)) is not None:
        say(styled(t("with the checkpoint of {signed} entries", signed=signed)))
    if left_out:
        said = t("{n} entries are not yours to read: they were left out", n=left_out)
        note(styled(said, "yellow"))
    if index is None:
        note(styled(t("the log has no entry of this export: the hub was not asked"), "yellow"))
    else:
        say(styled(t("logged at {index}", index=index)))


def _signed(header: BundleHeader) -> int | None:
    if not header.checkpoint:
        return None
    return read_signed_end(header.checkpoint.encode()).checkpoint.size
