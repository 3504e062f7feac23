"""An agency's own system on the streams: publish into its inbox, read and confirm its feed.

What it does is what any client in any language can do with XADD, XREAD, XREADGROUP
and XACK (docs/protocol/streams.md). It survives a hub, or a Redis, that goes away and
comes back empty: what has no answer yet is sent again, which is safe, and what a feed
brings a second time is passed over.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

from redis.exceptions import RedisError, ResponseError

from hub.client.outbox import Signed
from hub.errors import Unavailable
from hub.streams import keys
from hub.streams.connect import LOST, connect
from hub.tasks import end
from schemas.receipt import Answer, Receipt, read_answer

__all__ = ["FeedMessage", "StreamPublisher", "read_feed"]

_REMEMBERED: Final = 10_000
_PAUSE_S: Final = 0.1


@dataclass(eq=False, slots=True)
class _Waiting:
    """A message that has no answer yet."""

    fields: dict[str, str | bytes]
    answer: asyncio.Future[Answer]
    sent: float = 0.0
    inbox: str = ""


class StreamPublisher:
    """Publish for one agency; many messages may be under way at once.

    Messages that are sent while others wait travel together in one pipeline. Use it
    as an asynchronous context manager.
    """

    def __init__(
        self, url: str, agency: str, *, resend_after: timedelta = timedelta(seconds=5)
    ) -> None:
        self._redis: Any = connect(url)
        self._agency = agency
        self._resend_after_s = resend_after.total_seconds()
        self._new: list[_Waiting] = []
        self._waiting: dict[str, _Waiting] = {}
        self._early: OrderedDict[str, Answer] = OrderedDict()
        self._heard: bytes | str = "0"
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        # Answers are read from here on: what was published before is not ours to wait for.
        with suppress(*LOST):
            self._heard = await self._last(keys.receipts(self._agency))
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._hear())]
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await end(self._tasks)
        await self._redis.aclose()

    async def publish(self, payload: bytes, *, message_id: str = "") -> Receipt:
        """Publish a message and return its receipt: it is in the log.

        Waits for as long as it takes; put a time-out around it. Sending the same bytes
        again, here or after a time-out, is safe.

        Raises:
            Rejected: the refusal, with its code.
        """
        fields: dict[str, str | bytes] = {"payload": payload}
        if message_id:
            fields["id"] = message_id
        return await self._ask(fields)

    async def send_signed(self, message: Signed) -> Receipt:
        """Send a message that the agency signed; `SignedPublisher` keeps their order.

        Raises:
            Rejected: the refusal, with its code.
        """
        return await self._ask(
            {
                "payload": message.payload,
                "payload_type": message.payload_type,
                "header": message.header,
                "signature": message.signature,
                "key": message.key,
            }
        )

    async def acknowledge(self, message: str, *, officer: str, note: str = "") -> Receipt:
        """Acknowledge a message, by its id or log index, in an officer's name.

        Raises:
            Rejected: the refusal, with its code.
        """
        return await self._ask(
            {"type": "acknowledgement", "message": message, "officer": officer, "note": note}
        )

    async def _ask(self, fields: dict[str, str | bytes]) -> Receipt:
        waiting = _Waiting(fields, asyncio.get_running_loop().create_future())
        self._new.append(waiting)
        self._wake.set()
        try:
            answer = await waiting.answer
        finally:
            self._waiting.pop(waiting.inbox, None)
        if isinstance(answer, Receipt):
            return answer
        raise answer.rejected()

    async def _send(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._resend_after_s / 4):
                    await self._wake.wait()
            self._wake.clear()
            late = time.monotonic() - self._resend_after_s
            batch = [w for w in self._waiting.values() if w.sent < late and not w.answer.done()]
            batch += [w for w in self._new if not w.answer.done()]
            self._new = []
            if not batch:
                continue
            try:
                await self._add(batch)
            except (*LOST, RedisError):
                self._new = [w for w in batch if w.inbox not in self._waiting] + self._new
                await asyncio.sleep(_PAUSE_S)
                self._wake.set()

    async def _add(self, batch: Sequence[_Waiting]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for waiting in batch:
            pipe.xadd(keys.inbox(self._agency), waiting.fields)
        added = await pipe.execute()
        now = time.monotonic()
        for waiting, raw in zip(batch, added, strict=True):
            inbox = raw.decode()
            self._waiting.pop(waiting.inbox, None)
            waiting.inbox, waiting.sent = inbox, now
            early = self._early.pop(inbox, None)
            if early is not None and not waiting.answer.done():
                waiting.answer.set_result(early)
            else:
                self._waiting[inbox] = waiting

    async def _hear(self) -> None:
        key = keys.receipts(self._agency)
        while True:
            try:
                answer = await self._redis.xread({key: self._heard}, block=1000, count=512)
            except (*LOST, RedisError):
                await asyncio.sleep(_PAUSE_S)
                continue
            for _, entries in answer or ():
                for entry_id, fields in entries:
                    self._heard = entry_id
                    # What is no answer is not for us, and must not end the hearing of others.
                    with suppress(ValueError, KeyError):
                        self._take({k.decode(): v.decode() for k, v in fields.items()})

    async def _last(self, key: str) -> bytes | str:
        try:
            info = await self._redis.xinfo_stream(key)
        except ResponseError:  # there is no such stream yet: all that comes is new
            return "0"
        last: bytes = info["last-generated-id"]
        return last

    def _take(self, fields: dict[str, str]) -> None:
        answer = read_answer(fields)
        waiting = self._waiting.get(fields["inbox"])
        if waiting is None:
            # The answer may be here before the id of what it answers.
            self._early[fields["inbox"]] = answer
            if len(self._early) > _REMEMBERED:
                self._early.popitem(last=False)
        elif not waiting.answer.done():
            waiting.answer.set_result(answer)


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """One entry of a feed, as its own system reads it."""

    index: int
    fields: dict[bytes, bytes]


async def read_feed(
    url: str,
    feed: str,
    *,
    consumer: str,
    batch: int = 256,
    block: timedelta = timedelta(seconds=1),
) -> AsyncIterator[list[FeedMessage]]:
    """Read a feed as its agency's own system, in batches, confirming each after it was taken.

    A batch is confirmed (XACK) when the next one is asked for: whoever dies in between
    is given it again. Within one run nothing comes twice or out of order, whatever
    happens to Redis.

    Raises:
        Unavailable: ``feed-unknown``; there is no such feed.
    """
    redis: Any = connect(url)
    key, last, cursor, patience = keys.feed(feed), -1, "0", 0.0
    taken: list[bytes] = []
    try:
        while True:
            try:
                # Confirming the last batch and asking for the next is one round trip.
                pipe = redis.pipeline(transaction=False)
                if taken:
                    pipe.xack(key, keys.READERS, *taken)
                pipe.xreadgroup(
                    keys.READERS,
                    consumer,
                    {key: cursor},
                    count=batch,
                    block=max(1, int(block.total_seconds() * 1000)),
                )
                *_, answer = await pipe.execute()
            except (*LOST, RedisError) as e:
                # Fan-out makes a lost feed anew within a second.
                patience = patience or time.monotonic()
                if isinstance(e, ResponseError) and time.monotonic() - patience > 60:
                    raise Unavailable("feed-unknown", f"there is no feed {feed}") from e
                cursor, taken = "0", []
                await asyncio.sleep(_PAUSE_S)
                continue
            taken = []
            patience = 0.0
            entries = answer[0][1] if answer else []
            if not entries:
                cursor = ">"
                continue
            found = [
                FeedMessage(keys.index_of(i), fields)
                for i, fields in entries
                if fields and keys.index_of(i) > last
            ]
            if found:
                yield found
                last = found[-1].index
            taken = [id_ for id_, _ in entries]
    finally:
        await redis.aclose()
