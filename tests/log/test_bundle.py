"""A bundle is the log in one file: whole, or refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ORIGIN, Writer, acknowledgement, alert, refusal

from hub.log.bundle import BundleHeader, export, open_bundle, verify_bundle
from hub.log.projections import read_logged
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.tree import Tree
from schemas.checkpoint import Checkpoint
from schemas.errors import Rejected
from schemas.notes import Note, signature_line
from schemas.policy import read_policy
from tests.examples import examples
from tests.keys import cosign, key, raw_signature, witness


def fill(log: Log) -> Log:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", f"a-{n}", headline="Нефть на воде") for n in range(5)])
    w.commit([alert("ir-ndmo", "i-1"), acknowledgement("ir-ndmo", "3"), refusal("az-fhn")])
    return log


@pytest.fixture
def filled(sqlite_log: Log) -> Log:
    return fill(sqlite_log)


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_what_is_exported_is_read_back_and_verifies(log: Log, tmp_path: Path, name: str) -> None:
    fill(log)
    told: list[tuple[int, int]] = []

    header = export(log, tmp_path / name, progress=lambda done, of: told.append((done, of)))
    bundle = open_bundle(tmp_path / name)

    assert bundle.header == header
    assert header == BundleHeader(ORIGIN, 11, log.head().root, 0, 10)
    assert header.whole
    assert told[-1] == (11, 11)
    for stored, read in zip(scan(log), bundle.rows(), strict=True):
        for fact in ("index", "at_us", "kind", "agency", "body", "payload", "payload_type"):
            assert getattr(read, fact) == getattr(stored, fact)
    report = verify_bundle(bundle, read=read_logged, against=log.head())
    assert report.ok
    assert report.root == log.head().root
    assert report.decided == 9
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_the_same_log_gives_the_same_file(filled: Log, tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        export(filled, tmp_path / name)

    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_an_empty_log_is_a_bundle_of_nothing(sqlite_log: Log, tmp_path: Path) -> None:
    header = export(sqlite_log, tmp_path / "log.jsonl")

    bundle = open_bundle(tmp_path / "log.jsonl")
    assert header.whole
    assert list(bundle.rows()) == []
    assert verify_bundle(bundle).ok


def test_a_range_is_verified_entry_by_entry(filled: Log, tmp_path: Path) -> None:
    header = export(filled, tmp_path / "log.jsonl", first=4, through=8)

    bundle = open_bundle(tmp_path / "log.jsonl")
    report = verify_bundle(bundle)
    assert not header.whole
    assert not header.filtered
    assert [r.index for r in bundle.rows()] == [4, 5, 6, 7, 8]
    assert report.ok
    assert report.root is None
    with pytest.raises(Rejected) as refused:
        verify_bundle(bundle, against=filled.head())
    assert refused.value.code == "bundle-partial"


def test_a_beginning_is_compared_with_an_end_from_then(filled: Log, tmp_path: Path) -> None:
    then = filled.head()
    Writer(filled).commit([alert("az-fhn", "later")])
    export(filled, tmp_path / "log.jsonl", through=then.size - 1)

    report = verify_bundle(open_bundle(tmp_path / "log.jsonl"), against=then)

    assert report.ok
    assert report.root == then.root


def test_a_selection_says_so_and_is_verified_entry_by_entry(filled: Log, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    header = export(filled, path, kinds=["publish", "refusal"], agency="az-fhn")

    bundle = open_bundle(path)
    report = verify_bundle(bundle)
    assert bundle.header == header
    assert (header.kinds, header.agency) == (("publish", "refusal"), "az-fhn")
    assert header.filtered
    assert [r.index for r in bundle.rows()] == [3, 4, 5, 6, 7, 10]
    assert report.ok
    assert report.messages == 5
    assert report.root is None


def test_payloads_may_be_withheld_and_the_entries_still_verify(filled: Log, tmp_path: Path) -> None:
    export(filled, tmp_path / "log.jsonl", payloads=False)

    report = verify_bundle(open_bundle(tmp_path / "log.jsonl"), against=filled.head())

    assert report.ok
    assert report.withheld == 6
    assert b"Oil spill" not in (tmp_path / "log.jsonl").read_bytes()


def read_all(path: Path) -> int:
    return len(list(open_bundle(path).rows()))


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_a_file_cut_anywhere_is_refused(filled: Log, tmp_path: Path, name: str) -> None:
    export(filled, tmp_path / name)
    data = (tmp_path / name).read_bytes()

    for length in [*range(0, len(data), 97), len(data) - 1]:
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(Rejected) as refused:
            read_all(tmp_path / "cut")
        assert refused.value.code == "bundle-broken"


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_a_file_with_one_other_byte_is_refused(filled: Log, tmp_path: Path, name: str) -> None:
    """All but the packed file's own header, whose bytes say nothing about the content."""
    export(filled, tmp_path / name)
    data = (tmp_path / name).read_bytes()
    begin = 10 if name.endswith(".gz") else 0

    for at in range(begin, len(data), 41):
        altered = bytearray(data)
        altered[at] ^= 1
        (tmp_path / "altered").write_bytes(altered)
        with pytest.raises(Rejected) as refused:
            read_all(tmp_path / "altered")
        assert refused.value.code == "bundle-broken", at


