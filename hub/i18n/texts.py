"""Texts in one language, from its catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from babel.messages.pofile import read_po

from hub.i18n.languages import LANGUAGES, Language, language

__all__ = ["LOCALE", "Texts", "texts"]

LOCALE: Final[Any] = files("hub.i18n") / "locale"


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts in one language."""

    language: Language
    by_name: Mapping[str, str]
    """By what they are in English."""

    def __call__(self, text: str, **values: object) -> str:
        """Return a text with *values* in the place of ``{names}``; in English for want of it."""
        found = self.by_name.get(text) or text
        return found.format(**values) if values else found


@cache
def texts(code: str) -> Texts:
    """Return the texts of a language; reading them takes some milliseconds, once.

    Raises:
        KeyError: it is none of `LANGUAGES`.
    """
    if code == LANGUAGES[0]:
        return Texts(language(code), MappingProxyType({}))
    found = language(code)
    with (LOCALE / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    said = {
        m.id: m.string
        for m in catalogue
        if isinstance(m.id, str) and isinstance(m.string, str) and m.id and m.string
    }
    return Texts(found, MappingProxyType(said))
