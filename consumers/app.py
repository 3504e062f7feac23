"""One process of consumers: which jobs it runs, wired to the log and to Redis.

Jobs may run all in one process or each in several; `caspian consumers` names them.
Of ledger and fan-out one process does the work: a second one is harmless, stands by,
and takes over what the first leaves.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args

import structlog
from faststream.redis import RedisBroker
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

from consumers.actions import Actions
from consumers.channel import Channel
from consumers.checkpoint import Checkpoints
from consumers.delivery import Delivery
from consumers.escalation import Escalations
from consumers.fanout import FanOut
from consumers.intake import Intake
from consumers.ledger import Ledger
from consumers.mail import Mail
from consumers.mqtt import Mqtt
from consumers.outlets import Outlets
from consumers.redis_users import RedisUsers
from consumers.retention import Retention
from consumers.turns import Turns
from consumers.webhook import Webhooks
from consumers.witness import Feeder, fed_by
from consumers.worker import Job, StreamEntry, Worker, keep_all
from hub.cap_trust import trusted_certificates
from hub.core.admission import Rules
from hub.core.registry import History, Registry
from hub.errors import Unavailable
from hub.heard import heard
from hub.log.genesis import ensure_genesis, read_roots
from hub.log.levels import read_policy_file
from hub.log.log_keys import first_key
from hub.log.store import Log
from hub.settings import Settings
from hub.streams import keys
from hub.streams.connect import LOST, connect
from hub.tasks import end
from hub.telemetry import process_metrics, serve_metrics
from hub.version import VERSION

__all__ = ["JOBS", "JobName", "run", "running"]

JobName = Literal[
    "intake",
    "ledger",
    "fanout",
    "delivery",
    "escalation",
    "retention",
    "checkpoint",
    "witness",
    "webhook",
    "mail",
    "mqtt",
]
JOBS: Final[tuple[JobName, ...]] = get_args(JobName)

_CHANNELS: Final[dict[JobName, Callable[[Settings], Channel]]] = {
    "webhook": Webhooks,
    "mail": Mail,
    "mqtt": Mqtt,
}
"""The jobs that bring feeds to other systems."""

_KEEP: Final = timedelta(milliseconds=250)
_LOOK: Final = timedelta(seconds=1)
_FEED: Final = timedelta(milliseconds=250)
_LIVE: Final = timedelta(seconds=10)
_LISTEN: Final = timedelta(seconds=30)
_log = structlog.get_logger("consumers")


class _Process:
    """The jobs of this process and the workers behind them."""

    def __init__(self, settings: Settings, log: Log, jobs: Sequence[JobName]) -> None:
        self.settings = settings
        self.log = log
        self.jobs = jobs
        self.redis = connect(settings.redis_address)
        self.broker = RedisBroker(
            settings.redis_address,
            logger=logging.getLogger("faststream.broker"),
            log_level=logging.DEBUG,  # it would write two lines for every batch
            apply_types=False,
            socket_connect_timeout=2,
            socket_timeout=10,
            # FastStream waits five seconds after an error; a restart of Redis is over sooner.
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 20),
            retry_on_error=list(LOST),
        )
        self.workers: dict[str, Worker] = {}
        self.history = History()
        self.silent: set[str] = set()
        self.fanout = FanOut(
            log, self.redis, batch=settings.batch, retention=settings.feed_retention
        )
        self.ledger = Ledger(
            log,
            self.redis,
            rules=Rules(future_tolerance=settings.future_tolerance),
            receipt_retention=settings.receipt_retention,
        )
        self.delivery = Delivery(log, self.redis)
        self.escalations = Escalations(log, self.redis)
        self.retention: Retention | None = None
        self.turns = Turns(self.redis, batch=settings.batch)
        self.trusted = trusted_certificates(settings.cap_trust)
        self.feeder: Feeder | None = None
        self.outlets = [
            Outlets(make(settings), log, self.redis, settings, holder=settings.instance)
            for job, make in _CHANNELS.items()
            if job in jobs
        ]

    def worker(self, job: Job) -> Worker:
        s = self.settings
        return Worker(
            job,
            broker=self.broker,
            redis=self.redis,
            consumer=s.instance,
            batch=s.batch,
            claim_idle=s.claim_idle,
            max_deliveries=s.max_deliveries,
        )

    def start(self) -> list[Coroutine[Any, Any, None]]:
        """Make the workers of this process; return the loops that it has to run."""
        loops: list[Coroutine[Any, Any, None]] = [
            keep_all(lambda: list(self.workers.values()), _KEEP)
        ]
        s = self.settings
        if "ledger" in self.jobs:
            ledger = self.ledger
            self.workers[keys.CANDIDATES] = self.worker(
                Job(keys.CANDIDATES, "ledger", ledger.handle, ledger.bury, passes=ledger.passes)
            )
            loops.append(_often(Actions(self.log, self.redis).look, _LOOK))
            loops.append(_often(self._live, _LIVE))
        if "fanout" in self.jobs:
            self.workers[keys.LOG] = self.worker(
                Job(keys.LOG, "fanout", self.fanout.handle, self.fanout.bury, wakes=True)
            )
            loops.append(_often(self._catch_up, _LOOK))
            if s.redis_users is not None:
                loops.append(_often(RedisUsers(self.log, self.redis, s.redis_users).look, _LOOK))
        if "intake" in self.jobs:
            loops.append(_often(self._inboxes, _LOOK))
        if "escalation" in self.jobs:
            loops.append(_often(self._escalate, _LOOK))
            loops.append(_often(self._listen, _LISTEN))
        if "retention" in self.jobs and s.payload_retention is not None:
            keep = timedelta(days=s.payload_retention)
            self.retention = Retention(self.log, self.redis, keep=keep)
            loops.append(_often(self._retire, _LOOK))
        if "delivery" in self.jobs:
            loops.append(_often(self._collect, s.delivery_interval))
        return loops + self._proving()

    def _proving(self) -> list[Coroutine[Any, Any, None]]:
        """Return the loops by which others can hold the log to its word."""
        loops: list[Coroutine[Any, Any, None]] = []
        s = self.settings
        if "checkpoint" in self.jobs and s.log_keys:
            signing = Checkpoints(self.log, self.redis, keys=s.log_keys, origin=s.origin)
            loops.append(_often(signing.look, s.checkpoint_interval))
        elif "checkpoint" in self.jobs:
            _log.warning("checkpoint.idle", reason="CASPIAN_LOG_KEY names no key file")
        if "witness" in self.jobs:
            witnesses = fed_by(read_policy_file(s.policy))
            if witnesses:
                self.feeder = Feeder(self.log, witnesses, within=s.witness_timeout)
                loops.append(_often(self.feeder.look, _FEED))
            else:
                _log.warning("witness.idle", reason="CASPIAN_POLICY names no witness's address")
        loops += [outlets.run() for outlets in self.outlets]
        return loops

    async def _catch_up(self) -> None:
        # What a wake-up missed, and a Redis that lost its feeds while nothing was published.
        await self.fanout.look()

    async def _collect(self) -> None:
        await self.delivery.collect()

    async def begin(self) -> None:
        """Do what has to be done before the first candidate is decided."""
        if "ledger" in self.jobs:
            await asyncio.to_thread(self.ledger.begin)

    async def _live(self) -> None:
        await asyncio.to_thread(self.ledger.live)

    async def _escalate(self) -> None:
        await self.escalations.look()

    async def _retire(self) -> None:
        if self.retention is not None:
            await self.retention.look()

    async def _listen(self) -> None:
        """Say of each agency whether it is silent."""
        registry = await self._registry()
        now, after = datetime.now(UTC), self.settings.silent_after
        found = await heard(self.log, self.redis, registry, now=now, silent_after=after)
        for agency, one in found.items():
            process_metrics().silent.labels(agency).set(one.silent)
            if one.silent and agency not in self.silent:
                _log.warning("agency.silent", agency=agency, heard_at=str(one.at))
        self.silent = {agency for agency, one in found.items() if one.silent}

    async def _registry(self) -> Registry:
        """Return the registry as it is now; only what is new of it is read."""
        for index, entry in await asyncio.to_thread(
            self.log.registry_entries, after=self.history.last_index
        ):
            self.history.apply(index, entry)
        return self.history.latest

    async def _inboxes(self) -> None:
        """Read the inboxes of all members, and refuse what lies in any other."""
        members = set((await self._registry()).agencies)
        for agency in members:
            key = keys.inbox(agency)
            if key not in self.workers:
                intake = self._intake(agency)
                self.workers[key] = self.worker(Job(key, "intake", intake.handle, intake.bury))
        async for raw in self.redis.scan_iter(keys.INBOX_PATTERN, count=500, _type="STREAM"):
            key = raw.decode("utf-8", "replace")
            if key not in self.workers:
                await self._refuse_stranger(key)

    def _intake(self, agency: str) -> Intake:
        return Intake(
            self.redis,
            agency,
            max_payload_bytes=self.settings.max_payload_bytes,
            turns=self.turns,
            trusted=self.trusted,
        )

    async def _refuse_stranger(self, key: str) -> None:
        """Pass on what nobody's inbox holds; the ledger refuses it as of an unknown agency."""
        found: Any = await self.redis.xrange(key, count=self.settings.batch)
        if found:
            agency = keys.agency_of_inbox(key)[:64]
            _log.warning("inbox.unknown", agency=agency, entries=len(found))
            pipe: Any = self.redis.pipeline(transaction=True)
            await self._intake(agency).handle([StreamEntry(i, f) for i, f in found], pipe)
            pipe.xdel(key, *(i for i, _ in found))
            await pipe.execute()
        else:
            await self.redis.delete(key)

    async def stop(self) -> None:
        if self.feeder is not None:
            await self.feeder.close()
        for outlets in self.outlets:
            await outlets.stop()
        for worker in self.workers.values():
            await worker.stop()
        with suppress(*LOST):
            await self.broker.stop()
        await self.redis.aclose()
        self.log.close()


