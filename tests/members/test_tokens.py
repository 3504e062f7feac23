"""Whoever guesses a token learns nothing: not what is wrong with it, nor how much is right."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from hub.errors import Rejected
from hub.log.store import Log
from hub.members import credentials
from hub.members.credentials import Authenticator, issue, revoke

NOW = datetime.now(UTC)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    yield log
    log.close()


def test_every_wrong_token_has_one_answer(log: Log) -> None:
    right = issue(log, role="agency", agency="az-fhn", expires=None, now=NOW)
    revoked = issue(log, role="agency", agency="az-fhn", expires=None, now=NOW)
    revoke(log, revoked.split("_")[1], now=NOW)
    head, prefix, secret = right.split("_", 2)
    wrong = [
        "",
        "csp_",
        right[:-1],
        f"{right}A",
        f"{head}_{prefix}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        f"{head}_{prefix}_{'A' * 43}",
        f"{head}_{'a' * 8}_{secret}",
        f"{head}_{prefix.upper()}_{secret}",
        f" {right}",
        f"{right}\n",
        revoked,
    ]
    door = Authenticator(log)
    answers = set()
    for token in wrong:
        with pytest.raises(Rejected) as caught:
            door.principal(token)
        answers.add((caught.value.code, caught.value.detail, caught.value.remedy))

    assert {code for code, _, _ in answers} == {"token-invalid"}
    assert len(answers) == 1
    assert door.principal(right).agency == "az-fhn"


def test_a_guess_is_hashed_and_compared_in_constant_time(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is compared are hashes: even a comparison that took longer would tell of no letter."""
    right = issue(log, role="auditor", expires=None, now=NOW)
    guess = f"{right[:-43]}{'A' * 43}"
    compared: list[tuple[bytes, bytes]] = []

    class Noted:
        @staticmethod
        def compare_digest(one: bytes, other: bytes) -> bool:
            compared.append((one, other))
            return hmac.compare_digest(one, other)

    monkeypatch.setattr(credentials, "hmac", Noted)
    door = Authenticator(log)
    with pytest.raises(Rejected, match="token-invalid"):
        door.principal(guess)
    door.principal(right)

    kept, given = (sha256(t.split("_", 2)[2].encode()).digest() for t in (right, guess))
    assert compared == [(kept, given), (kept, kept)]
