"""Every entry is handled, whatever happens to who handles it, and none holds up others."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from hub.errors import Unavailable
from hub.streams.connect import is_away
from tests.consumers.conftest import GROUP, STREAM, Bench
from tests.hubkit import until


async def test_what_waits_is_handled_together_and_in_order(bench: Bench) -> None:
    await bench.add(*range(100))

    async with bench.worker():
        await bench.until_done(*range(100))

    assert bench.batches == [list(range(100))]


async def test_a_poisoned_entry_is_set_aside_and_the_others_go_on(bench: Bench) -> None:
    async def poison(numbers: list[int]) -> None:
        if 3 in numbers:
            raise KeyError("three")

    bench.before = poison
    await bench.add(1, 2, 3, 4, 5)

    async with bench.worker():
        await bench.until_done(1, 2, 4, 5)
        await bench.add(6)
        await bench.until_done(1, 2, 4, 5, 6)

    assert bench.buried == {3: "KeyError('three')"}


async def test_a_part_that_is_away_gets_the_same_batch_again(bench: Bench) -> None:
    tries: list[list[int]] = []

    async def away(numbers: list[int]) -> None:
        tries.append(numbers)
        if len(tries) < 4:
            raise Unavailable("log-unavailable", "not now")

    bench.before = away
    await bench.add(1, 2, 3)

    async with bench.worker():
        await bench.until_done(1, 2, 3)

    assert tries == [[1, 2, 3]] * 4
    assert not bench.buried


async def test_what_it_had_taken_before_it_died_is_handled_at_its_next_start(bench: Bench) -> None:
    await bench.add(1, 2)
    await bench.take_and_die(consumer="one")
    await bench.add(3)

    async with bench.worker(consumer="one", claim_idle_ms=3_600_000):
        await bench.until_done(1, 2, 3)

    assert bench.batches[0] == [1, 2]


async def test_what_another_had_taken_is_claimed_once_it_lies_idle(bench: Bench) -> None:
    await bench.add(1, 2)
    await bench.take_and_die(consumer="dead")
    await bench.add(3)

    async with bench.worker(consumer="one", claim_idle_ms=200):
        await until(lambda: _is(bench.left(), 0), "nothing is left")

    assert sorted(bench.handled) == [1, 2, 3]


async def test_what_waits_in_hand_for_long_is_claimed_by_nobody(bench: Bench) -> None:
    """The log may be away for hours; nobody dies of that, and no entry is to blame."""
    counts: list[int] = []

    async def away(_numbers: list[int]) -> None:
        pending = await bench.redis.xpending_range(STREAM, GROUP, "-", "+", 10)
        counts.extend(p["times_delivered"] for p in pending)
        # Longer than it takes to be held for abandoned, many times over.
        if len(counts) < 12:
            raise Unavailable("log-unavailable", "not now")

    bench.before = away
    await bench.add(1, 2)

    async with bench.worker(claim_idle_ms=100), bench.worker(consumer="two", claim_idle_ms=100):
        await bench.until_done(1, 2)

    assert set(counts) == {1}
    assert bench.handled == [1, 2]


async def test_what_another_is_still_busy_with_is_left_to_it(bench: Bench) -> None:
    await bench.add(1)
    await bench.take_and_die(consumer="busy")
    await bench.add(2)

    async with bench.worker(consumer="one", claim_idle_ms=3_600_000):
        await until(lambda: _is(bench.done(), [2]), "the new entry is done")

    assert (await bench.redis.xpending(STREAM, GROUP))["pending"] == 1


async def test_what_kills_is_set_aside_and_not_what_lay_beside_it(bench: Bench) -> None:
    """An entry that was in hand at death after death; the others were only claimed with it."""
    await bench.add(1, 2, 3)
    await bench.take_and_die(consumer="dead")
    second = (await bench.redis.xrange(STREAM))[1][0]
    await bench.redis.xclaim(STREAM, GROUP, "dead", 0, [second], retrycount=5)

    async with bench.worker(claim_idle_ms=100, max_deliveries=5):
        await until(lambda: _is(bench.left(), 0), "nothing is left")

    assert sorted(bench.handled) == [1, 3]
    assert bench.buried == {2: "the process died with it, again and again"}


async def test_suspects_are_claimed_one_by_one(bench: Bench) -> None:
    """So a further death adds to the count of the one that was in hand, and to no other."""
    await bench.add(1, 2, 3)
    await bench.take_and_die(consumer="dead")
    ids = [id_ for id_, _ in await bench.redis.xrange(STREAM)]
    await bench.redis.xclaim(STREAM, GROUP, "dead", 0, ids, retrycount=3)
    counts: list[list[int]] = []

    async def look(_numbers: list[int]) -> None:
        pending = await bench.redis.xpending_range(STREAM, GROUP, "-", "+", 10)
        counts.append([p["times_delivered"] for p in pending])

    bench.before = look
    async with bench.worker(claim_idle_ms=100):
        await bench.until_done(1, 2, 3)

    assert bench.batches == [[1], [2], [3]]
    assert counts == [[4, 3, 3], [4, 3], [4]]


async def test_an_entry_that_was_deleted_while_pending_is_dropped(bench: Bench) -> None:
    await bench.add(1, 2)
    await bench.take_and_die(consumer="one")
    await bench.redis.xdel(STREAM, (await bench.redis.xrange(STREAM))[0][0])

    async with bench.worker(consumer="one"):
        await bench.until_done(2)


async def test_a_group_that_is_gone_is_made_again_and_read_from_its_beginning(
    bench: Bench,
) -> None:
    async with bench.worker():
        await bench.add(1)
        await bench.until_done(1)
        await bench.redis.flushall()
        await bench.add(2)
        await bench.until_done(2)
        await bench.redis.xgroup_destroy(STREAM, GROUP)
        await bench.add(3)
        await bench.until_done(2, 3)

    assert not bench.buried


@pytest.mark.parametrize(
    ("break_", "mend"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    ],
    ids=["its memory is full", "it has become a replica"],
)
async def test_a_redis_that_takes_nothing_now_loses_nothing(
    bench: Bench, break_: tuple[str, ...], mend: tuple[str, ...]
) -> None:
    """The entries must not be let go of when what was made of them could not be written."""
    tries: list[int] = []

    async def refuse(numbers: list[int]) -> None:
        if not tries:
            await bench.redis.execute_command(*break_)
        tries.append(len(numbers))

    bench.before = refuse
    await bench.add(1, 2)
    try:
        async with bench.worker():
            await until(lambda: _is_more(tries, 2), "it has tried again")
            assert await bench.done() == []
            assert await bench.redis.xlen(STREAM) == 2
            await bench.redis.execute_command(*mend)
            await bench.until_done(1, 2)
    finally:
        await bench.redis.execute_command(*mend)

    assert set(tries) == {2}
    assert not bench.buried


def test_what_somebody_sent_does_not_look_like_an_error_of_redis() -> None:
    told = "Command # 1 (XADD s * payload MISCONF ) of pipeline caused error: "

    assert is_away(ResponseError(told + "MISCONF Errors writing to the AOF file: No space left"))
    assert not is_away(ResponseError(told + "WRONGTYPE Operation against a key"))
    assert not is_away(ResponseError("MISCONF".lower()))
    assert is_away(ConnectionResetError())


async def _is(found: object, wanted: object) -> bool:
    return await found == wanted  # type: ignore[misc]


async def _is_more(found: list[int], than: int) -> bool:
    return len(found) > than
