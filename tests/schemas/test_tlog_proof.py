"""Proof and receipt files: read as they are written, and nothing that is altered gets through."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.levels import prove
from hub.core.merkle import leaf_hash, node_hash, root_of
from schemas.checkpoint import Checkpoint
from schemas.errors import Rejected
from schemas.log_receipt import LogReceipt, read_log_receipt
from schemas.notes import Note, signature_line
from schemas.policy import read_policy
from schemas.tlog_proof import TlogProof, read_tlog_proof
from tests.keys import cosign, key, raw_signature, witness

ORIGIN = "test.example/log"
ENTRIES = [b'{"a":1}', b'{"b":2}', b'{"c":3}']
FIVE = ("az", "ir", "kz", "ru", "tm")
POLICY = read_policy(
    "\n".join(
        [
            f"log {key(ORIGIN)}",
            *(f"witness {name} {witness(name)}" for name in FIVE),
            f"group states 3 {' '.join(FIVE)}",
            "quorum states",
        ]
    ).encode()
)


def proof(*witnesses: str, extra: bytes | None = None) -> TlogProof:
    """Return the proof of the second of three entries."""
    text = Checkpoint(ORIGIN, 3, root_of(ENTRIES)).body()
    own = signature_line(key(ORIGIN), raw_signature(ORIGIN, text.encode()))
    lines = (own, *(cosign(name, text, 1000 - n) for n, name in enumerate(witnesses)))
    leaves = [leaf_hash(one) for one in ENTRIES]
    return TlogProof(1, (leaves[0], leaves[2]), Note(text, lines), extra)


@pytest.mark.parametrize("extra", [None, b"", b"\x00 anything"])
def test_a_proof_is_read_as_it_was_written(extra: bytes | None) -> None:
    written = proof("az", "ir", extra=extra)

    assert read_tlog_proof(str(written).encode()) == written


def test_it_is_the_form_of_the_specification() -> None:
    lines = str(proof("az", extra=b"x")).split("\n")

    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra eA==", "index 1"]
    assert base64.b64decode(lines[3]) == leaf_hash(ENTRIES[0])
    assert lines[5:9] == ["", ORIGIN, "3", base64.b64encode(root_of(ENTRIES)).decode()]
    assert lines[9] == ""
    assert lines[10].startswith(f"\u2014 {ORIGIN} ")
    assert lines[12:] == [""]


def test_the_example_of_the_specification_is_read() -> None:
    example = """c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

\u2014 example.com/fancylog hI2DJwAAAAAAAAAA
"""
    found = read_tlog_proof(example.encode())

    assert found.index == 73894
    assert len(found.hashes) == 2
    assert found.extra == b"age-v1.2.1-darwin-arm64.tar.gz"
    assert str(found) == example


@pytest.mark.parametrize(
    ("count", "level"), [(0, "signed"), (2, "signed"), (3, "witnessed"), (4, "sealed")]
)
def test_an_entry_is_proven_as_far_as_it_was_signed(count: int, level: str) -> None:
    found = prove(ENTRIES[1], proof(*FIVE[:count]), POLICY)

    assert found.level == level
    assert found.checkpoint.size == 3


def test_the_witnesses_are_a_clock_that_fewer_than_a_quorum_cannot_set() -> None:
    found = prove(ENTRIES[1], proof(*FIVE), POLICY)

    assert sorted(found.cosigned.values()) == [996, 997, 998, 999, 1000]
    assert found.existed_by(POLICY) == 998
    assert prove(ENTRIES[1], proof("az"), POLICY).existed_by(POLICY) is None


@pytest.mark.parametrize("wrong", ["entry", "index", "hash", "size", "short", "long"])
def test_what_is_altered_is_not_proven(wrong: str) -> None:
    whole, entry = proof(*FIVE), ENTRIES[1]
    note, hashes, index = whole.note, whole.hashes, whole.index
    match wrong:
        case "entry":
            entry = ENTRIES[0]
        case "index":
            index = 0
        case "hash":
            hashes = (hashes[1], hashes[0])
        case "size":
            note = Note(note.text.replace("\n3\n", "\n4\n"), note.signatures)
        case "short":
            hashes = hashes[:1]
        case "long":
            hashes = (*hashes, node_hash(hashes[0], hashes[1]))

    with pytest.raises(Rejected) as refused:
        prove(entry, TlogProof(index, hashes, note), POLICY)

    assert refused.value.code == "proof-wrong"


@given(st.integers(0, len(str(proof(*FIVE)).encode()) * 8 - 1))
def test_no_single_bit_of_the_file_that_is_wrong_raises_its_level(bit: int) -> None:
    whole = proof("az", "ir", "kz")
    data = bytearray(str(whole).encode())
    if bit // 8 >= len(data):
        bit %= len(data) * 8
    data[bit // 8] ^= 1 << bit % 8
    try:
        found = prove(ENTRIES[1], read_tlog_proof(bytes(data)), POLICY)
    except Rejected:
        return
    assert found.level == "signed", "only a cosignature can have been lost"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 1", "index 01"),
        ("index 1", "index -1"),
        ("index 1\n", ""),
        ("index 1", f"index {1 << 63}"),
        ("index 1", "extra AA\nindex 1"),
        ("index 1", "index 1\nAAAA"),
        ("index 1", "index 1\n" + "\n".join([base64.b64encode(bytes(32)).decode()] * 64)),
        ("index 1", "index 1\n\u2014"),
        (f"\n\n{ORIGIN}", f"\n{ORIGIN}"),
    ],
)
def test_what_is_no_proof_is_refused(old: str, new: str) -> None:
    text = str(proof("az"))
    assert old in text
    with pytest.raises(Rejected) as refused:
        read_tlog_proof(text.replace(old, new, 1).encode())

    assert refused.value.code in {"proof-invalid", "note-invalid"}


@given(st.binary(max_size=400))
def test_whatever_bytes_there_are_it_is_a_proof_or_is_refused(data: bytes) -> None:
    for read in (read_tlog_proof, read_log_receipt):
        with pytest.raises(Rejected):
            read(data)


# Receipts ---------------------------------------------------------------------------------------


def receipt(**changed: Any) -> bytes:
    whole = LogReceipt.of(ORIGIN, 1, ENTRIES[1], "witnessed", proof("az", "ir", "kz"))
    return json.dumps({**whole.to_json(), **changed}).encode()


def test_a_receipt_is_read_as_it_was_written() -> None:
    found = read_log_receipt(receipt())

    assert found.body() == ENTRIES[1]
    assert found.read_proof() == proof("az", "ir", "kz")
    assert read_log_receipt(receipt(proof=None)).read_proof() is None


@pytest.mark.parametrize(
    "changed",
    [
        {"caspian_receipt": 2},
        {"index": -1},
        {"index": "1"},
        {"level": "perfect"},
        {"entry": "!"},
        {"index": 2},
        {"proof": "no proof"},
    ],
)
def test_what_is_no_receipt_is_refused(changed: dict[str, Any]) -> None:
    def read() -> None:
        found = read_log_receipt(receipt(**changed))
        found.body()
        found.read_proof()

    with pytest.raises(Rejected) as refused:
        read()

    assert refused.value.code in {"receipt-invalid", "proof-invalid"}
