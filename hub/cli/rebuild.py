"""``caspian rebuild``: what is derived from the log is made anew from it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from cyclopts import Parameter
from redis.exceptions import RedisError

from hub.cli.store import open_log
from hub.cli.terminal import note, progress, say, styled
from hub.cli.words import t
from hub.core.registry import History
from hub.errors import Unavailable
from hub.log.projections import rebuild as rebuild_projections
from hub.settings import Settings
from hub.streams import keys
from hub.streams.connect import LOST, connect

__all__ = ["rebuild"]


def rebuild(
    *,
    projections: Annotated[
        bool, Parameter(negative="", help="Only the tables that are derived from the log.")
    ] = False,
    feeds: Annotated[
        bool, Parameter(negative="", help="Only the feeds: they are deleted, fan-out makes them.")
    ] = False,
) -> None:
    """Make projections and feeds anew from the log; both where neither is named.

    The log itself is never touched. Projections change in one transaction, appends
    wait for its end. A feed is away until fan-out has made it again, its readers
    wait; what they had confirmed stays confirmed.
    """
    both = projections == feeds
    settings = Settings.from_environment()
    with open_log(settings) as log:
        if projections or both:
            with progress(t("projections"), log.head().size) as told:
                made = rebuild_projections(log, progress=told)
            say(styled(t("projections: made anew from {made} entries", made=made)))
        if feeds or both:
            names = sorted(History(log.registry_entries()).latest.feeds())
            deleted = asyncio.run(_delete(settings.redis_address, names))
            say(styled(t("feeds: {deleted} of {count} deleted", deleted=deleted, count=len(names))))
            note(styled(t("fan-out makes them anew; `caspian doctor` says when it is done"), "dim"))


async def _delete(url: str, feeds: list[str]) -> int:
    redis: Any = connect(url)
    try:
        return sum([await redis.unlink(keys.feed(feed)) for feed in feeds])
    except (*LOST, RedisError) as e:
        raise Unavailable("streams-unavailable", t("Redis cannot be reached: {why}", why=e)) from e
    finally:
        await redis.aclose()
