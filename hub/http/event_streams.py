"""A feed as an event stream: written to its line without waiting, looked after with all others.

Whoever follows a feed costs one write for each event: the event is put into its form once for all
readers, and no task wakes for any of them. A line that takes nothing more keeps what comes for
it in its reader, up to CASPIAN_SSE_QUEUE entries; then it is cut off, and resumes by the
index that it had. Nobody else waits for it.

Heartbeats, and looks whether each reader may still read, are made for all streams together
(`Heart`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import structlog
from redis.exceptions import RedisError
from sse_starlette import ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.core.registry import Filter, Registry
from hub.core.routing import wants
from hub.errors import Rejected, Unavailable
from hub.http.state import Hub, Shown, who_shows
from hub.http.wire import LINE, Line, chunk
from hub.log.feeding import Entry, read_feed
from hub.members.roles import Principal
from hub.streams import keys
from hub.streams.connect import LOST
from hub.streams.feeds import FeedStreams, reached
from hub.streams.fields import feed_json
from hub.streams.tail import Reader
from hub.telemetry import process_metrics
from schemas.facts import MessageFacts

__all__ = ["EventStream", "Following", "Heart", "feed_entries", "kept"]

_PAGE: Final = 1000
_PAUSE_S: Final = 0.2
_PATIENCE_S: Final = 30.0
"""How long a line may take nothing at all."""

_BEAT_PATIENCE_S: Final = 2.0
_AT_ONCE: Final = 100
_EVERYTHING: Final = Filter()
_log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class Following:
    """What somebody follows, and who they are."""

    feed: str
    after: int | None
    """The index to go on behind; None: what comes from now on."""
    wanted: Filter
    sandbox: str
    beats: bool
    shown: Shown
    principal: Principal

    @property
    def key(self) -> str:
        """The stream in Redis."""
        return keys.sandbox_feed(self.sandbox, self.feed) if self.sandbox else keys.feed(self.feed)


async def feed_entries(
    hub: Hub, feed: str, after: int, limit: int, sandbox: str
) -> tuple[list[Entry], int, bool]:
    """Return entries above *after*, the cursor behind them, and whether more may be there now."""
    streams = FeedStreams(hub.redis, sandbox=sandbox) if sandbox else hub.streams

    async def history() -> Any:
        return await hub.registry(fresh=True)

    return await read_feed(streams, hub.log, history, feed, after=after, limit=limit)


def kept(entry: Entry, wanted: Filter, registry: Registry) -> bool:
    """Tell whether a filter lets an entry through."""
    if wanted is _EVERYTHING or wanted == _EVERYTHING:
        return True
    fields = entry[1]
    if fields[b"kind"] == b"redaction":
        return True  # whoever may hold a copy must hear of it
    if b"facts" not in fields:
        return not wanted.kinds or fields[b"kind"].decode() in wanted.kinds
    agency = registry.agencies.get(fields[b"agency"].decode())
    return wants(wanted, _facts(fields[b"facts"]), agency.state if agency else "")


@lru_cache(64)
def _facts(text: bytes) -> MessageFacts:
    return MessageFacts.model_validate_json(text)


class _Written:
    """Entries as they go over the line, each written once for all who follow its feed."""

    def __init__(self) -> None:
        self._last: tuple[Entry | None, bytes] = (None, b"")

    def of(self, entry: Entry) -> bytes:
        """Return an entry as a chunk. The tailer gives all readers of a feed the same object."""
        if self._last[0] is not entry:
            index, fields = entry
            shown = feed_json(index, fields)
            data = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
            event = ServerSentEvent(event=shown["kind"], id=str(index), data=data)
            self._last = (entry, chunk(event.encode()))
        return self._last[1]


_WRITTEN: Final = _Written()


class _Over(Exception):
    """Say that the stream is over."""


class EventStream(Response):
    """The answer to whoever follows a feed: everything behind a cursor, and what comes then."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, following: Following) -> None:
        super().__init__(
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        del self.headers["content-length"]
        self.following = following
        self.live = False
        """Whether it has caught up: from here on everything comes as it is logged."""
        self._hub = hub
        self._after = -1 if following.after is None else following.after
        self._over = asyncio.Event()
        self._writable = asyncio.Event()
        self._cut = False
        self._full_since: float | None = None
        self._idle = True
        """Whether nothing was written since the last heartbeat."""
        self._reader: Reader | None = None
        self._line: Line

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer a request; return when the stream is over."""
        self._line = scope["extensions"][LINE]["line"]
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        self._line.watch(self)
        self._hub.open_streams.add(self)
        try:
            await self._catch_up()
            await self._over.wait()
        except _Over:
            pass
        except Unavailable as e:
            # Its answer has begun: it ends, and the reader comes again for what is missing.
            _log.warning("stream.ended", feed=self.following.feed, error=str(e)[:300])
        finally:
            self._line.watch(None)
            self._hub.open_streams.discard(self)
            if self._reader is not None:
                self._hub.tailer.close(self._reader)
        if self._cut or self._line.full:
            self._line.cut()  # it would take the end no more than the rest
        await send({"type": "http.response.body", "body": b""})

    def end(self) -> None:
        """End it in good order."""
        self._over.set()
        self._writable.set()

    def lost(self) -> None:
        """Stop: the line is gone."""
        self.end()

    def writable(self) -> None:
        """Go on: the line takes more again."""
        self._full_since = None
        self._writable.set()
        if self.live and self._reader is not None:
            self._reader.resume()

    def beat(self, event: bytes) -> None:
        """Put a heartbeat; one that no page sees where nothing else was written since the last.

        A line that stays full is cut off.
        """
        if self._line.full:
            now = time.monotonic()
            self._full_since = self._full_since or now
            if now - self._full_since > _PATIENCE_S:
                self._too_slow()
        elif self.live if self.following.beats else self._idle:
            self._line.put(event)
        self._idle = True

    def _too_slow(self) -> None:
        process_metrics().sse_dropped.inc()
        self._drop()

    def _drop(self) -> None:
        self._cut = True
        self.end()

    async def _catch_up(self) -> None:
        """Write all that there is already; then let come what comes."""
        hub, at = self._hub, self.following
        self._reader = await self._opened()
        if at.after is None:
            self._after = (await asyncio.to_thread(hub.log.head)).size - 1
            # A first event tells the reader where it stands, so that a break loses nothing.
            data = json.dumps({"after": self._after})
            await self._put(_chunk("position", data, str(self._after)))
        more = True
        while more:
            entries, through, more = await feed_entries(
                hub, at.feed, self._after, _PAGE, at.sandbox
            )
            for entry in entries:
                if kept(entry, at.wanted, hub.history.latest):
                    await self._put(_WRITTEN.of(entry))
            self._after = max(self._after, through)
        if at.beats:
            # The first at once: from here on what comes is new.
            await self._put((await beats(hub, [at.feed]))[at.feed])
        self.live = True
        self._reader.begin(self._take, self._drop)

    async def _opened(self) -> Reader:
        while True:
            try:
                return await self._hub.tailer.open(self.following.key)
            except (*LOST, RedisError):
                await asyncio.sleep(_PAUSE_S)
            if self._over.is_set():
                raise _Over

    async def _put(self, event: bytes) -> None:
        """Write, once the line takes it."""
        if self._line.full:
            self._writable.clear()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._writable.wait()
            except TimeoutError:
                self._too_slow()
        if self._over.is_set():
            raise _Over
        self._line.put(event)

    def _take(self, entry: Entry) -> bool:
        """Write an entry of those that come; False while the line takes nothing more."""
        if entry[0] <= self._after or self._over.is_set():
            return True  # the tailer began before the pages ended
        if self._line.full:
            return False
        try:
            if kept(entry, self.following.wanted, self._hub.history.latest):
                self._line.put(_WRITTEN.of(entry))
                self._idle = False
        except (LookupError, ValueError, TypeError) as e:
            # Whatever stands in the stream, the others that are served in this turn go on.
            _log.error("stream.failed", feed=self.following.feed, index=entry[0], error=repr(e))
            self.end()
        self._after = entry[0]
        return True


class Heart:
    """What is done for all open streams of a process together, every heartbeat."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._every_s = hub.settings.sse_heartbeat.total_seconds()

    async def beat(self) -> None:
        """Show on every line that it is alive; where it was asked for, how far the hub is."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._beat()
            except (Unavailable, RedisError, OSError) as e:
                _log.warning("streams.no_beat", error=str(e)[:300])

    async def watch(self) -> None:
        """End streams that would not be opened again; meanwhile their sessions are in use."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._look()
            except (Unavailable, RedisError, OSError) as e:
                # Nobody can say: who was let in stays.
                _log.warning("streams.not_looked_after", error=str(e)[:300])

    def _streams(self) -> list[EventStream]:
        return [one for one in self._hub.open_streams if isinstance(one, EventStream)]

    async def _beat(self) -> None:
        streams = self._streams()
        feeds = sorted({s.following.feed for s in streams if s.following.beats})
        told = await beats(self._hub, feeds) if feeds else {}
        ping = chunk(b": ping\r\n\r\n")
        for number, one in enumerate(streams, 1):
            one.beat(told[one.following.feed] if one.following.beats else ping)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _look(self) -> None:
        streams = self._streams()
        if not streams:
            return
        found = await asyncio.to_thread(_whose, self._hub, {s.following.shown for s in streams})
        replays = {
            name: await self._hub.replays.find(name)
            for name in {s.following.sandbox for s in streams} - {""}
        }
        for one in streams:
            at = one.following
            ended = found[at.shown] != at.principal
            if at.sandbox and "audit" not in at.principal.scopes:
                replay = replays[at.sandbox]
                who = at.principal
                ended |= replay is None or not replay.admits(who.agency, who.person)
            if ended:
                one.end()


def _whose(hub: Hub, shown: Iterable[Shown]) -> Mapping[Shown, Principal | None]:
    """Return who shows each of these now; None: nobody any more.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    shown = list(shown)
    hub.authenticator.renew(
        (one.token for one in shown if one.token),
        (one.certificate for one in shown if one.certificate),
    )
    hub.sessions.renew(one.key for one in shown if one.key)
    found: dict[Shown, Principal | None] = {}
    for one in shown:
        try:
            found[one] = who_shows(hub, one)
        except Rejected:
            found[one] = None
    return found


async def beats(hub: Hub, feeds: list[str]) -> dict[str, bytes]:
    """Return a heartbeat of each feed: the time, how far the log is, and how far the feed.

    Pages do not see the comments that keep a line open; and a line that is open tells nothing
    of whether the hub still brings anything. What nobody can say is null.
    """
    told: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "log": None, "through": None}
    told["every_s"] = hub.settings.sse_heartbeat.total_seconds()
    through: Mapping[str, int] = {}
    with suppress(Unavailable):
        told["log"] = (await asyncio.to_thread(hub.log.head)).size - 1
    with suppress(*LOST, RedisError, TimeoutError):
        async with asyncio.timeout(_BEAT_PATIENCE_S):
            through = await reached(hub.redis, feeds)
    return {
        feed: _chunk("beat", json.dumps({**told, "through": through.get(feed)})) for feed in feeds
    }


def _chunk(event: str, data: str, index: str | None = None) -> bytes:
    return chunk(ServerSentEvent(event=event, id=index, data=data).encode())