async def _often(step: Callable[[], Awaitable[None]], every: timedelta) -> None:
    """Do a step again and again; what makes it impossible now is written down and passes."""
    failing = False
    while True:
        try:
            await step()
        except (Unavailable, RedisError, OSError) as e:
            if not failing:
                _log.warning("step.failing", step=step.__name__, error=repr(e)[:300])
            failing = True
        else:
            failing = False
        await asyncio.sleep(every.total_seconds())


async def _patiently(what: str, step: Callable[[], Awaitable[object]]) -> None:
    """Repeat a step until it works: at the start the other parts may not be there yet."""
    delay = 0.05
    while True:
        try:
            await step()
        except (Unavailable, RedisError, OSError) as e:
            _log.warning("start.waiting", what=what, error=str(e)[:300])
            await asyncio.sleep(delay)
            delay = min(2 * delay, 2.0)
        else:
            return


@asynccontextmanager
async def running(settings: Settings, jobs: Sequence[JobName]) -> AsyncIterator[None]:
    """Run jobs for as long as the context is open; used by `run` and by tests."""
    log = await asyncio.to_thread(Log.open, settings.log_url)
    await asyncio.to_thread(_begin_log, log, settings)
    process = _Process(settings, log, jobs)
    await _patiently("redis", process.redis.ping)
    await _patiently("redis", process.broker.start)
    await _patiently("log", process.begin)
    tasks = [asyncio.create_task(loop) for loop in process.start()]
    try:
        yield
    finally:
        await end(tasks)
        await process.stop()


def _begin_log(log: Log, settings: Settings) -> None:
    roots = read_roots(settings.roots) if settings.roots else ()
    key = ""
    if settings.log_keys and log.head().size == 0:
        key = str(first_key(settings.log_keys, settings.origin))
    ensure_genesis(
        log,
        origin=settings.origin,
        version=VERSION,
        now_us=time.time_ns() // 1000,
        roots=roots,
        key=key,
    )


async def run(settings: Settings, jobs: Sequence[JobName]) -> None:
    """Run jobs until SIGTERM or SIGINT; what is being handled is finished first.

    Raises:
        Unavailable: the log cannot be opened, or is another hub's.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    process_metrics()
    endpoint = serve_metrics(settings.metrics_port)
    try:
        async with running(settings, jobs):
            _log.info("consumers.started", jobs=list(jobs), instance=settings.instance)
            await stop.wait()
            _log.info("consumers.stopping")
    finally:
        if endpoint is not None:
            endpoint.close()
