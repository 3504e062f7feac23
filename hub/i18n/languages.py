"""Which languages there are, and which of them somebody gets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

__all__ = ["LANGUAGES", "Language", "chosen", "language"]

LANGUAGES: Final = ("en", "ru", "az", "kk", "tk", "fa")
"""English first: it is what all texts are written in."""

_LONGEST_HEADER: Final = 500


@dataclass(frozen=True, slots=True)
class Language:
    """A language that people can choose."""

    code: str
    name: str
    """In itself: who looks for it can read it."""
    direction: str
    """``ltr`` or ``rtl``."""


@cache
def language(code: str) -> Language:
    """Return a language of `LANGUAGES`.

    Raises:
        KeyError: it is none of them.
    """
    if code not in LANGUAGES:
        raise KeyError(code)
    from babel import Locale  # noqa: PLC0415 - the command line has no use for it

    locale = Locale.parse(code)
    return Language(code, locale.get_display_name(code) or code, locale.text_direction)


def chosen(*wishes: str, accept: str = "") -> str:
    """Return the first language that is wished for and there, else the best one accepted.

    *accept* is an ``Accept-Language`` header (RFC 9110, section 12.5.4). English is left
    where nothing fits.
    """
    for wish in (*wishes, *_ranked(accept)):
        code = wish.strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return LANGUAGES[0]


def _ranked(accept: str) -> list[str]:
    ranked = []
    for place, part in enumerate(accept[:_LONGEST_HEADER].split(",")):
        tag, _, weight = part.partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if quality > 0:
            ranked.append((-quality, place, tag))
    return [tag for _, _, tag in sorted(ranked)]
