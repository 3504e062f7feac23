"""An accepted offer becomes an order that the standard knows, and that can be promised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rm_cases import ANSWER, OFFER
from rm_official import official_faults

from hub.core.aid import board
from hub.core.aid_moves import check_move
from hub.core.aid_statements import AidEntry
from schemas.errors import Rejected
from schemas.rm import (
    AidMessage,
    CommitResource,
    Funding,
    aid_facts,
    check_aid,
    read_aid,
    write_aid,
)
from schemas.rm.requisition import requisition_of

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAYS = Funding(funding_info="the receiving state")
OFFERED = read_aid(OFFER.encode()).message
ACCEPTED = read_aid(ANSWER.encode()).message


def order(**changes: Any) -> AidMessage:
    return requisition_of(ACCEPTED.model_copy(update=changes), OFFERED, funding=PAYS, at=AT)


def test_it_is_valid_and_orders_what_was_offered() -> None:
    made = order()

    assert official_faults(write_aid(made)) == []
    assert [f for f in check_aid(made) if f.severity == "error"] == []
    assert read_aid(write_aid(made)).message == made
    assert (made.preceding_message_id, made.originating_message_id) == ("TM-2026-7", "TM-2026-7")
    (item,), (offered,) = made.resource_information, OFFERED.resource_information
    assert item.resource_info_element_id == offered.resource_info_element_id
    assert item.resource is not None
    assert offered.resource is not None
    assert item.resource.type_structure == offered.resource.type_structure
    assert item.assignment_information is not None
    assert offered.assignment_information is not None
    assert item.assignment_information.quantity == offered.assignment_information.quantity
    assert made.funding == (PAYS,)


def test_what_the_acceptance_says_of_an_item_is_what_is_ordered() -> None:
    (item,), (offered,) = ACCEPTED.resource_information, OFFERED.resource_information
    assert offered.assignment_information is not None
    assert offered.assignment_information.quantity is not None
    measured = offered.assignment_information.quantity.measured_quantity
    assert measured is not None
    one = offered.assignment_information.quantity.model_copy(
        update={"measured_quantity": measured.model_copy(update={"amount": measured.amount - 1})}
    )
    less = offered.assignment_information.model_copy(update={"quantity": one})
    made = order(resource_information=(item.model_copy(update={"assignment_information": less}),))

    assert made.resource_information[0].assignment_information is not None
    assert made.resource_information[0].assignment_information.quantity == one


def test_it_is_admitted_and_answered_with_a_commitment_and_accepts_once() -> None:
    made = order()
    (item,) = made.resource_information
    answer = ACCEPTED.resource_information[0].response_information
    promised = item.model_copy(update={"response_information": answer, "schedule_information": ()})
    commit = CommitResource(
        message_id="TM-2026-9",
        sent_date_time=AT,
        originating_message_id=made.originating_message_id,
        preceding_message_id=made.message_id,
        incident_information=made.incident_information,
        contact_information=OFFERED.contact_information,
        resource_information=(promised,),
    )
    assert official_faults(write_aid(commit)) == []
    said = [("tm-es", OFFERED), ("az-fhn", ACCEPTED), ("az-fhn", made), ("tm-es", commit)]
    entries: list[AidEntry] = []

    for index, (agency, message) in enumerate(said):
        entry = AidEntry(index, agency, aid_facts(message))
        check_move(entry, entries)
        entries.append(entry)

    (incident,) = board(entries).incidents
    (line,) = incident.lines
    assert len({line.figures[s].amount for s in ("offered", "accepted", "committed")}) == 1
    assert set(line.figures["accepted"].messages) == {1, 2}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"message_content_type": "CommitResource"}, "not an AidOfferResponse"),
        ({"preceding_message_id": "another"}, "it accepts another"),
        ({"resource_information": ()}, "accepts nothing"),
    ],
)
def test_what_accepts_nothing_of_the_offer_is_no_order(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Rejected, match=why):
        order(**changes)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"response_type": "Decline"}, "accepts nothing"),
        ({"preceding_resource_info_element_id": "7"}, "has no item 7"),
    ],
)
def test_an_item_that_is_not_accepted_is_not_ordered(answer: dict[str, str], why: str) -> None:
    (item,) = ACCEPTED.resource_information
    assert item.response_information is not None
    response = item.response_information.model_copy(update=answer)
    changed = item.model_copy(update={"response_information": response})

    with pytest.raises(Rejected, match=why):
        order(resource_information=(changed,))