def test_lines_taken_out_doubled_or_exchanged_are_refused(filled: Log, tmp_path: Path) -> None:
    export(filled, tmp_path / "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_bytes().splitlines(keepends=True)

    for other in (
        [*lines[:4], *lines[5:]],
        [*lines[:4], lines[3], *lines[4:]],
        [*lines[:3], lines[4], lines[3], *lines[5:]],
        lines[:-1],
        lines[1:],
        [*lines, b"\n"],
        [*lines, lines[-1]],
        [lines[0], lines[-1]],
        [*lines[:-1], b'{"entries":11,"sha256":"00"}\n'],
        [b"[]\n", *lines[1:]],
        [b'{"caspian_bundle":2}\n', *lines[1:]],
        [b'{"caspian_bundle":1,"origin":5}\n', *lines[1:]],
        [],
    ):
        (tmp_path / "other").write_bytes(b"".join(other))
        with pytest.raises(Rejected) as refused:
            read_all(tmp_path / "other")
        assert refused.value.code == "bundle-broken"


def test_a_forged_entry_with_a_mended_file_does_not_verify(filled: Log, tmp_path: Path) -> None:
    """Whoever alters a bundle can mend its last line, but not the root."""
    altered = Log.open(f"sqlite:///{tmp_path / 'forged.db'}")
    w = Writer(altered).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(5)])
    w.commit([alert("ir-ndmo", "i-1"), acknowledgement("ir-ndmo", "3"), refusal("az-fhn")])
    export(altered, tmp_path / "log.jsonl")
    altered.close()

    bundle = open_bundle(tmp_path / "log.jsonl")

    assert verify_bundle(bundle).ok
    report = verify_bundle(bundle, against=filled.head())
    assert report.fault is not None
    assert report.fault.code == "root"


def test_another_file_is_no_bundle(tmp_path: Path) -> None:
    for content in (b"\x00\x01\x02", b"hello\n", b"{}\n", gzip.compress(b"{}\n"), b"\x1f\x8bxyz"):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(Rejected) as refused:
            open_bundle(tmp_path / "file")
        assert refused.value.code == "bundle-broken"


@examples(25)
@given(content=st.binary(max_size=200), packed=st.booleans())
def test_no_bytes_at_all_do_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, *, content: bytes, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("bundle") / "file"
    header = b'{"caspian_bundle":1,"origin":"a","size":1,"root":"00","first":0,"through":0}\n'
    path.write_bytes(gzip.compress(header + content) if packed else header + content)

    with pytest.raises(Rejected):
        read_all(path)


