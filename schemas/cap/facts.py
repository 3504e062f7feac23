"""What routing needs to know of an alert (`schemas.facts`), derived from the alert alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.cap.build import built
from schemas.facts import Area, MessageFacts
from schemas.scales import CERTAINTIES, SEVERITIES, URGENCIES

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.model import Alert, Info

__all__ = ["alert_facts"]

_HEADLINE: Final = 160
_KINDS: Final = {"Ack": "ack", "Error": "error"}


def alert_facts(alert: Alert) -> MessageFacts:
    """Return the facts of *alert*. The same alert gives the same facts (guarantee G5).

    Areas that several ``info`` blocks repeat are there once, in the order of
    their first appearance; so are languages, categories and events.
    """
    infos = alert.info
    return built(
        MessageFacts,
        {
            "kind": _KINDS.get(alert.msg_type, "alert"),
            "sender": alert.sender,
            "identifier": alert.identifier,
            "sent": alert.sent,
            "status": alert.status,
            "msg_type": alert.msg_type,
            "scope": alert.scope,
            "restriction": alert.restriction or "",
            "addresses": alert.addresses,
            "languages": _unique([info.language for info in infos]),
            "categories": _unique([c for info in infos for c in info.category]),
            "events": _unique(_events(infos)),
            "severity": _gravest(SEVERITIES, [info.severity for info in infos]),
            "urgency": _gravest(URGENCIES, [info.urgency for info in infos]),
            "certainty": _gravest(CERTAINTIES, [info.certainty for info in infos]),
            "headline": _headline(infos),
            "expires": _expires(infos),
            "references": alert.references,
            "incidents": alert.incidents,
            "areas": _areas(infos),
        },
    )


def _unique(items: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _events(infos: tuple[Info, ...]) -> list[str]:
    events = []
    for info in infos:
        events.append(info.event)
        events += [f"{code.value_name}={code.value}" for code in info.event_code]
    return events


def _gravest(ranks: tuple[str, ...], given: list[str]) -> str:
    return min(given, key=ranks.index, default=ranks[-1])


def _headline(infos: tuple[Info, ...]) -> str:
    for info in infos:
        text = (info.headline or "").strip()
        if text:
            return text[:_HEADLINE]
    return infos[0].event.strip()[:_HEADLINE] if infos else ""


def _expires(infos: tuple[Info, ...]) -> datetime | None:
    """Return when the last info expires; None when any of them never does."""
    ends = [info.expires for info in infos]
    return None if not ends or None in ends else max(end for end in ends if end is not None)


def _areas(infos: tuple[Info, ...]) -> tuple[Area, ...]:
    areas: dict[Any, Area] = {}
    for info in infos:
        for area in info.area:
            values = {
                "description": area.area_desc,
                "polygons": area.polygon,
                "circles": area.circle,
                "geocodes": tuple([(code.value_name, code.value) for code in area.geocode]),
            }
            key = tuple(values.values())
            if key not in areas:
                areas[key] = built(Area, values)
    return tuple(areas.values())
