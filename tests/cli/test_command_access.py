"""Every command that asks a hub, in every role: as docs/access.md says who may call it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.hub import Hub
from tests.log.samples import cap

pytestmark = pytest.mark.long

READERS = {"agency", "officer", "auditor", "operator"}
AUDITORS = {"auditor", "operator"}
REGISTRARS = {"registrar", "operator"}
EVERYBODY = {*READERS, "registrar", "witness", "mirror"}
ROLES = sorted(EVERYBODY)

COMMANDS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "publish": (("publish", "a.xml"), {"agency", "officer"}),
    "ack": (("ack", "999999"), {"agency", "officer"}),
    "show": (("show", "999999"), READERS),
    "thread": (("thread", "999999"), READERS),
    "proof": (("proof", "999999"), READERS),
    "receipt": (("receipt", "get", "999999"), READERS),
    "incidents": (("incidents",), READERS),
    "aid": (("aid", "board"), READERS),
    "escalations": (("escalations",), READERS),
    "report": (("report", "acks"), READERS),
    "unacked": (("unacked", "az-fhn"), READERS),
    "handover": (("handover", "az-fhn"), READERS),
    "tail": (("tail", "az-fhn", "--since", "1h", "--limit", "1"), READERS),
    "log": (("log", "ls", "--url", "{url}"), AUDITORS),
    "replays ls": (("replays", "ls"), READERS),
    "replays add": (("replays", "add", "cli-replay", "--paused", "--to", "0"), AUDITORS),
    "replays step": (("replays", "step", "none"), AUDITORS),
    "replays withdraw": (("replays", "withdraw", "none", "az-fhn"), AUDITORS),
    "replays rm": (("replays", "rm", "none"), AUDITORS),
    "log redact": (
        ("log", "redact", "999999", "az-fhn", "--grounds", "none"),
        REGISTRARS,
    ),
    "holds ls": (("holds", "ls"), EVERYBODY - {"witness", "mirror"}),
    "holds add": (("holds", "add", "AZ", "--message", "999999", "--reason", "n"), REGISTRARS),
    "holds release": (("holds", "release", "999999", "--reason", "none"), REGISTRARS),
    "log export": (
        ("log", "export", "x.csv", "--format", "csv", "--force", "--to", "0", "--url", "{url}"),
        AUDITORS,
    ),
    "members ls": (("members", "ls"), EVERYBODY - {"witness", "mirror"}),
    "members add": (("members", "add", "kz-new", "--name", "New"), REGISTRARS),
    "subs ls": (("subs", "ls"), EVERYBODY - {"witness", "mirror"}),
    "subs add": (("subs", "add", "az-fhn.all"), REGISTRARS),
    "outlets ls": (("outlets", "ls"), {"agency", "auditor", "registrar", "operator"}),
    "outlets add": (
        ("outlets", "add", "az-fhn", "https://receiver.example/hook"),
        {"agency", "operator"},
    ),
    "outlets log": (("outlets", "log", "none"), {"agency", "auditor", "registrar", "operator"}),
    "outlets pause": (("outlets", "pause", "none"), {"agency", "registrar", "operator"}),
    "outlets rotate": (("outlets", "rotate", "none"), {"agency", "operator"}),
    "outlets rm": (("outlets", "rm", "none"), {"agency", "registrar", "operator"}),
    "registry show": (("registry", "show"), EVERYBODY),
    "registry submit": (("registry", "submit", "s.json"), REGISTRARS),
    "keys ls": (("keys", "ls"), EVERYBODY),
    "dead ls": (("dead", "ls"), AUDITORS),
    "dead retry": (("dead", "retry", "999999"), {"operator"}),
}


@pytest.fixture(scope="module")
def asked(hub: Hub) -> Hub:
    """Give every role a token, all of az-fhn or its state where the role has a place."""
    places = {
        "agency": ("--agency", "az-fhn"),
        "officer": ("--agency", "az-fhn", "--person", "P"),
        "auditor": (),
        "registrar": ("--person", "P"),
        "operator": (),
        "witness": ("--state", "AZ"),
        "mirror": ("--state", "AZ"),
    }
    for role, place in places.items():
        made = hub.caspian("tokens", "add", role, *place)
        assert made.returncode == 0, made.stderr
        hub.tokens[f"role {role}"] = made.stdout.strip()
    # `tail` ends with the first message, and waits for it.
    published = hub.caspian(
        "publish", "-", who="az-fhn", stdin=cap(f"cli-{uuid.uuid4().hex}", sent=datetime.now(UTC))
    )
    assert published.returncode == 0, published.stderr
    statement = {"statement": "{}", "signatures": []}
    (hub.directory / "s.json").write_text(json.dumps(statement))
    return hub


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("command", COMMANDS)
def test_who_may_call_what(
    asked: Hub, fresh: Callable[..., bytes], command: str, role: str
) -> None:
    call, allowed = COMMANDS[command]
    (Path(asked.directory) / "a.xml").write_bytes(fresh())
    done = asked.caspian(*(part.format(url=asked.url) for part in call), who=f"role {role}")

    assert (done.returncode != 4) == (role in allowed), done.stderr
    assert done.returncode in {0, 4, 5}, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_nobody_may_call_anything_without_a_token(asked: Hub, command: str) -> None:
    call, _ = COMMANDS[command]
    done = asked.caspian(*(part.format(url=asked.url) for part in call))

    assert done.returncode == 4, done.stderr
    assert "token-missing" in done.stderr