def test_an_export_that_fails_leaves_no_file(filled: Log, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("from before")

    def fails(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    w = Writer(filled)
    w.commit([alert("az-fhn", f"b-{n}", sent=w.now) for n in range(1100)])
    with pytest.raises(KeyboardInterrupt):
        export(filled, tmp_path / "log.jsonl", progress=fails)

    assert (tmp_path / "log.jsonl").read_text() == "from before"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("log.jsonl")) == [
        "log.jsonl"
    ]


def test_the_header_is_plain_json_that_says_what_is_inside(filled: Log, tmp_path: Path) -> None:
    export(filled, tmp_path / "log.jsonl", first=3, through=4, agency="az-fhn")

    lines = (tmp_path / "log.jsonl").read_bytes().splitlines()
    assert json.loads(lines[0]) == {
        "caspian_bundle": 1,
        "origin": ORIGIN,
        "size": 11,
        "root": filled.head().root.hex(),
        "first": 3,
        "through": 4,
        "agency": "az-fhn",
    }
    plain = ["index", "at", "entry", "payload", "payload_type"]
    *keys, third, fourth, last = map(json.loads, lines[1:])
    assert [list(one) for one in keys] == [[*plain, "proof", "keys"]] * 3
    assert list(third) == list(fourth) == [*plain, "proof"]
    assert last["entries"] == 2
    export(filled, tmp_path / "whole.jsonl")
    assert list(json.loads((tmp_path / "whole.jsonl").read_bytes().splitlines()[1])) == plain


def signed_end(log: Log, size: int, *witnesses: str) -> str:
    """Return a checkpoint of the first entries, signed by the log and cosigned by these."""
    text = Checkpoint(ORIGIN, size, Tree(log).root(size)).body()
    lines = [signature_line(key(ORIGIN), raw_signature(ORIGIN, text.encode()))]
    return str(Note(text, (*lines, *(cosign(name, text, 1_800_000_000) for name in witnesses))))


POLICY = "\n".join(
    [
        f"log {key(ORIGIN)}",
        *(f"witness {name} {witness(name)}" for name in ("az", "ir", "kz")),
        "group states 2 az ir kz",
        "quorum states",
        "",
    ]
)
PARTS: list[dict[str, Any]] = [
    {},
    {"through": 8},
    {"first": 4},
    {"first": 4, "through": 6},
    {"kinds": ["publish", "refusal"], "agency": "az-fhn"},
    {"kinds": ["key"]},
]


@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("size", [1, 5, 9, 11])
def test_every_part_is_proven_up_to_the_signed_end(
    filled: Log, tmp_path: Path, part: dict[str, Any], size: int
) -> None:
    path, note = tmp_path / "x.jsonl", signed_end(filled, size, "az", "kz")
    export(filled, path, checkpoint=note, policy=POLICY, **part)

    bundle = open_bundle(path)
    report = verify_bundle(bundle, policy=read_policy(POLICY.encode()))

    assert report.fault is None
    assert (report.level, report.witnesses) == ("witnessed", ("az", "kz"))
    assert bundle.header.policy == POLICY
    lines = list(bundle.lines())
    assert report.entries == len(list(bundle.rows())) == sum(not line.keys for line in lines)
    assert report.proven == (len(lines) if bundle.header.part else 0)
    assert all((line.proof is not None) == bundle.header.part for line in lines)


def altered(path: Path, change: Callable[[list[Any]], None]) -> Path:
    """Change the lines of a bundle, and mend its last one as a forger would."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(lines)
    body = b"".join(json.dumps(x, separators=(",", ":")).encode() + b"\n" for x in lines[:-1])
    count = sum("entry" in x and not x.get("keys") for x in lines)
    last = {"entries": count, "sha256": sha256(body).hexdigest()}
    path.write_bytes(body + json.dumps(last).encode() + b"\n")
    return path


def without_proof(lines: list[Any]) -> None:
    del lines[-2]["proof"]


def without_proofs(lines: list[Any]) -> None:
    for line in lines:
        line.pop("proof", None)


def another_proof(lines: list[Any]) -> None:
    lines[-2]["proof"] = lines[-3]["proof"]


def another_root(lines: list[Any]) -> None:
    lines[0]["root"] = "00" * 32


def another_checkpoint(lines: list[Any]) -> None:
    old = lines[0]["checkpoint"]
    lines[0]["checkpoint"] = old.replace(old.split("\n")[2], "A" * 43 + "=")


def no_link(lines: list[Any]) -> None:
    lines[0]["consistency"] = lines[0]["consistency"][:-1]


def no_checkpoint(lines: list[Any]) -> None:
    del lines[0]["checkpoint"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (without_proof, "root"),
        (without_proofs, "root"),
        (another_proof, "root"),
        (another_root, "root"),
        (another_checkpoint, "checkpoint"),
        (no_link, "checkpoint"),
        (no_checkpoint, "checkpoint"),
    ],
)
def test_a_part_that_was_forged_is_seen(
    filled: Log, tmp_path: Path, change: Callable[[list[Any]], None], code: str
) -> None:
    path = tmp_path / "x.jsonl"
    export(filled, path, first=4, through=8, checkpoint=signed_end(filled, 7, "az", "ir"))

    bundle = open_bundle(altered(path, change))
    report = verify_bundle(bundle, policy=read_policy(POLICY.encode()))

    assert report.fault is not None
    assert report.fault.code == code


def test_too_few_cosignatures_are_no_quorum(filled: Log, tmp_path: Path) -> None:
    export(filled, tmp_path / "x.jsonl", checkpoint=signed_end(filled, 11, "az"))

    report = verify_bundle(open_bundle(tmp_path / "x.jsonl"), policy=read_policy(POLICY.encode()))

    assert report.fault is not None
    assert report.fault.code == "quorum"
