"""Who gets a message: a pure function of its facts and the registry before it (G3, G5, G8)."""

from __future__ import annotations

import math
from typing import Final

from hub.core.registry import Filter, Registry, channel_of, main_feeds
from schemas.facts import Area, MessageFacts
from schemas.places import touched
from schemas.scales import is_as_grave

__all__ = [
    "entitled",
    "feeds_of",
    "feeds_of_acknowledgement",
    "feeds_of_redaction",
    "recipients",
    "wants",
]

_KM_PER_DEGREE: Final = 111.19


def entitled(facts: MessageFacts, agency: str, registry: Registry) -> frozenset[str]:
    """Return the active agencies that may read the message; its own agency always may.

    CAP 1.2, 3.2.1 ``scope``: Public goes to all members. Private goes to those its
    ``addresses`` name. Restricted goes to those that its addresses and restriction
    name; where neither names a member, to all of them, for the members of the hub
    *are* the closed circle (docs/decisions/0006). A Draft stays with its agency.
    """
    own = frozenset({agency}) & registry.members
    if facts.status == "Draft":
        return own
    if facts.scope == "Public":
        return registry.members
    names = list(facts.addresses)
    if facts.scope == "Restricted":
        names += facts.restriction.replace(",", " ").replace(";", " ").split()
    named = frozenset[str]().union(*(registry.called.get(n.casefold(), frozenset()) for n in names))
    if facts.scope == "Restricted" and not named:
        return registry.members
    return named | own


def recipients(facts: MessageFacts, agency: str, registry: Registry) -> frozenset[str]:
    """Return the agencies that are expected to acknowledge: all entitled but the sender's own.

    A CAP Ack or Error answers a message and is not itself acknowledged, or two
    agencies would thank each other for ever.
    """
    if facts.kind in {"ack", "error"} or facts.status == "Draft":
        return frozenset()
    return entitled(facts, agency, registry) - {agency}


def feeds_of(facts: MessageFacts, agency: str, registry: Registry) -> tuple[str, ...]:
    """Return the ids of all feeds that the message goes to, sorted."""
    channel = channel_of(facts.status)
    state = registry.agencies[agency].state if agency in registry.agencies else ""
    found = []
    for reader in entitled(facts, agency, registry):
        found.append(main_feeds(reader)[channel])
        found += [
            s.feed
            for s in registry.by_agency.get(reader, ())
            if s.channel == channel and wants(s.filter, facts, state)
        ]
    return tuple(sorted(found))


def feeds_of_acknowledgement(
    by: str, message_agency: str, status: str, registry: Registry
) -> tuple[str, ...]:
    """Return the feeds that tell of an acknowledgement: the acknowledger's and the sender's."""
    channel = channel_of(status)
    return tuple(
        sorted(main_feeds(a)[channel] for a in {by, message_agency} if a in registry.members)
    )


def feeds_of_redaction(facts: MessageFacts, agency: str, registry: Registry) -> tuple[str, ...]:
    """Return all feeds that may hold a copy of a message, by what is left of its facts."""
    channel = channel_of(facts.status)
    found = []
    for reader in entitled(facts, agency, registry):
        found.append(main_feeds(reader)[channel])
        found += [s.feed for s in registry.by_agency.get(reader, ()) if s.channel == channel]
    return tuple(sorted(found))


def wants(wanted: Filter, facts: MessageFacts, state: str) -> bool:
    """Return whether a filter keeps a message whose agency is of *state*."""
    if wanted.states and state not in wanted.states:
        return False
    if wanted.kinds and facts.kind not in wanted.kinds:
        return False
    if wanted.severity is not None and not is_as_grave(facts.severity, wanted.severity):
        return False
    if wanted.events:
        events = {e.casefold() for e in facts.events}
        if not any(e.casefold() in events for e in wanted.events):
            return False
    if (
        wanted.languages
        and facts.languages
        and not any(_speaks(tag, want) for tag in facts.languages for want in wanted.languages)
    ):
        return False
    if wanted.bbox is not None and not _touches(facts.areas, wanted.bbox):
        return False
    if not wanted.touches:
        return True
    places = touched(facts.areas, wanted.outlines)
    return not places.located or places.touch(wanted.touches)


def _speaks(tag: str, want: str) -> bool:
    tag, want = tag.casefold(), want.casefold()
    return tag == want or tag.startswith(want + "-")


def _touches(areas: tuple[Area, ...], bbox: tuple[float, float, float, float]) -> bool:
    """Return whether the bounding box of any shape meets *bbox*; no shape at all counts as a yes.

    Boxes, not outlines: a feed may carry a neighbour's alert too many, never one too few.
    """
    south, west, north, east = bbox
    any_shape = False
    for area in areas:
        for ring in area.polygons:
            any_shape = True
            lats, lons = [p[0] for p in ring], [p[1] for p in ring]
            if (
                min(lats) <= north
                and max(lats) >= south
                and min(lons) <= east
                and max(lons) >= west
            ):
                return True
        for lat, lon, km in area.circles:
            any_shape = True
            dlat = km / _KM_PER_DEGREE
            # Near a pole a circle reaches round the Earth: then every longitude is touched.
            shrink = math.cos(math.radians(min(90.0, abs(lat) + dlat)))
            dlon = 360.0 if shrink < 1e-6 else dlat / shrink
            if (
                lat - dlat <= north
                and lat + dlat >= south
                and (
                    dlon >= 180
                    # A circle near the antimeridian reaches to the other end of the map.
                    or any(
                        lon + turn - dlon <= east and lon + turn + dlon >= west
                        for turn in (-360, 0, 360)
                    )
                )
            ):
                return True
    return not any_shape
