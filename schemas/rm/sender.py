"""Who sent an aid message, and whether it is about an exercise: read from its contents alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from schemas.rm.model import AidMessage
    from schemas.rm.parts import ContactInformation, IncidentInformation

__all__ = ["contact_name", "mark_of", "sender_of", "status_of"]

Mark = Literal["Actual", "Exercise", "Test"]

_MARK: Final = re.compile(r"\s*(EXERCISE|TEST)(?![A-Za-z])")


def contact_name(contact: ContactInformation) -> str:
    """Return the contact's first e-mail address, else its description, else its name, else ''."""
    party = contact.additional_contact_information
    names = (
        *(party.emails if party else ()),
        contact.contact_description,
        party.organisation if party else None,
        party.person if party else None,
    )
    return next((name.strip() for name in names if name and name.strip()), "")


def sender_of(message: AidMessage) -> str:
    """Return the name of the first contact whose role is Sender, else of the first contact."""
    contacts = message.contact_information
    return contact_name(next((c for c in contacts if c.contact_role == "Sender"), contacts[0]))


def mark_of(incident: IncidentInformation) -> Mark:
    """Return what the first word of an incident's id or description says it is.

    Only ``EXERCISE`` and ``TEST`` in capitals are marks, so that no real "Test
    laboratory on fire" is taken for a test.
    """
    for text in (incident.incident_id, incident.incident_description):
        match = _MARK.match(text or "")
        if match is not None:
            return "Exercise" if match[1] == "EXERCISE" else "Test"
    return "Actual"


def status_of(message: AidMessage) -> Mark:
    """Return the status, which EDXL-RM has no element for.

    Exercise or Test only where every incident is marked so: what is about something
    real as well is Actual.
    """
    marks = {mark_of(incident) for incident in message.incident_information}
    return marks.pop() if len(marks) == 1 else "Actual"
