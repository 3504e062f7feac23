"""``caspian log tiles``: the log as files that other people's tools and object stores take."""

from __future__ import annotations

from pathlib import Path

from hub.cli.exits import usage
from hub.cli.options import AsJson
from hub.cli.store import open_log
from hub.cli.terminal import emit, progress, say, styled
from hub.cli.words import many, t
from hub.log.static_files import write_files
from hub.settings import Settings

__all__ = ["tiles"]


def tiles(directory: Path, /, *, json: AsJson = False) -> None:
    """Write the log's checkpoint, tiles and entries as static files; again, only what is new.

    The paths are those of C2SP tlog-tiles, as under /log of the hub. Payloads are not among
    them, but the entries say who sent what to whom: keep them as you keep the log.

    Parameters
    ----------
    directory: Path
        Where to write; made if it is not there.

    """
    with open_log(Settings.from_environment()) as log, progress(t("writing"), None) as told:
        try:
            made = write_files(log, directory, progress=told)
        except OSError as e:
            raise usage(
                t(
                    "{file} cannot be written: {why}",
                    file=e.filename or directory,
                    why=e.strerror or e,
                ),
                remedy=t("Make room, or name a directory that you may write."),
            ) from e
    if json:
        emit({"directory": str(directory), "size": made.size, "root": made.root.hex()})
        return
    say(
        styled(
            many(
                "{file}: {count} entry, as of the newest checkpoint",
                "{file}: {count} entries, as of the newest checkpoint",
                made.size,
                file=directory,
            )
        )
    )
    say(styled(t("root {root}", root=made.root.hex())))
