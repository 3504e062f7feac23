"""What `caspian doctor` judges: facts in, a verdict with its remedy out. Nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from hub.cli.words import joined, many, t, told

__all__ = [
    "Check",
    "checkpoint",
    "clock",
    "disk",
    "feeds",
    "filesystem",
    "origin",
    "postgresql",
    "python",
    "sqlite",
    "streams",
    "waiting",
    "witnesses",
]

Verdict = Literal["ok", "warn", "fail"]

_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"})
_SAFE_COMMITS: Final = frozenset({"on", "local", "remote_write", "remote_apply"})
_STALE: Final = timedelta(seconds=10)
_SILENT: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; *remedy* says what to do where it is not ``ok``."""

    name: str
    verdict: Verdict
    detail: str
    """In the reader's language; `hub.cli.words.plain` has it for programs."""
    remedy: str = ""


def python(version: tuple[int, int, int]) -> Check:
    """Judge the version of Python."""
    text = ".".join(map(str, version))
    if version >= (3, 11, 0):
        return Check(told("python"), "ok", text)
    return Check(told("python"), "fail", text, t("Install Python 3.11 or newer."))


def sqlite(journal_mode: str, synchronous: int) -> Check:
    """Judge whether a commit of SQLite survives a power cut."""
    detail = t(
        "SQLite, journal_mode {mode}, synchronous {number}",
        mode=journal_mode,
        number=synchronous,
    )
    if journal_mode != "wal":
        return Check(
            told("durability"),
            "fail",
            detail,
            t("Keep the log on a local disk: its file system does not take SQLite's WAL."),
        )
    if synchronous < 2:
        return Check(
            told("durability"), "fail", detail, t("SQLite must run with synchronous=FULL.")
        )
    return Check(told("durability"), "ok", detail)


def postgresql(settings: Mapping[str, str]) -> list[Check]:
    """Judge whether a commit of PostgreSQL survives a power cut (its manual, 19.5)."""
    found = []
    for name, good, remedy in (
        ("fsync", {"on"}, t("Set fsync = on; without it a crash may destroy the whole database.")),
        (
            "synchronous_commit",
            _SAFE_COMMITS,
            t("Set synchronous_commit = on for the hub's database: a receipt promises durability."),
        ),
        ("full_page_writes", {"on"}, t("Set full_page_writes = on, or torn pages stay torn.")),
    ):
        value = settings.get(name, "unknown")
        bad: Verdict = "warn" if name == "full_page_writes" else "fail"
        ok = value in good
        found.append(
            Check(told("durability"), "ok" if ok else bad, f"{name} {value}", "" if ok else remedy)
        )
    return found


def origin(of_log: object, of_settings: str) -> Check:
    """Judge whether the log is the one that the settings mean."""
    if of_log == of_settings:
        return Check(told("origin"), "ok", of_settings)
    return Check(
        told("origin"),
        "fail",
        t(
            "the log calls itself {name}, the settings call it {other}",
            name=repr(of_log),
            other=repr(of_settings),
        ),
        t("Set CASPIAN_ORIGIN to the log's own name, or CASPIAN_LOG_URL to another store."),
    )


def checkpoint(wrong: str, size: int, last: tuple[int, timedelta] | None, *, signs: bool) -> Check:
    """Judge whether the log's end is signed, and nothing that was signed is contradicted.

    *wrong* says what is; *last* is the newest checkpoint's size, and by how much the log's
    last entry is newer. *signs* says whether there is a key at all.
    """
    if wrong:
        return Check(
            told("checkpoint"),
            "fail",
            t("nothing can be signed: {wrong}", wrong=wrong),
            t(
                "Stop the ledger, keep everything as it is, and see docs/operations.md, "
                '"Checkpoints are refused".'
            ),
        )
    if not signs:
        return Check(
            told("checkpoint"),
            "warn",
            t("nothing is signed"),
            t("Set CASPIAN_LOG_KEY to a file for its key."),
        )
    if last is None:
        remedy = t("See that `caspian consumers checkpoint` runs, and its log.")
        return Check(told("checkpoint"), "warn", t("none yet"), remedy)
    covered, behind = last
    detail = t("{covered} of {size} entries are signed", covered=covered, size=size)
    if covered < size and behind > _STALE:
        remedy = t("See that `caspian consumers checkpoint` runs, and its log.")
        return Check(told("checkpoint"), "fail", detail, remedy)
    return Check(told("checkpoint"), "ok", detail)


def witnesses(behind: Mapping[str, timedelta | None], fewest: int) -> Check:
    """Judge the witnesses of the policy: by how much what each cosigned last is older.

    None: it never cosigned. *fewest*: how many are a quorum.
    """
    if not behind:
        remedy = t("Name the states' witnesses in CASPIAN_POLICY (docs/witness.md).")
        return Check(told("witnesses"), "warn", t("none are asked"), remedy)
    silent = sorted(n for n, age in behind.items() if age is None or age > _SILENT)
    detail = t("{count} of {all} cosign", count=len(behind) - len(silent), all=len(behind))
    if not silent:
        return Check(told("witnesses"), "ok", detail)
    enough = len(behind) - len(silent) >= fewest
    return Check(
        told("witnesses"),
        "warn" if enough else "fail",
        joined("; ", (detail, t("silent: {witnesses}", witnesses=", ".join(silent)))),
        t('See that `caspian consumers witness` runs; docs/operations.md, "A witness is silent".'),
    )


