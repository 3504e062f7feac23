"""``caspian log``: what auditors see, from the store and from a bundle."""

from __future__ import annotations

import base64
import csv
import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from pyarrow import parquet

from hub.core.candidate import Candidate
from hub.core.merkle import root_of
from hub.log.scan import scan
from hub.log.store import Log
from tests.cli.conftest import ORIGIN, Caspian
from tests.log.samples import Writer, alert


@pytest.fixture(params=["store", "bundle"])
def source(
    request: pytest.FixtureRequest, caspian: Caspian, log: Log, tmp_path: Path
) -> tuple[str, ...]:
    """Give the options that name the same log in each of its places."""
    if request.param == "store":
        return ()
    assert caspian("log", "export", "all.gz").returncode == 0
    log.engine.dispose()
    for file in tmp_path.glob("log.db*"):
        file.unlink()
    return ("--bundle", "all.gz")


def indexes(text: str) -> list[int]:
    return [json.loads(line)["index"] for line in text.splitlines()]


def test_entries_are_listed_in_order(caspian: Caspian, source: tuple[str, ...]) -> None:
    done = caspian("log", "ls", *source)

    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    assert "genesis" in lines[0]
    assert "2026-11-23 08:00:02Z" in lines[4]
    assert "Alert Severe Oil on the water" in lines[4]
    assert "[EXERCISE] Alert Extreme Drill" in lines[5]
    assert "#4 by Reza" in lines[6]
    assert "not-xml: this is no XML" in lines[8]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--from", "7"), [7, 8]),
        (("--to", "1"), [0, 1]),
        (("--from", "2", "--to", "2"), [2]),
        (("--from", "2026-11-23T08:00:02Z", "--to", "2026-11-23T08:00:02.000001Z"), [4, 5]),
        (("--from", "2026-11-23T12:00:03+04:00"), [6, 7, 8]),
        (("--to", "2026-11-23 08:00"), [0]),
        (("--from", "2027-01-01"), []),
        (("--kind", "publish"), [4, 5]),
        (("--kind", "publish", "--kind", "refusal"), [4, 5, 8]),
        (("--agency", "az-fhn"), [4, 5]),
        (("--agency", "ir-ndmo", "--kind", "acknowledgement"), [6]),
        (("--from", "99"), []),
    ],
)
def test_a_part_is_listed(
    caspian: Caspian, source: tuple[str, ...], options: tuple[str, ...], expected: list[int]
) -> None:
    done = caspian("log", "ls", *options, *source, "--json")

    assert done.returncode == 0
    assert indexes(done.stdout) == expected


def test_of_a_long_log_the_end_is_listed(caspian: Caspian, log: Log) -> None:
    Writer(log).commit([alert("az-fhn", f"more-{i}") for i in range(20)])

    done = caspian("log", "ls", "--json")

    assert indexes(done.stdout) == list(range(9, 29))
    assert "the last 20 of 29" in done.stderr
    assert indexes(caspian("log", "ls", "--from", "0", "--json").stdout) == list(range(29))


@pytest.mark.usefixtures("log")
def test_local_time_stands_beside_utc(caspian: Caspian) -> None:
    done = caspian("log", "ls", env={"TZ": "Asia/Tehran"})

    assert "2026-11-23 08:00:02Z (11:30:02 +03:30)" in done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "yesterday"),
        ("--to", "2026-13-01"),
        ("--from", "-5"),
        ("--from", "999999999w"),
        ("--kind", "alert"),
        ("--from", "5", "--to", "4"),
        ("--from", "1h", "--to", "2h"),
    ],
)
@pytest.mark.usefixtures("log")
def test_a_part_that_cannot_be_is_refused(caspian: Caspian, options: tuple[str, ...]) -> None:
    done = caspian("log", "ls", *options)

    assert done.returncode == 2
    assert done.stderr.startswith("error usage: ")
    assert "what to do: " in done.stderr


def test_an_entry_is_shown_in_full(caspian: Caspian, source: tuple[str, ...]) -> None:
    done = caspian("log", "show", "4", *source)

    assert done.returncode == 0
    shown = dict(line.split(None, 1) for line in done.stdout.splitlines() if " " in line)
    assert shown["kind"] == "publish"
    assert shown["header.seq"] == "1"
    assert shown["header.payload_sha256"] in done.stdout.split("payload sha256")[1]


def test_the_exact_bytes_can_be_had(caspian: Caspian, source: tuple[str, ...]) -> None:
    entry = caspian("log", "show", "4", "--raw", *source).stdout.encode()
    payload = caspian("log", "show", "4", "--payload", *source).stdout.encode()

    header = json.loads(json.loads(entry)["header"])
    assert header["payload_sha256"] == sha256(payload).hexdigest()
    shown = caspian("log", "show", "4", *source).stdout
    assert sha256(b"\0" + entry).hexdigest() in shown


