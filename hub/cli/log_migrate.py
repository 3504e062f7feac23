"""``caspian log migrate``: the log into another store, SQLite or PostgreSQL."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hub.cli.options import AsJson
from hub.cli.store import open_log
from hub.cli.terminal import emit, note, progress, say, styled
from hub.cli.words import many, t
from hub.log.moving import move
from hub.settings import Settings

__all__ = ["migrate"]


def migrate(
    source: str,
    target: Annotated[
        str, Parameter(help="An empty store; that of CASPIAN_LOG_URL if left out.")
    ] = "",
    /,
    *,
    json: AsJson = False,
) -> None:
    """Copy all that a store holds into an empty one, of either kind, and verify it.

    Stop the API and the consumers before: what is appended meanwhile waits, and then goes into the
    old store. Killed, it leaves the target empty: begin again.

    Parameters
    ----------
    source: str
        ``sqlite:///file`` or ``postgresql://user@host/database``. For a password use a
        PGPASSFILE: a command line is for everybody to read.
    target: str
        Likewise.

    """
    settings = Settings.from_environment()
    target = target or settings.log_url
    with (
        open_log(settings.model_copy(update={"log_url": source})) as log,
        progress(t("moving"), None) as told,
    ):
        head = move(log, target, progress=told)
    if json:
        emit({"size": head.size, "root": head.root.hex()})
        return
    say(
        styled(
            many(
                "{count} entry moved, and verified",
                "{count} entries moved, and verified",
                head.size,
            )
        )
    )
    say(styled(t("root {root}", root=head.root.hex())))
    note(
        styled(t("set CASPIAN_LOG_URL to the new store; never start a ledger on the old one again"))
    )
