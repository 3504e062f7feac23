"""The store keeps checkpoints that never contradict each other, and cosignatures under them."""

from __future__ import annotations

import threading

from hub.log.checkpoints import (
    SignedCheckpoint,
    add_cosignatures,
    at_least,
    cosigned,
    latest,
    latest_where,
    prune,
    put,
)
from hub.log.store import Log
from schemas.checkpoint import Checkpoint
from schemas.notes import read_note
from tests.keys import cosign, witness
from tests.log.samples import ORIGIN

HOUR_US = 3_600_000_000
NOW_US = 1_000 * HOUR_US


def made(size: int, root: bytes = b"", at_us: int = 0) -> SignedCheckpoint:
    root = root or size.to_bytes(32, "big")
    text = Checkpoint(ORIGIN, size, root).body()
    return SignedCheckpoint(size, root, at_us, f"{text}\n— {ORIGIN} AAAAAAA=\n")


def keep(log: Log, *ones: SignedCheckpoint) -> list[bool]:
    with log.writing() as c:
        return [put(c, one) for one in ones]


def cosign_all(log: Log, size: int, *names: str, at: int = 7) -> int:
    with log.writing() as c:
        one = at_least(c, size)
        assert one is not None
        text = read_note(one.note.encode()).text
        return add_cosignatures(c, size, [cosign(name, text, at) for name in names])


def sizes(log: Log) -> list[int]:
    found, size = [], 0
    with log.reading() as c:
        while (one := at_least(c, size)) is not None:
            found.append(one.size)
            size = one.size + 1
    return found


def test_only_what_is_larger_than_all_before_is_kept(log: Log) -> None:
    assert keep(log, made(4), made(9)) == [True, True]
    assert keep(log, made(7)) == [False]
    assert keep(log, made(9, bytes(32))) == [False]
    assert keep(log, made(4)) == [True], "the same again changes nothing"

    assert sizes(log) == [4, 9]
    with log.reading() as c:
        assert latest(c) == made(9)
        assert at_least(c, 5) == made(9)
        assert at_least(c, 10) is None


def test_of_many_that_write_at_once_none_contradicts_another(log: Log) -> None:
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        for size in range(1, 25):
            keep(log, made(size, bytes([number]) * 32))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = sizes(log)
    assert found == sorted(set(found))
    assert found[-1] == 24


def test_each_witness_cosigns_once_and_the_first_time_stays(log: Log) -> None:
    keep(log, made(4), made(9))

    assert cosign_all(log, 4, "w1", "w2") == 2
    assert cosign_all(log, 4, "w1", "w3", at=8) == 1
    with log.reading() as c:
        one = at_least(c, 4)
        assert one is not None
        note = read_note(cosigned(c, one).encode())
        last = latest(c)
        assert last is not None
        assert cosigned(c, last) == last.note

    assert [
        witness(n).verify(line, note.text)
        for n, line in zip(("w1", "w2", "w3"), note.signatures[1:], strict=True)
    ] == [7, 7, 8]


def test_what_nobody_signed_cannot_be_cosigned(log: Log) -> None:
    text = Checkpoint(ORIGIN, 5, bytes(32)).body()
    with log.writing() as c:
        assert add_cosignatures(c, 5, [cosign("w1", text, 7)]) == 0


def test_the_newest_that_is_enough_is_found(log: Log) -> None:
    keep(log, *(made(n) for n in range(1, 8)))
    cosign_all(log, 2, "w1", "w2", "w3")
    cosign_all(log, 4, "w1", "w2", "w3")
    cosign_all(log, 6, "w1")

    def found(least: int, covering: int = 0) -> int | None:
        with log.reading() as c:
            one = latest_where(c, lambda note: note.count("\n— w") >= least, covering=covering)
        return None if one is None else one.size

    assert found(1) == 6
    assert found(3) == 4
    assert found(3, covering=4) == 4
    assert found(3, covering=5) is None
    assert found(4) is None


def test_what_newer_ones_stand_for_is_forgotten_and_no_level_is_taken_back(log: Log) -> None:
    old, yesterday = NOW_US - 72 * HOUR_US, NOW_US - 5 * HOUR_US
    keep(log, *(made(n, at_us=old + n) for n in range(1, 6)))
    keep(log, *(made(n, at_us=yesterday + n) for n in range(6, 9)))
    keep(log, made(9, at_us=NOW_US - 1))
    for size, names in ((1, "123"), (2, "12"), (3, "123"), (4, "1"), (6, "1")):
        cosign_all(log, size, *(f"w{n}" for n in names))

    with log.writing() as c:
        assert prune(c, NOW_US) == 4

    assert sizes(log) == [2, 3, 4, 6, 9]
    with log.writing() as c:
        assert prune(c, NOW_US + 2 * HOUR_US) == 0, "the newest of all stays"
