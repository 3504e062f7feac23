"""Mail of an alert and of a digest: the same entries make the same mail, under the same id.

Whatever somebody else wrote is text here and nothing more: no header, no markup. In a language
that is written from right to left it stands apart from what is around it, also in plain text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Any, Final

from hub.i18n import Texts, texts, told, written
from hub.log.feeding import Entry
from hub.outlets.records import MailTarget, Outlet
from hub.streams.fields import feed_json
from schemas.cap import Alert, Info, read_alert, read_alert_json
from schemas.entry import from_micros
from schemas.errors import Rejected
from schemas.facts import MessageFacts
from schemas.scales import is_as_grave

__all__ = ["digest_of", "is_grave", "mail_of", "mail_of_test"]

_ANY_SIZE: Final = 1 << 30
_LISTED: Final = 200
_LONGEST: Final = 4000
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ISOLATES: Final = "\u2066\u2067\u2068\u2069"
_MARKS: Final[Mapping[str, str]] = {
    "Exercise": told("EXERCISE"),
    "Test": told("TEST"),
    "System": told("SYSTEM"),
    "Draft": told("DRAFT"),
}
_SORTS: Final[Mapping[str, str]] = {
    "Alert": told("Alert"),
    "Update": told("Update"),
    "Cancel": told("Cancelled"),
}
_SEVERITIES: Final[Mapping[str, str]] = {
    "Extreme": told("Extreme"),
    "Severe": told("Severe"),
    "Moderate": told("Moderate"),
    "Minor": told("Minor"),
    "Unknown": told("Unknown severity"),
}


def is_grave(target: MailTarget, entry: Entry) -> bool:
    """Return whether an entry is sent at once: a grave alert, or that nobody acknowledges one."""
    fields = entry[1]
    if fields[b"kind"] == b"escalation":
        return True
    if fields[b"kind"] != b"publish":
        return False
    facts = MessageFacts.model_validate_json(fields[b"facts"])
    return facts.kind == "alert" and is_as_grave(facts.severity, target.immediate)


def mail_of(outlet: Outlet, entry: Entry, *, sender: str, host: str, base: str) -> EmailMessage:
    """Return the mail of one entry. *base* is where the hub is reached; empty: nobody knows."""
    index, fields = entry
    t = _texts(outlet)
    shown = feed_json(*entry)
    at = datetime.fromisoformat(shown["at"])
    if shown["kind"] == "escalation":
        return _escalation(outlet, shown, at, sender=sender, host=host)
    facts = MessageFacts.model_validate_json(fields[b"facts"])
    info = _info_in(t.code, _alert(fields))
    headline = (info and (info.headline or info.event)) or facts.headline
    sort = _sort(facts, t)
    severity = t(_SEVERITIES[facts.severity])
    by = f"{(info and info.sender_name) or facts.sender} ({shown['agency']})"
    others = {
        t("Event"): info.event if info else "",
        t("Areas"): "; ".join(a.area_desc for a in info.area) if info else "",
        t("From"): by,
    }
    text = {
        t("What happens"): (info and info.description) or "",
        t("What to do"): (info and info.instruction) or "",
    }
    lines: list[tuple[str, str]] = [
        (t("Severity"), severity),
        *((name, _apart(value, t)) for name, value in others.items()),
        (t("Sent"), _when(facts.sent, t)),
        (t("Valid until"), _when(facts.expires, t) if facts.expires else ""),
        *((name, _apart(value, t)) for name, value in text.items()),
        (t("Number in the log"), str(index)),
        (t("The whole message"), f"{base}/v1/messages/{index}/payload" if base else ""),
    ]
    return _mail(
        outlet,
        f"{_mark(facts.status, t)}{severity}: {headline} ({sort})",
        at,
        f"{outlet.id}.{index}@{host}",
        sender=sender,
        before=[*_unreal(facts.status, t), f"{sort}: {_apart(headline, t)}"],
        lines=lines,
        after=[t(_ACKNOWLEDGE)],
    )


_ACKNOWLEDGE: Final = told(
    "Acknowledge it in the hub, in your name: this mail is no acknowledgement."
)
_LATE: Final = told("Nobody has acknowledged in time")


def digest_of(outlet: Outlet, entries: Sequence[Entry], *, sender: str, host: str) -> EmailMessage:
    """Return one mail that lists several entries, oldest first."""
    t = _texts(outlet)
    first, last = entries[0][0], entries[-1][0]
    lines = [_listed(entry, t) for entry in entries[:_LISTED]]
    if len(entries) > _LISTED:
        rest = len(entries) - _LISTED
        lines.append(("", t("and {count} more", count=rest)))
    status = _status(entries[0])
    count = t.many("{count} message", "{count} messages", len(entries))
    return _mail(
        outlet,
        f"{_mark(status, t)}{count}: {outlet.feed}",
        datetime.fromisoformat(entries[-1][1][b"at"].decode()),
        f"{outlet.id}.{first}-{last}@{host}",
        sender=sender,
        before=_unreal(status, t),
        lines=lines,
        after=[],
    )


def mail_of_test(outlet: Outlet, at_us: int, *, sender: str, host: str) -> EmailMessage:
    """Return a mail that says that it is a test."""
    t = _texts(outlet)
    said = told("This is a test. Alerts of the feed {feed} will come to this address.")
    return _mail(
        outlet,
        f"[{t(_MARKS['Test'])}] {t('Test mail')}",
        from_micros(at_us),
        f"{outlet.id}.test-{at_us}@{host}",
        sender=sender,
        before=[t(said, feed=_apart(outlet.feed, t))],
        lines=[],
        after=[],
    )


def _escalation(
    outlet: Outlet, shown: dict[str, Any], at: datetime, *, sender: str, host: str
) -> EmailMessage:
    t = _texts(outlet)
    messages = ", ".join(f"#{i}" for i in shown["messages"])
    return _mail(
        outlet,
        f"{_mark(shown['status'], t)}{t(_LATE)}: {shown['recipient']}",
        at,
        f"{outlet.id}.{shown['index']}@{host}",
        sender=sender,
        before=[f"{t(_LATE)}: {_apart(shown['recipient'], t)}"],
        lines=[(t("Number in the log"), _apart(messages, t))],
        after=[t(_ACKNOWLEDGE)],
    )


def _listed(entry: Entry, t: Texts) -> tuple[str, str]:
    shown = feed_json(*entry)
    at = _when(datetime.fromisoformat(shown["at"]), t)
    head = f"{_apart('#' + str(shown['index']), t)} {at}"
    kind = shown["kind"]
    if kind == "publish":
        facts = MessageFacts.model_validate_json(entry[1][b"facts"])
        sort = _sort(facts, t)
        said = _apart(facts.headline or facts.identifier, t)
        severity = t(_SEVERITIES[facts.severity])
        return head, f"{_apart(shown['agency'], t)}: {severity}, {sort}: {said}"
    if kind == "acknowledgement":
        by = f"{shown['officer']} ({shown['agency']})"
        text = told("#{message} acknowledged by {person} {note}")
        about = {"person": _apart(by, t), "note": _apart(shown["note"], t)}
        return head, t(text, message=shown["message"], **about)
    if kind == "redaction":
        text = told("removed by law: delete your copy of #{message}")
        return head, t(text, message=shown["message"])
    return head, f"{t(_LATE)}: {_apart(shown.get('recipient', ''), t)}"


def _status(entry: Entry) -> str:
    shown = feed_json(*entry)
    if shown["kind"] == "publish":
        return str(shown["facts"].get("status", "Actual"))
    return str(shown.get("status", "Actual"))


def _sort(facts: MessageFacts, t: Texts) -> str:
    """Return what a message is; what takes aid back is not to be taken for the aid itself."""
    if facts.aid is None:
        return t(_SORTS.get(facts.msg_type, facts.msg_type))
    if facts.aid.recall == "Cancel":
        return t("Taken back: {what}", what=t("Aid"))
    return t("Corrected: {what}", what=t("Aid")) if facts.aid.recall else t("Aid")


def _unreal(status: str, t: Texts) -> list[str]:
    if status not in {"Exercise", "Test"}:
        return []
    return [t("This is an exercise. Nothing has happened.")]


def _mark(status: str, t: Texts) -> str:
    """Return how a subject begins: in English too, so that a rule for mail can tell (G8)."""
    if status not in _MARKS:
        return ""
    both = dict.fromkeys((status.upper(), t(_MARKS[status])))
    return f"[{' · '.join(both)}] "


def _apart(text: str, t: Texts) -> str:
    """Return what others wrote so that it turns no reading direction but its own."""
    text = text.translate(dict.fromkeys(map(ord, _ISOLATES)))
    if t.language.direction == "ltr":
        return text
    return "\n".join(f"\u2068{line}\u2069" if line else "" for line in text.splitlines())


def _when(at: datetime, t: Texts) -> str:
    """Return a moment in UTC; where people count by another calendar, by that too."""
    said = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if t.code != "fa":
        return said
    return f"{written(at, t.code, UTC)} UTC (\u2068{said}\u2069)"


def _mail(
    outlet: Outlet,
    subject: str,
    at: datetime,
    message_id: str,
    *,
    sender: str,
    before: Sequence[str],
    lines: Sequence[tuple[str, str]],
    after: Sequence[str],
) -> EmailMessage:
    target, t = _target(outlet), _texts(outlet)
    direction = t.language.direction
    sent_here = told("You get this because your agency has the feed {feed} sent here.")
    why = t(sent_here, feed=_apart(outlet.feed, t))
    said = [(name, text[:_LONGEST]) for name, text in lines if text]
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    user, _, domain = address.rpartition("@")
    mail["From"] = Address(name, user, domain)
    user, _, domain = target.address.rpartition("@")
    mail["To"] = Address("", user, domain)
    mail["Subject"] = _BREAKS.sub(" ", subject)[:250]
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message_id}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["Content-Language"] = target.language
    paragraphs = [
        *before,
        "\n".join(f"{name}: {text}" if name else text for name, text in said),
        *after,
        why,
    ]
    plain = "\n\n".join(one for one in paragraphs if one)
    if direction == "rtl":
        # What begins a line says how the line is read, and it may be a number.
        plain = "\n".join(f"\u200f{line}" if line else "" for line in plain.splitlines())
    mail.set_content(_cleaned(plain) + "\n")
    rows = "".join(
        f'<tr><th align="start">{escape(name)}</th><td dir="auto">{_lines(text)}</td></tr>'
        for name, text in said
    )
    html = (
        f'<html lang="{target.language}" dir="{direction}"><body dir="{direction}">'
        + "".join(f'<p dir="auto"><strong>{_lines(one)}</strong></p>' for one in before)
        + (f"<table>{rows}</table>" if rows else "")
        + "".join(f'<p dir="auto">{_lines(one)}</p>' for one in (*after, why))
        + "</body></html>"
    )
    mail.add_alternative(_cleaned(html), subtype="html")
    # The boundary is made by chance, where nothing is set: the same mail again is the same bytes.
    mail.set_boundary(f"caspian-{re.sub(r'[^A-Za-z0-9.-]', '-', message_id)[:60]}")
    return mail


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())


def _cleaned(text: str) -> str:
    return "".join(
        c
        for c in text
        if c in "\n\t" or c.isprintable() or c in "\u200c\u200d\u200e\u200f\u2068\u2069"
    )


def _alert(fields: dict[bytes, bytes]) -> Alert | None:
    kind = fields[b"payload_type"]
    try:
        if kind == b"application/cap+json":
            return read_alert_json(fields[b"payload"], max_bytes=_ANY_SIZE).alert
        if kind == b"application/cap+xml":
            return read_alert(fields[b"payload"], max_bytes=_ANY_SIZE).alert
    except Rejected:
        return None
    return None


def _info_in(language: str, alert: Alert | None) -> Info | None:
    """Return what an alert says in a language, else in English, else in its first."""
    if alert is None or not alert.info:
        return None
    for wanted in (language, "en"):
        for info in alert.info:
            if info.language.casefold().split("-")[0] == wanted:
                return info
    return alert.info[0]


def _texts(outlet: Outlet) -> Texts:
    return texts(_target(outlet).language)


def _target(outlet: Outlet) -> MailTarget:
    assert isinstance(outlet.target, MailTarget)  # noqa: S101  # of this kind all are
    return outlet.target
