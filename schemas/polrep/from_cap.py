"""Make a report of an alert, as far as POLREP can say what it says."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import Rejected
from schemas.polrep.converted import Converted, line, placed, told, two_letters
from schemas.polrep.model import Polinf, Polrep, Polwarn, Serial
from schemas.polrep.moment import write_moment
from schemas.polrep.position import KM_PER_NM
from schemas.polrep.read import read_polrep
from schemas.polrep.to_cap import CARRIED, to_alert

if TYPE_CHECKING:
    from schemas.cap.model import Alert, Area, Info

__all__ = ["from_alert"]

_SHOWN: Final = ("Actual", "Exercise")
_OIL: Final = frozenset({"OET-137", "OET-138"})
_POINTS: Final = 60
"""More corners of a polygon than anybody types."""


def from_alert(alert: Alert, *, state: str | None = None) -> Converted[Polrep]:
    """Return *alert* as POLWARN and POLINF; *state* is the sender's two letters.

    An alert that `to_alert` made comes back as the report that it was, so long as nobody
    changed it. Of any other the English ``info``, else the first, is told: 1 to 3 the
    event, 41 the area, 53 to 56 description, instruction and the rest.

    Raises:
        Rejected: ``not-convertible``: it has no ``info``; it is a test or a draft, which
            POLREP cannot say; or nothing tells the state.
    """
    carried = _carried(alert)
    if carried is not None:
        return Converted(carried, ())
    if alert.status not in _SHOWN:
        raise Rejected(
            "not-convertible",
            f"POLREP has no status {alert.status}: it would be taken for real",
            remedy="Make it an Exercise.",
        )
    if not alert.info:
        raise Rejected(
            "not-convertible",
            "the alert has no info",
            remedy="Convert the alert that it refers to.",
        )
    info = next((i for i in alert.info if (i.language or "en-US")[:2] == "en"), alert.info[0])
    losses = _losses(alert, info)
    happened = info.onset or info.effective or alert.sent
    position = "; ".join(text for area in info.area if (text := _place(area, losses)))
    values: dict[str, Any] = {
        "urgent": info.urgency == "Immediate",
        "exercise": alert.status == "Exercise",
        "sender": line(info.sender_name) or line(alert.sender) or "UNKNOWN",
        "recipients": tuple(
            name for part in alert.addresses if (name := line(re.sub("[,;]", " ", part), 200))
        ),
        "sent": told(alert.sent),
        "identification": f"POLREP {line(info.event, 200) or ''}".strip(),
        "serial": Serial(
            state=two_letters(state, alert.sender),
            incident=_incident(alert),
            number=min(len(alert.references) + 1, 9999),
            final=alert.msg_type == "Cancel",
        ),
        "polwarn": Polwarn(
            date_time=told(happened),
            position=line(position),
            incident=line(" - ".join(t for t in (info.event, info.headline) if t)),
        ),
    }
    until = f"HOLDS UNTIL {write_moment(told(info.expires))}" if info.expires else None
    remarks = {
        "spare_53": line(info.description),
        "spare_54": line(info.instruction),
        "spare_55": line(f"{info.urgency}, {info.severity}, {info.certainty}"),
        "spare_56": line(" ".join(t for t in (info.web, info.contact) if t)),
        "spare_57": until,
    }
    values["polinf"] = Polinf(**{key: text for key, text in remarks.items() if text})
    return Converted(Polrep(**values), tuple(dict.fromkeys(losses)))


def _carried(alert: Alert) -> Polrep | None:
    """Return the report that the alert was, if the alert still says the same."""
    for info in alert.info:
        for parameter in info.parameter:
            if parameter.value_name == CARRIED:
                with suppress(Rejected, ValueError):
                    report = read_polrep(parameter.value.encode()).report
                    if to_alert(report, sender=alert.sender, at=alert.sent).message == alert:
                        return report
    return None


def _losses(alert: Alert, info: Info) -> list[str]:
    losses = []
    if len(alert.info) > 1:
        others = ", ".join(i.language or "en-US" for i in alert.info if i is not info)
        losses.append(f"other languages: {others}")
    if not ("Env" in info.category or any(c.value in _OIL for c in info.event_code)):
        losses.append(f"POLREP is for pollution of the sea, and this is {info.event[:60]!r}")
    if any(p.value_name == CARRIED for i in alert.info for p in i.parameter):
        losses.append("the report that it was: the alert was changed since")
    for key, what in (
        ("resource", "resources"),
        ("parameter", "parameters"),
        ("event_code", "event codes"),
        ("response_type", "response types"),
    ):
        if getattr(info, key):
            losses.append(what)
    if alert.references:
        losses.append("references: POLREP counts reports by serial number")
    if alert.restriction is not None or alert.scope == "Private":
        losses.append(f"scope {alert.scope}: POLREP has addressees alone")
    if any(area.geocode for area in info.area):
        losses.append("geocodes")
    return losses


def _place(area: Area, losses: list[str]) -> str:
    parts = [area.area_desc]
    for ring in area.polygon:
        corners = ring[:-1] if len(ring) <= _POINTS else ring[: _POINTS - 1]
        if len(ring) > _POINTS:
            losses.append(f"corners of polygons after the first {_POINTS - 1}")
        parts.append(" ".join(map(placed, corners)))
    for lat, lon, radius in area.circle:
        parts.append(f"{placed((lat, lon))} RADIUS {radius / KM_PER_NM:.2f} NM")
    if area.altitude is not None:
        losses.append("altitudes")
    return ", ".join(part for part in parts if part.strip())


def _incident(alert: Alert) -> str:
    text = alert.incidents[0] if alert.incidents else alert.identifier
    return line(text.replace("/", "-"), 200) or "UNKNOWN"
