"""Reads a catalogue in gettext's text form (https://www.gnu.org/software/gettext/manual, PO Files).

Babel reads it too, and takes ten times as long: a command should be there at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from gettext import c2py
from typing import Final

__all__ = ["Catalogue", "read_catalogue"]

_CONTEXT: Final = "\x04"
"""Stands between a context and its text, as in gettext's own files."""
_PLURALS: Final = re.compile(r"^Plural-Forms:.*?plural=(.+?);?\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one file says."""

    said: Mapping[str, tuple[str, ...]]
    """By the text in English, the forms of the translation; by ``context EOT`` where a text has a
    context, whatever the text is."""
    form: Callable[[int], int]
    """Which of the forms goes with a number."""


def read_catalogue(text: str) -> Catalogue:
    """Return what a catalogue says; texts without a translation, or a doubtful one, are left out.

    Raises:
        ValueError: it is none.
    """
    said: dict[str, tuple[str, ...]] = {}
    header = ""
    for fields in _entries(text):
        forms = tuple(words for name, words in fields.items() if name.startswith("msgstr"))
        if not fields["msgid"]:
            header = "".join(forms)
        elif all(forms):
            context = fields.get("msgctxt")
            said[fields["msgid"] if context is None else context + _CONTEXT] = forms
    found = _PLURALS.search(header)
    return Catalogue(said, c2py(found[1] if found else "n != 1"))


def _entries(text: str) -> Iterator[dict[str, str]]:
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#, ") and "fuzzy" in line:
                break
            if line.startswith("#"):
                continue
            if line.startswith('"'):
                fields[name] += json.loads(line)
            else:
                name, _, rest = line.partition(" ")
                fields[name] = json.loads(rest)
        else:
            if "msgid" in fields:
                yield fields
