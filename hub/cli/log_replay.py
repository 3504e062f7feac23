"""``caspian log replay``: live through the log again, in feeds that no live reader has."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from hub.cli.connection import Connection
from hub.cli.entries import line, marks
from hub.cli.log_remote import open_source
from hub.cli.log_source import Selection, Source, select
from hub.cli.options import AsJson, ByAgency, From, FromBundle, Kinds, To
from hub.cli.terminal import emit, fields, note, progress, say, styled
from hub.cli.times import read_speed
from hub.cli.words import many, t
from hub.core.exercises import Part
from hub.core.registry import History
from hub.log.replay import ReplayResult, Routing, belongs, remove_sandbox, sandbox_name
from hub.log.replay import replay as live_again
from hub.log.store import LogRow
from hub.settings import Settings
from hub.streams.connect import connect
from hub.streams.feeds import FeedStreams
from schemas.entry import ENTRY_KINDS

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
    state: Annotated[
        str, Parameter(help="Only what agencies of this state did, by its code: KZ.")
    ] = "",
    incident: Annotated[
        str, Parameter(help="Only messages about this incident, and their acknowledgements.")
    ] = "",
    step: Annotated[
        bool,
        Parameter(negative="", help="Show each entry that a feed carries; Enter goes on, q ends."),
    ] = False,
    bundle: FromBundle = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Route the log again, every decision made anew, and print the digest of what came out.

    The same part of a log has the same digest at any speed, in any sandbox, on any
    machine. Read a sandbox with `caspian tail FEED --sandbox NAME`.
    """
    factor = read_speed(speed)
    wanted = select(from_, to, kinds, agency)
    if state or incident:
        # Which messages it is about, and who was a member, the rows left out would tell.
        wanted = replace(wanted, kinds=wanted.kinds or ENTRY_KINDS)
    part = Part(first=0, through=-1, state=state.upper(), incident=incident)
    with open_source(bundle, connection) as source:
        rows, history = _part(source, wanted)
        about = set[int]()
        rows = (row for row in rows if belongs(row, part, about))
        if step:
            result = asyncio.run(_stepped(rows, history, sandbox))
        else:
            with progress(t("replaying"), None) as told:
                result = asyncio.run(
                    _replay(rows, history, sandbox, factor, lambda done, _index: told(done))
                )
    if json:
        emit({"entries": result.entries, "routed": result.routed, "digest": result.digest})
        return
    fields(
        (
            (t("entries"), result.entries),
            (t("routed"), result.routed),
            (t("digest"), result.digest),
        ),
        width=7,
    )
    if sandbox is not None:
        note(styled(t("read it: caspian tail FEED --sandbox {sandbox}", sandbox=sandbox), "dim"))


async def _stepped(
    rows: Iterator[LogRow], history: History | None, sandbox: str | None
) -> ReplayResult:
    """Go through rows one by one, each shown before the next is asked for."""
    async with AsyncExitStack() as stack:
        feeds = await stack.enter_async_context(_feeds(sandbox_name(sandbox))) if sandbox else None
        routing = Routing(feeds, history)
        for row in rows:
            before = routing.routed
            routing.take(row)
            await routing.flush()
            if routing.routed == before:
                continue
            say(marks("Actual", sandbox or "replay"), line(row))
            note(
                styled(
                    many(
                        "into {count} feed; Enter goes on, q ends",
                        "into {count} feeds; Enter goes on, q ends",
                        routing.routed - before,
                    ),
                    "dim",
                )
            )
            answer = await asyncio.to_thread(sys.stdin.readline)
            if not answer or answer.strip().lower().startswith("q"):
                break
    return ReplayResult(routing.entries, routing.routed, routing.digest.hexdigest())


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
    done = many(
        "{sandbox}: {count} feed removed",
        "{sandbox}: {count} feeds removed",
        removed,
        sandbox=sandbox,
    )
    say(styled(done))


async def _remove(sandbox: str) -> int:
    async with _feeds(sandbox) as feeds:
        return await remove_sandbox(feeds)
