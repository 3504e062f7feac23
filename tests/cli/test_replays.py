"""``caspian replays``: a replay of the hub's, steered from a terminal."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Fresh
from tests.cli.hub import Hub

pytestmark = pytest.mark.long


@pytest.fixture
def index(hub: Hub, fresh: Fresh) -> int:
    """Publish a message and give its index."""
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=fresh())
    found: int = json.loads(done.stdout)["receipt"]["index"]
    return found


@pytest.fixture
def name(hub: Hub) -> Iterator[str]:
    """Give a name, and end the replay of that name."""
    name = f"cli-{uuid.uuid4().hex[:20]}"
    yield name
    hub.caspian("replays", "rm", name, who="auditor")


def told(hub: Hub, *arguments: str) -> str:
    done = hub.caspian("replays", *arguments, who="auditor")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_trainer_steers_a_replay(hub: Hub, index: int, name: str) -> None:
    part = ("--from", str(index), "--to", str(index))
    begun = json.loads(told(hub, "add", name, *part, "--paused", "--speed", "10", "--json"))
    listed = told(hub, "ls")
    paused = json.loads(told(hub, "pause", name, "--json"))
    stepped = told(hub, "step", name)
    admitted = told(hub, "admit", name, "ir-ndmo", "--person", "Reza Karimi")
    withdrawn = told(hub, "withdraw", name, "ir-ndmo", "--person", "Reza Karimi")
    played = json.loads(told(hub, "play", name, "--speed", "max", "--json"))

    assert (begun["first"], begun["through"], begun["speed"]) == (index, index, 10)
    assert name[:12] in listed
    assert f"[REPLAY {name}]" in stepped
    assert str(index) in stepped
    assert "Reza Karimi" in admitted
    assert "Reza Karimi" not in withdrawn
    assert paused["state_now"] == "paused"
    assert played["speed"] is None
    assert "digest" in told(hub, "show", name)
    assert "has ended" in told(hub, "rm", name)
    gone = hub.caspian("replays", "show", name, who="auditor")
    assert (gone.returncode, "replay-unknown" in gone.stderr) == (5, True)


def test_what_is_no_speed_is_refused_before_the_hub_is_asked(hub: Hub) -> None:
    for speed in ("0", "-1", "fast", "inf"):
        done = hub.caspian("replays", "add", "x", f"--speed={speed}", who="auditor")
        assert done.returncode == 2, done.stderr