@pytest.mark.parametrize(
    ("arguments", "exit_code", "error"),
    [
        (("9",), 5, "entry-unknown"),
        (("--", "-1"), 5, "entry-unknown"),
        (("0", "--payload"), 5, "no-payload"),
        (("4", "--payload", "--raw"), 2, "usage"),
        (("4", "--json", "--raw"), 2, "usage"),
    ],
)
def test_what_is_not_there_is_refused(
    caspian: Caspian,
    source: tuple[str, ...],
    arguments: tuple[str, ...],
    exit_code: int,
    error: str,
) -> None:
    done = caspian("log", "show", *source, *arguments)

    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.startswith(f"error {error}: ")


@pytest.mark.parametrize("command", [("log", "verify"), ("verify",)])
def test_a_whole_log_verifies(
    caspian: Caspian, source: tuple[str, ...], command: tuple[str, ...]
) -> None:
    done = caspian(*command, *source)

    assert done.returncode == 0
    assert done.stdout.startswith("size    9\nroot    ")
    assert "checked 2 messages, 3 payloads, 0 signatures, 7 decisions, 1 ack" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("OK ")


def test_size_and_root_are_those_of_the_entries(caspian: Caspian, log: Log) -> None:
    done = caspian("verify", "--json")

    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert (told["entries"], told["fault"]) == (9, None)
    assert told["root"] == root_of(row.body for row in scan(log)).hex()


