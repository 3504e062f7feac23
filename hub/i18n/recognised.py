"""Says in a language what was said in English, with other words for each value: by its template.

What machines get (findings, details and remedies of errors) is English, also what came from
another hub, or lies in the log. Which sentence it was is found again by what does not change in
it: of several that fit, the one with the most words of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Final

__all__ = ["Recogniser"]

_FRAME: Final = re.compile(
    r"(?P<path>[^\s:]+): (?P<message>.+?)(?P<rule> \([A-Z0-9a-z]+\))?", re.DOTALL
)
"""How a refusal tells its first finding (`schemas.cap.read`)."""
_LIGHT: Final = 12
_ONE: Final = re.compile(r"""\S+(?:, \S+)*|['"].*""", re.DOTALL)
"""A name, a number, several of them, or something in quotes: what may stand in a sentence with
so few letters of its own (``{key} is empty``) that half of all sentences would fit."""
_LONGEST: Final = 4000
_DEEPEST: Final = 3


@dataclass(frozen=True, slots=True)
class _Template:
    """A sentence in English, cut at its values."""

    translation: str
    texts: tuple[str, ...]
    """What stands before, between and after the values."""
    names: tuple[str, ...]

    @property
    def weight(self) -> int:
        return sum(map(len, self.texts))

    def values(self, said: str) -> dict[str, str] | None:
        """Return what stands at the places of the values; None where it is another sentence."""
        first, *between, last = self.texts
        if not said.startswith(first) or not said.endswith(last):
            return None
        at, end = len(first), len(said) - len(last)
        found = []
        for text in between:
            place = said.find(text, at, end)
            if place < 0:
                return None
            found.append(said[at:place])
            at = place + len(text)
        found.append(said[at:end])
        if (
            at >= end
            or "" in found
            or (self.weight < _LIGHT and not all(map(_ONE.fullmatch, found)))
        ):
            return None
        return dict(zip(self.names, found, strict=True))


@dataclass(slots=True)
class Recogniser:
    """The sentences of one language."""

    by_text: Mapping[str, str]
    """Translations by what they are in English, as in a catalogue."""
    _whole: dict[str, str] = field(default_factory=dict)
    _templates: Sequence[_Template] = ()

    def __post_init__(self) -> None:
        templates = []
        for text, translation in self.by_text.items():
            if "{" not in text:
                self._whole[text] = translation
                continue
            parts = list(Formatter().parse(text))
            names = tuple(name for _, name, _, _ in parts if name is not None)
            texts = _joined(parts)
            if names:
                templates.append(_Template(translation, texts, names))
            else:
                self._whole[texts[0]] = translation.format()
        self._templates = sorted(templates, key=lambda one: -one.weight)

    def __call__(
        self, said: str, value: Callable[[str], str] = str, *, depth: int = 0
    ) -> str | None:
        """Return the sentence in the language; None where it is not known.

        *value* makes of a value what stands in a text. One that is a sentence itself is said
        in the language; never what stands in quotes: that is somebody's own.
        """
        if found := self._whole.get(said):
            return found
        if len(said) > _LONGEST or depth > _DEEPEST:
            return None
        for one in self._templates:
            values = one.values(said)
            if values is not None:
                inner = {name: self._value(text, value, depth) for name, text in values.items()}
                return one.translation.format(**inner)
        frame = _FRAME.fullmatch(said)
        inside = frame and self(frame["message"], value, depth=depth + 1)
        if not frame or not inside:
            return None
        return f"{value(frame['path'])}: {inside}{value(frame['rule'] or '')}"

    def _value(self, text: str, value: Callable[[str], str], depth: int) -> str:
        told = None if text[:1] in "'\"" else self(text.strip(), value, depth=depth + 1)
        return value(text) if told is None else told


def _joined(parts: Sequence[tuple[str, str | None, str | None, str | None]]) -> tuple[str, ...]:
    """Return what stands around the values: one text more than there are values."""
    texts = [""]
    for text, name, _, _ in parts:
        texts[-1] += text
        if name is not None:
            texts.append("")
    return tuple(texts)
