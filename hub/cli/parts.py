"""``caspian serve``, ``consumers`` and ``demo``: the commands that stay until they are stopped.

What they run stands above the command line in the order of imports (consumers), or
beside it (the API). It is therefore imported by name, when it is asked for.
"""

from __future__ import annotations

import errno
import signal
import socket
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

from cyclopts import Parameter

from hub.cli.exits import DONE, usage
from hub.cli.words import t
from hub.errors import Unavailable
from hub.settings import Settings
from hub.telemetry import configure_logging

__all__ = ["consumers", "demo", "require_free", "serve"]

_API: Final = "hub.app"
_CONSUMERS: Final = "consumers.app"
_DEMO: Final = "hub.demo.run"


def _part(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def serve(
    *,
    host: Annotated[str | None, Parameter(help="Address to listen on. CASPIAN_HOST")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on. CASPIAN_PORT")] = None,
) -> int:
    """Run the API until SIGTERM or Ctrl-C, with the settings of the environment."""
    settings = Settings.from_environment(**_given(host=host, port=port))
    configure_logging(format=settings.log_format, level=settings.log_level)
    require_free(t("the API"), settings.host, settings.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server ends its work and then raises the signal again: that is a good end.
        signal.signal(number, _end_well)
    _part(_API, "serve")(settings)
    return DONE


def _end_well(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(DONE)


def require_free(who: str, host: str, port: int) -> None:
    """Say in our words what the server would say among many others.

    Raises:
        Unavailable: ``port-in-use`` or ``port-unusable``.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as e:
        taken = e.errno == errno.EADDRINUSE
        raise Unavailable(
            "port-in-use" if taken else "port-unusable",
            t(
                "{who} cannot listen on {host}:{port}: {why}",
                who=who,
                host=host,
                port=port,
                why=e.strerror or e,
            ),
            remedy=t("Stop the other process, or choose another --port or --host."),
        ) from e


def consumers(*jobs: str) -> int:
    """Run consumers until SIGTERM or Ctrl-C; what is being handled is finished first.

    Parameters
    ----------
    jobs: str
        intake, ledger, fanout, delivery, escalation, retention, checkpoint, witness, webhook, mail,
        mqtt; all of them where none is named.

    """
    known = _part(_CONSUMERS, "JOBS")
    if unknown := [job for job in jobs if job not in known]:
        raise usage(
            t("there is no job {jobs}", jobs=", ".join(unknown)),
            remedy=t("Jobs are {jobs}.", jobs=", ".join(known)),
        )
    return int(_part("consumers.__main__", "main")(list(jobs)))


def demo(
    *,
    once: Annotated[
        bool,
        Parameter(
            negative="", help="Publish, acknowledge and verify once, then stop; for scripts."
        ),
    ] = False,
    port: Annotated[int | None, Parameter(help="Port of the API. CASPIAN_PORT")] = None,
    data: Annotated[
        Path | None, Parameter(help="Directory of its log and its Redis. CASPIAN_DATA")
    ] = None,
) -> int:
    """Run a whole hub on this machine, with agencies that publish and answer, until Ctrl-C."""
    settings = Settings.from_environment(**_given(port=port, data=data))
    return int(_part(_DEMO, "demo")(settings, once=once))