def filesystem(kind: str) -> Check:
    """Judge what the log's file lies on."""
    if kind in _IN_MEMORY:
        return Check(
            told("file system"),
            "warn",
            t("{kind}: gone with the power", kind=kind),
            t("Keep it on a disk."),
        )
    if kind in _REMOTE:
        return Check(
            told("file system"),
            "fail",
            t("{kind}: SQLite's WAL is not safe over a network", kind=kind),
            t("Keep the log on a local disk, or in PostgreSQL."),
        )
    return Check(told("file system"), "ok", kind)


def disk(free_bytes: int) -> Check:
    """Judge how much room is left where the log is."""
    detail = t("{size} GB free", size=f"{free_bytes / 1e9:.1f}")
    if free_bytes < 100_000_000:
        return Check(
            told("disk"), "fail", detail, t("Make room now: without it nothing can be logged.")
        )
    if free_bytes < 1_000_000_000:
        return Check(told("disk"), "warn", detail, t("Make room; a message takes about 3 KB."))
    return Check(told("disk"), "ok", detail)


def streams(info: Mapping[str, Any]) -> list[Check]:
    """Judge a Redis or Valkey server by what its INFO says."""
    name = "Valkey" if info.get("server_name") == "valkey" else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version") or "unknown")
    found = re.match(r"\d+", version)
    new_enough = name == "Valkey" or (found is not None and int(found[0]) >= 7)
    checks = [
        Check(told("streams"), "ok", f"{name} {version}")
        if new_enough
        else Check(
            told("streams"), "fail", f"{name} {version}", t("Install Redis 7 or newer, or Valkey.")
        )
    ]
    if not info.get("aof_enabled"):
        checks.append(
            Check(
                told("append-only file"),
                "warn",
                t("off: what waits in an inbox is lost when the server restarts"),
                t("Set appendonly yes. The log is safe without it; unanswered messages are not."),
            )
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
        checks.append(
            Check(
                told("append-only file"),
                "fail",
                t("the last write failed"),
                t("Make room on its disk."),
            )
        )
    else:
        checks.append(Check(told("append-only file"), "ok", t("on")))
    policy = str(info.get("maxmemory_policy", "unknown"))
    if policy == "noeviction":
        checks.append(Check(told("eviction"), "ok", policy))
    else:
        checks.append(
            Check(
                told("eviction"),
                "fail",
                t("{policy}: the server may forget messages that wait", policy=policy),
                t("Set maxmemory-policy noeviction."),
            )
        )
    limit, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if limit and used > 0.8 * limit:
        checks.append(
            Check(
                told("memory"),
                "warn",
                t("{share} of maxmemory is used", share=f"{used / limit:.0%}"),
                t("Raise maxmemory, or lower CASPIAN_FEED_RETENTION."),
            )
        )
    return checks


def clock(ahead: timedelta) -> Check:
    """Judge how far the server's clock is *ahead* of the one here (behind where negative)."""
    apart = abs(ahead)
    seconds = f"{apart.total_seconds():.1f}"
    detail = t("{seconds} s apart from the stream server's", seconds=seconds)
    if apart <= timedelta(seconds=1):
        return Check(told("clock"), "ok", detail)
    remedy = t("Let both machines follow the same time servers (chrony, ntpd).")
    return Check(told("clock"), "fail" if apart > timedelta(minutes=1) else "warn", detail, remedy)


def feeds(last: int, reached: Mapping[str, int | None]) -> Check:
    """Judge whether the *reached* index of every feed is the *last* of the log; None is missing."""
    missing = sorted(feed for feed, at in reached.items() if at is None)
    behind = {feed: last - at for feed, at in reached.items() if at is not None and at < last}
    if not missing and not behind:
        return Check(
            told("feeds"),
            "ok",
            t("all {count} at the end of the log, {last}", count=len(reached), last=last),
        )
    words = []
    if missing:
        named = ", ".join(missing[:3])
        words.append(t("{count} missing ({feeds})", count=len(missing), feeds=named))
    if behind:
        feed, lag = max(behind.items(), key=lambda item: item[1])
        far = many("{feed} by {count} entry", "{feed} by {count} entries", lag, feed=feed)
        words.append(t("{count} behind ({far})", count=len(behind), far=far))
    return Check(
        told("feeds"),
        "warn",
        t("of {count}: {feeds}", count=len(reached), feeds=joined("; ", words)),
        t("See that `caspian consumers fanout` runs; it makes and fills them by itself."),
    )


def waiting(stream: str, age: timedelta | None, job: str) -> Check:
    """Judge how long the oldest entry of a stream has waited; None where there is none."""
    if age is None:
        return Check(stream, "ok", t("nothing waits"))
    detail = t("the oldest entry has waited {seconds} s", seconds=f"{age.total_seconds():.0f}")
    if age <= _STALE:
        return Check(stream, "ok", detail)
    return Check(
        stream, "fail", detail, t("See that `caspian consumers {job}` runs, and its log.", job=job)
    )
