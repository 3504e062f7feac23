"""Signed ends: what does not hold is seen, and whoever signed two histories is named."""

from __future__ import annotations

from hashlib import sha256

import pytest
from nacl.signing import SigningKey

from hub.log.signed_ends import SignedEnd, check_end, contradiction, open_end, read_signed_end
from schemas.checkpoint import Checkpoint
from schemas.cosignature import CosignerKey, cosignature, message
from schemas.notes import Note, signature_line
from schemas.policy import Policy, read_policy
from tests.keys import key, raw_signature

ORIGIN = "test.example/log"
ROOT = bytes(range(32))


def secret(name: str) -> SigningKey:
    return SigningKey(sha256(name.encode()).digest())


def cosigner(name: str) -> CosignerKey:
    return CosignerKey(name, bytes(secret(name).verify_key))


@pytest.fixture(scope="module")
def policy() -> Policy:
    lines = [f"log {key(ORIGIN)}"]
    lines += [f"witness {name} {cosigner(name)}" for name in ("az", "ir", "kz")]
    lines += ["group all 2 az ir kz", "quorum all"]
    return read_policy("\n".join(lines).encode() + b"\n")


def end(
    size: int = 9, root: bytes = ROOT, *, by: str = ORIGIN, cosigned: tuple[str, ...] = ("az", "ir")
) -> SignedEnd:
    """Return an end that the log and these witnesses signed."""
    text = Checkpoint(ORIGIN, size, root).body()
    log_key = key(by) if by == ORIGIN else type(key(by))(ORIGIN, key(by).public)
    lines = [signature_line(log_key, raw_signature(by, text.encode()))]
    for name in cosigned:
        told = name.removeprefix("forged ")
        signed = secret(name).sign(message(text, 1_800_000_000)).signature
        lines.append(cosignature(cosigner(told), 1_800_000_000, signed))
    return read_signed_end(str(Note(text, tuple(lines))).encode())


def test_a_cosigned_end_of_this_log_is_cleared(policy: Policy) -> None:
    level, witnesses, fault = check_end(end(), policy, size=12, root_at=lambda _size: ROOT)

    assert fault is None
    assert (level, witnesses) == ("witnessed", ("az", "ir"))


@pytest.mark.parametrize(
    ("given", "size", "code", "culprit"),
    [
        (end(by="a thief"), 12, "checkpoint", "hub"),
        (end(root=bytes(32)), 12, "checkpoint", "hub"),
        (end(), 8, "rollback", "hub"),
        (end(cosigned=("az",)), 12, "quorum", "hub"),
        (end(cosigned=("az", "forged ir", "kz")), 12, "cosignature", "witness ir"),
    ],
)
def test_an_end_that_does_not_hold_is_laid_at_a_door(
    policy: Policy, given: SignedEnd, size: int, code: str, culprit: str
) -> None:
    _, _, fault = check_end(given, policy, size=size, root_at=lambda _size: ROOT)

    assert fault is not None
    assert (fault.code, fault.culprit) == (code, culprit)


def test_who_signed_two_histories_is_named(policy: Policy) -> None:
    one, other = end(cosigned=("az", "ir")), end(root=bytes(32), cosigned=("ir", "kz"))

    assert contradiction(one, other, policy) == ["hub", "witness ir"]
    assert contradiction(one, end(root=bytes(32), by="a thief", cosigned=()), policy) == []
    assert contradiction(one, None, policy) == []
    assert contradiction(one, other, None) == []


def test_what_is_no_checkpoint_is_none() -> None:
    assert open_end(b"{}") is None
    assert open_end(str(end().note).encode()) == end()
