"""Feeds in Redis: written in log order by index, read by cursor, trimmed by age.

The id of a feed's entry is ``<log index>-0`` and the stream's last id says how far
fan-out has come, so that writing is idempotent whatever crashes or runs twice
(guarantee G3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, ResponseError

from hub.streams import keys

__all__ = ["FeedEntry", "FeedPage", "FeedStreams", "confirmed_through", "reached"]

_LUA = files("hub.streams")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry of a feed: the log index and its plain fields (docs/protocol/streams.md)."""

    index: int
    fields: Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Part of a feed as the stream holds it.

    *covered* says whether the stream holds everything after the cursor that was
    asked for; where not, the beginning must come from the log.
    """

    entries: tuple[tuple[int, dict[bytes, bytes]], ...]
    covered: bool
    reached: int


class FeedStreams:
    """The feeds of one Redis; *sandbox* names a replay's own, apart from the live ones."""

    def __init__(self, redis: Redis, *, sandbox: str = "") -> None:
        self.redis = redis
        self._sandbox = sandbox
        self._append: AsyncScript = redis.register_script(
            (_LUA / "feed_append.lua").read_text("utf-8")
        )
        self._create: AsyncScript = redis.register_script(
            (_LUA / "feed_create.lua").read_text("utf-8")
        )

    @property
    def sandbox(self) -> str:
        """The name of the replay that these feeds belong to; empty for the live ones."""
        return self._sandbox

    def key(self, feed: str) -> str:
        """Return the stream of a feed."""
        return keys.sandbox_feed(self._sandbox, feed) if self._sandbox else keys.feed(feed)

    async def create(self, feed: str, *, after: int, confirmed: int) -> tuple[int, bool]:
        """Make the feed where it is missing; return what it has reached, and if it was made."""
        reached, made = await self._create(
            keys=[self.key(feed)], args=[max(after, 0), keys.READERS, max(confirmed, 0)]
        )
        return int(reached), bool(made)

    async def append(
        self, batches: Mapping[str, tuple[int, Sequence[FeedEntry]]], *, reached: int
    ) -> dict[str, int]:
        """Append to many feeds in one round trip; return what each has reached then.

        *batches* gives for each feed the index it is believed to have reached and its
        entries above it, in order; all of them then stand at *reached*. A feed for
        which another index comes back was left as it is: read again from there.
        """
        pipe = self.redis.pipeline(transaction=False)
        await self._load()
        for feed, (before, entries) in batches.items():
            args: list[Any] = [before, reached]
            for e in entries:
                args += [e.index, 2 * len(e.fields)]
                for name, value in e.fields.items():
                    args += [name, value]
            pipe.evalsha(self._append.sha, 1, self.key(feed), *args)
        answers = await pipe.execute(raise_on_error=False)
        found = {}
        for feed, answer in zip(batches, answers, strict=True):
            if isinstance(answer, NoScriptError):
                self._loaded = False
                found[feed] = batches[feed][0]
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found[feed] = int(answer)
        return found

    _loaded = False

    async def _load(self) -> None:
        # A restarted server has no scripts; NOSCRIPT clears the flag and the batch comes again.
        if not self._loaded:
            await self.redis.script_load(self._append.script)
            self._loaded = True

    async def read(self, feed: str, *, after: int, limit: int) -> FeedPage:
        """Return entries above the log index *after* that the stream still holds."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.xinfo_stream(self.key(feed))
        # No stream id stands for the cursor -1; index 0 begins the log and is in no feed.
        pipe.xrange(self.key(feed), min=f"({keys.entry_id(max(after, 0))}", count=limit)
        info, entries = await pipe.execute(raise_on_error=False)
        if isinstance(info, ResponseError) or isinstance(entries, ResponseError):
            return FeedPage((), covered=False, reached=-1)
        for answer in (info, entries):
            if isinstance(answer, BaseException):
                raise answer
        reached = keys.index_of(info["last-generated-id"])
        first = info["first-entry"]
        # What was trimmed, or was there before a rebuild, lies below the first entry.
        covered = after >= reached or (first is not None and after >= keys.index_of(first[0]))
        return FeedPage(
            tuple((keys.index_of(i), fields) for i, fields in entries), covered, reached
        )

    async def remove(self, feeds: Iterable[str], index: int) -> None:
        """Remove an entry from feeds: its payload may be kept nowhere any more."""
        pipe = self.redis.pipeline(transaction=False)
        for feed in feeds:
            pipe.xdel(self.key(feed), keys.entry_id(index))
        await pipe.execute()

    async def trim(self, feed: str, *, below: int) -> int:
        """Remove entries under a log index; whole blocks only, so some may stay."""
        return int(await self.redis.xtrim(self.key(feed), minid=keys.entry_id(below)))


async def confirmed_through(redis: Redis, feeds: Sequence[str]) -> dict[str, int]:
    """Return for each feed the log index through which its readers have confirmed it.

    A reader confirms with XACK in the group `keys.READERS`, over HTTP, or both; the
    higher counts. With XACK everything is confirmed below the oldest entry that is
    still pending.
    """
    pipe = redis.pipeline(transaction=False)
    for feed in feeds:
        pipe.xinfo_groups(keys.feed(feed))
        pipe.xpending(keys.feed(feed), keys.READERS)
        pipe.zscore(keys.CONFIRMED, feed)
    answers = await pipe.execute(raise_on_error=False)
    found = {}
    for i, feed in enumerate(feeds):
        groups, pending, score = answers[3 * i : 3 * i + 3]
        through = int(score) if isinstance(score, float) else 0
        if isinstance(groups, list) and isinstance(pending, dict):
            last = max(
                (
                    keys.index_of(g["last-delivered-id"])
                    for g in groups
                    if g["name"] in {keys.READERS, keys.READERS.encode()}
                ),
                default=0,
            )
            if pending["pending"]:
                last = min(last, keys.index_of(pending["min"]) - 1)
            through = max(through, last)
        for answer in (groups, pending, score):
            # A feed that is being made anew has no group yet; a lost server must be seen.
            if isinstance(answer, BaseException) and not isinstance(answer, ResponseError):
                raise answer
        if through > 0:
            found[feed] = through
    return found


async def reached(redis: Redis, feeds: Iterable[str]) -> dict[str, int]:
    """Return the log index that each feed has reached; -1 where there is no such stream."""
    feeds = list(feeds)
    pipe = redis.pipeline(transaction=False)
    for feed in feeds:
        pipe.xinfo_stream(keys.feed(feed))
    found = {}
    for feed, info in zip(feeds, await pipe.execute(raise_on_error=False), strict=True):
        if isinstance(info, ResponseError):
            found[feed] = -1
        elif isinstance(info, BaseException):
            raise info
        else:
            found[feed] = keys.index_of(info["last-generated-id"])
    return found
