"""Replays that people steer: each is played by one process of the API, and can be taken up again.

What a replay is to do and how far it is stands in Redis, beside the sandbox's feeds; whoever plays
it holds a lease there. Every process of the API can steer any: the player looks a few times
a second. A player that died leaves a replay *stopped*; `resume` plays it on from its last index,
and it comes to the same digest. A lost Redis takes the sandbox along: the log still says that it
was begun, and it is begun anew.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.core.candidate import Candidate
from hub.core.exercises import Part
from hub.core.known import accepted_key
from hub.core.registry import History
from hub.errors import HubError, Rejected, Unavailable
from hub.log.replay import Routing, belongs, remove_sandbox, sandbox_name
from hub.log.store import Log, LogRow
from hub.streams import keys
from hub.streams.connect import LOST
from hub.streams.feeds import FeedStreams
from hub.streams.submit import propose
from hub.tasks import end

__all__ = ["Replay", "Replays"]

State = Literal["running", "paused", "ended", "failed"]

_LOOK_S: Final = 0.1
_LEASE_MS: Final = 5_000
_BATCH: Final = 256
_log = structlog.get_logger("replay")


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay as it stands in Redis."""

    name: str
    id: str
    by: str
    agency: str
    state_of: str
    """The state of whoever began it; empty for the hub's own people."""
    part: Part
    state: State
    playing: bool
    """Whether a process plays it now."""
    speed: float | None
    """How many times as fast as it was; None as fast as possible."""
    wanted: int
    """Steps that were asked for."""
    stepped: int
    """Steps that were taken."""
    reached: int
    routed: int
    digest: str
    error: str
    admitted: tuple[tuple[str, str], ...]
    """Who else may read it: agency, and person or nobody in particular."""

    @property
    def shown(self) -> str:
        """The state for people: a replay that nobody plays though it should is stopped."""
        return "stopped" if self.state in {"running", "paused"} and not self.playing else self.state

    def admits(self, agency: str, person: str) -> bool:
        """Tell whether somebody was admitted."""
        return bool(agency) and any(a == agency and p in {"", person} for a, p in self.admitted)

    @classmethod
    def read(cls, name: str, fields: dict[bytes, bytes], *, playing: bool) -> Replay:
        """Read what `_write` wrote."""
        told = {k.decode(): v.decode() for k, v in fields.items()}
        return cls(
            name,
            told["id"],
            told["by"],
            told["agency"],
            told["state_of"],
            Part.model_validate_json(told["part"]),
            told["state"],  # type: ignore[arg-type]  # nobody else writes it
            playing,
            float(told["speed"]) or None,
            int(told["wanted"]),
            int(told["stepped"]),
            int(told["reached"]),
            int(told["routed"]),
            told["digest"],
            told["error"],
            tuple((a, p) for a, p in json.loads(told["admitted"])),
        )


