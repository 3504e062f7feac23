"""``caspian witness``: run a state's witness, which never cosigns two histories of a log."""

from __future__ import annotations

import signal
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

from cyclopts import App, Parameter
from rich.text import Text

from hub.cli.exits import DONE, REFUSED
from hub.cli.files import read_input
from hub.cli.options import AsJson
from hub.cli.parts import require_free
from hub.cli.terminal import emit, note, say, styled, verbatim
from hub.cli.words import t
from hub.errors import Rejected
from hub.settings import Settings
from hub.telemetry import configure_logging
from schemas.ed25519 import VerifierKey

__all__ = ["app"]

app: Final = App(name="witness", help="Cosign the log's checkpoints for a state.")

_Directory = Annotated[Path, Parameter(help="The witness's directory.")]


@app.command
def init(
    directory: Path,
    /,
    *,
    name: Annotated[str, Parameter(help="What the witness is called: witness.example.az.")],
    log: Annotated[
        tuple[str, ...], Parameter(negative="", help="The verifier key of a log; may be repeated.")
    ],
    listen: Annotated[str, Parameter(help="Address and port.")] = "127.0.0.1:8090",
    json: AsJson = False,
) -> None:
    """Make a witness: its key, its store and its settings; print the key that others need.

    Parameters
    ----------
    directory: Path
        The directory to make. It is the witness: keep it, and never run two copies.

    """
    from hub.witness.making import init as make  # noqa: PLC0415 - its server is of no use here

    made = make(directory, name=name, logs=[VerifierKey.read(key) for key in log], listen=listen)
    _print_key(str(made.key), json=json)


def _print_key(key: str, *, json: bool) -> None:
    if json:
        emit({"key": key})
    else:
        say(verbatim(key))


@app.command
def key(directory: _Directory, /, *, json: AsJson = False) -> None:
    """Print the witness's verifier key, for policies."""
    from hub.witness.identity import KEY, Identity  # noqa: PLC0415

    _print_key(str(Identity.read(directory / KEY).key), json=json)


@app.command
def run(
    *directories: Path,
    host: Annotated[str | None, Parameter(help="Address, in place of witness.toml's.")] = None,
    port: Annotated[int | None, Parameter(help="Port, in place of witness.toml's.")] = None,
) -> int:
    """Run a witness until SIGTERM or Ctrl-C; several, each under its directory's name.

    Parameters
    ----------
    directories: Path
        What `caspian witness init` made.

    """
    from hub.witness.config import read_config  # noqa: PLC0415
    from hub.witness.identity import CONFIG  # noqa: PLC0415

    if not directories:
        raise Rejected(
            "usage", t("no directory is named"), remedy=t("Name the witness's directory.")
        )
    settings = Settings.from_environment()
    configure_logging(format=settings.log_format, level=settings.log_level)
    own_host, own_port = read_config(directories[0] / CONFIG).address
    listen = (host or own_host, own_port if port is None else port)
    require_free(t("the witness"), *listen)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_well)
    # Its HTTP shares parts with the API, which the command line does not know.
    import_module("hub.witness.serving").serve_witnesses(directories, settings, listen=listen)
    return DONE


def _end_well(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(DONE)


@app.command
def evidence(directory: _Directory, /, *, json: AsJson = False) -> int:
    """Show what the witness holds against a log; exit 5 where it holds a proof that it forked."""
    from hub.witness.making import opened  # noqa: PLC0415

    _, _, store = opened(directory)
    found = store.evidence()
    for one in found:
        if json:
            emit(one.record())
            continue
        say(
            styled(f"{one.kind:<10}", "bold red" if one.kind == "fork" else "yellow"),
            styled(one.why),
        )
        end = t(
            "{log}, size {size}, root {root}", log=one.origin, size=one.size, root=one.root.hex()
        )
        say(Text("  ") + styled(end))
        if one.held:
            say(Text("  ") + styled(t("against what it had signed before:")))
            for line in one.held.decode("utf-8", "replace").splitlines():
                say(styled(f"    {line}"))
        say(Text("  ") + styled(t("it signed now:")))
        for line in one.submission.decode("utf-8", "replace").partition("\n\n")[2].splitlines():
            say(styled(f"    {line}"))
    if not found and not json:
        note(styled(t("nothing is held against any log")))
    return REFUSED if any(one.kind == "fork" for one in found) else DONE


@app.command
def recover(
    directory: _Directory,
    /,
    *,
    checkpoint: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="A file with a checkpoint that you trust; one of each log."),
    ],
) -> None:
    """Begin again after the store was lost, at checkpoints that others have, too.

    Compare them with other states' witnesses and mirrors first, and take the largest: the
    witness will vouch for whatever follows from them.
    """
    from hub.witness.making import lone  # noqa: PLC0415
    from hub.witness.making import recover as begin_again  # noqa: PLC0415

    with lone(directory):
        held = begin_again(directory, [read_input(name) for name in checkpoint])
    for one in held:
        say(
            styled(
                t(
                    "{origin}: goes on from size {size}, root {root}",
                    origin=one.origin,
                    size=one.size,
                    root=one.root.hex(),
                )
            )
        )
