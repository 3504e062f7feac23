"""Live through the log again: every routing decision made anew, into feeds of a sandbox.

An auditor replays the log, or a bundle of it, and gets what every feed should hold;
a trainer replays a night at its own speed. Nothing of a live feed can be named from
here (guarantee G8), and every entry written carries the field ``replay``.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from typing import Any, Final

from redis.exceptions import RedisError

from hub.core.exercises import SANDBOX, Part
from hub.core.incidents import incident_name, incidents_of
from hub.core.registry import REGISTRY_KINDS, History
from hub.errors import Unavailable
from hub.log.feeding import feeds_for
from hub.log.projections import Reader, derive, read_logged
from hub.log.store import LogRow
from hub.streams.feeds import FeedEntry, FeedStreams
from hub.streams.fields import feed_fields
from schemas.errors import Rejected

__all__ = ["ReplayResult", "Routing", "belongs", "remove_sandbox", "replay", "sandbox_name"]

_BATCH: Final = 256
_SANDBOX: Final = re.compile(SANDBOX)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay came to."""

    entries: int
    """Log entries that were read."""
    routed: int
    """Feed entries that they became."""
    digest: str
    """SHA-256, in hexadecimal, over every feed entry in the order of index and feed:
    the feed's id, the index, the bytes of the log entry, the SHA-256 of the payload. The
    same log has the same digest at any speed, in any sandbox, on any machine."""


async def replay(
    rows: Iterable[LogRow],
    *,
    speed: float | None = None,
    sandbox: FeedStreams | None = None,
    history: History | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[int, int], None] | None = None,
    read: Reader = read_logged,
) -> ReplayResult:
    """Route *rows* again, by the registry before each, and write them into the sandbox's feeds.

    *rows* begin with the first entry of the log, or *history* tells the registry
    before them. *speed* 1 takes the time that it took, 60 makes an hour a minute,
    None is as fast as possible. Without *sandbox* only the digest is made.
    *on_progress* is told how many entries are done, and the last index.

    Raises:
        Rejected: ``replay-invalid``, no sandbox of that name can be, or it is in use;
            ``bundle-partial``, the rows do not suffice to route them; whatever *rows* raise.
        Unavailable: ``streams-unavailable``; ``log-broken``.
    """
    if speed is not None and not speed > 0:
        raise Rejected("replay-invalid", f"a speed is above 0, not {speed}")
    if sandbox is not None:
        sandbox_name(sandbox.sandbox)
    state = Routing(sandbox, history, read)
    iterator = iter(rows)
    began_at, first_us = clock(), None
    while batch := await asyncio.to_thread(lambda: list(islice(iterator, _BATCH))):
        for row in batch:
            first_us = row.at_us if first_us is None else first_us
            if speed is not None:
                wait = (row.at_us - first_us) / 1e6 / speed - (clock() - began_at)
                if wait > 0:
                    await state.flush()
                    await sleep(wait)
            state.take(row)
        await state.flush()
        if on_progress is not None:
            on_progress(state.entries, batch[-1].index)
    return ReplayResult(state.entries, state.routed, state.digest.hexdigest())


async def remove_sandbox(sandbox: FeedStreams) -> int:
    """Remove all feeds of a sandbox; return how many there were.

    Raises:
        Rejected: ``replay-invalid``; these are not the feeds of a sandbox.
        Unavailable: ``streams-unavailable``.
    """
    if not _SANDBOX.match(sandbox.sandbox):
        raise Rejected("replay-invalid", "only the feeds of a sandbox can be removed")
    removed = 0
    try:
        async for key in sandbox.redis.scan_iter(sandbox.key("*"), count=500):
            removed += await sandbox.redis.unlink(key)
    except (RedisError, OSError) as e:
        raise Unavailable("streams-unavailable", f"Redis cannot be reached: {e}") from e
    return removed


def sandbox_name(name: str) -> str:
    """Return *name*, which a sandbox can have.

    Raises:
        Rejected: ``replay-invalid``.
    """
    if not _SANDBOX.match(name) or name.endswith("\n"):
        raise Rejected(
            "replay-invalid",
            f"{name[:60]!r} cannot be the name of a sandbox",
            remedy="Use 1 to 40 lower-case letters, digits and hyphens.",
        )
    return name


def belongs(row: LogRow, part: Part, about: set[int]) -> bool:
    """Return whether an entry belongs to a part; *about* gathers the messages of its incident."""
    if part.kinds and row.kind not in part.kinds:
        return False
    if part.agency and row.agency != part.agency:
        return False
    # The id of an agency begins with its state.
    if part.state and row.agency[:3] != f"{part.state.lower()}-":
        return False
    if not part.incident:
        return True
    if row.kind == "acknowledgement":
        return row.entry["message"] in about
    if row.facts is not None and incident_name(part.incident) in incidents_of(row.facts):
        about.add(row.index)
        return True
    return False


