"""``caspian publish``, ``ack`` and ``show`` against a hub that runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hub import Hub

Fresh = Callable[..., bytes]


def receipt(hub: Hub, message: bytes, **given: Any) -> dict[str, Any]:
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=message, **given)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["receipt"]
    return found


def test_each_file_gets_a_receipt_line(hub: Hub, fresh: Fresh, tmp_path: Path) -> None:
    files = []
    for name in ("one.xml", "two.xml"):
        (tmp_path / name).write_bytes(fresh())
        files.append(str(tmp_path / name))

    done = hub.caspian("publish", *files, who="az-fhn")

    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.partition(": #")[0] for line in lines] == files
    assert done.stderr == ""


def test_the_same_bytes_bring_the_same_receipt(hub: Hub, fresh: Fresh) -> None:
    message = fresh()

    first, second = receipt(hub, message), receipt(hub, message)

    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["index"] == second["index"]
    again = hub.caspian("publish", "-", who="az-fhn", stdin=message)
    assert "it was there before" in again.stdout


def test_a_message_can_have_an_id_of_its_senders(hub: Hub, fresh: Fresh) -> None:
    message = fresh()
    own = f"own-{hash(message):x}".replace("--", "-")

    done = hub.caspian("publish", "-", "--id", own, "--json", who="az-fhn", stdin=message)

    assert json.loads(done.stdout)["receipt"]["id"] == own


def test_a_refused_file_does_not_hold_up_the_others(hub: Hub, fresh: Fresh, tmp_path: Path) -> None:
    bad = fresh().replace(b"<severity>Severe", b"<severity>Huge")
    (tmp_path / "bad.xml").write_bytes(bad)
    (tmp_path / "good.xml").write_bytes(fresh())

    done = hub.caspian(
        "publish", str(tmp_path / "bad.xml"), str(tmp_path / "good.xml"), who="az-fhn"
    )

    assert done.returncode == 5
    assert "good.xml: #" in done.stdout
    assert "bad.xml" not in done.stdout
    block = done.stderr.splitlines()
    assert block[0].endswith("bad.xml:")
    assert block[1].startswith("error ")
    assert any("line " in line and "severity" in line for line in block)
    assert block[-1].startswith("what to do: ")


def test_programs_get_the_findings_too(hub: Hub, fresh: Fresh) -> None:
    bad = fresh().replace(b"<severity>Severe", b"<severity>Huge")

    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=bad)

    assert done.returncode == 5
    error = json.loads(done.stdout)["error"]
    assert error["code"]
    assert error["remedy"]
    assert error["findings"][0]["line"] > 1


def test_warnings_come_beside_the_receipt(hub: Hub, fresh: Fresh) -> None:
    old = fresh(sent=datetime.now(UTC) - timedelta(days=3))

    done = hub.caspian("publish", "-", who="az-fhn", stdin=old)

    assert done.returncode == 0
    assert done.stdout.startswith("-: #")
    assert "  warning H7 alert/sent: sent 3 days ago" in done.stderr


@pytest.mark.parametrize(
    ("content", "exit_code", "code"),
    [
        (b"", 5, "empty-payload"),
        (b" \n\t ", 5, "empty-payload"),
        (b"\x00\x01\x02\xff" * 5000, 5, "not-xml"),
        (b"<?xml version='1.0'?><html/>", 5, "wrong-namespace"),
        (b"{}", 5, None),
        (b"<a>" + b"x" * (10 << 20) + b"</a>", 5, "too-large"),
        (b"x" * ((16 << 20) + 1), 5, "too-large"),
    ],
    ids=["empty", "blank", "binary", "html", "json", "10 MB", "over 16 MB"],
)
def test_what_is_no_message_is_refused(
    hub: Hub, tmp_path: Path, content: bytes, exit_code: int, code: str | None
) -> None:
    (tmp_path / "file").write_bytes(content)

    for name, stdin in ((str(tmp_path / "file"), b""), ("-", content)):
        done = hub.caspian("publish", name, who="az-fhn", stdin=stdin)

        assert (done.returncode, done.stdout) == (exit_code, "")
        assert code is None or f"error {code}: " in done.stderr
        assert "Traceback" not in done.stderr


def test_what_cannot_be_read_is_told(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    names = [str(tmp_path / "missing"), str(tmp_path / "directory"), "a\0b"]
    if os.geteuid() != 0:
        names.append(str(tmp_path / "secret"))

    for name in names:
        done = hub.caspian("publish", name, who="az-fhn")

        assert done.returncode == 2
        assert "cannot be read" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_device_without_end_is_not_read_for_ever(hub: Hub) -> None:
    done = hub.caspian("publish", "/dev/zero", who="az-fhn")

    assert done.returncode == 5
    assert "error too-large: " in done.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("a", "b", "--id", "x"), ("-", "-"), ("a", "--nope"), ("--nope",)]
)
def test_a_wrong_call_sends_nothing(hub: Hub, arguments: tuple[str, ...]) -> None:
    done = hub.caspian("publish", *arguments, who="az-fhn")

    assert done.returncode == 2
    assert done.stderr.startswith("error usage: ")


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "token-missing"),
        ("csp_wrong", "token-invalid"),
        ("csp_abcdefgh_" + "A" * 43, "token-invalid"),
        ("ə", "token-invalid"),
        ("two words", "token-invalid"),
    ],
)
def test_without_a_valid_token_nothing_is_done(
    hub: Hub, fresh: Fresh, token: str, code: str
) -> None:
    done = hub.caspian("publish", "-", stdin=fresh(), CASPIAN_TOKEN=token)

    assert (done.returncode, done.stdout) == (4, "")
    assert f"error {code}: " in done.stderr
    assert "what to do: " in done.stderr


def test_a_token_may_come_from_a_file_or_the_command_line(
    hub: Hub, fresh: Fresh, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(hub.tokens["az-fhn"] + "\n")

    from_file = hub.caspian(
        "publish", "-", stdin=fresh(), CASPIAN_TOKEN_FILE=str(tmp_path / "token")
    )
    given = hub.caspian("publish", "-", "--token", hub.tokens["az-fhn"], stdin=fresh())
    missing = hub.caspian("publish", "-", stdin=fresh(), CASPIAN_TOKEN_FILE="/nowhere")

    assert (from_file.returncode, given.returncode) == (0, 0)
    assert missing.returncode == 2
    assert "CASPIAN_TOKEN_FILE" in missing.stderr


def test_a_role_that_may_not_publish_is_told(hub: Hub, fresh: Fresh) -> None:
    done = hub.caspian("publish", "-", who="auditor", stdin=fresh())

    assert done.returncode == 4
    assert "error not-allowed: " in done.stderr


def test_where_nobody_answers_the_rest_is_not_tried(hub: Hub, fresh: Fresh, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(fresh())

    done = hub.caspian(
        "publish", str(tmp_path / "a"), str(tmp_path / "b"),
        "--url", "http://127.0.0.1:1", "--within", "0.1", who="az-fhn",
    )  # fmt: skip

    assert done.returncode == 3
    assert "error hub-unreachable: " in done.stderr
    assert f"not tried: {tmp_path / 'b'}" in done.stderr


@pytest.mark.parametrize("url", ["ftp://x", "hub.example", "http://", "http://[::1", "http://x:y"])
def test_an_address_that_is_none_is_refused(hub: Hub, url: str) -> None:
    done = hub.caspian("show", "1", "--url", url, who="az-fhn")

    assert done.returncode == 2
    assert "is no address of a hub" in done.stderr


def test_a_message_is_acknowledged_by_name_and_shown(hub: Hub, fresh: Fresh) -> None:
    given = receipt(hub, fresh(headline="Neft dağılması [bold]x"))

    acked = hub.caspian("ack", given["id"], "--note", "boats sent", who="officer")
    again = hub.caspian("ack", str(given["index"]), "--json", who="officer")
    shown = hub.caspian("show", given["id"], who="az-fhn", TZ="Asia/Tehran")

    assert acked.returncode == 0, acked.stderr
    assert "acknowledged: #" in acked.stdout
    assert json.loads(again.stdout)["duplicate"] is True
    assert "was acknowledged before" in hub.caspian("ack", given["id"], who="officer").stdout
    assert shown.stdout.splitlines()[0] == "Neft dağılması [bold]x"
    row = next(line for line in shown.stdout.splitlines() if line.startswith("ir-ndmo"))
    assert "acknowledged" in row
    assert "Reza Karimi" in row
    assert "boats sent" in row
    assert "+03:30)" in row


def test_an_exercise_is_marked_wherever_it_is_shown(hub: Hub, fresh: Fresh) -> None:
    given = receipt(hub, fresh(status="Exercise"))

    assert hub.caspian("show", given["id"], who="az-fhn").stdout.startswith("[EXERCISE] ")


def test_programs_get_the_life_of_a_message(hub: Hub, fresh: Fresh) -> None:
    message = fresh()
    given = receipt(hub, message)

    life = json.loads(hub.caspian("show", given["id"], "--json", who="az-fhn").stdout)

    assert life["index"] == given["index"]
    assert "ir-ndmo" in [one["agency"] for one in life["recipients"]]
    sent = hub.caspian("show", given["id"], "--payload", who="az-fhn")
    assert sent.stdout.encode() == message


@pytest.mark.parametrize(
    ("arguments", "who", "exit_code", "code"),
    [
        (("show", "nothing-like-it"), "az-fhn", 5, "unknown-message"),
        (("show", "..\\..\\v1"), "az-fhn", 5, "unknown-message"),
        (("show", " "), "az-fhn", 2, "usage"),
        (("show", "x", "--json", "--payload"), "az-fhn", 2, "usage"),
        (("ack", "nothing-like-it"), "officer", 5, "unknown-message"),
        (("ack", ""), "officer", 2, "usage"),
        (("ack", "x"), "auditor", 4, "not-allowed"),
        (("ack", "x", "--officer", "Somebody Else"), "officer", 4, "not-allowed"),
        (("ack", "x"), "ir-ndmo", 5, "field-missing"),
    ],
)
def test_what_cannot_be_done_is_refused(
    hub: Hub, arguments: tuple[str, ...], who: str, exit_code: int, code: str
) -> None:
    done = hub.caspian(*arguments, who=who)

    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.startswith(f"error {code}: ")


def test_ones_own_message_is_not_acknowledged(hub: Hub, fresh: Fresh) -> None:
    given = receipt(hub, fresh())

    done = hub.caspian("ack", given["id"], "--officer", "Aysel", who="az-fhn")

    assert done.returncode == 5
    assert "error not-to-acknowledge: " in done.stderr
