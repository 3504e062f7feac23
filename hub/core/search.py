"""What is searched for in the log, and whether an entry is it: one rule for hub and auditor.

An auditor applies it to the entries themselves and holds what comes out against the hub's
answer. So it is pure, and has a version: where two sides have another, neither lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from hub.core.incidents import incident_name, incidents_of
from hub.core.redaction import REDACTED_TYPE
from hub.core.registry import Filter
from hub.core.routing import wants
from schemas.errors import Rejected
from schemas.facts import MessageFacts
from schemas.places.outlines import LATEST
from schemas.texts import hold, texts_of, words_of

__all__ = ["RULES", "Query", "told"]

RULES: Final = f"1/{LATEST}"
"""The version of what is found by what: of this module, and of the outlines of places."""

_EVERYTHING: Final = Filter()


@dataclass(frozen=True, slots=True)
class Query:
    """What an entry must be; all that is given must hold."""

    kinds: tuple[str, ...] = ()
    """One of these kinds."""
    agency: str = ""
    """What this agency did."""
    incident: str = ""
    """Messages about this incident, by its name (`incident_name`)."""
    wanted: Filter = _EVERYTHING
    """Messages of a severity and place, as a subscription's filter keeps them."""
    words: tuple[str, ...] = ()
    """Messages whose texts hold all these folded words."""
    of_what: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What messages are searched by, as `of` takes it; empty where it is any entry."""

    @classmethod
    def of(
        cls,
        *,
        kinds: Sequence[str] = (),
        agency: str = "",
        incident: str = "",
        severity: str | None = None,
        bbox: Sequence[float] | None = None,
        touches: Sequence[str] = (),
        text: str = "",
    ) -> Query:
        """Return the query that these mean.

        Raises:
            Rejected: ``filter-invalid``.
        """
        given: dict[str, Any] = {"severity": severity, "bbox": bbox, "touches": touches}
        given["outlines"] = LATEST if touches else ""
        try:
            wanted = Filter.model_validate({name: one for name, one in given.items() if one})
        except (ValidationError, ValueError) as e:
            raise Rejected(
                "filter-invalid",
                " ".join(str(e).split())[:200],
                remedy="See docs/protocol/http.md: GET /v1/log/search.",
            ) from e
        name, words = incident_name(incident), words_of(text)
        told = {**given, "incident": name, "text": text if words else ""}
        del told["outlines"]
        what = {n: list(one) if isinstance(one, tuple) else one for n, one in told.items() if one}
        return cls(tuple(sorted(set(kinds))), agency, name, wanted, words, what)

    @property
    def of_messages(self) -> bool:
        """Whether it asks for what only a message has."""
        return bool(self.incident or self.words) or self.wanted != _EVERYTHING

    def may_be(self, kind: str, agency: str) -> bool:
        """Tell whether an entry of this kind and agency can be one, whatever else it says."""
        if self.of_messages and kind != "publish":
            return False
        return (not self.kinds or kind in self.kinds) and self.agency in {"", agency}

    def of_facts(self, facts: MessageFacts) -> bool:
        """Tell whether a message's facts are those that are asked for."""
        if self.incident and self.incident not in incidents_of(facts):
            return False
        return wants(self.wanted, facts, "")

    def of_text(self, facts: MessageFacts, payload_type: str, payload: bytes | None) -> bool | None:
        """Tell whether a message says the words; None where its text is not there to look at."""
        if not self.words or hold((facts.identifier,), self.words):
            return True
        if payload is None or payload_type == REDACTED_TYPE:
            return None
        try:
            return hold(texts_of(payload_type, payload), self.words)
        except Rejected:
            return None


def told(facts: MessageFacts) -> dict[str, Any]:
    """Return what an answer tells of a message that was found."""
    return {
        "kind": facts.kind,
        "sender": facts.sender,
        "identifier": facts.identifier,
        "status": facts.status,
        "type": facts.msg_type,
        "severity": facts.severity,
        "headline": facts.headline,
        "incidents": list((facts.aid or facts).incidents),
    }