def test_a_changed_entry_is_named(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    log.close()
    with sqlite3.connect(tmp_path / "log.db") as c:
        c.execute(
            "update entries set body = cast(replace(cast(body as text), 'Reza', 'Raza') as blob)"
            " where idx = 6"
        )
    c.close()

    done = caspian("verify")

    assert done.returncode == 5
    assert "BROKEN  entry 6: tree: " in done.stdout
    assert "blame   whoever keeps this copy" in done.stdout
    assert "what to do: " in done.stderr


def test_a_changed_payload_is_named(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    log.close()
    with sqlite3.connect(tmp_path / "log.db") as c:
        c.execute("update payloads set body = x'00' where idx = 4")
    c.close()

    done = caspian("verify", "--json")

    assert done.returncode == 5
    fault = json.loads(done.stdout)["fault"]
    assert (fault["index"], fault["code"], fault["culprit"]) == (4, "payload", "storage")


def test_an_unreadable_entry_is_still_listed(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    log.close()
    with sqlite3.connect(tmp_path / "log.db") as c:
        c.execute("update entries set body = x'1b5b324a' where idx = 6")
    c.close()

    done = caspian("log", "ls")

    assert done.returncode == 0
    assert "cannot be read" in done.stdout.splitlines()[6]
    assert json.loads(caspian("log", "ls", "--json").stdout.splitlines()[6])["body"] == "1b5b324a"
    assert caspian("log", "show", "6").returncode == 0


def test_a_log_must_have_grown_from_what_was_kept(caspian: Caspian, log: Log) -> None:
    root = json.loads(caspian("verify", "--json").stdout)["root"]
    Writer(log).commit([alert("az-fhn", "later")])

    assert caspian("verify", "--earlier", f"9:{root}").returncode == 0
    forged = caspian("verify", "--earlier", f"9:{'0' * 64}")
    assert forged.returncode == 5
    assert "BROKEN" in forged.stdout


def test_what_was_added_since_a_kept_end_is_verified_alone(
    caspian: Caspian, log: Log, tmp_path: Path
) -> None:
    root = json.loads(caspian("verify", "--hashes", "--json").stdout)["root"]
    Writer(log).commit([alert("az-fhn", "later")])
    body = f"{ORIGIN}\n9\n{base64.b64encode(bytes.fromhex(root)).decode()}\n"
    (tmp_path / "kept").write_text(f"{body}\n\u2014 x {base64.b64encode(b'12345').decode()}\n")

    for end in (f"9:{root}", "kept"):
        told = json.loads(caspian("verify", "--since", end, "--json").stdout)
        assert (told["ok"], told["since"], told["entries"]) == (True, 9, 1)
        assert caspian("verify", "--earlier", end).returncode == 0
    assert caspian("verify", "--since", f"9:{'0' * 64}").returncode == 5
    set_back = json.loads(caspian("verify", "--since", f"11:{root}", "--json").stdout)
    assert (set_back["fault"]["code"], set_back["fault"]["culprit"]) == ("rollback", "hub")


def test_a_backup_is_verified_and_not_touched(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    with closing(log.engine.raw_connection()) as c, closing(c.cursor()) as cursor:
        cursor.execute(f"VACUUM INTO '{tmp_path / 'away' / 'backup.db'}'")
    before = (tmp_path / "away" / "backup.db").read_bytes()

    for options in ((), ("--hashes",), ("--full", "--workers", "1")):
        done = caspian("verify", "--store", "away/backup.db", *options)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "away" / "backup.db").read_bytes() == before
    assert [f.name for f in (tmp_path / "away").iterdir()] == ["backup.db"]
    assert caspian("verify", "--store", "missing.db").returncode == 3


@pytest.mark.parametrize(
    "options",
    [
        ("--hashes", "--full"),
        ("--hashes", "--bundle", "x"),
        ("--since", "1:" + "0" * 64, "--bundle", "x"),
        ("--since", "1:" + "0" * 64, "--earlier", "1:" + "0" * 64),
        ("--feeds", "--no-decisions"),
        ("--store", "x", "--bundle", "x"),
        ("--confirmed", "az-fhn"),
        ("--confirmed", "az-fhn=x"),
        ("--since", "nowhere"),
    ],
)
@pytest.mark.usefixtures("log")
def test_what_cannot_be_verified_together_is_refused(
    caspian: Caspian, options: tuple[str, ...]
) -> None:
    done = caspian("verify", *options)

    assert done.returncode == 2
    assert done.stderr.startswith("error usage: ")


def test_two_histories_are_told_from_one(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    root = json.loads(caspian("verify", "--hashes", "--json").stdout)["root"]
    caspian("log", "export", "whole.gz")
    for name, told in (("mine", bytes.fromhex(root)), ("theirs", bytes(32))):
        body = f"{ORIGIN}\n9\n{base64.b64encode(told).decode()}\n"
        line = f"\u2014 x {base64.b64encode(b'12345').decode()}\n"
        (tmp_path / name).write_text(f"{body}\n{line}")
    Writer(log).commit([alert("az-fhn", "later")])
    caspian("log", "export", "later.gz")

    for pair in (("mine", "whole.gz"), ("mine", "log.db"), ("whole.gz", "later.gz")):
        done = caspian("log", "compare", *pair)
        assert (done.returncode, done.stderr) == (0, ""), pair
        assert "both begin with the same 9 entries" in done.stdout
    for pair in (("mine", "theirs"), ("theirs", "later.gz"), ("log.db", "theirs")):
        assert caspian("log", "compare", *pair).returncode == 5
    log.close()
    with closing(sqlite3.connect(tmp_path / "log.db")) as c, c:
        c.execute("update tiles set hashes = zeroblob(320) where level = 0")
        c.execute("update entries set body = x'7b7d' where idx = 7")
    forked = json.loads(caspian("log", "compare", "log.db", "whole.gz", "--json").stdout)
    assert (forked["ok"], forked["index"], forked["culprits"]) == (False, 7, ["hub"])
    (tmp_path / "part").write_bytes(b"")
    for wrong in ("missing", "part"):
        assert caspian("log", "compare", "mine", wrong).returncode in {2, 5}


@pytest.mark.usefixtures("log")
def test_messages_acknowledgements_and_deliveries_have_tables_of_their_own(
    caspian: Caspian, log: Log, tmp_path: Path
) -> None:
    Writer(log).commit([Candidate("delivery", "", body={"ir-ndmo": 5, "az-fhn": 4})])
    found: dict[str, list[dict[str, str]]] = {}
    for table in ("messages", "acknowledgements", "deliveries"):
        given = ("--format", "csv", "--table", table, "--unlogged")
        assert caspian("log", "export", f"{table}.csv", *given).returncode == 0
        with (tmp_path / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            found[table] = list(csv.DictReader(file))
    messages, acks, deliveries = found.values()
    assert [(m["index"], m["identifier"], m["status"]) for m in messages] == [
        ("4", "a-1", "Actual"),
        ("5", "a-2", "Exercise"),
    ]
    assert messages[0]["areas"] == "Absheron"
    assert [(a["message"], a["officer"]) for a in acks] == [("4", "Reza")]
    assert {(d["feed"], d["through"]) for d in deliveries} == {("ir-ndmo", "5"), ("az-fhn", "4")}
    given = ("--format", "parquet", "--table", "messages", "--unlogged")
    assert caspian("log", "export", "m.parquet", *given).returncode == 0
    rows = parquet.read_table(tmp_path / "m.parquet").to_pylist()
    assert [(one["index"], one["payload_size"] > 0) for one in rows] == [(4, True), (5, True)]
    for wrong in (
        ("--table", "messages"),
        ("--format", "csv", "--table", "messages", "--kind", "key"),
    ):
        assert caspian("log", "export", "x", *wrong).returncode == 2


@pytest.mark.parametrize("earlier", ["9", "9:xyz", ":", "x:" + "0" * 64])
@pytest.mark.usefixtures("log")
def test_an_end_that_is_none_is_refused(caspian: Caspian, earlier: str) -> None:
    done = caspian("verify", "--earlier", earlier)

    assert done.returncode == 2
    assert "error usage: " in done.stderr


@pytest.mark.usefixtures("log")
def test_an_export_is_never_overwritten_by_mistake(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "kept.gz").write_bytes(b"precious")

    done = caspian("log", "export", "kept.gz")

    assert done.returncode == 2
    assert (tmp_path / "kept.gz").read_bytes() == b"precious"
    assert caspian("log", "export", "kept.gz", "--force").returncode == 0
    assert caspian("verify", "--bundle", "kept.gz").returncode == 0


@pytest.mark.usefixtures("log")
def test_an_export_says_what_it_holds(caspian: Caspian) -> None:
    done = caspian("log", "export", "part", "--from", "2", "--to", "5", "--json")

    told = json.loads(done.stdout)
    assert (told["first"], told["through"], told["size"]) == (2, 5, 9)
    part = caspian("verify", "--bundle", "part")
    assert part.returncode == 0
    assert "a part of a log" in part.stderr


@pytest.mark.usefixtures("log")
def test_payloads_can_be_withheld(caspian: Caspian) -> None:
    caspian("log", "export", "bare", "--no-payloads")

    assert "withheld" in caspian("verify", "--bundle", "bare").stdout
    assert "alert " in caspian("log", "ls", "--bundle", "bare", "--kind", "publish").stdout
    assert caspian("log", "show", "4", "--payload", "--bundle", "bare").returncode == 5


@pytest.mark.usefixtures("log")
def test_an_export_is_a_table_for_statistics(caspian: Caspian, tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        done = caspian("log", "export", f"t.{form}", "--format", form, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["logged"] is None

    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [int(r["index"]) for r in found] == list(range(9))
    assert found[4]["headline"] == "Oil on the water"
    assert found[6]["officer"] == "Reza"
    table = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert [r["leaf"] for r in table] == [r["leaf"] for r in found]
    assert table[6]["message"] == 4


@pytest.mark.usefixtures("log")
def test_a_bundle_of_a_hub_that_does_not_run_says_that_it_is_not_logged(
    caspian: Caspian, tmp_path: Path
) -> None:
    done = caspian("log", "export", "x.jsonl")

    assert done.returncode == 0
    assert "no entry of this export" in done.stderr
    first = (tmp_path / "x.jsonl").read_text("utf-8").splitlines()[0]
    assert json.loads(first)["logged"] is False


@pytest.mark.usefixtures("log")
def test_an_export_that_cannot_be_written_says_so(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()

    for target in ("missing/x.gz", "directory"):
        done = caspian("log", "export", target, "--force")

        assert done.returncode == 2
        assert "cannot be written" in done.stderr


@pytest.mark.parametrize("command", [("log", "ls"), ("verify",), ("log", "replay")])
@pytest.mark.parametrize(
    ("content", "exit_code"),
    [(None, 2), ("directory", 2), (b"", 5), (b"\x1f\x8b\x08rest", 5), (b"\x00\xff" * 999, 5)],
)
def test_a_broken_bundle_is_refused(
    caspian: Caspian,
    tmp_path: Path,
    command: tuple[str, ...],
    content: bytes | str | None,
    exit_code: int,
) -> None:
    if isinstance(content, bytes):
        (tmp_path / "x").write_bytes(content)
    elif content is not None:
        (tmp_path / "x").mkdir()

    done = caspian(*command, "--bundle", "x")

    assert done.returncode == exit_code
    assert done.stderr.startswith("error ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [("log", "ls"), ("verify",), ("log", "export", "x"), ("log", "replay"), ("rebuild",)]
)
def test_no_empty_log_is_made_by_mistake(
    caspian: Caspian, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = caspian(*command)

    assert done.returncode == 3
    assert "error log-missing: " in done.stderr
    assert list(tmp_path.glob("*.db")) == []


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense"])
def test_another_kind_of_store_is_refused(caspian: Caspian, url: str) -> None:
    done = caspian("log", "ls", env={"CASPIAN_LOG_URL": url})

    assert done.returncode == 3
    assert "error log-unavailable: " in done.stderr
