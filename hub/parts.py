"""The processes that a hub on one machine is made of, in the order of their start."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

import httpx

from hub.errors import HubError
from hub.settings import Settings
from hub.streams.embedded import password, server_command, url, wait_ready
from hub.supervisor import Child

__all__ = ["CONSUMERS", "embedded_settings", "parts"]

CONSUMERS: Mapping[str, Sequence[str]] = {
    "ledger": ("ledger",),
    "fanout": (
        "fanout",
        "delivery",
        "escalation",
        "retention",
        "checkpoint",
        "witness",
        "webhook",
        "mail",
        "mqtt",
    ),
    "intake": ("intake",),
}
"""Which consumer processes run, and the jobs of each: as many as two cores serve well."""


def embedded_settings(settings: Settings, *, port: int) -> Settings:
    """Return the settings of a hub whose Redis and log lie in its own data directory."""
    data = settings.data.absolute()
    server_command(data / "valkey", port=port)  # makes the password that the address holds
    return Settings.model_validate(
        {
            **settings.model_dump(),
            "redis_url": url(data / "valkey", port),
            **dict.fromkeys(
                ("redis_ca", "redis_certificate", "redis_key")
            ),  # it is on this machine
            "log_url": f"sqlite:///{data / 'log.db'}",
            "data": data,
            "redis_users": settings.redis_users or data / "redis-users",
            "log_key": settings.log_key or str(data / "log.key"),
        }
    )


def parts(
    settings: Settings,
    *,
    valkey_port: int,
    appendfsync: Literal["always", "everysec"] = "everysec",
    api: bool = True,
) -> list[Child]:
    """Return the processes of a hub whose settings came from `embedded_settings`."""
    directory = settings.data / "valkey"
    secret = password(directory)
    environment = settings.to_environment()
    children = [
        Child(
            "valkey",
            lambda: server_command(
                directory, port=valkey_port, appendfsync=appendfsync, secret=secret
            ),
            ready=_answers(settings.redis_url),
        )
    ]
    children += [
        Child(name, [sys.executable, "-m", "consumers", *jobs], env=environment)
        for name, jobs in CONSUMERS.items()
    ]
    if api:
        children.append(
            Child(
                "api",
                [sys.executable, "-m", "hub.cli", "serve"],
                env=environment,
                ready=_serves(f"http://{settings.host}:{settings.port}/readyz"),
            )
        )
    return children


def _answers(redis_url: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        await wait_ready(redis_url, timedelta(seconds=1))
        return True

    return ready


def _serves(address: str) -> Callable[[], Awaitable[bool]]:
    # Asked again and again, of a part of our own: without reading whom the machine trusts.
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def ready() -> bool:
        with suppress(httpx.TransportError, HubError):
            async with httpx.AsyncClient(timeout=2, verify=nobody) as client:
                return (await client.get(address)).is_success
        return False

    return ready


def log_file(data: Path, part: str) -> Path:
    """Return where a part writes what it does."""
    return data / "logs" / f"{part}.log"
