"""An entry of the log, for people in one line and in full, and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from rich.text import Text

from hub.cli.terminal import styled
from hub.cli.times import both
from hub.core.merkle import leaf_hash
from hub.log.store import LogRow
from schemas.entry import from_micros

__all__ = ["SEVERITY_STYLE", "as_json", "full", "line", "marks", "summary"]

SEVERITY_STYLE: Final[Mapping[str, str]] = {
    "Extreme": "bold red",
    "Severe": "red",
    "Moderate": "yellow",
    "Minor": "cyan",
    "Unknown": "magenta",
}

_KIND_STYLE: Final = {"refusal": "red", "dead-letter": "bold red", "acknowledgement": "green"}


def marks(status: str, replay: str = "") -> Text:
    """Return what must stand before a message that is not the real thing; empty for one that is.

    Words and not only colours: they survive a pipe, a print-out and a colour-blind eye.
    """
    text = Text()
    if replay:
        text += styled(f"[REPLAY {replay}]", "bold white on blue") + Text(" ")
    if status != "Actual":
        text += styled(f"[{status.upper()}]", "bold black on yellow") + Text(" ")
    return text


def line(row: LogRow) -> Text:
    """Return one line that tells of an entry: index, time, kind, agency, what happened."""
    return Text("  ").join(
        (
            styled(f"{row.index:>7}", "bold"),
            styled(both(from_micros(row.at_us)), "dim"),
            styled(f"{row.kind:<15}", _KIND_STYLE.get(row.kind, "")),
            styled(f"{row.agency or 'hub':<10}"),
            summary(row),
        )
    )


def summary(row: LogRow) -> Text:
    """Return what happened, in a few words."""
    try:
        return _summary(row, row.entry)
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        return styled(f"cannot be read ({e!r}): run `caspian verify`", "bold red")


def _summary(row: LogRow, entry: Mapping[str, Any]) -> Text:  # noqa: C901, PLR0912  # a line for each kind
    match row.kind:
        case "publish":
            return _message(row, entry)
        case "acknowledgement":
            note = f": {entry['note']}" if entry["note"] else ""
            return marks(entry["status"]) + styled(
                f"#{entry['message']} by {entry['officer']}{note}"
            )
        case "member":
            return _member(entry["member"])
        case "subscription":
            return _subscription(entry["subscription"])
        case "hold":
            hold = entry["hold"]
            what = f"#{hold['message']}" if hold["message"] is not None else hold["incident"]
            return styled(f"{hold['state']} holds {what}: {hold['reason']}")
        case "release":
            ended = entry["release"]
            return styled(f"{ended['state']} releases #{ended['hold']}: {ended['reason']}")
        case "export":
            taken = entry["export"]
            return styled(
                f"{entry['by']} took {taken['first']} to {taken['through']} ({taken['format']})"
            )
        case "log-key":
            change = entry["log-key"]
            return styled(f"{change['action']} {change['key']}")
        case "replay":
            told = entry["replay"]
            return styled(f"{told['sandbox']} {told['action']} by {entry['by']}")
        case "escalation":
            return _escalation(entry)
        case "retirement":
            of, more = entry["messages"], ", …" if len(entry["messages"]) > 5 else ""
            named = ", ".join(f"#{i}" for i in of[:5])
            return styled(f"{len(of)} from before {entry['before']}: {named}{more}")
        case "restart":
            return styled(f"the hub was down since {entry['since']}")
        case "delivery":
            return styled(", ".join(f"{f} through {i}" for f, i in entry["feeds"].items()))
        case "refusal":
            times = f" ({entry['count']} times)" if entry.get("count", 1) > 1 else ""
            return styled(f"{entry['code']}: {entry['detail']}{times}")
        case "action":
            about = {k: v for k, v in entry["about"].items() if k != "at"}
            return styled(f"{entry['action']} by {entry['by'] or 'nobody named'} {_compact(about)}")
        case "dead-letter":
            return styled(f"{entry.get('stage', '')}: {entry.get('reason', '')}")
        case "genesis":
            return styled(f"{entry['origin']}, {entry['tree']} over {entry['hash']}")
    return styled(_compact({k: v for k, v in entry.items() if k not in _COMMON}))


_COMMON: Final = frozenset({"v", "kind", "at", "agency"})


def _message(row: LogRow, entry: Mapping[str, Any]) -> Text:
    header = json.loads(entry["header"])
    facts = row.facts
    if facts is None:
        return styled(f"{header['type']} {header['id']} ({header['payload_size']} bytes)")
    grave = SEVERITY_STYLE[facts.severity] if facts.kind == "alert" else ""
    words = f"{facts.msg_type} {facts.severity}" if facts.kind == "alert" else facts.msg_type
    return (
        marks(facts.status)
        + styled(words, grave)
        + Text(" ")
        + styled(facts.headline or facts.identifier)
        + styled(f"  {header['id']}", "dim")
    )


def _escalation(entry: Mapping[str, Any]) -> Text:
    of = ", ".join(f"#{i}" for i in entry["messages"][:5])
    more = ", …" if len(entry["messages"]) > 5 else ""
    return marks(entry["status"]) + styled(
        f"{entry['recipient']}, step {entry['step']}: {of}{more}"
    )


def _member(member: Mapping[str, Any]) -> Text:
    left = "" if member.get("active", True) else "left: "
    return styled(f"{left}{member['id']} ({member['state']}) {member['name']}")


def _subscription(subscription: Mapping[str, Any]) -> Text:
    left = "" if subscription.get("active", True) else "ended: "
    wanted = {k: v for k, v in subscription.get("filter", {}).items() if v}
    return styled(
        f"{left}{subscription['agency']}.{subscription['name']} "
        f"({subscription.get('channel', 'actual')}) "
        + (_compact(wanted) if wanted else "everything")
    )


def full(row: LogRow) -> Iterator[tuple[str, str]]:
    """Yield everything an entry says as names and values, and what can be hashed to check it."""
    yield "index", str(row.index)
    yield "logged", both(from_micros(row.at_us))
    yield "leaf hash", leaf_hash(row.body).hex()
    for name, value in as_json(row).items():
        if name in {"index", "at"}:
            continue
        if isinstance(value, dict):
            for inner, detail in value.items():
                yield f"{name}.{inner}", _plain(detail)
        else:
            yield name, _plain(value)
    if row.payload is not None:
        yield "payload", f"{len(row.payload)} bytes, {row.payload_type or 'of no known type'}"
        yield "payload sha256", sha256(row.payload).hexdigest()


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def as_json(row: LogRow) -> dict[str, Any]:
    """Return an entry for programs: its index and its own facts, the header read."""
    try:
        entry = row.entry
        if "header" in entry:
            entry["header"] = json.loads(entry["header"])
    except (ValueError, TypeError) as e:
        # A damaged log is when one needs to look at it.
        entry = {"unreadable": str(e), "body": row.body.hex()}
    return {"index": row.index, **entry}
