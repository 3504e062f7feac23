"""Serve one witness, or several in one process, each with its own key and store."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from hub.errors import Rejected
from hub.http.wire import Wire
from hub.settings import Settings
from hub.telemetry import process_metrics, serve_metrics
from hub.witness.app import build_witness
from hub.witness.making import lone, opened

__all__ = ["serve_witnesses"]


def serve_witnesses(
    directories: Sequence[Path], settings: Settings, *, listen: tuple[str, int] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; several are served under ``/<directory's name>/`` each.

    Raises:
        Rejected: ``witness-unusable``. Unavailable: ``witness-store-lost``,
            ``witness-store-unavailable``, ``witness-running``, ``port-in-use``.
    """
    if len({d.name for d in directories}) != len(directories):
        raise Rejected(
            "witness-unusable", "two directories have one name", remedy="Rename one of them."
        )
    with ExitStack() as stack:
        mounts = []
        for directory in directories:
            stack.enter_context(lone(directory))
            config, identity, store = opened(directory)
            listen = listen or config.address
            process_metrics().witness_evidence.labels(identity.key.name).set(
                sum(one.kind == "fork" for one in store.evidence())
            )
            mounts.append(Mount(f"/{directory.name}", build_witness(config, identity, store)))
        app = mounts[0].app if len(mounts) == 1 else Starlette(routes=mounts)
        endpoint = serve_metrics(settings.metrics_port)
        if endpoint is not None:
            stack.callback(endpoint.close)
        host, port = listen or ("127.0.0.1", 0)
        logging.getLogger("uvicorn.error").setLevel(settings.log_level.upper())
        uvicorn.Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="uvloop",
                http=Wire,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
                lifespan="off",
            )
        ).run()
