"""``caspian report acks``: who acknowledged, late or never; in a table, as JSON, in a file."""

from __future__ import annotations

import csv
import json
import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.core.lifecycle import State
from tests.cli.hub import Hub
from tests.log.samples import cap


def published(hub: Hub, expires_s: int = 3600, **given: Any) -> int:
    now = datetime.now(UTC)
    payload = cap(f"r-{uuid.uuid4().hex}", sent=now, **given)
    ends = f"{now + timedelta(seconds=expires_s):%Y-%m-%dT%H:%M:%S}-00:00"
    payload = re.sub(rb"<expires>[^<]*", f"<expires>{ends}".encode(), payload)
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=payload)
    assert done.returncode == 0, done.stderr
    index: int = json.loads(done.stdout)["receipt"]["index"]
    return index


@pytest.fixture(scope="module")
def told_of(hub: Hub) -> tuple[int, int]:
    """Publish what the officer acknowledges, and what expires before anybody does."""
    seen = published(hub, severity="Minor", headline="=1+1")
    done = hub.caspian("ack", str(seen), who="officer")
    assert done.returncode == 0, done.stderr
    missed = published(hub, severity="Minor", headline="Gone by", expires_s=3)
    end = time.monotonic() + 30
    while row(hub, missed)["state"] != State.EXPIRED:
        assert time.monotonic() < end
    return seen, missed


def lines(hub: Hub, *arguments: str) -> list[dict[str, Any]]:
    done = hub.caspian("report", "acks", "--since", "1h", "--json", *arguments, who="officer")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def row(hub: Hub, index: int) -> dict[str, Any]:
    (found,) = [one for one in lines(hub) if one.get("index") == index]
    return found


def test_json_has_each_message_and_the_sums(hub: Hub, told_of: tuple[int, int]) -> None:
    found = lines(hub, "--agency", "ir-ndmo")

    rows = [one for one in found if one["kind"] == "acknowledgement"]
    (sums,) = [one for one in found if one["kind"] == "sums"]
    (seen,) = [one for one in rows if one["index"] == told_of[0]]
    assert (seen["recipient"], seen["officer"], seen["late_by"]) == ("ir-ndmo", "Reza Karimi", None)
    assert sums["messages"] == len(rows)
    assert sums["in_time"] >= 1
    assert sums["missing"] >= 1
    assert sums["messages"] == sum(sums[k] for k in ("in_time", "late", "missing", "open"))


def test_people_see_what_is_missing_and_the_sums(hub: Hub, told_of: tuple[int, int]) -> None:
    done = hub.caspian("report", "acks", "--since", "1h", who="officer")

    assert done.returncode == 0, done.stderr
    (line,) = [one for one in done.stdout.splitlines() if f"#{told_of[1]} " in one]
    assert "expired" in line
    assert f"#{told_of[0]} " not in done.stdout
    assert "MISSING" in done.stdout


def test_a_file_for_a_spreadsheet(hub: Hub, told_of: tuple[int, int]) -> None:
    done = hub.caspian("report", "acks", "--since", "1h", "--csv", "acks.csv", who="officer")

    assert done.returncode == 0, done.stderr
    with (hub.directory / "acks.csv").open(encoding="utf-8", newline="") as file:
        rows = {int(one["index"]): one for one in csv.DictReader(file)}
    assert rows[told_of[0]]["headline"] == "'=1+1"
    assert rows[told_of[0]]["officer"] == "Reza Karimi"
    assert rows[told_of[1]]["state"] == "expired"
    assert rows[told_of[1]]["acknowledged_at"] == ""


def test_a_file_that_is_there_is_kept_unless_it_is_forced(hub: Hub) -> None:
    file = hub.directory / "kept.csv"
    file.write_bytes(b"mine")
    arguments = ("report", "acks", "--csv", "kept.csv")

    refused = hub.caspian(*arguments, who="officer")
    assert refused.returncode != 0
    assert "kept.csv is there already" in refused.stderr
    assert file.read_bytes() == b"mine"
    assert hub.caspian(*arguments, "--force", who="officer").returncode == 0
    assert file.read_bytes().startswith(b"recipient,index,")


def test_where_nothing_was_to_acknowledge_it_says_so(hub: Hub) -> None:
    done = hub.caspian("report", "acks", "--channel", "system", who="officer")

    assert "nothing to acknowledge" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--since", "1h", "--until", "2h"), "usage"),
        (("--since", "17"), "usage"),
        (("--csv", "/nowhere/acks.csv"), "usage"),
        (("--agency", "az-fhn"), "not-allowed"),
    ],
)
def test_what_cannot_be_is_refused(hub: Hub, arguments: tuple[str, ...], code: str) -> None:
    done = hub.caspian("report", "acks", *arguments, who="officer")

    assert done.returncode != 0
    assert code in done.stderr
