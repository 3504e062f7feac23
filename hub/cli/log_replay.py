"""``caspian log replay``: live through the log again, in feeds that no live reader has."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from cyclopts import Parameter

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.log_remote import open_source
from hub.cli.log_source import Selection, Source, select
from hub.cli.options import AsJson, ByAgency, From, FromBundle, Kinds, To
from hub.cli.terminal import emit, note, progress, say, styled
from hub.core.registry import History
from hub.log.replay import ReplayResult, remove_sandbox
from hub.log.replay import replay as live_again
from hub.log.store import LogRow
from hub.settings import Settings
from hub.streams.connect import connect
from hub.streams.feeds import FeedStreams

__all__ = ["remove", "replay"]


def replay(
    *,
    sandbox: Annotated[
        str | None,
        Parameter(help="Write into feeds under this name; without it only the digest is made."),
    ] = None,
    speed: Annotated[
        str, Parameter(help="How many times as fast as it was: 1, 10, 0.5; max: at once.")
    ] = "max",
    from_: From = None,
    to: To = None,
    kinds: Kinds = (),
    agency: ByAgency = None,
    bundle: FromBundle = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Route the log again, every decision made anew, and print the digest of what came out.

    The same part of a log has the same digest at any speed, in any sandbox, on any
    machine. Read a sandbox with `caspian tail FEED --sandbox NAME`.
    """
    factor = _factor(speed)
    wanted = select(from_, to, kinds, agency)
    with open_source(bundle, connection) as source, progress("replaying", None) as told:
        rows, history = _part(source, wanted)
        result = asyncio.run(
            _replay(rows, history, sandbox, factor, lambda done, _index: told(done))
        )
    if json:
        emit({"entries": result.entries, "routed": result.routed, "digest": result.digest})
        return
    say(styled(f"entries {result.entries}"))
    say(styled(f"routed  {result.routed}"))
    say(styled(f"digest  {result.digest}"))
    if sandbox is not None:
        note(styled(f"read it: caspian tail FEED --sandbox {sandbox}", "dim"))


def _factor(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        factor = float(speed)
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise usage(f"{speed!r} is no speed", remedy="Write a number above 0, or max.")
    return factor


def _part(source: Source, wanted: Selection) -> tuple[Iterator[LogRow], History | None]:
    """Return the wanted rows, and who was a member by then where the rows do not tell.

    Raises:
        Rejected: ``bundle-partial``; the bundle does not hold what came before.
    """
    wanted = source.indexed(wanted)
    if wanted.kinds or wanted.agency is not None or wanted.since_us is not None:
        # The rows may leave changes out; those after the rows do not bear on them.
        return source.rows(wanted), History(source.changes())
    if wanted.first == 0:
        return source.rows(wanted), None
    return source.rows(wanted), History((i, e) for i, e in source.changes() if i < wanted.first)


async def _replay(
    rows: Iterator[LogRow],
    history: History | None,
    sandbox: str | None,
    speed: float | None,
    told: Callable[[int, int], None],
) -> ReplayResult:
    if sandbox is None:
        return await live_again(rows, speed=speed, history=history, on_progress=told)
    async with _feeds(sandbox) as feeds:
        return await live_again(rows, speed=speed, sandbox=feeds, history=history, on_progress=told)


@asynccontextmanager
async def _feeds(sandbox: str) -> AsyncIterator[FeedStreams]:
    redis = connect(Settings.from_environment().redis_address)
    try:
        yield FeedStreams(redis, sandbox=sandbox)
    finally:
        await redis.aclose()


def remove(sandbox: str, /) -> None:
    """Remove all feeds of a sandbox.

    Parameters
    ----------
    sandbox: str
        The name that it was replayed under.

    """
    removed = asyncio.run(_remove(sandbox))
    say(styled(f"{sandbox}: {removed} feeds removed"))


async def _remove(sandbox: str) -> int:
    async with _feeds(sandbox) as feeds:
        return await remove_sandbox(feeds)
