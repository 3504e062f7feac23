"""Reports as alerts and aid messages, and back: valid, the same again, and losses are told."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cap_strategies import lawful_alerts
from hypothesis import given
from hypothesis import strategies as st
from polrep_cases import report
from polrep_strategies import LINES, reports
from rm_strategies import messages

from schemas.cap import Alert, Area, EventCode, Info, read_alert, write_alert
from schemas.errors import Rejected
from schemas.polrep import Moment, Polrep, read_polrep, write_polrep
from schemas.polrep.equipment import WORDS_URN, items_of
from schemas.polrep.from_aid import from_aid
from schemas.polrep.from_cap import from_alert
from schemas.polrep.to_aid import to_aid
from schemas.polrep.to_cap import to_alert
from schemas.rm import AidMessage, MessageRecall, read_aid, write_aid
from tests.examples import examples

AT = datetime(2026, 6, 18, 12, tzinfo=UTC)
SENDER = "duty@fhn.gov.az"
OFFER = b"""\
FROM: KZ RESPONSE CENTRE
TO: AZ
181500Z JUN 2026
POLREP CASPIAN
KZ/GUNESHLI/1
IN REPLY TO: AZ/GUNESHLI/1
80. 181500Z
82. COST: AT COST, PAID AFTERWARDS
89. EQUIPMENT: 1200 M OFFSHORE BOOM; 1 TUG
90. ETA 190600Z JUN
91. AKTAU
92. RENDEZVOUS 40-20N 050-00E
"""


def read(data: bytes) -> Polrep:
    return read_polrep(data).report


def alert_of(made: Polrep) -> Alert:
    return to_alert(made, sender=SENDER, at=AT).message


def test_a_report_becomes_an_alert_that_is_valid_without_warnings() -> None:
    converted = to_alert(read(report()), sender=SENDER, at=AT)

    again = read_alert(write_alert(converted.message))
    (info,) = again.alert.info
    assert again.warnings == ()
    assert again.alert == converted.message
    assert (again.alert.identifier, again.alert.status) == ("POLREP-AZ-GUNESHLI-1", "Exercise")
    assert (again.alert.addresses, again.alert.incidents) == (("KZ", "TM"), ("GUNESHLI",))
    assert again.alert.sent == datetime(2026, 6, 18, 11, tzinfo=UTC)
    assert (info.category, info.event) == (("Env",), "Oil spill")
    assert info.event_code == (EventCode(value_name="OET:v1.2", value="OET-138"),)
    assert (info.urgency, info.severity, info.certainty) == ("Immediate", "Severe", "Observed")
    assert info.onset == datetime(2026, 6, 18, 10, tzinfo=UTC)
    assert info.area[0].area_desc == "40-22N 049-55E, LENGTH 2 NM"
    ((lat, lon, radius),) = info.area[0].circle
    assert (round(lat, 4), round(lon, 4), radius) == (40.3667, 49.9167, 1.852)
    assert "44 WIND DIRECTION AND SPEED: 315 DEG 10 M/S" in (info.description or "")
    assert any("POLFAC" in loss for loss in converted.losses)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], ("Immediate", "Severe", "Observed")),
        ([("URGENT\n", "")], ("Expected", "Severe", "Observed")),
        ([("URGENT\n", ""), ("300", "6.9")], ("Expected", "Moderate", "Observed")),
        ([("300", "701")], ("Immediate", "Extreme", "Observed")),
        ([("300 TONNES", "UNKNOWN")], ("Immediate", "Severe", "Observed")),
        ([("URGENT\n", ""), ("300 TONNES", "")], ("Expected", "Moderate", "Observed")),
        ([("CRUDE OIL, 300", "NOT YET FUEL OIL, 300")], ("Immediate", "Severe", "Likely")),
        ([("GUNESHLI/1", "GUNESHLI/9 FINAL")], ("Past", "Minor", "Observed")),
    ],
)
def test_the_gravity_follows_priority_and_tonnes(
    changes: list[tuple[str, str]], expected: tuple[str, str, str]
) -> None:
    (info,) = alert_of(read(report(*changes))).info

    assert (info.urgency, info.severity, info.certainty) == expected


def test_three_points_are_a_polygon() -> None:
    (info,) = alert_of(
        read(report(("40-22N 049-55E", "40-20N 049-50E 40-30N 049-50E 40-30N 050-00E")))
    ).info

    (ring,) = info.area[0].polygon
    assert len(ring) == 4
    assert ring[0] == ring[-1]


def test_a_report_in_local_time_is_not_converted() -> None:
    local = read(report(("181100Z JUN 2026", "181500 LT")))

    for convert in (to_alert, to_aid):
        with pytest.raises(Rejected, match="local time") as refusal:
            convert(local, sender=SENDER, at=AT)
        assert refusal.value.code == "not-convertible"


@given(reports(utc=True))
@examples(25)
def test_a_report_comes_back_from_its_alert_as_it_was(made: Polrep) -> None:
    if made.polwarn is None and made.polinf is None:
        return
    alert = alert_of(made)

    again = read_alert(write_alert(alert)).alert
    assert from_alert(again).message == made
    assert from_alert(again).losses == ()


@given(reports(utc=True))
@examples(25)
def test_a_report_comes_back_from_its_aid_message_as_it_was(made: Polrep) -> None:
    try:
        message = to_aid(made, sender=SENDER, at=AT).message
    except Rejected:
        return

    again = read_aid(write_aid(message)).message
    assert from_aid(again).message == made


def test_an_alert_that_was_changed_since_is_told_as_it_is_now() -> None:
    alert = alert_of(read(report()))
    (info,) = alert.info
    changed = alert.model_copy(
        update={"info": (info.model_copy(update={"description": "All is well."}),)}
    )

    converted = from_alert(changed)

    assert converted.message.polinf is not None
    assert converted.message.polinf.spare_53 == "All is well."
    assert any("changed since" in loss for loss in converted.losses)
    assert read(write_polrep(converted.message)) == converted.message


def other_alert(**changes: object) -> Alert:
    return Alert(
        identifier="IR-7",
        sender="duty@pmo.ir",
        sent=AT + timedelta(seconds=30),
        status="Actual",
        msg_type="Alert",
        scope="Public",
        info=(
            Info(
                language="fa",
                category=("Env",),
                event="نشت نفت",
                urgency="Immediate",
                severity="Severe",
                certainty="Observed",
            ),
            Info(
                language="en",
                category=("Env",),
                event="Oil spill",
                urgency="Immediate",
                severity="Severe",
                certainty="Observed",
                expires=AT + timedelta(hours=6),
                headline="Oil off Anzali",
                description="A slick of two miles.\nIt drifts west.",
                area=(
                    Area(
                        area_desc="Anzali",
                        polygon=(((37.5, 49.4), (37.6, 49.4), (37.6, 49.6), (37.5, 49.4)),),
                        circle=((37.5, 49.5, 18.52),),
                    ),
                ),
            ),
        ),
    ).model_copy(update=changes)


def test_any_alert_becomes_a_report_as_far_as_it_goes() -> None:
    converted = from_alert(other_alert())

    made = converted.message
    assert read(write_polrep(made)) == made
    assert [f.rule for f in read_polrep(write_polrep(made)).warnings] == ["P10"]
    assert (str(made.serial), made.urgent, made.exercise) == ("IR/IR-7/1", True, False)
    assert made.sent == Moment(day=18, hour=12, minute=0, month=6, year=2026)
    assert made.polwarn is not None
    assert made.polwarn.position == (
        "Anzali, 37-30.000N 049-24.000E 37-36.000N 049-24.000E 37-36.000N 049-36.000E, "
        "37-30.000N 049-30.000E RADIUS 10.00 NM"
    )
    assert made.polwarn.incident == "Oil spill - Oil off Anzali"
    assert made.polinf is not None
    assert made.polinf.spare_53 == "A slick of two miles. It drifts west."
    assert made.polinf.spare_57 == "HOLDS UNTIL 181800Z JUN 2026"
    assert "other languages: fa" in converted.losses


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "Test"}, "status Test"),
        ({"status": "Draft"}, "status Draft"),
        ({"info": ()}, "no info"),
        ({"sender": "duty"}, "which state"),
    ],
)
def test_an_alert_that_a_report_cannot_say_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(Rejected, match=why) as refusal:
        from_alert(other_alert(**changes))

    assert refusal.value.code == "not-convertible"
    assert refusal.value.remedy


def test_the_state_can_be_said() -> None:
    assert from_alert(other_alert(sender="duty"), state="ir").message.serial.state == "IR"


def test_a_request_of_facilities_becomes_a_request_of_resources() -> None:
    converted = to_aid(read(report()), sender=SENDER, at=AT)

    again = read_aid(write_aid(converted.message))
    boom, tugs = again.message.resource_information
    assert again.warnings == ()
    assert again.message == converted.message
    assert again.message.message_content_type == "RequestResource"
    assert again.message.incident_information[0].incident_id == "EXERCISE GUNESHLI"
    assert boom.resource is not None
    assert boom.resource.type_structure is not None
    assert boom.resource.type_structure.value == ("boom-offshore",)
    assert tugs.resource is not None
    assert tugs.resource.name == "TUGS"
    (when,) = boom.schedule_information
    assert when.location is not None
    assert when.location.target_area is not None
    assert when.location.target_area.point == (pytest.approx(40 + 20 / 60), 50.0)


def test_an_offer_of_facilities_becomes_an_offer() -> None:
    converted = to_aid(read(OFFER), sender="duty@emer.kz", at=AT)

    again = read_aid(write_aid(converted.message))
    assert again.warnings == ()
    assert again.message.message_content_type == "OfferUnsolicitedResource"
    arrival = again.message.resource_information[0].schedule_information[-1]
    assert arrival.date_time == datetime(2026, 6, 19, 6, tzinfo=UTC)
    assert any("it answers AZ/GUNESHLI/1" in loss for loss in converted.losses)


def test_an_offer_answers_the_request_that_is_given() -> None:
    request = to_aid(read(report()), sender=SENDER, at=AT).message

    message = to_aid(read(OFFER), sender="duty@emer.kz", at=AT, request=request).message

    again = read_aid(write_aid(message))
    assert again.warnings == ()
    assert again.message.message_content_type == "ResponseToRequestResource"
    assert again.message.preceding_message_id == "POLFAC-AZ-GUNESHLI-1"
    assert [
        item.response_information.preceding_resource_info_element_id
        for item in again.message.resource_information
        if item.response_information is not None
    ] == ["1", "2"]
    assert from_aid(again.message).message == read(OFFER)


def test_what_nobody_asked_for_answers_no_request() -> None:
    request = to_aid(read(report()), sender=SENDER, at=AT).message

    with pytest.raises(Rejected, match="nobody asked"):
        to_aid(
            read(OFFER.replace(b"1 TUG", b"1 HELICOPTER")),
            sender="duty@emer.kz",
            at=AT,
            request=request,
        )


def changed(message: AidMessage, **changes: object) -> AidMessage:
    return message.model_copy(update=changes)


def test_an_aid_message_that_is_none_of_ours_becomes_a_report() -> None:
    offer = to_aid(read(OFFER), sender="duty@emer.kz", at=AT).message

    converted = from_aid(changed(offer, message_description="Booms are on the way."))

    made = converted.message
    assert read(write_polrep(made)) == made
    assert str(made.serial) == "KZ/GUNESHLI/1"
    assert made.polfac is not None
    assert made.polfac.equipment == "1200 M OFFSHORE BOOM; 1 TUG"
    assert made.polfac.cost == "AT COST, PAID AFTERWARDS"
    assert made.polfac.arrival == "190600Z JUN 2026 RENDEZVOUS 40-20N 050-00E"
    assert made.polfac.spare_93 == "Booms are on the way."
    assert (made.polfac.spare_94 or "").startswith("AVAILABLE FROM 181500Z JUN 2026 AKTAU;")


def test_a_request_that_is_none_of_ours_becomes_a_report() -> None:
    request = to_aid(read(report()), sender=SENDER, at=AT).message

    made = from_aid(changed(request, message_description=None)).message

    assert made.exercise
    assert made.polfac is not None
    assert made.polfac.request == "2000 M OFFSHORE BOOM; 2 TUGS"
    assert made.polfac.where == "RENDEZVOUS 40-20N 050-00E, VHF 16"


def test_what_takes_an_offer_back_is_no_report() -> None:
    offer = to_aid(read(OFFER), sender="duty@emer.kz", at=AT).message
    recall = MessageRecall(recall_message_id="X", recall_type="Cancel")

    with pytest.raises(Rejected, match="takes back"):
        from_aid(changed(offer, message_recall=recall))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("2000 M OFFSHORE BOOM; 2 TUGS",
         [("boom-offshore", "2000", "MTR"), ("vessel-tug", "2", "C62")]),
        ("3 weir skimmers, 5 T of dispersant and 12 divers",
         [("skimmer-weir", "3", "C62"), ("dispersant", "5", "TNE"), ("team-divers", "12", "IE")]),
        ("2,000 m of inshore boom", [("boom-inshore", "2000", "MTR")]),
        ("1 oil recovery vessel", [("vessel-recovery", "1", "C62")]),
        ("1 icebreaker", [("icebreaker", "1", "C62")]),
        ("booms", [("boom", None, None)]),
        ("0 TUGS", [("vessel-tug", None, None)]),
    ],
)  # fmt: skip
def test_equipment_is_known_by_its_words(
    text: str, items: list[tuple[str, str | None, str | None]]
) -> None:
    found = []
    for item in items_of(text):
        measured = item.quantity.measured_quantity
        unit = measured.unit_of_measure if measured else None
        found.append(
            (
                item.kind.value[0],
                f"{measured.amount:f}" if measured else None,
                unit.value[0] if unit else None,
            )
        )
    assert found == items


@given(LINES)
@examples(30)
def test_whatever_is_asked_for_is_an_item(text: str) -> None:
    items = items_of(text)

    assert items
    assert all(item.name and item.kind.value[0] for item in items)
    assert all(
        item.kind.value_list_urn in {WORDS_URN, "urn:caspian:resource:oil-spill"} for item in items
    )


def of_today(message: AidMessage) -> AidMessage:
    """Return *message* with dates of our years, and taking nothing back."""
    items = [
        item.model_copy(
            update={
                "schedule_information": tuple(
                    part.model_copy(update={"date_time": part.date_time and AT})
                    for part in item.schedule_information
                )
            }
        )
        for item in message.resource_information
    ]
    return changed(
        message, sent_date_time=AT, message_recall=None, resource_information=tuple(items)
    )


def alert_of_today(alert: Alert) -> Alert:
    """Return *alert* with dates of our years."""
    times = ("effective", "onset", "expires")
    infos = [
        info.model_copy(update={key: getattr(info, key) and AT for key in times})
        for info in alert.info
    ]
    return alert.model_copy(update={"sent": AT, "info": tuple(infos)})


@given(
    st.one_of(lawful_alerts(), lawful_alerts().map(alert_of_today)), st.sampled_from([None, "AZ"])
)
@examples(30)
def test_any_alert_becomes_a_report_that_reads_back_or_is_rejected(
    alert: Alert, state: str | None
) -> None:
    with suppress(Rejected):
        made = from_alert(alert, state=state).message
        assert read(write_polrep(made)) == made
        assert made.exercise == (alert.status == "Exercise")


@given(
    st.sampled_from(
        ["RequestResource", "OfferUnsolicitedResource", "ResponseToRequestResource", "RequestQuote"]
    )
    .flatmap(messages)
    .flatmap(lambda message: st.sampled_from([message, of_today(message)])),
    st.sampled_from([None, "AZ"]),
)
@examples(30)
def test_any_aid_message_becomes_a_report_that_reads_back_or_is_rejected(
    message: AidMessage, state: str | None
) -> None:
    with suppress(Rejected):
        made = from_aid(message, state=state).message
        assert read(write_polrep(made)) == made


@given(reports())
@examples(30)
def test_any_report_becomes_messages_that_are_valid_or_is_rejected(made: Polrep) -> None:
    with suppress(Rejected):
        alert = to_alert(made, sender=SENDER, at=AT).message
        assert read_alert(write_alert(alert)).alert == alert
    with suppress(Rejected):
        message = to_aid(made, sender=SENDER, at=AT).message
        assert read_aid(write_aid(message)).message == message
