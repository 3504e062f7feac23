"""Write a pollution report as text that every reader of POLREP knows, and ours reads back equal."""

from __future__ import annotations

from schemas.polrep.fields import FIELDS, PARTS
from schemas.polrep.model import Polrep
from schemas.polrep.moment import Moment, write_moment

__all__ = ["said_fields", "write_polrep"]


def said_fields(report: Polrep) -> dict[int, str]:
    """Return the texts of the fields that *report* has, by their numbers."""
    said = {}
    for number, field in FIELDS.items():
        part = getattr(report, field.part)
        value = None if part is None else getattr(part, field.key)
        if value is not None:
            said[number] = write_moment(value) if isinstance(value, Moment) else value
    return said


def write_polrep(report: Polrep) -> bytes:
    """Write *report*, one line for each field."""
    lines = ["URGENT"] if report.urgent else []
    if report.exercise:
        lines.append("EXERCISE")
    lines.append(f"FROM: {report.sender}")
    if report.recipients:
        lines.append(f"TO: {', '.join(report.recipients)}")
    lines.append(f"DATE TIME GROUP: {write_moment(report.sent)}")
    if report.identification is not None:
        lines.append(f"IDENTIFICATION: {report.identification}")
    lines.append(f"SERIAL NUMBER: {report.serial}")
    if report.answers is not None:
        lines.append(f"IN REPLY TO: {report.answers}")
    part = ""
    for number, text in said_fields(report).items():
        field = FIELDS[number]
        if field.part != part:
            part = field.part
            lines.append(PARTS[part])
        lines.append(f"{number}. {field.label}: {text}")
    if report.exercise:
        lines.append("EXERCISE EXERCISE EXERCISE")
    return ("\n".join(lines) + "\n").encode()
