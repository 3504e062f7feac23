"""Which incidents a message is about, by names that do not hang on how they are written."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from hub.core.aid import incident_key
from schemas.facts import MessageFacts

__all__ = ["incident_name", "incidents_of"]

_LONGEST_BYTES: Final = 500
"""Incidents are looked up by an index, whose entries are bounded."""
_MOST: Final = 50
"""Of so many incidents, the first ones, a message is found; nobody's message is about more."""
_UNWRITABLE: Final = re.compile("[\x00\ud800-\udfff]")


def incident_name(incident: str) -> str:
    """Return the name under which an incident is known: in capitals, without needless spaces.

    One that is too long for an index, or that no database can hold, is known by its
    digest. Empty for a blank one.
    """
    name = incident_key(incident)
    written = name.encode("utf-8", "surrogatepass")
    if len(written) > _LONGEST_BYTES or _UNWRITABLE.search(name):
        return f"sha256:{sha256(written).hexdigest()}"
    return name


def incidents_of(facts: MessageFacts) -> tuple[str, ...]:
    """Return the names of the incidents that a message is about, each once.

    CAP 1.2, 3.2.1 ``incidents``; EDXL-RM 1.0 ``IncidentID``.
    """
    written = facts.incidents if facts.aid is None else facts.aid.incidents
    return tuple(dict.fromkeys(n for i in written[:_MOST] if (n := incident_name(i))))
