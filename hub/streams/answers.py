"""Wait for the hub's answer to what was put into an inbox: one reader for a whole process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from hub.streams import keys
from hub.streams.connect import LOST
from schemas.receipt import Answer, read_answer

__all__ = ["Answers"]

_EARLY: Final = 20_000
_PAUSE_S: Final = 0.1
_log = structlog.get_logger("answers")


class Answers:
    """Reads the receipt streams of all agencies and hands each answer to whoever waits for it.

    An answer may come before its question's id is known to the caller: the last
    20,000 are kept for that. `lost` is set each time Redis was away, for what was
    put into an inbox may have gone with it.
    """

    def __init__(self, redis: Redis, agencies: Callable[[], Iterable[str]]) -> None:
        self._redis: Any = redis
        self._agencies = agencies
        self._waiting: dict[tuple[str, str], asyncio.Future[Answer]] = {}
        self._early: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._cursors: dict[str, bytes | str] = {}

    def expect(self, agency: str, inbox: str) -> asyncio.Future[Answer]:
        """Return the answer to come for an inbox entry; `forget` it when no longer wanted."""
        key = (agency, inbox)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        early = self._early.pop(key, None)
        if early is not None:
            future.set_result(early)
        else:
            self._waiting[key] = future
        return future

    def forget(self, agency: str, inbox: str) -> None:
        """Stop waiting for an answer."""
        self._waiting.pop((agency, inbox), None)

    async def run(self) -> None:
        """Read until cancelled, through any loss of Redis."""
        while True:
            try:
                await self._meet()
                if not self._cursors:
                    await asyncio.sleep(_PAUSE_S)
                    continue
                # Short, so that the streams of a new member are not missed for long.
                answer = await self._redis.xread(dict(self._cursors), block=500, count=1000)
            except (*LOST, RedisError) as e:
                _log.warning("answers.waiting", error=repr(e)[:300])
                await asyncio.sleep(_PAUSE_S)
                continue
            for raw, entries in answer or ():
                key = raw.decode()
                for entry_id, fields in entries:
                    self._cursors[key] = entry_id
                    self._take(key.removeprefix(keys.receipts("")), fields)

    async def _meet(self) -> None:
        for agency in self._agencies():
            key = keys.receipts(agency)
            if key not in self._cursors:
                last: bytes | str = "0"
                with suppress(ResponseError):  # no such stream yet: all that comes is new
                    last = (await self._redis.xinfo_stream(key))["last-generated-id"]
                self._cursors[key] = last

    def _take(self, agency: str, fields: dict[bytes, bytes]) -> None:
        texts = {k.decode(): v.decode("utf-8", "replace") for k, v in fields.items()}
        try:
            answer = read_answer(texts)
        except (ValueError, KeyError):
            _log.warning("answer.unreadable", agency=agency)
            return
        key = (agency, texts.get("inbox", ""))
        future = self._waiting.pop(key, None)
        if future is None:
            self._early[key] = answer
            if len(self._early) > _EARLY:
                self._early.popitem(last=False)
        elif not future.done():
            future.set_result(answer)
