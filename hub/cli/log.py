"""``caspian log``: for whoever wants to know what happened, and that it is the whole truth."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Final

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.entries import as_json, full, line
from hub.cli.exits import usage
from hub.cli.log_remote import HubSource, open_source
from hub.cli.log_source import Selection, Source, select
from hub.cli.options import AsJson, ByAgency, From, FromBundle, Kinds, To
from hub.cli.raw import write_raw
from hub.cli.terminal import column, emit, note, say, styled
from hub.cli.words import many, t
from hub.errors import Rejected
from hub.log.store import LogRow

__all__ = ["app"]

app: Final = App(name="log", help="Read, verify, export and replay the log.")
app.command("hub.cli.log_verify:verify", name="verify", help="Verify that the log is whole.")
app.command("hub.cli.log_search:search", name="search", help="Search the log, with a proof.")
app.command("hub.cli.log_compare:compare", name="compare", help="Are two views of one history?")
app.command("hub.cli.log_export:export", name="export", help="Take the log out into a file.")
app.command("hub.cli.log_redact:redact", name="redact", help="Remove what a message said, by law.")
app.command("hub.cli.log_migrate:migrate", name="migrate", help="Copy the log into another store.")
app.command("hub.cli.log_tiles:tiles", name="tiles", help="Write the log as static files.")
app.command("hub.cli.log_replay:replay", name="replay", help="Live through the log again.")
app.command(
    "hub.cli.log_replay:remove", name="remove-sandbox", help="Remove the feeds of a replay."
)

_LAST: Final = 20


@app.command
def verifier() -> None:
    """Write a verifier of bundles that needs nothing but Python and PyNaCl, and none of the hub.

    One file, to keep beside a bundle: `caspian log verifier > verify_bundle.py`.
    """
    write_raw(files("hub.log.data").joinpath("verify_bundle.py").read_bytes())


@app.command
def ls(
    *,
    from_: From = None,
    to: To = None,
    kinds: Kinds = (),
    agency: ByAgency = None,
    bundle: FromBundle = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List entries, oldest first; the last 20 where nothing is asked for."""
    wanted = select(from_, to, kinds, agency)
    with open_source(bundle, connection, part=True) as source:
        if from_ is None and wanted.everything and (size := source.size) > _LAST:
            wanted = Selection(first=size - _LAST)
            note(
                styled(
                    t(
                        "the last {last} of {size} entries; --from 0 lists all",
                        last=_LAST,
                        size=size,
                    ),
                    "dim",
                )
            )
        for row in source.rows(wanted):
            if json:
                emit(as_json(row))
            else:
                say(line(row))
        if isinstance(source, HubSource) and source.withheld:
            note(
                styled(
                    many(
                        "{count} more is not yours to read",
                        "{count} more are not yours to read",
                        len(source.withheld),
                    ),
                    "dim",
                )
            )


@app.command
def show(
    index: int,
    /,
    *,
    raw: Annotated[
        bool,
        Parameter(negative="", help="Write the exact bytes of the entry, as they are hashed."),
    ] = False,
    payload: Annotated[
        bool, Parameter(negative="", help="Write the exact bytes of the payload.")
    ] = False,
    bundle: FromBundle = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show one entry in full.

    Parameters
    ----------
    index: int
        The entry's place in the log, from 0.

    """
    if raw + payload + json > 1:
        raise usage(t("--raw, --payload and --json exclude one another"), remedy=t("Choose one."))
    with open_source(bundle, connection) as source:
        row = _row(source, index)
    if raw:
        write_raw(row.body)
    elif payload:
        if row.payload is None:
            raise Rejected(
                "no-payload",
                t("entry {index} has no payload, or it is withheld", index=index),
                remedy=t("Ask the agency, or the hub's operator, for it."),
            )
        write_raw(row.payload)
    elif json:
        emit(as_json(row))
    else:
        for name, value in full(row):
            say(column(name, 22, "bold"), styled(value))


def _row(source: Source, index: int) -> LogRow:
    wanted = Selection(first=index, last=index)
    found = next(iter(source.rows(wanted)), None) if index >= 0 else None
    if found is None:
        raise Rejected(
            "entry-unknown",
            t("there is no entry {index} here; the log has {size}", index=index, size=source.size),
            remedy=t("Indexes count from 0; `caspian log ls` lists them."),
        )
    return found
