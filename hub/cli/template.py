"""``caspian template``: a first message to begin with, valid as it stands."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from hub.cli.convert import Force, OutFile, write_file
from hub.cli.exits import usage
from hub.cli.reports import SENDER
from hub.cli.template_texts import EQUIPMENT, WIND, pollution
from hub.cli.words import t
from hub.core.registry import AGENCY_ID
from hub.demo.members import MEMBERS
from schemas.cap import Alert, Area, EventCode, Info, write_alert
from schemas.polrep import write_polrep
from schemas.rm import (
    AidMessage,
    AssignmentInformation,
    ContactInformation,
    IncidentInformation,
    Location,
    MeasuredQuantity,
    OfferUnsolicitedResource,
    OwnershipInformation,
    Quantity,
    RequestResource,
    Resource,
    ResourceInformation,
    ScheduleInformation,
    TargetArea,
    ValueList,
    write_aid,
)

__all__ = ["template"]

_LISTED: Final = {member["id"]: member for member in MEMBERS}
_UNITS: Final = "urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20"
_BAKU: Final = (40.35, 49.87)


def template(
    what: Literal["alert", "aid-request", "aid-offer", "polrep"],
    /,
    *,
    agency: Annotated[str, Parameter(help="Who sends it; its id in the hub.")] = "az-fhn",
    sender: Annotated[
        str | None,
        Parameter(help="The sender as it is registered; else the demonstration's, or an example."),
    ] = None,
    language: Annotated[
        tuple[Literal["az", "kk", "ru", "fa", "tk", "en"], ...],
        Parameter(
            negative="", help="The language; may be repeated for an alert. Else the agency's own."
        ),
    ] = (),
    output: OutFile = "-",
    force: Force = False,
) -> None:
    """Write an example of a message, sent now, that the hub would take as it is.

    It is marked as a test: change the status (of aid messages the incident) for real use.
    A pollution report is an exercise: take the word EXERCISE out.
    docs/standards.md says what to change.

    Parameters
    ----------
    what: str
        Which message.

    """
    if not re.fullmatch(AGENCY_ID, agency):
        raise usage(
            t("{agency} is no agency's id", agency=agency),
            remedy=t("Write the state's two letters and a name: az-fhn."),
        )
    member: dict[str, Any] = _LISTED.get(agency, {})
    languages = tuple(dict.fromkeys(language)) or tuple(member.get("languages", ("en",)))
    listed = next(iter(member.get("senders", ())), f"duty@{agency}.example")
    name = listed if sender is None else sender
    if not re.fullmatch(SENDER, name):
        raise usage(
            t("a sender is not empty and has no white space, comma, < or &"),
            remedy=t("Write it as the operator registered it."),
        )
    at = datetime.now(UTC).replace(microsecond=0)
    id_ = f"{agency.upper()}-{at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    if what == "alert":
        data = write_alert(_alert(id_, name, member.get("name", agency), languages, at))
    elif what == "polrep":
        if set(language) - {"en"}:
            raise usage(t("a pollution report is in English"), remedy=t("Leave --language out."))
        data = write_polrep(pollution(agency, member.get("name", agency), at))
    elif language[1:]:
        raise usage(t("an aid message is in one language"), remedy=t("Give --language once."))
    else:
        make = _request if what == "aid-request" else _offer
        data = write_aid(make(id_, name, agency, languages[0], at))
    write_file(data, output, force=force)


def _alert(id_: str, sender: str, name: str, languages: tuple[str, ...], at: datetime) -> Alert:
    return Alert(
        identifier=id_,
        sender=sender,
        sent=at,
        status="Test",
        msg_type="Alert",
        scope="Public",
        note="An example: change status, texts, codes and area.",
        info=tuple(
            Info(
                language=language,
                category=("Met",),
                event=words.event,
                response_type=("Avoid",),
                urgency="Expected",
                severity="Severe",
                certainty="Likely",
                event_code=(EventCode(value_name="OET:v1.2", value="OET-218"),),
                effective=at,
                onset=at + timedelta(hours=3),
                expires=at + timedelta(hours=24),
                sender_name=name,
                headline=words.headline,
                description=words.description,
                instruction=words.instruction,
                area=(
                    Area(
                        area_desc=words.area,
                        polygon=(
                            ((40.5, 50.5), (40.5, 52.5), (42.5, 52.0), (42.5, 49.0), (40.5, 50.5)),
                        ),
                    ),
                ),
            )
            for language in languages
            for words in [WIND[language]]
        ),
    )


def _request(id_: str, sender: str, _agency: str, language: str, at: datetime) -> AidMessage:
    return RequestResource(
        **_head(id_, sender, language, at),
        resource_information=(
            ResourceInformation(
                resource_info_element_id="1",
                resource=_boom(),
                assignment_information=AssignmentInformation(
                    quantity=_metres(2000), anticipated_function="Enclose the slick"
                ),
                schedule_information=(
                    ScheduleInformation(
                        schedule_type="RequestedArrival",
                        date_time=at + timedelta(hours=24),
                        location=_port(),
                    ),
                ),
            ),
        ),
    )


def _offer(id_: str, sender: str, agency: str, language: str, at: datetime) -> AidMessage:
    owned = OwnershipInformation(
        owner=_LISTED.get(agency, {}).get("name", agency), owning_jurisdiction=agency[:2].upper()
    )
    return OfferUnsolicitedResource(
        **_head(id_, sender, language, at),
        resource_information=(
            ResourceInformation(
                resource_info_element_id="1",
                resource=_boom(ownership_information=owned),
                assignment_information=AssignmentInformation(
                    quantity=_metres(1200), price_quote=Quantity(quantity_text=("free of charge",))
                ),
                schedule_information=(
                    ScheduleInformation(
                        schedule_type="BeginAvailable", date_time=at, location=_port()
                    ),
                    ScheduleInformation(
                        schedule_type="EndAvailable", date_time=at + timedelta(days=14)
                    ),
                ),
            ),
        ),
    )


def _head(id_: str, sender: str, language: str, at: datetime) -> dict[str, Any]:
    """Return what both aid messages begin with; the incident's id marks them as a test."""
    return {
        "message_id": id_,
        "sent_date_time": at,
        "message_description": EQUIPMENT[language],
        "originating_message_id": id_,
        "incident_information": (IncidentInformation(incident_id="TEST-AC-2026-000001-AZE"),),
        "contact_information": (
            ContactInformation(contact_description=sender, contact_role="Sender"),
        ),
    }


def _boom(**more: Any) -> Resource:
    kind = ValueList(value_list_urn="urn:caspian:resource:oil-spill", value=("boom-offshore",))
    return Resource(name="Offshore boom", type_structure=kind, **more)


def _metres(amount: int) -> Quantity:
    unit = ValueList(value_list_urn=_UNITS, value=("MTR",))
    return Quantity(
        measured_quantity=MeasuredQuantity(amount=Decimal(amount), unit_of_measure=unit)
    )


def _port() -> Location:
    return Location(location_description="Port of Baku", target_area=TargetArea(point=_BAKU))