@dataclass
class Replays:
    """The replays of a hub, as one process of the API steers and plays them."""

    log: Log
    redis: Redis
    patience_s: float
    _players: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def all(self) -> list[Replay]:
        """Return every replay whose sandbox is there."""
        try:
            names = [
                key.decode().split(":", 1)[1]
                async for key in self.redis.scan_iter("sandbox:*", count=500, _type="HASH")
            ]
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        return [r for name in sorted(names) if (r := await self.find(name)) is not None]

    async def find(self, name: str) -> Replay | None:
        """Return a replay, if there is one of this name."""
        pipe: Any = self.redis.pipeline(transaction=False)
        pipe.hgetall(keys.sandbox(name))
        pipe.exists(keys.sandbox_runner(name))
        try:
            fields, playing = await pipe.execute()
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        return Replay.read(name, fields, playing=bool(playing)) if fields else None

    async def begin(
        self,
        name: str,
        part: Part,
        *,
        by: str,
        agency: str,
        state_of: str,
        speed: float | None,
        paused: bool,
    ) -> Replay:
        """Log that a replay begins, and play it.

        Raises:
            Rejected: ``replay-invalid``, the name cannot be or is in use.
            Unavailable: ``streams-unavailable``, ``receipt-pending``, ``log-unavailable``.
        """
        key = keys.sandbox(sandbox_name(name))
        fields: dict[Any, Any] = {
            "id": uuid.uuid4().hex,
            "by": by,
            "agency": agency,
            "state_of": state_of,
            "part": part.model_dump_json(),
            "state": "paused" if paused else "running",
            "speed": repr(speed or 0.0),
            "wanted": "0",
            "stepped": "0",
            "reached": "-1",
            "routed": "0",
            "digest": "",
            "error": "",
            "admitted": "[]",
        }
        try:
            if not await self.redis.hsetnx(key, "id", fields["id"]):
                raise Rejected(
                    "replay-invalid",
                    f"the sandbox {name} is in use",
                    remedy="Choose another name, or end that replay.",
                )
            await self.redis.hset(key, mapping=fields)
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        replay = await self._there(name)
        try:
            await self._logged(replay, "started")
        except HubError:
            await self.redis.delete(key)
            raise
        await self._play(replay)
        return await self._there(name)

    async def steer(self, name: str, **changes: str) -> Replay:
        """Change how a replay is played, and see that somebody plays it."""
        try:
            await self.redis.hset(keys.sandbox(name), mapping=dict[Any, Any](changes))
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        replay = await self._there(name)
        if replay.state in {"running", "paused"}:
            await self._play(replay)
        return replay

    async def admit(self, name: str, admitted: list[tuple[str, str]]) -> Replay:
        """Say who else may read a replay."""
        try:
            await self.redis.hset(keys.sandbox(name), "admitted", json.dumps(admitted))
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        return await self._there(name)

    async def step(self, name: str, count: int) -> Replay:
        """Go on by *count* entries that a feed carries, and stand still there.

        Raises:
            Rejected: ``replay-invalid``; it is at its end.
            Unavailable: ``replay-busy``; it did not come to it in time.
        """
        replay = await self._there(name)
        if replay.state not in {"running", "paused"}:
            raise _over(replay)
        try:
            wanted = await self.redis.hincrby(keys.sandbox(name), "wanted", count)
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        replay = await self.steer(name, state="paused")
        deadline = time.monotonic() + self.patience_s
        while replay.stepped < wanted and replay.state == "paused":
            if time.monotonic() > deadline:
                raise Unavailable("replay-busy", f"the replay {name} has not come so far in time")
            await asyncio.sleep(_LOOK_S / 2)
            replay = await self._there(name)
        if replay.state == "failed":
            raise _over(replay)
        return replay

    async def finish(self, name: str, *, by: str) -> None:
        """End a replay, remove its sandbox with all its feeds, and log that it ended."""
        replay = await self._there(name)
        try:
            await self.redis.delete(keys.sandbox(name))
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        if player := self._players.pop(name, None):
            await end([player])
        # Another process may play it: it looks, finds nothing more to play, and lets go.
        deadline = time.monotonic() + self.patience_s
        while (  # noqa: ASYNC110  # who plays is another process
            await self.redis.exists(keys.sandbox_runner(name)) and time.monotonic() < deadline
        ):
            await asyncio.sleep(_LOOK_S)
        try:
            await self.redis.delete(keys.sandbox(name))  # a player may have written a last word
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        await remove_sandbox(FeedStreams(self.redis, sandbox=name))
        if replay.state != "ended":
            await self._logged(replay, "ended", by=by)

    async def ended(self, name: str, digest: str) -> None:
        """Write down that a replay came to its end, and log it."""
        try:
            await self.redis.hset(keys.sandbox(name), mapping={"state": "ended", "digest": digest})
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        await self._logged(await self._there(name), "ended")

    async def close(self) -> None:
        """Let go of what this process plays; another can take it up."""
        await end(list(self._players.values()))
        self._players.clear()

    async def _there(self, name: str) -> Replay:
        found = await self.find(name)
        if found is None:
            raise Rejected(
                "replay-unknown",
                f"there is no replay {name[:60]}",
                remedy="See GET /v1/replays; a sandbox is lost with its Redis.",
            )
        return found

    async def _play(self, replay: Replay) -> None:
        """Play a replay here, unless somebody does."""
        task = self._players.get(replay.name)
        if task is not None and not task.done():
            return
        mine = uuid.uuid4().hex
        try:
            if not await self.redis.set(
                keys.sandbox_runner(replay.name), mine, nx=True, px=_LEASE_MS
            ):
                return
        except (*LOST, RedisError) as e:
            raise _no_streams(e) from e
        self._players[replay.name] = asyncio.create_task(
            self._played(replay, mine), name=f"replay {replay.name}"
        )

    async def _played(self, replay: Replay, mine: str) -> None:
        try:
            await _Player(self, replay, mine).run()
        except (HubError, RedisError, OSError) as e:
            _log.warning("replay.failed", sandbox=replay.name, error=str(e)[:300])
            if isinstance(e, Rejected) or (isinstance(e, Unavailable) and e.code == "log-broken"):
                await self.redis.hset(
                    keys.sandbox(replay.name), mapping={"state": "failed", "error": str(e)[:500]}
                )
        finally:
            # Best effort: a lease that stays ends by itself.
            await asyncio.shield(self._let_go(replay.name, mine))

    async def _let_go(self, name: str, mine: str) -> None:
        try:
            if await self.redis.get(keys.sandbox_runner(name)) == mine.encode():
                await self.redis.delete(keys.sandbox_runner(name))
        except (*LOST, RedisError):
            _log.info("replay.lease_left", sandbox=name)

    async def _logged(self, replay: Replay, action: str, *, by: str = "") -> None:
        """Propose the entry that tells of a replay, and wait until the log has it."""
        record: dict[str, Any] = {
            "sandbox": replay.name,
            "action": action,
            "part": replay.part.model_dump(mode="json"),
        }
        if action == "ended":
            record |= {
                "reached": replay.reached,
                "routed": replay.routed,
                "digest": replay.digest,
            }
        candidate = Candidate(
            "replay",
            "",
            via="http",
            inbox=f"replay/{replay.id}/{action}",
            person=by or replay.by,
            body=record,
        )
        await propose(self.redis, [candidate])
        deadline = time.monotonic() + self.patience_s
        key = accepted_key(candidate)
        while key not in (await asyncio.to_thread(self.log.known_for, [candidate])).inputs:
            if time.monotonic() > deadline:
                raise Unavailable("receipt-pending", "the ledger has not logged it in time")
            await asyncio.sleep(0.02)


