"""What a vocabulary is: a versioned list of codes, each with its names and what it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

__all__ = ["Term", "Vocabulary"]

_LONGEST: Final = 64
"""Characters of a code. Nothing longer is compared: what senders write may be of any length."""


@dataclass(frozen=True, slots=True)
class Term:
    """One code of a list.

    *labels* are its names by language tag (BCP 47), *parent* the code of the same
    list that it belongs under, *deprecated* what to use instead (None: it is in use),
    *facts* what else the list says of it, by name; docs/vocabularies.md explains them.
    """

    code: str
    labels: Mapping[str, str]
    parent: str | None = None
    deprecated: str | None = None
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def label(self, language: str = "en") -> str:
        """Return the name in *language*, else in its other scripts, in English, in any."""
        main = language.partition("-")[0].casefold()
        ranks = {
            tag: (
                tag.casefold() != language.casefold(),
                tag.casefold() != main,
                tag.partition("-")[0].casefold() != main,
                tag != "en",
            )
            for tag in self.labels
        }
        return self.labels[min(self.labels, key=ranks.__getitem__)]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A list of codes of one version.

    *urns* are the names by which messages call the list, the one to write first.
    *whole* says whether every code of the list is known here; of an excerpt a code
    that is not here may still be right. *others* are codes of the list that are
    known to be right and have no entry of their own.
    """

    name: str
    urns: tuple[str, ...]
    title: str
    version: str
    source: str
    licence: str
    whole: bool
    terms: Mapping[str, Term]
    others: frozenset[str] = frozenset()

    def is_known(self, code: str) -> bool | None:
        """Say whether *code* is of this list; None if only the whole list could tell."""
        if code in self.terms or code in self.others:
            return True
        return False if self.whole else None

    def objection(self, code: str) -> str | None:
        """Return what is wrong with *code* as a code of this list, in words; None if nothing is.

        To look for what a sender may have meant takes longer than all rules together:
        who judges what others send asks only so often.
        """
        where = f"{self.title}, {self.version}"
        term = self.terms.get(code)
        if term is not None and term.deprecated is not None:
            return f"{code!r} is retired in {where}: use {term.deprecated}"
        if not code or self.is_known(code) is not False:
            return None
        meant = self.nearest(code)
        if meant is None:
            return f"{code[:40]!r} is no code of {where}"
        return f"{code[:40]!r} is no code of {where}; did you mean {meant!r}?"

    def nearest(self, code: str) -> str | None:
        """Return the code in use that somebody who wrote *code* may have meant, if any."""
        if len(code) > _LONGEST:
            return None
        folded = {c.casefold(): c for c, term in self.terms.items() if term.deprecated is None}
        close = get_close_matches(code.strip().casefold(), folded, n=1, cutoff=0.7)
        return folded[close[0]] if close else None
