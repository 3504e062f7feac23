"""Whether a message says what the standard and the hub ask of it, beyond its structure.

Three sorts of rules: what the standard says in words where its schema cannot; what the
hub needs to lead an answer back to a question; what makes an offer one that another
state can take at its word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from schemas.rm.item_rules import judge_items
from schemas.rm.location_rules import judge_location
from schemas.rm.rulebook import Case
from schemas.rm.sender import contact_name, mark_of, sender_of

if TYPE_CHECKING:
    from schemas.errors import Finding
    from schemas.rm.model import AidMessage

__all__ = ["check_aid"]

_ID: Final = re.compile(r"[^\s,<&]+")
_FIRST: Final = frozenset({"RequestResource", "OfferUnsolicitedResource"})


def check_aid(message: AidMessage) -> tuple[Finding, ...]:
    """Return what the rules find in *message*, in document order, without lines."""
    case = Case(message.message_content_type)
    _judge_ids(message, case)
    _judge_incidents(message, case)
    for i, funding in enumerate(message.funding, 1):
        if not _said(funding.fund_code) and not _said(funding.funding_info):
            case.found("A15", (("Funding", i),), "a Funding has FundCode or FundingInfo")
    _judge_contacts(message, case)
    judge_items(message, case)
    return case.findings()


def _said(text: str | None) -> bool:
    return bool(text and text.strip())


def _judge_ids(message: AidMessage, case: Case) -> None:
    own = message.message_id
    for tag, text in (
        ("MessageID", own),
        ("OriginatingMessageID", message.originating_message_id),
        ("PrecedingMessageID", message.preceding_message_id),
    ):
        if text is not None and _ID.fullmatch(text) is None:
            case.found("A06", ((tag, 0),), _ID_FORM)
    recall = message.message_recall
    if recall is not None and _ID.fullmatch(recall.recall_message_id) is None:
        case.found("A06", (("MessageRecall", 0), ("RecallMessageID", 0)), _ID_FORM)
    if recall is not None and recall.recall_message_id == own:
        case.found(
            "A08",
            (("MessageRecall", 0), ("RecallMessageID", 0)),
            "a message does not recall itself",
        )
    if message.preceding_message_id == own:
        case.found("A08", (("PrecedingMessageID", 0),), "a message does not answer itself")
    _judge_thread(message, case)


_ID_FORM: Final = "an id of a message is not empty and has no white space, comma, '<' or '&'"


def _judge_thread(message: AidMessage, case: Case) -> None:
    path = (("OriginatingMessageID", 0),)
    begins = message.originating_message_id == message.message_id
    if begins and message.preceding_message_id is not None:
        case.found("A07", path, "an answer names the message that began the exchange, not itself")
    if not begins and message.message_content_type in _FIRST and message.message_recall is None:
        case.found("A07", path, "the first message of an exchange names itself")


def _judge_incidents(message: AidMessage, case: Case) -> None:
    blocks = message.incident_information
    named = [_said(b.incident_id) or _said(b.incident_description) for b in blocks]
    if not any(named):
        place = (("IncidentInformation", 1),) if blocks else ()
        case.found("A13", place, "the message names an incident, by IncidentID or in words")
        return
    for i, (block, has) in enumerate(zip(blocks, named, strict=True), 1):
        if not has:
            case.found(
                "A12", (("IncidentInformation", i),), "it has IncidentID or IncidentDescription"
            )
        elif not _said(block.incident_id):
            case.found(
                "A14",
                (("IncidentInformation", i),),
                "without an IncidentID (a GLIDE number) it cannot be joined with alerts",
            )
    marks = list(map(mark_of, blocks))
    other = next((i for i, mark in enumerate(marks, 1) if mark != marks[0]), None)
    if other is not None:
        case.found(
            "A35",
            (("IncidentInformation", other),),
            f"one incident is {marks[0]}, another {marks[other - 1]}: the message is Actual",
        )


def _judge_contacts(message: AidMessage, case: Case) -> None:
    for i, contact in enumerate(message.contact_information, 1):
        path = (("ContactInformation", i),)
        if not _said(contact.contact_description) and contact.contact_role is None:
            case.found("A16", path, "a contact has ContactDescription or ContactRole")
        if contact.contact_location is not None:
            judge_location(contact.contact_location, (*path, ("ContactLocation", 0)), case)
    senders = [
        i for i, c in enumerate(message.contact_information, 1) if c.contact_role == "Sender"
    ]
    if not senders:
        case.found(
            "A17",
            (("ContactInformation", 1),),
            "no contact has the role Sender; the first contact is taken for it",
        )
    if len(senders) > 1:
        case.found("A10", (("ContactInformation", senders[1]),), "there is one Sender")
    place = senders[0] if senders else 1
    if not contact_name(message.contact_information[place - 1]):
        case.found(
            "A11",
            (("ContactInformation", place),),
            "the sender has an e-mail address, a ContactDescription or a name",
        )
    elif re.search(r"[\s,]", sender_of(message)):
        case.found(
            "A09",
            (("ContactInformation", place),),
            "a CAP Ack can name only a sender without white space and commas",
        )
