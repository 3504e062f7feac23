"""``caspian validate``: findings, exit codes, containers, profiles; and it needs no hub."""

from __future__ import annotations

import base64
import json
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cap import read_alert, write_alert_json
from schemas.errors import Rejected
from schemas.judgement import judge
from schemas.payload import read_payload
from tests.cli.conftest import Caspian
from tests.log.samples import cap

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
GOOD = cap("v-1")
AID = (ROOT / "hub/demo/scenario/aid-request-1.xml").read_text("utf-8")
for name in ("{sent}", "{soon}"):
    AID = AID.replace(name, "2026-11-23T08:00:00Z")
BROKEN = GOOD.replace(b"<scope>Public</scope>", b"<scope>Secret</scope>")
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&b;</identifier></alert>"""
RTL = "هشدار \u202eسیل\u202c \x9b"


def write_json() -> bytes:
    return write_alert_json(read_alert(GOOD).alert)


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.xml"
    path.write_bytes(GOOD)
    return path


def test_a_valid_message_is_told_with_its_kind(caspian: Caspian, good: Path) -> None:
    done = caspian("validate", str(good))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"{good}: valid CAP 1.2"


def test_it_asks_no_hub_and_no_log(caspian: Caspian) -> None:
    away = {"CASPIAN_URL": "http://127.0.0.1:1", "CASPIAN_LOG_URL": "sqlite:////nowhere/log.db"}

    assert caspian("validate", "-", stdin=GOOD, env=away).returncode == 0


def test_what_is_wrong_is_told_with_its_line_and_what_to_do(caspian: Caspian) -> None:
    done = caspian("validate", "-", stdin=BROKEN)

    line = BROKEN[: BROKEN.index(b"<scope>")].count(b"\n") + 1
    assert done.returncode == 5
    first, finding, remedy = done.stdout.splitlines()
    assert first == "-: not valid CAP 1.2"
    assert finding.startswith(f"  line {line}  XSD  error  alert/scope: ")
    assert remedy.startswith("    what to do: ")


def test_each_rule_has_its_own_advice_once(caspian: Caspian) -> None:
    twice = GOOD.replace(b"-00:00<", b"+00:00<").replace(b"<headline>", b"<headline>&amp;amp; ")

    done = caspian("validate", "-", stdin=twice)

    advice = [one.strip() for one in done.stdout.splitlines() if "what to do" in one]
    assert "what to do: Write UTC as -00:00." in advice
    assert "what to do: Escape once: &amp; and not &amp;amp;." in advice
    assert len(advice) == len(set(advice))


def test_warnings_alone_do_not_fail(caspian: Caspian) -> None:
    done = caspian("validate", "-", stdin=GOOD.replace(b"-00:00<", b"+00:00<"))

    assert done.returncode == 0
    assert "R04u  warning" in done.stdout


def test_programs_get_one_object_a_file(caspian: Caspian, tmp_path: Path, good: Path) -> None:
    (tmp_path / "bad.xml").write_bytes(BROKEN)

    done = caspian("validate", "--json", str(good), "bad.xml", "missing.xml")

    assert done.returncode == 2
    assert done.stderr == ""
    one, two, three = objects(done.stdout)
    assert one == {"file": str(good), "kind": "CAP 1.2", "valid": True, "findings": []}
    assert (two["file"], two["kind"], two["valid"]) == ("bad.xml", "CAP 1.2", False)
    assert set(two["findings"][0]) == {"rule", "severity", "path", "line", "message"}
    assert two["error"]["code"] == "structure-invalid"
    assert (three["valid"], three["findings"]) == (False, [])
    assert three["error"]["code"] == "usage"


def test_of_many_files_the_sum_is_told(caspian: Caspian, tmp_path: Path, good: Path) -> None:
    (tmp_path / "bad.xml").write_bytes(BROKEN)

    done = caspian("validate", str(good), str(good), "bad.xml")

    assert done.returncode == 5
    assert done.stderr == "3 files: 2 valid, 1 not valid\n"


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"", "unknown", "empty-payload"),
        (b" \n", "unknown", "empty-payload"),
        (bytes(range(256)), "unknown", "not-xml"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "unknown", "not-xml"),
        (b"\xff\xfe\0\0", "unknown", "not-xml"),
        (BOMB, "unknown", "xml-forbidden"),
        (GOOD[:-20], "CAP 1.2", "not-xml"),
        (b"<html></html>", "unknown", "wrong-namespace"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "Atom", "no-alert"),
        (b'<alert xmlns="http://www.incident.com/cap/1.0"/>', "CAP 1.0", "cap-1.0"),
        (b'{"identifier": 1}', "CAP 1.2 (JSON)", "structure-invalid"),
        (b'{"identifier": ', "CAP 1.2 (JSON)", "not-json"),
        (b'{"a":' * 100_000, "unknown", "too-deep"),
        (b'{"type": "FeatureCollection"}', "unknown", "wrong-namespace"),
        (
            b'{"MessageContentType": "RequestReturn"}',
            "EDXL-RM RequestReturn (JSON)",
            "structure-invalid",
        ),
        (
            b'<Nope xmlns="urn:oasis:names:tc:emergency:EDXL:RM:1.0:msg"/>',
            "EDXL-RM Nope",
            "wrong-namespace",
        ),
    ],
)
def test_bad_bytes_are_refused_and_never_a_fault(
    caspian: Caspian, data: bytes, kind: str, code: str
) -> None:
    done = caspian("validate", "--json", "-", stdin=data)

    (told,) = objects(done.stdout)
    assert (done.returncode, done.stderr) == (5, "")
    assert (told["kind"], told["valid"], told["error"]["code"]) == (kind, False, code)
    assert any(finding["severity"] == "error" for finding in told["findings"])


def test_what_cannot_be_read_does_not_hold_up_the_rest(
    caspian: Caspian, tmp_path: Path, good: Path
) -> None:
    (tmp_path / "directory").mkdir()

    done = caspian("validate", "missing", "directory", "a\0b", str(good))

    assert done.returncode == 2
    assert done.stdout.count("cannot be read") == 3
    assert f"{good}: valid" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_device_without_end_is_not_read_for_ever(caspian: Caspian) -> None:
    done = caspian("validate", "--json", "/dev/zero")

    (told,) = objects(done.stdout)
    assert done.returncode == 5
    assert [finding["rule"] for finding in told["findings"]] == ["R01"]


@pytest.mark.parametrize(
    "arguments", [(), ("-", "-"), ("a", "--nope"), ("--nope",), ("a", "--profile", "nato")]
)
def test_a_wrong_call_is_told(caspian: Caspian, arguments: tuple[str, ...]) -> None:
    done = caspian("validate", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error usage: ")


def test_text_of_others_does_nothing_to_a_terminal(caspian: Caspian) -> None:
    data = GOOD.replace(b"<event>", f"<event>{RTL}".encode()).replace(b"Public", RTL.encode())

    done = caspian("validate", "-", stdin=data)
    told = caspian("validate", "--json", "-", stdin=data)

    assert done.returncode == 5
    for text in (done.stdout, told.stdout):
        assert not {"\u202e", "\x9b"} & set(text)
    assert "هشدار" in done.stdout


def test_an_aid_message_is_told_with_its_type(caspian: Caspian) -> None:
    done = caspian("validate", "--profile", "ipaws", "--json", "-", stdin=AID.replace("{run}", "1"))

    (told,) = objects(done.stdout)
    assert done.returncode == 0, done.stdout
    assert (told["kind"], told["valid"]) == ("EDXL-RM RequestResource", True)


@pytest.mark.parametrize(
    ("profile", "code", "rules"),
    [
        ("plain", 0, set()),
        ("wmo", 0, {"WMO1"}),
        ("ipaws", 5, {"IPAWS1", "IPAWS2"}),
        ("cap-cp", 5, {"CP03", "CP08"}),
    ],
)
def test_each_profile_asks_for_its_own(
    caspian: Caspian, profile: str, code: int, rules: set[str]
) -> None:
    done = caspian("validate", "--profile", profile, "--json", "-", stdin=GOOD)

    (told,) = objects(done.stdout)
    found = {finding["rule"] for finding in told["findings"]}
    assert done.returncode == code
    assert rules <= found
    assert (profile == "plain") == (not found)


def _bare(data: bytes) -> bytes:
    return data[data.index(b"<alert") :]


def test_each_alert_in_a_feed_is_told_with_lines_of_the_feed(caspian: Caspian) -> None:
    feed = b"".join(
        [
            b'<feed xmlns="http://www.w3.org/2005/Atom"\n xmlns:c="urn:x">\n<entry><content>\n',
            _bare(GOOD),
            b"</content></entry>\n<entry><content>",
            _bare(BROKEN),
            b"</content></entry><entry><content>",
            escape(BROKEN.decode()).encode(),
            b"</content></entry></feed>",
        ]
    )

    done = caspian("validate", "--json", "-", stdin=feed)
    shown = caspian("validate", "-", stdin=feed)

    one, two, three = objects(done.stdout)
    assert done.returncode == 5
    assert [told["alert"] for told in (one, two, three)] == [1, 2, 3]
    assert [told["valid"] for told in (one, two, three)] == [True, False, False]
    (finding,) = two["findings"]
    assert finding["line"] == feed[: feed.index(b"<scope>Secret")].count(b"\n") + 1
    assert [finding["line"] for finding in three["findings"]] == [None]
    assert "-: not valid" not in shown.stdout
    assert "- alert 2: not valid CAP 1.2" in shown.stdout


def test_rss_and_edxl_de_are_opened() -> None:
    text = escape(GOOD.decode())
    rss = f"<rss><channel><item><description>{text}</description></item></channel></rss>"
    envelope = (
        '<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><contentObject>'
        f"<nonXMLContent><contentData>{base64.b64encode(GOOD).decode()}</contentData>"
        "</nonXMLContent></contentObject></EDXLDistribution>"
    )

    for container in (rss, envelope):
        (found,) = judge(container.encode())

        assert (found.valid, found.kind, found.alert) == (True, "CAP 1.2", 1)


def test_a_prefix_that_the_container_declares_moves_no_line() -> None:
    alert = _bare(BROKEN).replace(b'xmlns="urn:oasis:names:tc:emergency:cap:1.2"', b"")
    alert = re.sub(rb"<(/?)(?=\w)", rb"<\1cap:", alert)
    document = b'<list xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2">\n\n%s</list>' % alert

    (found,) = judge(document)

    assert found.kind == "CAP 1.2"
    assert [finding.line for finding in found.findings] == [
        document[: document.index(b"Secret")].count(b"\n") + 1
    ]


def test_lines_are_right_behind_many_alerts_that_are_carried_as_text() -> None:
    text = b"<entry><content>%s</content></entry>\n" % escape(BROKEN.decode()).encode()
    last = _bare(BROKEN).replace(b"v-1", b"v-2")
    feed = b'<feed xmlns="http://www.w3.org/2005/Atom">%s%s</feed>' % (text * 50, last)

    found = judge(feed)

    assert [one.alert for one in found] == list(range(1, 52))
    assert {one.findings[0].line for one in found[:-1]} == {None}
    line = feed[: feed.index(b"<scope>")].count(b"\n") + 1
    assert [finding.line for finding in found[-1].findings] == [line]


@given(st.sampled_from([GOOD, AID.encode(), write_json()]), st.data())
def test_it_agrees_with_the_hub_on_damaged_messages(message: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(message)))
    gone = data.draw(st.integers(0, 20))
    put = data.draw(st.binary(max_size=4) | st.sampled_from([b"<!DOCTYPE a>", b"]]>", b"&lt;"]))
    damaged = message[:at] + put + message[at + gone :]

    found = judge(damaged)

    try:
        read_payload(damaged)
    except Rejected:
        assert found[0].refusal is not None or found[0].alert is not None
    else:
        assert [one.refusal for one in found] == [None]


def _files() -> list[Any]:
    if not CORPUS.is_dir():
        why = "the corpus of real messages is not beside this checkout"
        return [pytest.param(None, marks=pytest.mark.skip(reason=why))]
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    return [pytest.param(path, id=str(path.relative_to(CORPUS))) for path in files]


@pytest.mark.parametrize("path", _files())
def test_it_agrees_with_the_hub_on_real_messages(path: Path) -> None:
    data = path.read_bytes()
    found = judge(data)
    try:
        read_payload(data)
        taken = True
    except Rejected:
        taken = False

    if found[0].alert is None:
        assert [one.valid for one in found] == [taken]
    else:
        assert not taken
    for one in found:
        assert one.valid == all(finding.severity == "warning" for finding in one.findings)
        assert one.valid == (one.message is not None)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real messages is not there")
def test_the_command_takes_the_whole_corpus_at_once(caspian: Caspian) -> None:
    files = [str(path) for path in sorted(CORPUS.rglob("*")) if path.is_file()]

    done = caspian("validate", "--json", *files)

    assert (done.returncode, done.stderr) == (5, "")
    assert {told["file"] for told in objects(done.stdout)} == set(files)
