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
from hub.cli.terminal import emit, fields, say, styled, table
from hub.cli.terms import sort_name, term
from hub.cli.times import both, shown
from hub.cli.words import joined, t

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
    before = t("was acknowledged before:") if receipt.duplicate else t("acknowledged:")
    say(
        styled(name, "bold"),
        styled(before, "green"),
        styled(t("#{index} logged {at}", index=receipt.index, at=both(receipt.at))),
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
        raise usage(t("--payload and --json exclude one another"), remedy=t("Choose one."))
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
        raise usage(t("a message has a name"), remedy=t("Give its id or its log index."))
    return name


def _head(found: Mapping[str, Any]) -> None:
    facts = found["facts"]
    status = facts.get("status", "Actual")
    severity = facts.get("severity", "Unknown")
    say(marks(status) + styled(facts.get("headline") or facts["identifier"], "bold"))
    recall = (facts.get("aid") or {}).get("recall", "")
    kind = joined(" ", (sort_name(facts["msg_type"], recall), f"({facts['kind']})"))
    rows: list[tuple[str, str | Text]] = [
        (t("message"), f"#{found['index']}  {found['id']}"),
        (t("from"), f"{found['agency']}  {facts['sender']}"),
        (t("identifier"), facts["identifier"]),
        (t("logged"), joined(", ", (both(_moment(found["accepted_at"])), term(found["level"])))),
        (t("sent"), both(_moment(facts["sent"]))),
        (t("expires"), both(_moment(facts["expires"])) if facts.get("expires") else t("never")),
        (t("status"), term(status)),
        (t("type"), kind),
        ("sha256", found["sha256"]),
    ]
    if facts["kind"] == "alert":
        rows.insert(7, (t("scope"), term(facts.get("scope", "Public"))))
        words = (severity, facts.get("urgency", "Unknown"), facts.get("certainty", "Unknown"))
        grave = styled(joined(", ", map(term, words)), SEVERITY_STYLE.get(severity, ""))
        rows.append((t("severity"), grave))
    rows.append((t("signed"), _signatures(found)))
    if found.get("redacted"):
        rows.append((t("payload"), styled(t("removed by law"), "yellow")))
    if "retired" in found:
        gone = t("went by age, at {index}", index=found["retired"])
        rows.append((t("payload"), styled(gone, "yellow")))
    if found["standing"] is not None:
        rows.append((t("standing"), standing(found["standing"])))
    areas = [a["description"] for a in facts.get("areas", ()) if a.get("description")]
    if areas:
        rows.append((t("area"), "; ".join(areas)))
    fields(rows, width=11)


def _signatures(found: Mapping[str, Any]) -> Any:
    """Return who vouches for a message, in one line."""
    if found["attested"] == "agency":
        name = str(found["key"]).partition("+")[0]
        doubted = found.get("suspect")
        by = t("by {name}, doubted", name=name) if doubted else t("by {name}", name=name)
        said = styled(by, "red" if doubted else "")
    else:
        said = styled(t("no; the hub vouches for its header"), "yellow")
    if inside := found.get("xml_signature"):
        about = t("XML signature {state}", state=inside["state"])
        said += Text("; ") + styled(about) + styled(f" {inside['subject']}".rstrip())
    return said


def _lives(recipients: list[dict[str, Any]]) -> None:
    if not recipients:
        say(styled(t("nobody is asked to acknowledge it"), "dim"))
        return
    say()
    table(
        (
            t("RECIPIENT"),
            t("STATE"),
            t("DELIVERED"),
            t("DUE"),
            t("ESCALATED"),
            t("ACKNOWLEDGED"),
            t("BY"),
            t("NOTE"),
        ),
        (row for one in recipients for row in _life(one)),
    )


def _life(one: Mapping[str, Any]) -> list[tuple[str | Text, ...]]:
    acks, steps = one["acknowledgements"], one["escalations"]
    state = term(one["state"])
    if one["overdue"] and acks:
        state = t("{state} (late)", state=state)
    first: tuple[str | Text, ...] = (
        one["agency"],
        styled(state, _STATE_STYLE.get(one["state"], "")),
        shown(_moment(one["delivered_at"])) if one["delivered_at"] else "-",
        shown(_moment(one["deadline"])),
        joined(", ", (joined(": ", (s["step"], shown(_moment(s["at"])))) for s in steps)) or "-",
    )
    rows: list[tuple[str | Text, ...]] = [
        (both(_moment(a["at"])), a["officer"], a["note"]) for a in acks
    ] or [("-", "", "")]
    return [(first if not i else ("",) * 5) + row for i, row in enumerate(rows)]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
