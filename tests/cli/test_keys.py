"""``caspian keys`` and ``registry``: from the states' roots to a signed alert, as people do it."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hub import Hub, running_hub

STATES = ("AZ", "IR", "KZ", "RU", "TM")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Run a hub whose first entry names five states; az-fhn is a member and has a key."""
    directory = tmp_path_factory.mktemp("signed")
    hub = Hub(directory, "", {})
    records = [{"id": s, "name": s, "authority": _new(hub, f"{s}-authority")} for s in STATES]
    roots = directory / "roots.json"
    roots.write_text(json.dumps(records))
    with running_hub(directory, roots=roots) as hub:
        root = _new(hub, "az-fhn-root")
        done(
            hub, "members", "add", "az-fhn", "--name", "FHN", "--root", root,
            "--sign", "AZ-authority", "--sign", "az-fhn-root",
        )  # fmt: skip
        done(
            hub, "keys", "rotate", "az-fhn", "--key", "az-fhn-1",
            "--sign", "az-fhn-root", "--sign", "AZ-authority",
        )  # fmt: skip
        issued = hub.caspian("tokens", "issue", "agency", "--agency", "az-fhn")
        hub.tokens["az-fhn"] = issued.stdout.strip()
        yield hub


def _new(hub: Hub, name: str) -> str:
    made = hub.caspian("keys", "new", name)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def done(hub: Hub, *arguments: str, who: str = "operator") -> str:
    ran = hub.caspian(*arguments, who=who)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def refused(hub: Hub, code: str, *arguments: str, who: str = "operator", exit_code: int = 5) -> str:
    ran = hub.caspian(*arguments, who=who)
    assert (ran.returncode, code in ran.stderr) == (exit_code, True), ran.stderr
    return ran.stderr


def test_a_key_file_is_for_its_owner_only(signed: Hub) -> None:
    file = signed.directory / "AZ-authority"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert done(signed, "keys", "show", "AZ-authority").startswith("AZ-authority+")
    assert json.loads(file.read_text())["seed"] not in done(signed, "keys", "show", "AZ-authority")


def test_a_file_that_is_there_is_not_overwritten(signed: Hub) -> None:
    before = (signed.directory / "az-fhn-root").read_bytes()

    refused(signed, "key-file-unusable", "keys", "new", "az-fhn-root")
    assert (signed.directory / "az-fhn-root").read_bytes() == before


def test_a_signed_alert_is_published_once_however_often_it_is_sent(
    signed: Hub, fresh: Callable[..., bytes]
) -> None:
    (signed.directory / "a.xml").write_bytes(fresh())
    call = ("publish", "a.xml", "--key", "az-fhn-1", "--json")
    first = json.loads(done(signed, *call, who="az-fhn"))["receipt"]
    again = json.loads(done(signed, *call, who="az-fhn"))["receipt"]

    assert (again["index"], again["duplicate"]) == (first["index"], True)
    shown = json.loads(done(signed, "show", str(first["index"]), "--json", who="az-fhn"))
    assert shown["attested"] == "agency"
    assert shown["key"].startswith("az-fhn-1+")
    told = json.loads(done(signed, "keys", "chain", "az-fhn", "az-fhn.outbox", "--json"))
    assert told["agree"]
    assert told["own"] == told["log"] >= 1
    assert "ok" in done(signed, "verify").lower()


def test_a_refused_alert_keeps_its_number(signed: Hub, fresh: Callable[..., bytes]) -> None:
    (signed.directory / "b.xml").write_bytes(fresh(scope="Private", addresses="nobody"))
    (signed.directory / "c.xml").write_bytes(fresh())
    call = ("publish", "b.xml", "c.xml", "--key", "az-fhn-1")

    refused(signed, "no-known-recipient", *call, who="az-fhn")
    assert json.loads(done(signed, "keys", "chain", "az-fhn", "az-fhn.outbox", "--json"))["agree"]


