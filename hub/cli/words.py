"""What the command line says, in the language of whoever reads it.

``t`` says a text, ``many`` one in which a number decides between forms, ``told`` names one that
is said elsewhere: `hub.i18n.collect` finds all three; ``translated`` says again what was told in
English. English is what the code says; for it nothing is read, nor even imported. What programs
read (``--json``, codes, names of commands and options) is the same in all languages, and never
comes through here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final, Self

from hub.cli.harmless import apart, safe
from hub.errors import Rejected

if TYPE_CHECKING:
    from hub.i18n import Texts
    from hub.i18n.recognised import Recogniser

__all__ = [
    "Words",
    "found",
    "is_rtl",
    "joined",
    "many",
    "meaning",
    "plain",
    "spoken",
    "t",
    "told",
    "translated",
]

_ENGLISH: Final = "en"
_RTL: Final = frozenset({"fa"})
_LETTERS: Final = {"ru": "ы", "az": "ə", "kk": "қ", "tk": "ň", "fa": "پ"}
"""One of each that few encodings have."""


class Words(str):  # noqa: SLOT000 - it has a field
    """Text of ours. What others wrote stands in it harmless, and apart."""

    english: str
    """The same for programs and for whoever is asked to help: in English, nothing made harmless."""

    def __new__(cls, text: str, english: str | None = None) -> Self:
        """Take a text, and what it is in English where it is not."""
        made = super().__new__(cls, text)
        made.english = text if english is None else english
        return made


def t(text: str, /, **values: object) -> Words:
    """Return a text with *values* in the place of ``{names}``."""
    english = text.format(**_plain(values)) if values else text
    if spoken() == _ENGLISH:
        return Words(text.format(**_harmless(values)) if values else text, english)
    return Words(_texts()(text, **_harmless(values)), english)


def many(one: str, more: str, count: int, /, **values: object) -> Words:
    """Return the text that goes with a number, which is ``{count}`` in it."""
    form = one if count == 1 else more
    english = form.format(count=count, **_plain(values))
    if spoken() == _ENGLISH:
        return Words(form.format(count=count, **_harmless(values)), english)
    return Words(_texts().many(one, more, count, **_harmless(values)), english)


def joined(between: str, parts: Iterable[object]) -> Words:
    """Return texts in a row, of ours and of others."""
    parts = list(parts)
    english = between.join(plain(part) if isinstance(part, str) else str(part) for part in parts)
    return Words(between.join(map(_foreign, parts)), english)


def plain(value: str) -> str:
    """Return what programs get of a text that may be of ours."""
    return value.english if isinstance(value, Words) else value


@cache
def spoken() -> str:
    """Return the language: of CASPIAN_LANGUAGE, else of the context in use, else of the locale.

    English where it is none of the hub's, or the output cannot have its letters.
    """
    code = os.environ.get("CASPIAN_LANGUAGE") or _of_context() or _of_locale()
    found = re.match("[A-Za-z]+", code)
    code = found[0].lower() if found else ""
    if code not in _LETTERS:
        return _ENGLISH
    try:
        for stream in (sys.stdout, sys.stderr):
            _LETTERS[code].encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return _ENGLISH
    return code


def is_rtl() -> bool:
    """Return whether the language is read from right to left."""
    return spoken() in _RTL


def meaning(code: str) -> tuple[Words, Words] | None:
    """Return what an error's code means and asks for; None in English, or for a code of later.

    In English the error itself says it, and more exactly.
    """
    if spoken() == _ENGLISH:
        return None
    said = _texts("errors").by_name
    found = said.get(f"{code}\x04"), said.get(f"{code} remedy\x04")
    return (Words(found[0]), Words(found[1])) if found[0] and found[1] else None


def translated(text: str) -> str:
    """Return what machines are told in English (a finding, a detail, a remedy), in the language.

    As it is where it is no sentence that the catalogues know; then it is no `Words`.
    """
    if spoken() == _ENGLISH or isinstance(text, Words):
        return text
    found = _recogniser(spoken())(text, _foreign)
    return text if found is None else Words(found, text)


def found(message: str) -> str:
    """Return a finding in the language; where a parser said it, in English, and that it is so."""
    said = translated(message)
    if spoken() == _ENGLISH or isinstance(said, Words):
        return said
    return t("in English: {text}", text=said)


def told(text: str) -> str:
    """Name a text that is said elsewhere."""
    return text


def _texts(domain: str = "cli") -> Texts:
    from hub.i18n import texts  # noqa: PLC0415 - in English it is never needed

    return texts(spoken(), domain)


@cache
def _recogniser(code: str) -> Recogniser:
    from hub.i18n import texts  # noqa: PLC0415 - in English it is never needed
    from hub.i18n.recognised import Recogniser  # noqa: PLC0415 - as above

    known: dict[str, str] = {}
    for domain in ("remedies", "details", "findings"):
        known |= texts(code, domain).by_name
    return Recogniser(known)


def _harmless(values: dict[str, object]) -> dict[str, object]:
    return {
        name: value if isinstance(value, int) else _foreign(value) for name, value in values.items()
    }


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {
        name: plain(value) if isinstance(value, str) else value for name, value in values.items()
    }


def _foreign(value: object) -> str:
    if isinstance(value, Words):
        return value
    return apart(safe(value)) if is_rtl() else safe(value)


def _of_context() -> str:
    from hub.cli.context_file import read_contexts  # noqa: PLC0415 - it says things, too

    try:
        found = read_contexts()
        name = os.environ.get("CASPIAN_CONTEXT") or found.current
        return found.named(name).language if name else ""
    except Rejected:  # a command that needs the file says so
        return ""


def _of_locale() -> str:
    """Return what POSIX says the language of messages is: the first that is set decides."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return next((found for name in names if (found := os.environ.get(name))), "")
