"""Codes by time are those of the standard, and each works once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.members.totp import STEP_S, code_at, new_secret, step_of, uri

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert code_at(RFC_SECRET, at // STEP_S, digits=8) == code


@given(st.binary(min_size=20, max_size=20), st.integers(100, 1 << 33), st.integers(-1, 1))
def test_a_code_of_a_clock_a_little_off_is_taken_once(secret: bytes, now: int, off: int) -> None:
    step = now // STEP_S + off
    code = code_at(secret, step)

    found = step_of(secret, code, at_s=now, after=0)

    assert found is not None
    assert code_at(secret, found) == code
    last = now // STEP_S + 1
    assert step_of(secret, code, at_s=now, after=last) is None


@given(st.integers(1 << 20, 1 << 33), st.integers(2, 1000) | st.integers(-1000, -2))
def test_a_code_of_another_time_is_not_taken(now: int, off: int) -> None:
    step = now // STEP_S + off
    near = {code_at(RFC_SECRET, now // STEP_S + i) for i in (-1, 0, 1)}
    code = code_at(RFC_SECRET, step)

    # One in 300,000 is the same by chance.
    assert code in near or step_of(RFC_SECRET, code, at_s=now, after=0) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６"])
def test_what_is_no_code_is_not_taken(code: str) -> None:
    assert step_of(RFC_SECRET, code, at_s=1e9, after=0) is None


def test_the_address_is_what_apps_read() -> None:
    secret = new_secret()

    found = urlsplit(uri(secret, name="reza@ndmo", issuer="caspian-hub.example"))

    assert (found.scheme, found.netloc) == ("otpauth", "totp")
    assert found.path == "/caspian-hub.example:reza%40ndmo"
    assert parse_qs(found.query)["issuer"] == ["caspian-hub.example"]
    assert len(parse_qs(found.query)["secret"][0]) == 32
