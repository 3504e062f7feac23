"""Which passwords are taken, and how they are kept."""

from __future__ import annotations

import pytest

from hub.errors import Rejected
from hub.members import passwords

ABOUT = ("reza.karimi", "Reza Karimi", "ir-ndmo")


@pytest.mark.parametrize(
    "password",
    [
        "kEmPsv8-kdQ",  # eleven characters
        "x" * 257,
        "password1234",
        "Password1234!",
        "qwertyuiop123",
        "йцукенгшщзхъ",
        "aaaaaaaaaaaaaaaa",
        "rezakarimi2026",
        "Reza.Karimi-NDMO1",
        "ir-ndmo-ir-ndmo",
        "123456789012",
    ],
)
def test_what_a_stranger_would_try_is_refused(password: str) -> None:
    with pytest.raises(Rejected) as refused:
        passwords.check(password, about=ABOUT)

    assert refused.value.code == "password-weak"
    assert password not in refused.value.detail


@pytest.mark.parametrize(
    "password",
    ["dampf schuh laterne", "xvQ8-kdp2-mR71", "کتاب سبز روی دریای آرام", "тюлень читает зонт"],
)
def test_what_nobody_would_put_together_is_taken(password: str) -> None:
    passwords.check(password, about=ABOUT)


def test_what_the_hub_makes_is_taken() -> None:
    made = {passwords.invented() for _ in range(20)}

    assert len(made) == 20
    for one in made:
        passwords.check(one, about=ABOUT)


def test_a_password_is_kept_as_argon2id_and_matches_itself_alone() -> None:
    kept = passwords.hashed("dampf schuh laterne")

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.matches(kept, "dampf schuh laterne")
    assert not passwords.matches(kept, "Dampf schuh laterne")
    assert passwords.hashed("dampf schuh laterne") != kept
    assert not passwords.outdated(kept)
    assert passwords.outdated(kept.replace("t=3", "t=2"))


def test_the_same_letters_from_another_keyboard_match() -> None:
    kept = passwords.hashed("cafe\u0301 schuh laterne")

    assert passwords.matches(kept, "caf\u00e9 schuh laterne")


@pytest.mark.parametrize("password", ["", "anything", "\x00"])
def test_nobody_has_no_password(password: str) -> None:
    assert not passwords.matches("", password)
