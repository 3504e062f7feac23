"""Which vocabularies there are, and how one is found: by its name, or as messages call it.

The lists are data files of the package, each read when it is first asked for and kept
from then on; they never change while a process runs.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from schemas.vocab.model import Term, Vocabulary

__all__ = ["is_known", "term", "vocabularies", "vocabulary", "vocabulary_of"]

_URNS: Final[dict[str, tuple[str, ...]]] = {
    "glide": ("urn:caspian:glide",),
    "hazards": ("urn:caspian:hazards:undrr-isc-2025",),
    "languages": ("urn:ietf:bcp:47",),
    "oet": ("OET:v1.2",),
    "ports": ("urn:caspian:ports", "UN/LOCODE"),
    "resources-emt": ("urn:caspian:resource:emt",),
    "resources-eu-modules": ("urn:caspian:resource:eu-modules",),
    "resources-insarag": ("urn:caspian:resource:insarag",),
    "resources-oil-spill": ("urn:caspian:resource:oil-spill",),
    "states": ("urn:iso:std:iso:3166:-1", "ISO 3166-1"),
    "subdivisions": ("urn:iso:std:iso:3166:-2", "ISO 3166-2"),
    "units": ("urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20",),
}
"""Names of each list in messages. They stand here so that asking for one reads one file."""
_NAMES: Final = {urn: name for name, urns in _URNS.items() for urn in urns}


def vocabularies() -> tuple[str, ...]:
    """Return the names of all vocabularies, sorted."""
    return tuple(_URNS)


@cache
def vocabulary(name: str) -> Vocabulary:
    """Return the vocabulary *name*; always the same object.

    Raises:
        KeyError: there is none of this name.

    """
    urns = _URNS[name]
    data = (files("schemas.vocab") / "data" / f"{name}.json").read_text("utf-8")
    return _read(name, urns, json.loads(data))


def vocabulary_of(urn: str) -> Vocabulary | None:
    """Return the vocabulary that messages call *urn*; None if it is not one of ours.

    A URN's first two parts are the same in small and capital letters (RFC 8141, 3.1).
    """
    name = _NAMES.get(urn) or _NAMES.get(_normal(urn))
    return None if name is None else vocabulary(name)


def term(vocabulary_name: str, code: str) -> Term | None:
    """Return the entry of *code* in the vocabulary of this name; None if there is none.

    Raises:
        KeyError: there is no such vocabulary.

    """
    return vocabulary(vocabulary_name).terms.get(code)


def is_known(urn: str, code: str) -> bool | None:
    """Say whether *code* is of the list *urn*; None if the list is not known, or not whole."""
    found = vocabulary_of(urn)
    return None if found is None else found.is_known(code)


def _normal(urn: str) -> str:
    parts = urn.split(":", 2)
    return ":".join([part.lower() for part in parts[:2]] + parts[2:])


def _read(name: str, urns: tuple[str, ...], data: dict[str, Any]) -> Vocabulary:
    terms = (
        Term(
            code=one["code"],
            labels=MappingProxyType(one["labels"]),
            parent=one.get("parent"),
            deprecated=one.get("deprecated"),
            facts=MappingProxyType(one.get("facts", {})),
        )
        for one in data["terms"]
    )
    return Vocabulary(
        name=name,
        urns=urns,
        title=data["title"],
        version=data["version"],
        source=data["source"],
        licence=data["licence"],
        whole=data["whole"],
        terms=MappingProxyType({term.code: term for term in terms}),
        others=frozenset(data.get("others", "").split()),
    )