def test_a_lost_outbox_is_seen_and_the_logs_count_adopted(
    signed: Hub, fresh: Callable[..., bytes]
) -> None:
    for name in ("d.xml", "e.xml"):
        (signed.directory / name).write_bytes(fresh())
    publish = ("--key", "az-fhn-1", "--outbox", "lost.outbox")
    done(signed, "publish", "d.xml", "--key", "az-fhn-1", who="az-fhn")

    refused(signed, "sequence-fork", "publish", "e.xml", *publish, who="az-fhn")
    refused(signed, "differ", "keys", "chain", "az-fhn", "lost.outbox")
    done(signed, "keys", "chain", "az-fhn", "lost.outbox", "--adopt")
    done(signed, "publish", "e.xml", *publish, who="az-fhn")
    # The record that is behind now is the other one.
    done(signed, "keys", "chain", "az-fhn", "az-fhn.outbox", "--adopt")


def test_nothing_changes_without_those_who_must_sign(signed: Hub) -> None:
    refused(signed, "statement-required", "members", "add", "az-met", "--name", "Met")
    refused(
        signed, "statement-unsigned", "members", "add", "az-met", "--name", "Met",
        "--sign", "IR-authority",
    )  # fmt: skip
    text = refused(
        signed, "statement-unsigned", "keys", "rotate", "az-fhn", "--key", "az-fhn-9",
        "--sign", "az-fhn-root",
    )  # fmt: skip
    assert "AZ-authority" in text


def test_a_statement_goes_from_hand_to_hand(signed: Hub) -> None:
    done(signed, "keys", "rotate", "az-fhn", "--key", "az-fhn-2", "--output", "change.json")
    refused(signed, "statement-unsigned", "registry", "submit", "change.json")
    shown = done(signed, "registry", "sign", "change.json", "az-fhn-root", who="")
    done(signed, "registry", "sign", "change.json", "AZ-authority", who="")
    done(signed, "registry", "submit", "change.json")

    assert '"action": "add"' in shown
    assert "az-fhn-2" in done(signed, "keys", "ls", "--agency", "az-fhn")
    # The same again is the same; it changes nothing.
    first = done(signed, "registry", "submit", "change.json", "--json")
    assert done(signed, "registry", "submit", "change.json", "--json") == first


def test_an_altered_statement_is_refused(signed: Hub) -> None:
    done(signed, "keys", "rotate", "az-fhn", "--key", "az-fhn-3", "-o", "other.json")
    done(signed, "registry", "sign", "other.json", "az-fhn-root", "AZ-authority", who="")
    file = signed.directory / "other.json"
    longer = '\\"add\\",\\"expires\\":\\"2099-01-01T00:00:00Z\\"'
    file.write_text(file.read_text().replace('\\"add\\"', longer))

    refused(signed, "signature-invalid", "registry", "submit", "other.json")


def test_a_revoked_key_signs_nothing_more(signed: Hub, fresh: Callable[..., bytes]) -> None:
    done(
        signed, "keys", "rotate", "az-fhn", "--key", "stolen",
        "--sign", "az-fhn-root", "--sign", "AZ-authority",
    )  # fmt: skip
    for name in ("f.xml", "g.xml"):
        (signed.directory / name).write_bytes(fresh())
    sent = json.loads(done(signed, "publish", "f.xml", "--key", "stolen", "--json", who="az-fhn"))[
        "receipt"
    ]
    done(
        signed, "keys", "revoke", "stolen", "--compromised-since", str(sent["index"]),
        "--reason", "a stolen laptop", "--sign", "az-fhn-root",
    )  # fmt: skip

    refused(signed, "key-revoked", "publish", "g.xml", "--key", "stolen", who="az-fhn")
    # The number was given back: another key goes on with it.
    done(signed, "publish", "g.xml", "--key", "az-fhn-1", who="az-fhn")
    shown = json.loads(done(signed, "show", str(sent["index"]), "--json", who="az-fhn"))
    assert shown["suspect"]


def test_a_sixth_state_is_taken_in_by_three_of_five(signed: Hub) -> None:
    record = {"id": "GE", "name": "Georgia", "authority": _new(signed, "GE-authority")}
    (signed.directory / "ge.json").write_text(json.dumps(record))
    done(
        signed, "registry", "propose", "state", "ge.json", "-o", "ge-change.json",
        "--sign", "AZ-authority", "--sign", "KZ-authority",
    )  # fmt: skip
    refused(signed, "statement-unsigned", "registry", "submit", "ge-change.json")
    done(signed, "registry", "sign", "ge-change.json", "TM-authority", who="")
    done(signed, "registry", "submit", "ge-change.json")
    root = _new(signed, "ge-ems-root")
    done(
        signed, "members", "add", "ge-ems", "--name", "EMS", "--root", root,
        "--sign", "GE-authority", "--sign", "ge-ems-root",
    )  # fmt: skip

    assert "Georgia" in done(signed, "registry", "show")
    found: dict[str, Any] = json.loads(done(signed, "registry", "show", "--json"))
    assert found["agencies"]["ge-ems"]["state"] == "GE"


