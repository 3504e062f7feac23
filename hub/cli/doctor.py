"""``caspian doctor``: look at everything the hub needs, and say what to do about it."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError, ResponseError
from rich.text import Text
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.cli import checkup
from hub.cli.checkup import Check
from hub.cli.exits import DONE, UNAVAILABLE
from hub.cli.options import AsJson
from hub.cli.store import sqlite_file
from hub.cli.terminal import column, emit, say, styled
from hub.cli.words import many, plain, t, told, translated
from hub.core.registry import History
from hub.errors import HubError, Unavailable
from hub.log.checkpoints import at_least, latest, stands_at
from hub.log.levels import read_policy_file
from hub.log.signer import contradiction, memory_of, remembered
from hub.log.store import Head, Log
from hub.settings import Settings
from hub.streams import keys
from hub.streams.connect import LOST, connect
from schemas.checkpoint import Checkpoint
from schemas.ed25519 import VerifierKey

__all__ = ["doctor"]

_VERDICT = {"ok": told("ok"), "warn": told("warn"), "fail": told("fail")}
_STYLE = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(*, json: AsJson = False) -> int:
    """Check settings, log, streams, clocks, disk and feeds; exit 3 if anything fails.

    Run it where the hub runs, with its environment. It changes nothing but to bring
    the tables of the log up to date, as every part of the hub does when it starts.
    """
    checks = []
    for check in _examine():
        checks.append(check)
        if json:
            emit(
                {
                    "check": check.name,
                    "verdict": check.verdict,
                    "detail": plain(check.detail),
                    "remedy": plain(check.remedy),
                }
            )
            continue
        say(
            column(t(_VERDICT[check.verdict]), 5, _STYLE[check.verdict]),
            column(t(check.name), 17, "bold"),
            styled(translated(check.detail)),
        )
        if check.remedy:
            say(Text(" " * 6) + styled(t("what to do:"), "bold"), styled(translated(check.remedy)))
    return UNAVAILABLE if any(c.verdict == "fail" for c in checks) else DONE


def _examine() -> Iterator[Check]:
    yield checkup.python(sys.version_info[:3])
    try:
        settings = Settings.from_environment()
    except HubError as e:
        yield Check(told("settings"), "fail", e.detail, e.remedy)
        return
    yield Check(
        told("settings"),
        "ok",
        t(
            "origin {origin}, instance {instance}",
            origin=settings.origin,
            instance=settings.instance,
        ),
    )
    last, feeds = -1, dict[str, int]()
    file = sqlite_file(settings.log_url)
    if file is not None:
        yield from _place(file)
    if file is not None and not file.exists():
        yield Check(
            told("log"),
            "warn",
            t("none yet at {file}", file=file),
            t("Nothing; the hub makes it at its start."),
        )
    else:
        try:
            log = Log.open(settings.log_url)
        except HubError as e:
            yield Check(told("log"), "fail", e.detail, e.remedy)
        else:
            try:
                yield from _durability(log)
                head = log.head()
                last, feeds = head.size - 1, History(log.registry_entries()).latest.feeds()
                yield Check(
                    told("log"),
                    "ok",
                    _end(head),
                )
                first = log.row(0)
                if first is not None:
                    yield checkup.origin(first.entry.get("origin"), settings.origin)
                    yield _checkpoint(log, head, settings)
                    yield _witnesses(log, settings)
            except HubError as e:
                yield Check(told("log"), "fail", e.detail, e.remedy)
            finally:
                log.close()
    yield from asyncio.run(_streams(settings.redis_address, last, feeds))


def _end(head: Head) -> str:
    root = f"{head.root.hex()[:16]}…"
    return many("{count} entry, root {root}", "{count} entries, root {root}", head.size, root=root)


def _checkpoint(log: Log, head: Head, settings: Settings) -> Check:
    with log.reading() as c:
        last = latest(c)
    known = [] if last is None else [Checkpoint(settings.origin, last.size, last.root)]
    names = History(log.registry_entries()).latest.log_keys
    try:
        if settings.log_keys:
            memory = memory_of(settings.log_keys[0])
            own = remembered(memory, settings.origin, [VerifierKey.read(k) for k in names])
            known += [] if own is None else [own]
        wrong = contradiction(log, log.head(), known)
    except Unavailable as e:
        if e.code != "checkpoint-refused":
            raise
        wrong = e.detail
    age = None if last is None else timedelta(microseconds=max(0, head.at_us - last.at_us))
    return checkup.checkpoint(
        wrong,
        head.size,
        None if last is None or age is None else (last.size, age),
        signs=bool(settings.log_keys),
    )


def _witnesses(log: Log, settings: Settings) -> Check:
    policy = read_policy_file(settings.policy)
    behind: dict[str, timedelta | None] = {}
    with log.reading() as c:
        newest = latest(c)
        for one in policy.witnesses.values() if policy is not None else ():
            size = stands_at(c, one.key)
            at = at_least(c, size) if size else None
            if newest is None or (at is not None and at.size == newest.size):
                behind[one.name] = timedelta(0)
            else:
                behind[one.name] = (
                    None if at is None else timedelta(microseconds=newest.at_us - at.at_us)
                )
    return checkup.witnesses(behind, 0 if policy is None else policy.fewest)


def _place(file: Path) -> Iterator[Check]:
    there = next(p for p in (file.absolute(), *file.absolute().parents) if p.exists())
    yield checkup.disk(shutil.disk_usage(there).free)
    if (kind := _file_system(there.resolve())) is not None:
        yield checkup.filesystem(kind)


def _file_system(path: Path) -> str | None:
    """Return the kind of file system *path* lies on, as Linux tells; None elsewhere."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    best, kind = -1, None
    for line in mounts.splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if len(point) > best and path.is_relative_to(point):
            best, kind = len(point), found
    return kind


