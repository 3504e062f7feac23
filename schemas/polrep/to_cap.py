"""Make an alert of a report: POLWARN and POLINF as CAP 1.2, category Env, an oil spill.

What has no element of its own is in the description, field by field, and the whole
report is carried as the parameter ``POLREP``, so that nothing is lost on the way back.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from schemas.cap.model import Alert, Area, EventCode, Info, Parameter
from schemas.errors import Rejected
from schemas.polrep.converted import Converted, id_of, sent_of
from schemas.polrep.fields import FIELDS
from schemas.polrep.position import KM_PER_NM, points_of, radius_km, tonnes_of
from schemas.polrep.write import said_fields, write_polrep

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.polrep.model import Polrep

__all__ = ["CARRIED", "to_alert"]

CARRIED: Final = "POLREP"
"""The name of the parameter that holds the report itself."""
_HOLDS: Final = timedelta(hours=24)
_REACH_KM: Final = 5 * KM_PER_NM
_LARGE_TONNES: Final = 700
_MEDIUM_TONNES: Final = 7
"""The sizes by which ITOPF counts spills."""
_HEADLINE: Final = 160


def to_alert(report: Polrep, *, sender: str, at: datetime) -> Converted[Alert]:
    """Return parts I and II of *report* as an alert; docs/standards.md has the mapping.

    *sender* is the CAP sender, *at* about when the report was sent: POLREP may leave out
    month and year. The same report gives the same alert whenever *at* is near.

    Raises:
        Rejected: ``not-convertible``: it has neither part, or is in local time.
    """
    if report.polwarn is None and report.polinf is None:
        raise Rejected(
            "not-convertible",
            "it has no POLWARN and no POLINF",
            remedy="Convert it to an aid message.",
        )
    sent = sent_of(report, at)
    losses: list[str] = []
    alert = Alert(
        identifier=id_of(report.serial, "POLREP"),
        sender=sender,
        sent=sent,
        status="Exercise" if report.exercise else "Actual",
        msg_type="Alert",
        source=str(report.serial),
        scope="Restricted",
        restriction="Addressees of the POLREP",
        addresses=tuple(
            name for part in report.recipients if (name := part.replace('"', "").strip())
        ),
        note=f"EXERCISE {report.serial}" if report.exercise else None,
        incidents=tuple(name for name in [report.serial.incident.replace('"', "").strip()] if name),
        info=(_info(report, sent, losses),),
    )
    if report.polfac is not None:
        losses.append("POLFAC (80 to 99) is in the description only: convert it to an aid message")
    if report.answers is not None:
        losses.append(f"that it answers {report.answers}: CAP refers by sender and time")
    return Converted(alert, tuple(losses))


def _info(report: Polrep, sent: datetime, losses: list[str]) -> Info:
    said = said_fields(report)
    losses.append("POLREP does not say until when it holds: 24 hours were assumed")
    incident = said.get(3) or said.get(43) or "pollution of the sea"
    headline = f"Oil spill: {incident} ({report.serial})"
    words = [f"{number} {FIELDS[number].label}: {text}" for number, text in said.items()]
    onset = _onset(report, sent, losses)
    answer = " Acknowledge this report at once." if 5 in said or 60 in said else ""
    return Info(
        language="en",
        category=("Env",),
        event="Oil spill",
        response_type=("Monitor",),
        urgency=_urgency(report),
        severity=_severity(report, said, losses),
        certainty="Likely" if _threatens(said) else "Observed",
        event_code=(EventCode(value_name="OET:v1.2", value="OET-138"),),
        effective=sent,
        onset=onset,
        expires=sent + _HOLDS,
        sender_name=report.sender,
        headline=headline if len(headline) <= _HEADLINE else f"{headline[: _HEADLINE - 1]}…",
        description="\n".join(words),
        instruction=f"Look out for the pollution and report it to {report.sender}.{answer}",
        parameter=(Parameter(value_name=CARRIED, value=write_polrep(report).decode()),),
        area=(_area(said, losses),),
    )


def _onset(report: Polrep, sent: datetime, losses: list[str]) -> datetime | None:
    moment = report.polwarn.date_time if report.polwarn else None
    if moment is None and report.polinf is not None:
        moment = report.polinf.date_time
    if moment is None:
        return None
    if moment.offset_minutes is None:
        losses.append("when it happened is in local time: it is in the description only")
        return None
    onset = moment.near(sent)
    if onset > sent + _HOLDS:
        losses.append("what is to happen later than it holds is in the description only")
        return None
    return onset


def _threatens(said: dict[int, str]) -> bool:
    return re.search(r"\bNOT YET\b", said.get(4, "").upper()) is not None


def _urgency(report: Polrep) -> Literal["Past", "Immediate", "Expected"]:
    if report.serial.final:
        return "Past"
    return "Immediate" if report.urgent else "Expected"


def _severity(
    report: Polrep, said: dict[int, str], losses: list[str]
) -> Literal["Minor", "Moderate", "Severe", "Extreme"]:
    if report.serial.final:
        return "Minor"
    amounts = [tonnes_of(said[number]) for number in (4, 41, 42) if number in said]
    tonnes = max((amount for amount in amounts if amount is not None), default=None)
    if tonnes is None:
        losses.append("no tonnes are named: the severity was assumed")
        return "Severe" if report.urgent else "Moderate"
    if tonnes > _LARGE_TONNES:
        return "Extreme"
    return "Severe" if report.urgent or tonnes >= _MEDIUM_TONNES else "Moderate"


def _area(said: dict[int, str], losses: list[str]) -> Area:
    text = said.get(41) or said.get(2)
    if text is None:
        losses.append("no position is given")
        return Area(area_desc="Position not given")
    points = points_of(text) or points_of(said.get(2, ""))
    if len(set(points)) > 2:
        ring = points if points[0] == points[-1] and len(points) > 3 else (*points, points[0])
        return Area(area_desc=text, polygon=(ring,))
    if not points:
        losses.append("the position has no latitude and longitude")
        return Area(area_desc=text)
    reach = next(
        (found for n in (41, 2) if n in said and (found := radius_km(said[n])) is not None), None
    )
    if reach is None:
        losses.append("no extent is given: 5 nautical miles around were assumed")
        reach = _REACH_KM
    return Area(
        area_desc=text,
        circle=tuple((lat, lon, round(reach, 3)) for lat, lon in dict.fromkeys(points)),
    )