@dataclass
class Routing:
    """A replay under way: rows are taken, and written into the sandbox by `flush`.

    With *again* it goes on with a sandbox that it wrote before: the same rows are taken from the
    first, and what a feed has already is not written twice.
    """

    sandbox: FeedStreams | None
    history: History | None
    read: Reader = read_logged
    again: bool = False
    entries: int = 0
    routed: int = 0
    digest: Any = field(default_factory=sha256)

    def __post_init__(self) -> None:
        self._complete = self.history is None
        self._history = self.history or History()
        self._next = 0 if self._complete else None
        self._first: int | None = None
        self._last = -1
        self._reached: dict[str, int] = {}
        self._unwritten: dict[str, list[FeedEntry]] = {}

    def begin(self, history: History) -> None:
        """Say who was a member when, where the rows will not tell."""
        self._complete, self._history, self._next = False, history, None

    def take(self, row: LogRow) -> int:
        """Route one row, into so many feeds as are returned; it is written by the next `flush`."""
        if self._next is not None and row.index != self._next:
            raise Rejected(
                "bundle-partial",
                f"the entry at {self._next} is missing: who was a member then is not known",
                remedy="Replay the log from its first entry, without leaving any out.",
            )
        self._next = None if self._next is None else row.index + 1
        self._first = row.index if self._first is None else self._first
        self._last = row.index
        self.entries += 1
        if row.kind in REGISTRY_KINDS:
            self._history.apply(row.index, row.entry)
        elif row.kind == "publish":
            row = self._with_facts(row)
        feeds = feeds_for(row, self._history.at(row.index))
        if not feeds:
            return 0
        fields: dict[str, str | bytes] = {}
        if self.sandbox is not None:
            fields = {**feed_fields(row), "replay": self.sandbox.sandbox}
        payload_sha256 = _payload_sha256(row)
        for feed in feeds:
            name = feed.encode()
            self.digest.update(len(name).to_bytes(2) + name + row.index.to_bytes(8))
            self.digest.update(len(row.body).to_bytes(4) + row.body + payload_sha256)
            self.routed += 1
            if self.sandbox is not None:
                self._unwritten.setdefault(feed, []).append(FeedEntry(row.index, fields))
        return len(feeds)

    def _with_facts(self, row: LogRow) -> LogRow:
        """Return a message with its facts, derived from its payload and from nothing else."""
        if row.payload is None:
            raise Rejected(
                "bundle-partial",
                f"the payload of the entry at {row.index} is withheld: it cannot be routed",
                remedy="Replay a log or a bundle with its payloads.",
            )
        message = derive(row, read=self.read).message
        assert message is not None  # noqa: S101  # of a publish entry there always is one
        return replace(row, facts=message.facts, message_id=message.id)

    async def flush(self) -> None:
        """Write what was routed; all feeds then stand at the last row."""
        if self.sandbox is None or self._first is None:
            return
        registry = self._history.latest
        for feed in {*registry.feeds(), *self._unwritten} - set(self._reached):
            start = max(registry.since[feed], self._first - 1)
            await self._make(self.sandbox, feed, start)
        batches = {
            feed: (reached, [e for e in self._unwritten.get(feed, ()) if e.index > reached])
            for feed, reached in self._reached.items()
            if reached < self._last
        }
        try:
            found = await self.sandbox.append(batches, reached=self._last)
        except (RedisError, OSError) as e:
            raise Unavailable("streams-unavailable", f"Redis cannot be reached: {e}") from e
        for feed, at in found.items():
            if at != self._last:
                raise _in_use(self.sandbox, feed)
        self._reached.update(found)
        self._unwritten.clear()

    async def _make(self, sandbox: FeedStreams, feed: str, start: int) -> None:
        try:
            reached, made = await sandbox.create(feed, after=start, confirmed=start)
        except (RedisError, OSError) as e:
            raise Unavailable("streams-unavailable", f"Redis cannot be reached: {e}") from e
        if not made and not self.again:
            raise _in_use(sandbox, feed)
        self._reached[feed] = reached


def _payload_sha256(row: LogRow) -> bytes:
    """Return the digest of the payload as it was logged, also where it was removed since."""
    if row.kind != "publish":
        return sha256(row.payload or b"").digest()
    return bytes.fromhex(json.loads(row.entry["header"])["payload_sha256"])


def _in_use(sandbox: FeedStreams, feed: str) -> Rejected:
    return Rejected(
        "replay-invalid",
        f"the sandbox {sandbox.sandbox} is in use: it has a feed {feed} that this replay did not "
        "write",
        remedy="Choose another name, or remove that sandbox.",
    )