def _durability(log: Log) -> Iterator[Check]:
    try:
        with log.engine.connect() as c:
            if log.engine.dialect.name == "sqlite":
                mode = c.execute(text("PRAGMA journal_mode")).scalar_one()
                yield checkup.sqlite(mode, c.execute(text("PRAGMA synchronous")).scalar_one())
                return
            names = ("fsync", "synchronous_commit", "full_page_writes", "server_version")
            shown = {name: c.execute(text(f"SHOW {name}")).scalar_one() for name in names}
            yield Check(
                told("log"),
                "ok",
                f"PostgreSQL {shown['server_version']}",
            )
            yield from checkup.postgresql(shown)
    except SQLAlchemyError as e:
        yield Check(
            told("durability"),
            "fail",
            t("cannot be read: {why}", why=e),
            t("See that the store answers."),
        )


async def _streams(url: str, last: int, feeds: dict[str, int]) -> list[Check]:
    redis: Any = connect(url)
    try:
        checks = checkup.streams(await redis.info("all"))
        began = time.time()
        seconds, micros = await redis.time()
        now = seconds + micros / 1e6
        checks.append(checkup.clock(timedelta(seconds=now - (began + time.time()) / 2)))
        checks.append(
            checkup.waiting(told("candidates"), await _age(redis, keys.CANDIDATES, now), "ledger")
        )
        ages = [
            age
            async for key in redis.scan_iter(keys.INBOX_PATTERN, count=500, _type="STREAM")
            if (age := await _age(redis, key, now)) is not None
        ]
        checks.append(checkup.waiting(told("inboxes"), max(ages, default=None), "intake"))
        if feeds:
            reached = {feed: await _reached(redis, feed) for feed in sorted(feeds)}
            checks.append(checkup.feeds(last, reached))
    except (*LOST, RedisError) as e:
        return [
            Check(told("streams"), "fail", str(e), t("Start Redis, or correct CASPIAN_REDIS_URL."))
        ]
    finally:
        await redis.aclose()
    return checks


async def _age(redis: Any, key: str | bytes, now: float) -> timedelta | None:
    """Return for how long the oldest entry of a stream has been there, by the server's clock."""
    oldest = await redis.xrange(key, count=1)
    if not oldest:
        return None
    return timedelta(seconds=max(0.0, now - int(oldest[0][0].partition(b"-")[0]) / 1000))


async def _reached(redis: Any, feed: str) -> int | None:
    try:
        return keys.index_of((await redis.xinfo_stream(keys.feed(feed)))["last-generated-id"])
    except ResponseError:
        return None  # there is no such stream
