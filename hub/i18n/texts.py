"""Texts in one language, from its catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hub.i18n.catalogue import read_catalogue
from hub.i18n.languages import LANGUAGES, Language, language

__all__ = ["DOMAINS", "LOCALE", "Texts", "file_of", "texts", "told"]

DOMAINS: Final = ("", "cli", "errors", "findings", "details", "remedies", "help")
"""What lies apart, as those who need one of them do not need the others: the console and mail; the
command line; what each code of docs/errors.md means and asks for; what rules find, what is
particular of errors, and what to do about both; and what ``--help`` says of commands."""

LOCALE: Final = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of a domain in one language."""

    code: str
    by_name: Mapping[str, str]
    """By what they are in English, in the first of their forms."""
    forms: Mapping[str, tuple[str, ...]]
    form: Callable[[int], int]

    @property
    def language(self) -> Language:
        """The language that they are in."""
        return language(self.code)

    def __call__(self, text: str, /, **values: object) -> str:
        """Return a text with *values* in the place of ``{names}``; in English for want of it."""
        found = self.by_name.get(text) or text
        return found.format(**values) if values else found

    def many(self, one: str, more: str, count: int, /, **values: object) -> str:
        """Return the text that goes with a number, ``{count}`` among its values."""
        forms = self.forms.get(one)
        found = (one if count == 1 else more) if forms is None else forms[self.form(count)]
        return found.format(count=count, **values)


def told(text: str) -> str:
    """Name a text that is said elsewhere: `hub.i18n.collect` finds it here."""
    return text


def file_of(code: str, domain: str = "") -> Path:
    """Return where a catalogue lies."""
    return LOCALE / domain / f"{code}.po"


@cache
def texts(code: str, domain: str = "") -> Texts:
    """Return the texts of a language; reading them takes some milliseconds, once.

    Raises:
        KeyError: it is none of `LANGUAGES`.
    """
    if code not in LANGUAGES or domain not in DOMAINS:
        raise KeyError(code, domain)
    if code == LANGUAGES[0]:
        empty: Mapping[str, tuple[str, ...]] = MappingProxyType({})
        return Texts(code, MappingProxyType({}), empty, lambda n: int(n != 1))
    found = read_catalogue(file_of(code, domain).read_text("utf-8"))
    return Texts(
        code, {name: forms[0] for name, forms in found.said.items()}, found.said, found.form
    )