def test_a_subscription_is_signed_by_the_agency(signed: Hub) -> None:
    refused(signed, "statement-required", "subs", "add", "az-fhn.oil")
    shown = done(signed, "subs", "add", "az-fhn.oil", "--sign", "az-fhn-1")

    assert "az-fhn.oil" in shown


def test_a_sealed_key_asks_for_its_passphrase(signed: Hub) -> None:
    def call(passphrase: str | None, *arguments: str) -> Any:
        given = {} if passphrase is None else {"CASPIAN_PASSPHRASE": passphrase}
        return signed.caspian(*arguments, who="operator", **given)

    made = call("xəzər", "keys", "new", "sealed", "--sealed")
    assert made.returncode == 0, made.stderr
    assert "seed" not in json.loads((signed.directory / "sealed").read_text())
    propose = ("keys", "rotate", "az-fhn", "--key", "sealed", "-o", "sealed.json")

    assert call("xəzər", *propose).returncode == 0
    wrong = call("caspian", *propose)
    assert (wrong.returncode, "passphrase-wrong" in wrong.stderr) == (5, True)
    nobody = call(None, *propose)
    assert (nobody.returncode, "usage" in nobody.stderr) == (2, True)


def test_a_program_signs_that_holds_a_key_of_its_own(signed: Hub, tmp_path: Path) -> None:
    program = tmp_path / "card.py"
    seed = json.loads((signed.directory / "az-fhn-root").read_text())["seed"]
    program.write_text(
        "import base64, sys\nfrom nacl.signing import SigningKey\n"
        f"key = SigningKey(base64.b64decode('{seed}'))\n"
        "print(base64.b64encode(key.sign(sys.stdin.buffer.read()).signature).decode())\n"
    )
    public = done(signed, "keys", "show", "az-fhn-root").strip()
    command = f"{sys.executable} {program}"
    done(signed, "keys", "new", "card", "--command", command, "--public", public)

    done(
        signed, "keys", "rotate", "az-fhn", "--key", "by-card",
        "--sign", "card", "--sign", "AZ-authority",
    )  # fmt: skip
    done(signed, "keys", "new", "liar", "--command", "echo AAAA", "--public", public)
    refused(
        signed, "signer-failed", "keys", "rotate", "az-fhn", "--key", "by-liar", "--sign", "liar"
    )


@pytest.mark.parametrize(
    ("content", "mode"), [("{}", 0o600), ("no", 0o600), (None, 0o644), ('{"key": "x"}', 0o600)]
)
def test_a_file_that_is_no_key_or_that_others_may_read_is_refused(
    signed: Hub, content: str | None, mode: int
) -> None:
    file = signed.directory / f"bad-{mode}-{content and content.strip('{}')[:3].strip()}"
    file.write_text(content or (signed.directory / "az-fhn-root").read_text())
    file.chmod(mode)
    ran = signed.caspian(
        "keys", "revoke", "az-fhn-1", "--sign", str(file), "-o", "x.json", who="operator"
    )

    assert ran.returncode == 5, ran.stderr
    assert "key-file-unusable" in ran.stderr or "key-invalid" in ran.stderr


def test_a_redaction_is_signed_by_the_states_authority(
    signed: Hub, fresh: Callable[..., bytes]
) -> None:
    (signed.directory / "r.xml").write_bytes(fresh(headline="to be removed"))
    sent = json.loads(
        done(signed, "publish", "r.xml", "--key", "az-fhn-1", "--json", who="az-fhn")
    )["receipt"]
    call = ("log", "redact", str(sent["index"]), "az-fhn", "--grounds", "court order 7")

    refused(signed, "statement-required", *call)
    refused(signed, "statement-unsigned", *call, "--sign", "az-fhn-root")
    done(signed, *call, "--sign", "AZ-authority")
    assert "to be removed" not in done(signed, "show", str(sent["index"]), "--json", who="az-fhn")
    assert "ok" in done(signed, "verify").lower()
