"""``caspian members``, ``subs`` and ``dead``: each change is an entry in the log."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import redis

from tests.cli.hub import Hub


def member(hub: Hub, agency: str) -> dict[str, Any]:
    done = hub.caspian("members", "show", agency, "--json", who="operator")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def new_agency() -> str:
    return f"kz-{uuid.uuid4().hex[:12]}"


def test_an_agency_is_registered_shown_and_listed(hub: Hub) -> None:
    agency = new_agency()

    done = hub.caspian(
        "members", "add", agency, "--name", "Төтенше жағдайлар", "--sender", "a@kz.example",
        "--sender", "b*", "--language", "kk", "--name-in", "ru=МЧС", who="operator",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    found = member(hub, agency)
    assert (found["state"], found["senders"]) == ("KZ", ["a@kz.example", "b*"])
    assert found["names"] == {"ru": "МЧС"}
    assert "Төтенше жағдайлар" in hub.caspian("members", "show", agency, who="az-fhn").stdout
    row = next(
        line
        for line in hub.caspian("members", "ls", who="az-fhn").stdout.splitlines()
        if line.startswith(agency)
    )
    assert "yes" in row


def test_an_agency_gets_places_that_it_may_alert_for(hub: Hub) -> None:
    agency = new_agency()

    refused = hub.caspian(
        "members", "add", agency, "--name", "One", "--area", "Aktau", who="operator"
    )
    hub.caspian(
        "members", "add", agency, "--name", "One", "--area", "KZ-47", "--area", "KZ-coast",
        who="operator",
    )  # fmt: skip

    assert "'Aktau' is no place" in refused.stderr
    assert member(hub, agency)["areas"] == ["KZ-47", "KZ-coast"]


def test_a_change_keeps_what_is_not_given(hub: Hub) -> None:
    agency = new_agency()
    hub.caspian("members", "add", agency, "--name", "One", "--sender", "x", who="operator")

    hub.caspian("members", "add", agency, "--inactive", who="operator")
    gone = member(hub, agency)
    hub.caspian("members", "add", agency, "--active", "--sender", "y", who="operator")

    assert (gone["name"], gone["senders"], gone["active"]) == ("One", ["x"], False)
    now = member(hub, agency)
    assert (now["name"], now["senders"], now["active"]) == ("One", ["y"], True)


def test_a_whole_record_can_be_given(hub: Hub) -> None:
    agency = new_agency()
    record = json.dumps({"id": agency, "state": "KZ", "name": "By record"})

    done = hub.caspian("members", "add", "--record", "-", "--json", who="operator", stdin=record)

    assert json.loads(done.stdout)["name"] == "By record"


def test_a_subscription_is_registered_and_listed(hub: Hub) -> None:
    name = f"s{uuid.uuid4().hex[:10]}"

    done = hub.caspian(
        "subs", "add", f"ir-ndmo.{name}", "--severity", "Severe", "--bbox", "36,46,48,55",
        "--state", "az", "--touches", "IR-01", "--touches", "AZ-coast", who="operator",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    listed = hub.caspian("subs", "ls", "--agency", "ir-ndmo", who="ir-ndmo").stdout
    row = next(line for line in listed.splitlines() if f"ir-ndmo.{name}" in line)
    assert "states=AZ severity=Severe bbox=36.0,46.0,48.0,55.0 touches=IR-01,AZ-coast" in row
    assert f"ir-ndmo.{name}" in hub.caspian("members", "show", "ir-ndmo", who="ir-ndmo").stdout
    assert (
        hub.caspian("subs", "add", f"ir-ndmo.{name}", "--inactive", who="operator").returncode == 0
    )
    ended = hub.caspian("subs", "ls", "--json", who="ir-ndmo").stdout.splitlines()
    assert [s["active"] for s in map(json.loads, ended) if s["name"] == name] == [False]


def test_a_subscription_can_be_a_record(hub: Hub) -> None:
    name = f"s{uuid.uuid4().hex[:10]}"
    record = json.dumps({"agency": "ir-ndmo", "name": name, "channel": "exercise"})

    done = hub.caspian("subs", "add", "--record", "-", "--json", who="operator", stdin=record)

    assert json.loads(done.stdout)["channel"] == "exercise"


@pytest.mark.parametrize(
    ("arguments", "who", "exit_code", "code"),
    [
        (("members", "add"), "operator", 2, "usage"),
        (("members", "add", "kz-x", "--record", "-"), "operator", 2, "usage"),
        (("members", "add", "--record", "-", "--name", "x"), "operator", 2, "usage"),
        (("members", "add", "--record", "/nowhere"), "operator", 2, "usage"),
        (("members", "add", "kz-new"), "operator", 2, "usage"),
        (("members", "add", "kz-new", "--name", "x", "--name-in", "az"), "operator", 2, "usage"),
        (("members", "add", "Kazakhstan", "--name", "x"), "operator", 5, "member-invalid"),
        (("members", "add", "kz-new", "--name", ""), "operator", 5, "member-invalid"),
        (("members", "add", "kz-new", "--name", "x"), "az-fhn", 4, "not-allowed"),
        (("members", "show", "kz-none"), "az-fhn", 5, "unknown-agency"),
        (("subs", "add"), "operator", 2, "usage"),
        (("subs", "add", "ir-ndmo"), "operator", 2, "usage"),
        (("subs", "add", "ir-ndmo.x", "--bbox", "1,1"), "operator", 2, "usage"),
        (("subs", "add", "ir-ndmo.x", "--record", "-"), "operator", 2, "usage"),
        (("subs", "add", "--record", "-", "--state", "AZ"), "operator", 2, "usage"),
        (("subs", "add", "kz-none.x"), "operator", 5, "unknown-agency"),
        (("subs", "add", "ir-ndmo.exercise"), "operator", 5, "subscription-invalid"),
        (("subs", "add", "ir-ndmo.x"), "az-fhn", 4, "not-allowed"),
        (("dead", "show", "0"), "operator", 5, "entry-unknown"),
        (("dead", "show", "-1"), "operator", 5, "entry-unknown"),
        (("dead", "retry", "0"), "operator", 5, "entry-unknown"),
        (("dead", "ls"), "az-fhn", 4, "not-allowed"),
        (("dead", "retry", "0"), "auditor", 4, "not-allowed"),
    ],
)
def test_what_makes_no_sense_is_refused(
    hub: Hub, arguments: tuple[str, ...], who: str, exit_code: int, code: str
) -> None:
    done = hub.caspian(*arguments, who=who)

    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.startswith(f"error {code}: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("record", ["", "[]", "{", "null", "\x00", '"x"'])
def test_a_record_that_is_none_is_refused(hub: Hub, record: str) -> None:
    for command in ("members", "subs"):
        done = hub.caspian(command, "add", "--record", "-", who="operator", stdin=record)

        assert done.returncode in {2, 5}
        assert done.stderr.startswith("error ")
        assert "Traceback" not in done.stderr


def test_a_dead_letter_is_listed_shown_and_tried_again(hub: Hub) -> None:
    def letters() -> dict[int, dict[str, Any]]:
        listed = hub.caspian("dead", "ls", "--json", who="operator")
        return {one["index"]: one for one in map(json.loads, listed.stdout.splitlines())}

    before = letters()
    with redis.Redis.from_url(hub.environment["CASPIAN_REDIS_URL"]) as client:
        # Not what intake writes: a candidate that the ledger cannot even read.
        client.xadd("candidates", {"kind": "publish", "agency": "az-fhn", "payload": "<x/>"})

    while not (new := letters().keys() - before.keys()):
        pass
    index = str(*new)

    assert letters()[int(index)]["stage"] == "ledger"
    assert index in hub.caspian("dead", "ls", who="operator").stdout
    assert "reason" in hub.caspian("dead", "show", index, who="operator").stdout
    assert json.loads(hub.caspian("dead", "show", index, "--json", who="auditor").stdout)["reason"]
    retried = hub.caspian("dead", "retry", index, who="operator")
    assert retried.returncode == 0, retried.stderr
    assert "is in the inbox again" in retried.stdout
