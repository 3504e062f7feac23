"""Cosignatures: those of others are verified, and no single bit that is wrong gets through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checkpoint import Checkpoint
from schemas.cosignature import CosignerKey, cosignature, message, time_of
from schemas.ed25519 import VerifierKey
from schemas.errors import Rejected
from schemas.notes import NoteSignature, read_line, read_note
from tests.keys import cosign, witness

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "cosignature_v1.json"
TEXT = Checkpoint("test.example/log", 7, bytes(range(32))).body()
AT = 1_700_000_000


def test_the_public_vectors_agree() -> None:
    if not VECTORS.exists():
        pytest.skip(f"{VECTORS} is not on this machine")
    vectors: Any = json.loads(VECTORS.read_text("utf-8"))
    for vector in vectors:
        key = CosignerKey.read(vector["vkey"])
        note = read_note(vector["checkpoint"].encode())

        (line,) = [one for one in note.signatures if key.signed(one)]
        assert str(key) == vector["vkey"]
        assert key.verify(line, note.text) == time_of(line)
        assert key.verify(line, note.text.replace("300", "301")) is None


def test_a_cosignature_is_a_line_under_the_note() -> None:
    line = cosign("w1", TEXT, AT)

    assert read_line(str(line)) == line
    assert witness("w1").verify(line, TEXT) == AT


@given(st.integers(0, 8 * 72 - 1))
def test_no_single_bit_that_is_wrong_gets_through(bit: int) -> None:
    line = cosign("w1", TEXT, AT)
    data = bytearray(line.signature)
    data[bit // 8] ^= 1 << bit % 8

    assert witness("w1").verify(NoteSignature(line.name, line.key_id, bytes(data)), TEXT) is None


@pytest.mark.parametrize(
    "line",
    [
        cosign("w2", TEXT, AT),
        NoteSignature("w1", bytes(4), cosign("w1", TEXT, AT).signature),
        NoteSignature("w1", bytes.fromhex(witness("w1").id), b"short"),
        cosignature(witness("w1"), 0, bytes(64)),
    ],
    ids=["of another", "of another key", "short", "of nobody"],
)
def test_what_the_key_did_not_sign_is_no_cosignature(line: NoteSignature) -> None:
    assert witness("w1").verify(line, TEXT) is None


def test_a_time_that_no_clock_has_is_none() -> None:
    line = NoteSignature("w1", bytes.fromhex(witness("w1").id), b"\xff" * 72)

    assert time_of(line) is None


def test_the_message_is_that_of_the_specification() -> None:
    assert message("o\n1\nr\n", 17) == b"cosignature/v1\ntime 17\no\n1\nr\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "w1",
        "w 1+00000000+AA==",
        str(VerifierKey("w1", witness("w1").public)),
        str(witness("w1")).replace("w1", "w2"),
        str(CosignerKey("w1", bytes(32))),
    ],
)
def test_what_is_no_key_of_a_witness_is_refused(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        CosignerKey.read(text)

    assert refused.value.code == "key-invalid"
