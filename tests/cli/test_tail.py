"""``caspian tail``: each entry once, in order, through every break; and a quiet end."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.hub import Hub

Fresh = Callable[..., bytes]
ALERTS = ("--kind", "alert")
"""Nothing else that may come: of what other tests leave open somebody is told meanwhile."""


class Tail:
    """A ``caspian tail`` that runs, and the lines that it writes."""

    def __init__(self, hub: Hub, who: str, *arguments: str, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "hub.cli", "tail", *arguments],
            cwd=hub.directory,
            env={**hub.environment, "CASPIAN_TOKEN": hub.tokens[who], **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.err: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.out)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.err)),
        ]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _read(stream: Any, lines: queue.SimpleQueue[str]) -> None:
        for line in stream:
            lines.put(line)
        stream.close()

    def line(self) -> str:
        return self.out.get(timeout=60)

    def word(self) -> str:
        return self.err.get(timeout=60)

    def end(self) -> int:
        code = self.process.wait(60)
        for thread in self.threads:
            thread.join()
        return code


@contextmanager
def following(hub: Hub, who: str, *arguments: str, **env: str) -> Iterator[Tail]:
    tail = Tail(hub, who, *arguments, env=env)
    try:
        assert tail.word().startswith("following ")
        yield tail
    finally:
        if tail.process.poll() is None:
            tail.process.kill()
        tail.end()


def published(hub: Hub, message: bytes, who: str = "az-fhn") -> int:
    done = hub.caspian("publish", "-", "--json", who=who, stdin=message)
    assert done.returncode == 0, done.stderr
    index: int = json.loads(done.stdout)["receipt"]["index"]
    return index


def test_what_comes_is_shown_and_ctrl_c_leaves_quietly(hub: Hub, fresh: Fresh) -> None:
    with following(hub, "ir-ndmo", *ALERTS) as tail:
        index = published(hub, fresh(headline="Evil \x9b2J [red]x[/] \u202e"))

        line = tail.line()

        assert line.startswith(f"#{index} ")
        assert "az-fhn      Severe Alert  Evil \\x9b2J [red]x[/] \\u202e  [Absheron]" in line
        tail.process.send_signal(signal.SIGINT)
        assert tail.end() == 130
        assert tail.err.empty()


def test_programs_get_one_object_a_line_in_order(hub: Hub, fresh: Fresh) -> None:
    first = published(hub, fresh())
    second = published(hub, fresh())

    done = hub.caspian(
        "tail", "ir-ndmo", "--since", str(first), "--limit", "2", "--json", *ALERTS, who="ir-ndmo"
    )

    assert [json.loads(line)["index"] for line in done.stdout.splitlines()] == [first, second]
    assert done.returncode == 0


def test_one_can_begin_at_a_time(hub: Hub, fresh: Fresh) -> None:
    published(hub, fresh())
    begun = datetime.now(UTC)
    later = published(hub, fresh())

    for since in (begun.isoformat(), (begun + timedelta(hours=3)).isoformat()[:-6] + "+03:00"):
        done = hub.caspian(
            "tail", "--since", since, "--limit", "1", "--json", *ALERTS, who="ir-ndmo"
        )

        assert json.loads(done.stdout)["index"] == later
    old = hub.caspian("tail", "--since", "1w", "--limit", "1", "--json", who="ir-ndmo")
    assert json.loads(old.stdout)["index"] < later


def test_an_exercise_and_its_acknowledgement_are_marked(hub: Hub, fresh: Fresh) -> None:
    index = published(hub, fresh(status="Exercise", severity="Extreme"))
    hub.caspian("ack", str(index), "--note", "played", who="officer")

    done = hub.caspian(
        "tail", "ir-ndmo.exercise", "--since", str(index), "--limit", "2",
        *ALERTS, "--kind", "acknowledgement", who="ir-ndmo",
    )  # fmt: skip

    first, second = done.stdout.splitlines()
    assert "[EXERCISE] Extreme Alert" in first
    assert f"[EXERCISE] acknowledged #{index} by Reza Karimi: played" in second


@pytest.mark.long
@pytest.mark.parametrize(
    ("wanted", "unwanted", "options"),
    [
        ({"severity": "Extreme"}, {"severity": "Minor"}, ("--severity", "Severe")),
        ({}, {"severity": "Minor"}, ("--event", "oil spill", "--severity", "Severe")),
        ({}, {"msg_type": "Ack"}, ("--kind", "alert", "--state", "az")),
        ({}, {"severity": "Minor"}, ("--bbox", "40,49,41,51", "--severity", "Moderate")),
        ({}, {"severity": "Minor"}, ("--language", "en", "--severity", "Moderate")),
    ],
)
def test_a_filter_shows_what_is_wanted(
    hub: Hub,
    fresh: Fresh,
    wanted: dict[str, str],
    unwanted: dict[str, str],
    options: tuple[str, ...],
) -> None:
    if unwanted.get("msg_type") == "Ack":
        unwanted["references"] = "centre@az.example,x,2026-11-23T08:00:00-00:00"
    start = published(hub, fresh(**unwanted))
    index = published(hub, fresh(**wanted))

    done = hub.caspian(
        "tail", "--since", str(start), "--limit", "1", "--json", *options, who="ir-ndmo"
    )

    assert json.loads(done.stdout)["index"] == index


def test_colours_only_where_they_are_wanted(hub: Hub, fresh: Fresh) -> None:
    index = str(published(hub, fresh(severity="Extreme")))
    arguments = ("tail", "--since", index, "--limit", "1")

    plain = hub.caspian(*arguments, who="ir-ndmo")
    coloured = hub.caspian(*arguments, who="ir-ndmo", FORCE_COLOR="1")
    sober = hub.caspian(*arguments, who="ir-ndmo", FORCE_COLOR="1", NO_COLOR="1")

    assert "\x1b" not in plain.stdout
    assert re.search(r"\x1b\[1;31mExtreme Alert", coloured.stdout)
    assert "\x1b[1;31m" not in sober.stdout


def test_what_was_shown_is_confirmed_only_if_asked_for(hub: Hub, fresh: Fresh) -> None:
    index = published(hub, fresh())

    hub.caspian("tail", "--since", str(index), "--limit", "1", who="ir-ndmo")
    before = state(hub, index, "ir-ndmo")
    hub.caspian("tail", "--since", str(index), "--limit", "1", "--confirm", who="ir-ndmo")

    assert before == "queued"
    while state(hub, index, "ir-ndmo") != "delivered":
        time.sleep(0.2)  # the log gets a delivery within a second or two


def state(hub: Hub, index: int, agency: str) -> str:
    """Return where a message stands with a recipient."""
    told = json.loads(hub.caspian("show", str(index), "--json", who="az-fhn").stdout)
    (found,) = [one["state"] for one in told["recipients"] if one["agency"] == agency]
    return str(found)


@pytest.mark.long
def test_a_break_loses_nothing_and_repeats_nothing(hub: Hub, fresh: Fresh) -> None:
    with following(hub, "ir-ndmo", "--json", "--within", "0.5", *ALERTS) as tail:
        before = published(hub, fresh())
        assert json.loads(tail.line())["index"] == before

        hub.stop("serve", signal.SIGKILL)
        assert "does not answer" in tail.word() or "ended" in tail.word()
        hub.start("serve")
        after = published(hub, fresh())

        assert json.loads(tail.line())["index"] == after


def test_a_replay_is_followed_and_marked(hub: Hub, fresh: Fresh) -> None:
    index = published(hub, fresh())
    assert hub.caspian("log", "replay", "--sandbox", "night").returncode == 0

    done = hub.caspian(
        "tail", "ir-ndmo", "--sandbox", "night", "--since", str(index), "--limit", "1",
        who="auditor",
    )  # fmt: skip

    hub.caspian("log", "remove-sandbox", "night")
    assert "[REPLAY night] Severe Alert" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "who", "exit_code", "code"),
    [
        (("az-fhn",), "ir-ndmo", 5, "feed-unknown"),
        (("no-such",), "auditor", 5, "feed-unknown"),
        ((), "auditor", 2, "usage"),
        (("--since", "yesterday"), "ir-ndmo", 2, "usage"),
        (("--severity", "Awful"), "ir-ndmo", 2, "usage"),
        (("--kind", "rumour"), "ir-ndmo", 2, "usage"),
        (("--bbox", "1,2,3"), "ir-ndmo", 2, "usage"),
        (("--bbox", "-91,0,0,0"), "ir-ndmo", 2, "usage"),
        (("--bbox", "nan,0,1,1"), "ir-ndmo", 2, "usage"),
        (("--bbox", "9,0,1,1"), "ir-ndmo", 2, "usage"),
        (("--limit", "0"), "ir-ndmo", 2, "usage"),
        (("--confirm", "--state", "AZ"), "ir-ndmo", 2, "usage"),
        (("--confirm", "--sandbox", "x"), "ir-ndmo", 2, "usage"),
        (("ir-ndmo", "--sandbox", "x"), "ir-ndmo", 4, "not-allowed"),
        (("ir-ndmo", "--since", "0", "--confirm"), "auditor", 4, "not-allowed"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    hub: Hub, fresh: Fresh, arguments: tuple[str, ...], who: str, exit_code: int, code: str
) -> None:
    published(hub, fresh())  # where nothing comes, nothing is confirmed or refused
    done = hub.caspian("tail", *arguments, who=who)

    assert done.returncode == exit_code
    assert f"error {code}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_that_is_not_there_is_told(hub: Hub) -> None:
    done = hub.caspian(
        "tail", "ir-ndmo", "--url", "http://127.0.0.1:1", "--within", "0", who="ir-ndmo"
    )

    assert done.returncode == 3
    assert "error hub-unreachable: " in done.stderr


def test_something_else_at_the_address_is_told(hub: Hub, tmp_path: Any) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "log").write_text("<html>hello</html>")
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    with server:
        port = server.stdout.readline().split("port ")[1].split(" ")[0]
        try:
            for command in (("tail", "ir-ndmo"), ("log", "ls")):
                done = hub.caspian(*command, "--url", f"http://127.0.0.1:{port}", who="auditor")

                assert done.returncode == 3
                assert "error unexpected-answer: " in done.stderr
        finally:
            os.kill(server.pid, signal.SIGTERM)
