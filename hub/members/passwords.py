"""Passwords: which are good enough, and how they are kept and compared (Argon2id, RFC 9106)."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from typing import Final

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from hub.errors import Rejected

__all__ = ["LONGEST", "SHORTEST", "check", "hashed", "invented", "matches", "outdated"]

SHORTEST: Final = 12
LONGEST: Final = 256
"""Characters; more would only make the hub work."""

_OPERATIONS: Final = 3
_MEMORY_BYTES: Final = 64 << 20
"""RFC 9106, section 4, second choice: three passes over 64 MiB, about a tenth of a second."""

_COSTS: Final = f"$argon2id$v=19$m={_MEMORY_BYTES >> 10},t={_OPERATIONS},p=1$"
_NOBODYS: Final = _COSTS + "Q2FzcGlhbkh1Yk5vYm9keQ$" + "A" * 43
"""Stands for whoever has no account, and takes as long to compare; no password is known to fit."""

_SCORE: Final = 3
"""Of 4: more than 10^8 guesses even for who knows the person."""
_WORD: Final = re.compile(r"\w{3,}")
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_RUSSIAN_KEYS: Final = str.maketrans(
    "йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,."
)
"""The same keys under another alphabet are as easy to guess."""


def check(password: str, *, about: Iterable[str]) -> None:
    """Refuse a password that is short, common, or made of what is known *about* the person.

    Raises:
        Rejected: ``password-weak``, with what is wrong; never with the password.
    """
    given = _same(password)
    if not SHORTEST <= len(given) <= LONGEST:
        raise Rejected(
            "password-weak",
            f"a password has {SHORTEST} to {LONGEST} characters, this has {len(given)}",
            remedy="Take several words that nobody would put together.",
        )
    words = sorted({w.casefold() for text in about for w in _WORD.findall(_same(text))})
    rest = given.casefold()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    if sum(map(str.isalnum, rest)) < SHORTEST // 2:
        raise Rejected(
            "password-weak",
            "the password is little more than the person's own name or agency",
            remedy="Take several words that nobody would put together.",
        )
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists are only for who sets a password

    head = given[:64]
    for typed in {head, head.casefold().translate(_RUSSIAN_KEYS)}:
        found = zxcvbn(typed, user_inputs=[*words, "caspian", "hub", "emergency"])
        if found["score"] < _SCORE:
            raise Rejected(
                "password-weak",
                "the password is easily guessed: it is common, or follows a pattern",
                remedy="Take several words that nobody would put together.",
            )


def invented() -> str:
    """Return a new random password of 80 bits that can be read out on the telephone."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))


def hashed(password: str) -> str:
    """Return the hash to keep, with its salt and costs. Takes a tenth of a second and 64 MiB."""
    made: bytes = argon2id.str(
        _same(password).encode(), opslimit=_OPERATIONS, memlimit=_MEMORY_BYTES
    )
    return made.decode()


def matches(kept: str, password: str) -> bool:
    """Return whether this is the password. Takes the same time without one that is kept."""
    try:
        return bool(argon2id.verify((kept or _NOBODYS).encode(), _same(password).encode()))
    except InvalidkeyError:
        return False


def outdated(kept: str) -> bool:
    """Return whether the hash was made with other costs than today's."""
    return not kept.startswith(_COSTS)


def _same(text: str) -> str:
    """Return a text as every keyboard's version of it (NIST SP 800-63B: normalised, NFKC)."""
    return unicodedata.normalize("NFKC", text)
