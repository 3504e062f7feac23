"""Ed25519 under the strict rule: what we accept, every library accepts."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from schemas.dsse import pae, read_signatures, signed_by, write_signatures
from schemas.ed25519 import VerifierKey, decode_base64, verify
from schemas.errors import Rejected
from tests.keys import key, sign

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
_PRIME = 2**255 - 19
_SMALL = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
}
"""The points of small order without their sign, as published with many libraries."""


def _vectors(name: str) -> Any:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"{file} is not on this machine")
    return json.loads(file.read_text("utf-8"))


def _openssl(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _libsodium(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def _strict(point: bytes) -> bool:
    y = int.from_bytes(point, "little") & (2**255 - 1)
    plain = point[:31] + bytes([point[31] & 0x7F])
    return y < _PRIME and plain.hex() not in _SMALL


def test_of_the_edge_cases_exactly_those_are_taken_that_both_libraries_take_under_the_rule() -> (
    None
):
    cases = _vectors("cctv_ed25519.json")
    taken = []
    for case in cases:
        public, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"])
        message = case["msg"].encode()
        rule = _strict(public) and _strict(signature[:32])
        ours = verify(public, signature, message)

        openssl = _openssl(public, signature, message)
        libsodium = _libsodium(public, signature, message)
        assert ours == (rule and openssl) == (rule and libsodium), case["number"]
        taken.append(ours)
    assert len(cases) == 914
    assert sum(taken) == 43


def test_the_wycheproof_cases_come_out_as_they_say() -> None:
    groups = _vectors("wycheproof_ed25519.json")["testGroups"]
    cases = [(g["publicKey"]["pk"], t) for g in groups for t in g["tests"]]

    for public, case in cases:
        held = verify(bytes.fromhex(public), bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
        assert held == (case["result"] == "valid"), case["tcId"]
    assert len(cases) == 151


def test_the_pre_authentication_encoding_is_that_of_dsse() -> None:
    vector = _vectors("dsse.json")

    assert pae(vector["payloadType"], vector["payload"].encode()) == vector["pae"].encode()


def test_lengths_are_of_bytes_and_not_of_characters() -> None:
    assert pae("é", "ə".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc9\x99"


@given(st.binary(max_size=40), st.integers(0, 511))
def test_any_flipped_bit_of_a_signature_breaks_it(message: bytes, bit: int) -> None:
    good = sign("az-fhn", "t", message)
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8

    assert signed_by("t", message, key("az-fhn"), good)
    assert not signed_by("t", message, key("az-fhn"), bytes(bad))


def test_a_signature_over_one_type_is_none_over_another() -> None:
    assert not signed_by("statement", b"x", key("az-fhn"), sign("az-fhn", "header", b"x"))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_length_is_none(size: int) -> None:
    assert not verify(key("az-fhn").public, bytes(size), b"x")


def test_a_key_is_read_as_it_is_written() -> None:
    known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    # The example of the C2SP signed-note specification.
    assert str(VerifierKey.read(known)) == known
    assert VerifierKey.read(str(key("az-fhn"))) == key("az-fhn")


def _encoded(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


GOOD = str(key("az-fhn"))
ID = key("az-fhn").id
BLOB = b"\x01" + key("az-fhn").public


@pytest.mark.parametrize(
    "text",
    [
        "",
        "az-fhn",
        f"az-fhn+{ID}",
        f"az fhn+{ID}+{_encoded(BLOB)}",
        f"+{ID}+{_encoded(BLOB)}",
        f"az-fhn+00000000+{_encoded(BLOB)}",
        f"az-fhn+{ID.upper()}x+{_encoded(BLOB)}",
        f"az-fhn+{ID}+{_encoded(BLOB)} ",
        f"az-fhn+{ID}+{_encoded(BLOB)[:-1]}",
        f"az-fhn+{ID}+{_encoded(BLOB[:-1])}",
        f"az-fhn+{ID}+{_encoded(bytes([2]) + BLOB[1:])}",
        f"az-fhn+{ID}+{_encoded(BLOB)[:-2]}{_encoded(BLOB)[-2:].replace('=', '')}!",
        str(VerifierKey("az-fhn", bytes(32))),
        str(VerifierKey("az-fhn", b"\xff" * 32)),
        str(VerifierKey("az-fhn", (_PRIME + 3).to_bytes(32, "little"))),
    ],
)
def test_what_is_no_sound_key_is_refused(text: str) -> None:
    with pytest.raises(Rejected) as caught:
        VerifierKey.read(text)

    assert caught.value.code == "key-invalid"


@given(st.text(max_size=120))
def test_whatever_is_said_to_be_a_key_is_read_or_refused(text: str) -> None:
    with suppress(Rejected):
        assert str(VerifierKey.read(text)) == text


def test_base64_has_one_form() -> None:
    assert decode_base64("AAE=") == b"\x00\x01"
    for other in ("AAE", "AAF=", "AA E=", "AAE=\n", "AAE==", "AA-_"):
        assert decode_base64(other) is None, other


def test_signatures_are_read_as_they_are_written() -> None:
    pairs = ((key("a"), sign("a", "t", b"x")), (key("b"), sign("b", "t", b"x")))

    assert read_signatures(json.dumps(write_signatures(pairs))) == pairs


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "signature-invalid"),
        ("{}", "signature-invalid"),
        ("[1]", "signature-invalid"),
        ("[" * 5000, "signature-invalid"),
        (json.dumps([{"key": GOOD}]), "signature-invalid"),
        (json.dumps([{"key": GOOD, "sig": "AA=="}]), "signature-invalid"),
        (json.dumps([{"key": "x", "sig": _encoded(bytes(64))}]), "key-invalid"),
        (json.dumps([{"key": GOOD, "sig": _encoded(bytes(64))}] * 33), "signature-invalid"),
    ],
)
def test_what_are_no_signatures_is_refused(text: str, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_signatures(text)

    assert caught.value.code == code
