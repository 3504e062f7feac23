"""The log of a hub, read from afar with an auditor's token and trusted for nothing."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from redis import Redis

from tests.cli.conftest import Fresh
from tests.cli.hub import Hub

pytestmark = pytest.mark.long


@pytest.fixture
def index(hub: Hub, fresh: Fresh) -> int:
    """Publish a message and give its index."""
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=fresh())
    found: int = json.loads(done.stdout)["receipt"]["index"]
    return found


def afar(hub: Hub, *arguments: str, who: str = "auditor") -> tuple[int, str, str]:
    """Run a command that has nothing but the hub's address and a token."""
    done = hub.caspian(*arguments, "--url", hub.url, who=who)
    return done.returncode, done.stdout, done.stderr


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "0"),
        ("--from", "2", "--to", "3"),
        ("--from", "1h"),
        ("--to", "1h"),
        ("--from", "1h", "--kind", "member"),
        ("--from", "0", "--agency", "az-fhn"),
    ],
)
@pytest.mark.usefixtures("index")
def test_entries_are_the_same_as_in_the_store(hub: Hub, options: tuple[str, ...]) -> None:
    end = json.loads(hub.caspian("verify", "--json").stdout)["entries"] - 1
    if "--to" not in options:
        options += ("--to", str(end))

    here = hub.caspian("log", "ls", *options)
    code, there, _ = afar(hub, "log", "ls", *options)

    assert code == 0
    assert there == here.stdout


def test_an_entry_and_its_bytes_are_the_same(hub: Hub, index: int) -> None:
    for options in ((), ("--raw",), ("--payload",), ("--json",)):
        here = hub.caspian("log", "show", str(index), *options)
        assert afar(hub, "log", "show", str(index), *options)[1] == here.stdout


def test_a_hubs_log_is_verified_from_afar(hub: Hub, index: int) -> None:
    code, out, _ = afar(hub, "verify", "--json")

    told = json.loads(out)
    assert code == 0
    assert told["ok"] is True
    assert told["entries"] > index
    assert told["decided"] > 0
    kept = f"{told['entries']}:{told['root']}"
    assert afar(hub, "verify", "--earlier", kept)[0] == 0
    assert afar(hub, "verify", "--earlier", f"{told['entries']}:{'0' * 64}")[0] == 5


def test_what_was_added_is_verified_from_afar(hub: Hub, index: int, fresh: Fresh) -> None:
    told = json.loads(afar(hub, "verify", "--json")[1])
    assert told["entries"] > index
    hub.caspian("publish", "-", who="az-fhn", stdin=fresh())

    code, out, err = afar(hub, "verify", "--since", f"{told['entries']}:{told['root']}", "--json")

    assert code == 0, err
    assert json.loads(out)["since"] == told["entries"]
    assert json.loads(out)["messages"] >= 1
    code, out, _ = afar(hub, "verify", "--since", f"{told['entries']}:{'1' * 64}", "--json")
    assert (code, json.loads(out)["fault"]["culprit"]) == (5, "hub")


def test_a_message_that_is_kept_back_from_a_live_feed_is_seen(
    hub: Hub, index: int, fresh: Fresh
) -> None:
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=fresh())
    index = json.loads(done.stdout)["receipt"]["index"]
    wait_until_fed(hub, index)
    code, out, err = afar(hub, "verify", "--feeds")
    assert code == 0, err + out
    assert " feeds hold what the log says" in out

    with Redis.from_url(hub.environment["CASPIAN_REDIS_URL"]) as redis:
        leave_out(redis, "feed:ir-ndmo", index)
    code, out, _ = afar(hub, "verify", "--feeds", "--json")

    fault = json.loads(out)["fault"]
    assert code == 5
    assert (fault["index"], fault["code"], fault["culprit"]) == (index, "feed", "hub")
    assert "ir-ndmo" in fault["detail"]


