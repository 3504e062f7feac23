"""A kill -9 of who brings webhooks loses none, and leaves none out of its order (G2, G3)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from hub.outlets import store
from hub.outlets.records import WebhookTarget
from hub.tasks import end
from tests.crash.chaos import AGENCIES, killing, running, until
from tests.outlets.receiver import receiving, status

pytestmark = pytest.mark.long

MESSAGES = 200


async def test_sigkill_at_random_moments_loses_no_webhook(tmp_path: Path) -> None:
    given = {"webhook_allow": "127.0.0.0/8", "outlet_retry": timedelta(milliseconds=50)}
    async with receiving() as receiver, running(tmp_path, **given) as hub:
        store.add(
            hub.log,
            feed=AGENCIES[1],
            target=WebhookTarget(url=receiver.url),
            secret="",
            confirms=False,
            through=-1,
            by="test",
            now=datetime.now(UTC),
        )
        receiver.answers = [status(500), status(503), status(204)]  # the last one is not kept
        fire = asyncio.create_task(
            killing(hub, "fanout", "valkey", seed=3, done=lambda: len(receiver.taken))
        )
        try:
            await hub.stream(AGENCIES[0], range(MESSAGES), pace=0.01)
        finally:
            await end([fire])
        feed = hub.fed()[AGENCIES[1]]

        async def there() -> bool:
            return feed[-1] in receiver.indexes

        await until(there, "the last one is taken")
        restarts = hub.supervisor.states()["fanout"].restarts

    assert restarts > 0
    assert len(feed) == MESSAGES
    once = list(dict.fromkeys(r.index for r in receiver.seen))
    assert once == feed
    assert len({r.id for r in receiver.seen}) == MESSAGES
    # What came again came with all that came after it: it was never out of order.
    assert all(b <= a + 1 for a, b in _steps(receiver.indexes, feed))


def _steps(indexes: list[int], feed: list[int]) -> list[tuple[int, int]]:
    places = [feed.index(i) for i in indexes]
    return list(pairwise(places))
