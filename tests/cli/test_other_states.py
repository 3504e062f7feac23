"""Every command that names an agency, for another state's: nobody's role reaches so far."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest

from tests.cli.hub import Hub
from tests.log.samples import cap

READERS = ("agency of AZ", "officer of AZ", "auditor of AZ")
CALLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "show": (("show", "{private}"), READERS),
    "thread": (("thread", "{private}"), READERS),
    "ack": (("ack", "{private}"), ("agency of AZ", "officer of AZ")),
    "tail": (("tail", "ir-ndmo", "--since", "1h", "--limit", "1"), READERS),
    "keys chain": (("keys", "chain", "ir-ndmo", "none.outbox"), READERS),
    "members add": (("members", "add", "ir-new", "--name", "New"), ("registrar of AZ",)),
    "subs add": (("subs", "add", "ir-ndmo.all"), ("registrar of AZ",)),
    "log redact": (
        ("log", "redact", "{private}", "ir-ndmo", "--grounds", "none"),
        ("registrar of AZ",),
    ),
}
"""What is asked of Iran's agencies, and in which roles somebody of Azerbaijan asks it."""


@pytest.fixture(scope="module")
def private(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the index of a message that only Iran's agencies may know of; give tokens."""
    added = hub.caspian("members", "add", "ir-met", "--name", "Met", who="operator")
    assert added.returncode == 0, added.stderr
    roles = {
        "agency of AZ": ("agency", "--agency", "az-fhn"),
        "officer of AZ": ("officer", "--agency", "az-fhn", "--person", "P"),
        "auditor of AZ": ("auditor", "--state", "AZ"),
        "registrar of AZ": ("registrar", "--state", "AZ", "--person", "P"),
    }
    for role, made in roles.items():
        done = hub.caspian("tokens", "add", *made)
        assert done.returncode == 0, done.stderr
        hub.tokens[role] = done.stdout.strip()
    file = tmp_path_factory.mktemp("private") / "p.xml"
    sent_at = datetime.now(UTC)
    file.write_bytes(
        cap(f"p-{uuid.uuid4().hex}", sent=sent_at, scope="Private", addresses="ir-met")
    )
    sent = hub.caspian("publish", str(file), "--json", who="ir-ndmo")
    assert sent.returncode == 0, sent.stderr
    return str(json.loads(sent.stdout)["receipt"]["index"])


@pytest.mark.parametrize(("command", "who"), [(c, w) for c, (_, ws) in CALLS.items() for w in ws])
def test_nobody_reaches_into_another_state(hub: Hub, private: str, command: str, who: str) -> None:
    done = hub.caspian(*(part.format(private=private) for part in CALLS[command][0]), who=who)

    assert done.returncode in {4, 5}, (done.stdout, done.stderr)
    assert "ir-met" not in done.stdout


@pytest.mark.parametrize("who", ["ir-ndmo", "auditor"])
def test_whoever_may_know_of_it_does(hub: Hub, private: str, who: str) -> None:
    """Else the refusals above would show nothing."""
    assert hub.caspian("show", private, who=who).returncode == 0


def test_an_auditor_of_a_state_lists_the_rest_without_what_it_says(hub: Hub, private: str) -> None:
    after = ("--from", private, "--to", private)
    theirs = hub.caspian("log", "ls", "--url", hub.url, *after, "--json", who="auditor of AZ")
    whole = hub.caspian("log", "ls", "--url", hub.url, *after, "--json", who="auditor")

    assert (theirs.returncode, whole.returncode) == (0, 0), theirs.stderr
    assert "ir-met" in whole.stdout
    assert "ir-met" not in theirs.stdout
    assert "1 more is not yours" in theirs.stderr
    shown = hub.caspian("log", "show", private, "--url", hub.url, who="auditor of AZ")
    assert (shown.returncode, "leaf hash alone" in shown.stderr) == (4, True)
