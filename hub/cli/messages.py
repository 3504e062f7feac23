"""``caspian ack`` and ``caspian show``: one message, and who has taken notice of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from hub.cli.connection import Connection
from hub.cli.entries import SEVERITY_STYLE, marks
from hub.cli.exits import usage
from hub.cli.options import AsJson
from hub.cli.raw import write_raw
from hub.cli.standings import standing
from hub.cli.terminal import emit, say, styled, table
from hub.cli.times import both, utc

__all__ = ["ack", "show"]

_STATE_STYLE = {
    "queued": "",
    "delivered": "cyan",
    "acknowledged": "green",
    "overdue": "bold red",
    "expired": "yellow",
}


def ack(
    name: str,
    /,
    *,
    note: Annotated[str, Parameter(help="What you have to say to the sender.")] = "",
    officer: Annotated[
        str, Parameter(help="Who acknowledges, where the token is not an officer's own.")
    ] = "",
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Acknowledge a message for your agency, by name; doing it again changes nothing.

    Parameters
    ----------
    name: str
        The message's id or log index.

    """
    with connection.client() as client:
        receipt = client.acknowledge(_named(name), note=note, officer=officer)
    if json:
        emit(receipt.model_dump(mode="json"))
        return
    before = "was acknowledged before:" if receipt.duplicate else "acknowledged:"
    say(
        styled(name, "bold"),
        styled(before, "green"),
        styled(f"#{receipt.index} logged {both(receipt.at)}"),
    )


def show(
    name: str,
    /,
    *,
    payload: Annotated[
        bool, Parameter(negative="", help="Write the message exactly as it was sent.")
    ] = False,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show a message: what it says, who got it when, who has acknowledged it.

    Parameters
    ----------
    name: str
        The message's id, its log index, or the identifier that its sender gave it.

    """
    if payload and json:
        raise usage("--payload and --json exclude one another", remedy="Choose one.")
    with connection.client() as client:
        if payload:
            write_raw(client.payload(_named(name)))
            return
        found = client.message(_named(name))
    if json:
        emit(found)
        return
    _head(found)
    _lives(found["recipients"])


def _named(name: str) -> str:
    if not name.strip():
        raise usage("a message has a name", remedy="Give its id or its log index.")
    return name


def _head(found: Mapping[str, Any]) -> None:
    facts = found["facts"]
    status = facts.get("status", "Actual")
    severity = facts.get("severity", "Unknown")
    say(marks(status) + styled(facts.get("headline") or facts["identifier"], "bold"))
    kind = f"{facts['msg_type']} ({facts['kind']})"
    rows = [
        ("message", f"#{found['index']}  {found['id']}"),
        ("from", f"{found['agency']}  {facts['sender']}"),
        ("identifier", facts["identifier"]),
        ("logged", f"{both(_moment(found['accepted_at']))}, {found['level']}"),
        ("sent", both(_moment(facts["sent"]))),
        ("expires", both(_moment(facts["expires"])) if facts.get("expires") else "never"),
        ("status", status),
        ("type", kind),
        ("sha256", found["sha256"]),
    ]
    if facts["kind"] == "alert":
        rows.insert(7, ("scope", facts.get("scope", "Public")))
    for title, value in rows:
        say(styled(f"{title:<11}", "dim"), styled(value))
    if facts["kind"] == "alert":
        grave = (
            f"{severity}, {facts.get('urgency', 'Unknown')}, {facts.get('certainty', 'Unknown')}"
        )
        say(styled(f"{'severity':<11}", "dim"), styled(grave, SEVERITY_STYLE.get(severity, "")))
    say(styled(f"{'signed':<11}", "dim"), _signatures(found))
    if found.get("redacted"):
        say(styled(f"{'payload':<11}", "dim"), styled("removed by law", "yellow"))
    if "retired" in found:
        gone = styled(f"went by age, at {found['retired']}", "yellow")
        say(styled(f"{'payload':<11}", "dim"), gone)
    if found["standing"] is not None:
        say(styled(f"{'standing':<11}", "dim"), standing(found["standing"]))
    areas = [a["description"] for a in facts.get("areas", ()) if a.get("description")]
    if areas:
        say(styled(f"{'area':<11}", "dim"), styled("; ".join(areas)))


def _signatures(found: Mapping[str, Any]) -> Any:
    """Return who vouches for a message, in one line."""
    if found["attested"] == "agency":
        name = str(found["key"]).partition("+")[0]
        doubted = found.get("suspect")
        told = styled(f"by {name}, doubted" if doubted else f"by {name}", "red" if doubted else "")
    else:
        told = styled("no; the hub vouches for its header", "yellow")
    if inside := found.get("xml_signature"):
        told += styled(f"; XML signature {inside['state']} {inside['subject']}".rstrip())
    return told


def _lives(recipients: list[dict[str, Any]]) -> None:
    if not recipients:
        say(styled("nobody is asked to acknowledge it", "dim"))
        return
    say()
    table(
        ("RECIPIENT", "STATE", "DELIVERED", "DUE", "ESCALATED", "ACKNOWLEDGED", "BY", "NOTE"),
        (row for one in recipients for row in _life(one)),
    )


def _life(one: Mapping[str, Any]) -> list[tuple[str | Text, ...]]:
    acks = one["acknowledgements"]
    late = " (late)" if one["overdue"] and acks else ""
    first: tuple[str | Text, ...] = (
        one["agency"],
        styled(one["state"] + late, _STATE_STYLE.get(one["state"], "")),
        utc(_moment(one["delivered_at"])) if one["delivered_at"] else "-",
        utc(_moment(one["deadline"])),
        ", ".join(f"{s['step']}: {utc(_moment(s['at']))}" for s in one["escalations"]) or "-",
    )
    rows: list[tuple[str | Text, ...]] = [
        (both(_moment(a["at"])), a["officer"], a["note"]) for a in acks
    ] or [("-", "", "")]
    return [(first if not i else ("",) * 5) + row for i, row in enumerate(rows)]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
