"""``caspian mirror``: a state's own, proven copy of the log."""

from __future__ import annotations

import signal
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

from cyclopts import App, Parameter

from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.options import AsJson
from hub.cli.parts import require_free
from hub.cli.terminal import emit, say, styled, verbatim
from hub.cli.words import many, t
from hub.settings import Settings
from hub.telemetry import configure_logging
from schemas.ed25519 import VerifierKey

__all__ = ["app"]

app: Final = App(name="mirror", help="Keep a state's own, proven copy of the log.")

_MAKING: Final = "hub.mirror.making"
"""It serves with parts of the API, which the command line does not know."""


@app.command
def init(
    directory: Path,
    url: str,
    /,
    *,
    name: Annotated[str, Parameter(help="What its witness is called: mirror.example.az.")],
    log: Annotated[tuple[str, ...], Parameter(negative="", help="The verifier key of the log.")],
    token_file: Annotated[
        Path | None, Parameter(help="A token of role mirror, or of an auditor of the whole.")
    ] = None,
    payload_token_file: Annotated[
        Path | None,
        Parameter(help="A token of the state's auditor, for payloads; none: they are withheld."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a mirror of the log at an address; print the key of its witness.

    Parameters
    ----------
    directory: Path
        The directory to make.
    url: str
        The hub, or another mirror.

    """
    key = import_module(_MAKING).init(
        directory,
        url=url,
        name=name,
        logs=[VerifierKey.read(one) for one in log],
        token_file=token_file,
        payload_token_file=payload_token_file,
    )
    if json:
        emit({"key": str(key)})
    else:
        say(verbatim(key))


@app.command
def run(
    directory: Path,
    /,
    *,
    host: Annotated[str | None, Parameter(help="Address, in place of mirror.toml's.")] = None,
    port: Annotated[int | None, Parameter(help="Port, in place of mirror.toml's.")] = None,
) -> int:
    """Follow the log, cosign what is held, and serve it, until SIGTERM or Ctrl-C.

    Parameters
    ----------
    directory: Path
        What `caspian mirror init` made.

    """
    settings = Settings.from_environment()
    configure_logging(format=settings.log_format, level=settings.log_level)
    own_host, own_port = import_module("hub.mirror.config").read_mirror(directory).address
    listen = (host or own_host, own_port if port is None else port)
    require_free(t("the mirror"), *listen)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_well)
    import_module(_MAKING).serve_mirror(directory, settings, listen=listen)
    return DONE


def _end_well(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(DONE)


@app.command
def restore(
    *directories: Path,
    incomplete: Annotated[
        bool, Parameter(negative="", help="Also where payloads are in none of the mirrors.")
    ] = False,
    json: AsJson = False,
) -> int:
    """Make a hub's new log (CASPIAN_LOG_URL) of mirrors' copies; exit 5 if they cannot be one.

    Parameters
    ----------
    directories: Path
        Mirrors; payloads are taken from any that holds them.

    """
    if not directories:
        raise usage(
            t("no mirror is named"), remedy=t("Name the directories of one or more mirrors.")
        )
    settings = Settings.from_environment()
    made = import_module(_MAKING).restore(directories, settings.log_url, incomplete=incomplete)
    if json:
        emit({"size": made.size, "root": made.root.hex(), "withheld": list(made.withheld)})
        return DONE
    say(
        styled(
            many(
                "{count} entry, root {root}",
                "{count} entries, root {root}",
                made.size,
                root=made.root.hex(),
            )
        )
    )
    if made.withheld:
        say(
            styled(
                many(
                    "{count} message without its payload:",
                    "{count} messages without their payloads:",
                    len(made.withheld),
                ),
                "yellow",
            )
        )
        say(styled(", ".join(map(str, made.withheld))))
    return DONE if made.size else REFUSED
