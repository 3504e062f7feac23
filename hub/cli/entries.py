"""An entry of the log, for people in one line and in full, and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from rich.text import Text

from hub.cli.terminal import column, styled
from hub.cli.terms import sort_name, term
from hub.cli.times import both
from hub.cli.words import joined, many, t
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
        text += styled(t("[REPLAY {name}]", name=replay), "bold white on blue") + Text(" ")
    if status != "Actual":
        # In English too, as everywhere: whoever looks for it finds it, whatever the language.
        said = dict.fromkeys((status.upper(), term(status).upper()))
        text += styled(f"[{' · '.join(said)}]", "bold black on yellow") + Text(" ")
    return text


def line(row: LogRow) -> Text:
    """Return one line that tells of an entry: index, time, kind, agency, what happened."""
    return Text("  ").join(
        (
            styled(f"{row.index:>7}", "bold"),
            styled(both(from_micros(row.at_us)), "dim"),
            styled(f"{row.kind:<15}", _KIND_STYLE.get(row.kind, "")),
            column(row.agency or t("hub"), 10),
            summary(row),
        )
    )


def summary(row: LogRow) -> Text:
    """Return what happened, in a few words."""
    try:
        return _summary(row, row.entry)
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        return styled(t("cannot be read ({why}): run `caspian verify`", why=repr(e)), "bold red")


def _summary(row: LogRow, entry: Mapping[str, Any]) -> Text:  # noqa: C901, PLR0912  # a line for each kind
    match row.kind:
        case "publish":
            return _message(row, entry)
        case "acknowledgement":
            note = f": {entry['note']}" if entry["note"] else ""
            by = t("#{message} by {person}", message=entry["message"], person=entry["officer"])
            return marks(entry["status"]) + styled(by) + styled(note)
        case "member":
            return _member(entry["member"])
        case "subscription":
            return _subscription(entry["subscription"])
        case "hold":
            hold = entry["hold"]
            what = f"#{hold['message']}" if hold["message"] is not None else hold["incident"]
            return styled(
                t(
                    "{state} holds {what}: {reason}",
                    state=hold["state"],
                    what=what,
                    reason=hold["reason"],
                )
            )
        case "release":
            ended = entry["release"]
            return styled(t("{state} releases #{hold}: {reason}", **ended))
        case "export":
            taken = entry["export"]
            return styled(
                t(
                    "{who} took {first} to {through} ({format})",
                    who=entry["by"],
                    first=taken["first"],
                    through=taken["through"],
                    format=taken["format"],
                )
            )
        case "log-key":
            change = entry["log-key"]
            return styled(f"{change['action']} {change['key']}")
        case "replay":
            told = entry["replay"]
            about = t("{action} by {who}", action=told["action"], who=entry["by"])
            return styled(joined(" ", (told["sandbox"], about)))
        case "escalation":
            return _escalation(entry)
        case "retirement":
            of, more = entry["messages"], ", …" if len(entry["messages"]) > 5 else ""
            named = ", ".join(f"#{i}" for i in of[:5])
            about = many(
                "{count} from before {moment}: {messages}",
                "{count} from before {moment}: {messages}",
                len(of),
                moment=entry["before"],
                messages=named + more,
            )
            return styled(about)
        case "restart":
            return styled(t("the hub was down since {moment}", moment=entry["since"]))
        case "delivery":
            reached = (
                t("{feed} through {index}", feed=f, index=i) for f, i in entry["feeds"].items()
            )
            return styled(joined(", ", reached))
        case "refusal":
            said = styled(f"{entry['code']}: {entry['detail']}")
            if (count := entry.get("count", 1)) > 1:
                said += Text(" ") + styled(many("({count} time)", "({count} times)", count))
            return said
        case "action":
            rest = {k: v for k, v in entry["about"].items() if k != "at"}
            by = entry["by"] or t("nobody named")
            done = t("{action} by {who}", action=entry["action"], who=by)
            return styled(joined(" ", (done, _compact(rest))))
        case "dead-letter":
            return styled(f"{entry.get('stage', '')}: {entry.get('reason', '')}")
        case "genesis":
            return styled(
                t(
                    "{origin}, {tree} over {hash}",
                    origin=entry["origin"],
                    tree=entry["tree"],
                    hash=entry["hash"],
                )
            )
    return styled(_compact({k: v for k, v in entry.items() if k not in _COMMON}))


_COMMON: Final = frozenset({"v", "kind", "at", "agency"})


def _message(row: LogRow, entry: Mapping[str, Any]) -> Text:
    header = json.loads(entry["header"])
    facts = row.facts
    if facts is None:
        size = many("({count} byte)", "({count} bytes)", header["payload_size"])
        return styled(joined(" ", (header["type"], header["id"], size)))
    grave = SEVERITY_STYLE[facts.severity] if facts.kind == "alert" else ""
    recall = facts.aid.recall if facts.aid is not None else ""
    words = [
        sort_name(facts.msg_type, recall),
        *([term(facts.severity)] if facts.kind == "alert" else ()),
    ]
    return (
        marks(facts.status)
        + styled(joined(" ", words), grave)
        + Text(" ")
        + styled(facts.headline or facts.identifier)
        + styled(f"  {header['id']}", "dim")
    )


def _escalation(entry: Mapping[str, Any]) -> Text:
    of = ", ".join(f"#{i}" for i in entry["messages"][:5])
    more = ", …" if len(entry["messages"]) > 5 else ""
    step = t("step {n}: {messages}", n=entry["step"], messages=of + more)
    return marks(entry["status"]) + styled(joined(", ", (entry["recipient"], step)))


def _member(member: Mapping[str, Any]) -> Text:
    said = f"{member['id']} ({member['state']}) {member['name']}"
    return styled(said if member.get("active", True) else t("left: {member}", member=said))


def _subscription(subscription: Mapping[str, Any]) -> Text:
    wanted = {k: v for k, v in subscription.get("filter", {}).items() if v}
    feed = f"{subscription['agency']}.{subscription['name']}"
    channel = f"({subscription.get('channel', 'actual')})"
    said = joined(" ", (feed, channel, _compact(wanted) if wanted else t("everything")))
    return styled(said if subscription.get("active", True) else t("ended: {feed}", feed=said))


def full(row: LogRow) -> Iterator[tuple[str, str]]:
    """Yield everything an entry says as names and values, and what can be hashed to check it."""
    yield t("index"), str(row.index)
    yield t("logged"), both(from_micros(row.at_us))
    yield t("leaf hash"), leaf_hash(row.body).hex()
    for name, value in as_json(row).items():
        if name in {"index", "at"}:
            continue
        if isinstance(value, dict):
            for inner, detail in value.items():
                yield f"{name}.{inner}", _plain(detail)
        else:
            yield name, _plain(value)
    if row.payload is not None:
        size = many("{count} byte", "{count} bytes", len(row.payload))
        yield t("payload"), joined(", ", (size, row.payload_type or t("of no known type")))
        yield t("payload sha256"), sha256(row.payload).hexdigest()


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
