"""``caspian thread`` and ``caspian incidents``: in lines for people, in JSON for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.hub import Hub
from tests.log.samples import cap, named

SENT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
INCIDENT = "AC-2026-000031-AZE"


def publish(hub: Hub, identifier: str, *of: str, who: str = "az-fhn", **given: Any) -> int:
    given = {
        "msg_type": "Update" if of else "Alert",
        "references": named(*of, sent=SENT) if of else "",
        "sent": SENT,
        "incidents": INCIDENT,
        **given,
    }
    done = hub.caspian("publish", "-", "--json", who=who, stdin=cap(identifier, **given))
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["receipt"]["index"])


@pytest.fixture(scope="module")
def indexes(hub: Hub) -> dict[str, int]:
    """Publish an alert in two languages, updates, a Cancel, and an Ack; give their places."""
    later = {"sent": SENT + timedelta(seconds=1)}
    return {
        "ru": publish(hub, "T.RU", headline="Нефть"),
        "en": publish(hub, "T.EN", headline="Oil"),
        "first": publish(hub, "T-2", "T.RU", "T.EN"),
        "second": publish(hub, "T-3", "T-2"),
        "cancel": publish(hub, "T-4", "T-3", msg_type="Cancel", **later),
        "ack": publish(hub, "K", "T.RU", msg_type="Ack", who="ir-ndmo", sender="d@ir.example"),
    }


def test_a_thread_is_a_tree_that_says_what_holds(hub: Hub, indexes: dict[str, int]) -> None:
    done = hub.caspian("thread", "T-2", who="ir-ndmo")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    ru, en, first, second, cancel, ack = (f"#{i}" for i in indexes.values())
    rows = {line.strip("├└─ ").split()[0]: line for line in lines if line}
    assert f" Alert in another language as {en} updated by {first}: Нефть (en-US)" in rows[ru]
    assert f" Alert in another language as {ru} updated by {first}: Oil (en-US)" in rows[en]
    assert f" Update of {en} {ru} updated by {second}: " in rows[first]
    assert f" Update of {first} cancelled by {cancel}: " in rows[second]
    assert f" Cancel of {second}: " in rows[cancel]
    assert rows[first].index("#") == rows[second].index("#") == rows[cancel].index("#") == 4
    assert lines[-2] == "mentioned by"
    assert f" Ack of {ru}: K" in rows[ack]


def test_on_a_narrow_terminal_nothing_is_cut_off(hub: Hub, indexes: dict[str, int]) -> None:
    done = hub.caspian("thread", "T-2", who="az-fhn", FORCE_COLOR="1", COLUMNS="40")

    for index in indexes.values():
        assert f"#{index}" in done.stdout
    assert done.stdout.count("(en-US)") == 5, "the last word of each that has a language"


def test_programs_get_the_thread_as_json(hub: Hub, indexes: dict[str, int]) -> None:
    done = hub.caspian("thread", str(indexes["ru"]), "--json", who="az-fhn")

    found = json.loads(done.stdout)
    assert {m["index"] for m in found["messages"]} == set(indexes.values()) - {indexes["ack"]}
    assert [m["index"] for m in found["mentions"]] == [indexes["ack"]]


def test_a_message_is_shown_with_its_standing(hub: Hub, indexes: dict[str, int]) -> None:
    done = hub.caspian("show", str(indexes["second"]), who="az-fhn")

    assert f"standing    cancelled by #{indexes['cancel']}" in done.stdout


def test_incidents_are_listed_and_each_has_its_messages(hub: Hub, indexes: dict[str, int]) -> None:
    listed = hub.caspian("incidents", who="ir-ndmo")
    one = hub.caspian("incidents", INCIDENT.lower(), who="ir-ndmo")
    told = hub.caspian("incidents", "--json", who="auditor")
    short = hub.caspian("incidents", "--json", "--limit", "1", who="auditor")

    row = next(line for line in listed.stdout.splitlines() if line.startswith(INCIDENT))
    assert row.split()[4:6] == ["6", "0"]
    assert [line.split()[0] for line in one.stdout.splitlines()] == [
        f"#{i}" for i in sorted(indexes.values())
    ]
    found = {one["incident"]: one for one in map(json.loads, told.stdout.splitlines())}
    assert found[INCIDENT]["messages"] == 6
    assert len(short.stdout.splitlines()) == 1


def test_what_is_not_there_is_told(hub: Hub) -> None:
    assert "unknown-message" in hub.caspian("thread", "nothing", who="az-fhn").stderr
    assert "usage" in hub.caspian("thread", " ", who="az-fhn").stderr
    assert "incident-unknown" in hub.caspian("incidents", "nothing", who="az-fhn").stderr
    none = hub.caspian("incidents", "--channel", "system", who="az-fhn")
    assert (none.returncode, none.stdout) == (0, "")
    assert "no message" in none.stderr