@dataclass
class _Player:
    """One run through a replay's part, from where it stands."""

    replays: Replays
    replay: Replay
    mine: str

    def __post_init__(self) -> None:
        self._routing = Routing(
            FeedStreams(self.replays.redis, sandbox=self.replay.name),
            History(),
            again=self.replay.reached >= 0,
        )
        self._unwritten = 0
        self._reached = self.replay.reached
        self._base: tuple[float, int, float] | None = None
        """Speed, log time and own time from which the clock of the replay runs."""
        self._looked_at = 0.0

    async def run(self) -> None:
        """Play until the end, or until the replay is gone or somebody else's."""
        changes = await asyncio.to_thread(self.replays.log.registry_entries)
        self._routing.begin(History(changes))
        lived, rows = self._reached, self._rows()
        while (row := await asyncio.to_thread(next, rows, None)) is not None:
            again = row.index <= lived  # it stands there already, and counts for the digest alone
            if not again and not await self._due(row):
                return
            routed = self._routing.take(row)
            self._unwritten += 1
            self._reached = max(self._reached, row.index)
            hurries = again or self._hurries
            if (self._unwritten >= _BATCH or not hurries) and not await self._write(
                stepped=bool(routed) and not again
            ):
                return
        self._reached = self.replay.part.through
        if await self._write(stepped=False):
            digest = self._routing.digest.hexdigest()
            await self.replays.ended(self.replay.name, digest)

    @property
    def _hurries(self) -> bool:
        return self.replay.state == "running" and self.replay.speed is None

    def _rows(self) -> Iterator[LogRow]:
        part, about = self.replay.part, set[int]()
        after = part.first - 1
        while rows := self.replays.log.rows(
            after=after, through=part.through, kinds=part.kinds, agency=part.agency or None
        ):
            for row in rows:
                if belongs(row, part, about):
                    yield row
            after = rows[-1].index

    async def _due(self, row: LogRow) -> bool:
        """Wait until a row is to be played; False where it is not to be played here any more."""
        while await self._kept():
            replay = self.replay
            if replay.state == "paused":
                self._base = None
                if replay.stepped < replay.wanted:
                    return True
                wait = _LOOK_S
            elif replay.speed is None:
                return True
            else:
                wait = self._wait(row, replay.speed)
                if wait <= 0:
                    return True
            if self._unwritten and not await self._write(stepped=False):
                return False
            await asyncio.sleep(min(wait, _LOOK_S))
        return False

    def _wait(self, row: LogRow, speed: float) -> float:
        """Return in how many seconds a row is due; the clock begins anew with another speed."""
        now = time.monotonic()
        if self._base is None or self._base[0] != speed:
            self._base = (speed, row.at_us, now)
        _, log_us, own_s = self._base
        return (row.at_us - log_us) / 1e6 / speed - (now - own_s)

    async def _kept(self) -> bool:
        """Look how it is steered, and keep the lease; seldom where nothing waits."""
        now = time.monotonic()
        if self._hurries and now - self._looked_at < _LOOK_S:
            return True
        redis = self.replays.redis
        found = await self.replays.find(self.replay.name)
        holder = await redis.get(keys.sandbox_runner(self.replay.name))
        if found is None or found.id != self.replay.id or holder not in {self.mine.encode(), None}:
            return False
        await redis.set(keys.sandbox_runner(self.replay.name), self.mine, px=_LEASE_MS)
        self.replay, self._looked_at = found, now
        return True

    async def _write(self, *, stepped: bool) -> bool:
        """Write what was routed, and how far it is; False where it is another's, or gone."""
        if not await self._kept():
            return False
        await self._routing.flush()
        self._unwritten = 0
        key = keys.sandbox(self.replay.name)
        pipe: Any = self.replays.redis.pipeline(transaction=True)
        pipe.hset(key, mapping={"reached": self._reached, "routed": self._routing.routed})
        if stepped and self.replay.state == "paused":
            pipe.hincrby(key, "stepped", 1)
        await pipe.execute()
        return True


def _over(replay: Replay) -> Rejected:
    return Rejected(
        "replay-invalid",
        f"the replay {replay.name} is over: {replay.error or replay.state}",
        remedy="End it, and begin another.",
    )


def _no_streams(error: Exception) -> Unavailable:
    return Unavailable("streams-unavailable", f"Redis cannot be reached: {error}"[:300])