def leave_out(redis: Redis, key: str, index: int) -> None:
    """Make a feed anew without one entry, as nobody but the hub's operator could."""
    entries, end = redis.xrange(key), redis.xinfo_stream(key)["last-generated-id"]
    with redis.pipeline(transaction=True) as pipe:
        pipe.delete(key)
        pipe.xgroup_create(key, "agency", id="0", mkstream=True)
        for name, fields in entries:
            if name != f"{index}-0".encode():
                pipe.xadd(key, fields, id=name)
        pipe.execute_command("XSETID", key, end)
        pipe.execute()


def wait_until_fed(hub: Hub, index: int) -> None:
    """Return once every feed has come to an index."""
    done = hub.caspian("tail", "ir-ndmo", "--since", str(index - 1), "--limit", "1", who="officer")
    assert done.returncode == 0, done.stderr


def test_an_export_from_afar_is_logged_and_the_same_as_from_the_store(hub: Hub, index: int) -> None:
    code, out, err = afar(hub, "log", "export", "far.gz", "--to", str(index), "--json", "--force")
    here = hub.caspian("log", "export", "near.gz", "--to", str(index), "--json", "--force")

    assert (code, here.returncode) == (0, 0), err + here.stderr
    for told, who in ((json.loads(out), "auditor"), (json.loads(here.stdout), "operator")):
        shown = json.loads(hub.caspian("log", "show", str(told["logged"]), "--json").stdout)
        assert (shown["kind"], shown["role"]) == ("export", who)
        assert (shown["export"]["through"], shown["export"]["entries"]) == (index, index + 1)
        with gzip.open(hub.directory / told["file"]) as file:
            *lines, last = file.read().splitlines()
        assert json.loads(lines[0])["logged"] is True
        assert json.loads(last)["sha256"] == shown["export"]["sha256"]
    assert hub.caspian("verify", "--bundle", "far.gz").returncode == 0
    assert hub.caspian("verify").returncode == 0


def test_what_is_held_is_listed_and_released(hub: Hub, index: int) -> None:
    made = hub.caspian(
        "holds", "add", "AZ", "--message", str(index), "--reason", "7", "--json", who="operator"
    )
    assert made.returncode == 0, made.stderr
    hold = json.loads(made.stdout)["index"]
    redact = ("log", "redact", str(index), "az-fhn", "--grounds", "order")
    assert "payload-held" in hub.caspian(*redact, who="operator").stderr
    assert f"#{index}" in hub.caspian("holds", "ls", who="auditor").stdout
    assert hub.caspian("holds", "add", "AZ", "--reason", "none", who="operator").returncode == 2
    ended = hub.caspian("holds", "release", str(hold), "--reason", "over", who="operator")
    assert ended.returncode == 0, ended.stderr


def test_a_replay_from_afar_has_the_same_digest(hub: Hub, index: int) -> None:
    for options in (("--to", str(index)), ("--from", "3", "--to", str(index))):
        here = hub.caspian("log", "replay", *options)
        assert afar(hub, "log", "replay", *options)[1] == here.stdout


def test_who_may_not_read_the_log_is_told(hub: Hub) -> None:
    for command in (("log", "ls"), ("log", "show", "1"), ("verify",), ("log", "replay")):
        code, out, err = afar(hub, *command, who="az-fhn")

        assert (code, out) == (4, "")
        assert "error not-allowed: " in err


def test_what_the_environment_names_is_read(hub: Hub) -> None:
    # With a store in the environment no token is needed; without one the hub is asked.
    assert hub.caspian("log", "ls").returncode == 0
    store = hub.environment["CASPIAN_LOG_URL"]
    del hub.environment["CASPIAN_LOG_URL"]
    try:
        assert hub.caspian("log", "ls").returncode == 4
        assert hub.caspian("log", "ls", who="auditor").returncode == 0
    finally:
        hub.environment["CASPIAN_LOG_URL"] = store
