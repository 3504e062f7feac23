"""Mail of an alert and of a digest: the same entries make the same mail, under the same id.

Whatever somebody else wrote is text here and nothing more: no header, no markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Any, Final

from hub.log.feeding import Entry
from hub.outlets.mail_texts import RTL, TEXTS
from hub.outlets.records import MailTarget, Outlet
from hub.streams.fields import feed_json
from schemas.cap import Alert, Info, read_alert, read_alert_json
from schemas.entry import from_micros
from schemas.errors import Rejected
from schemas.facts import MessageFacts

__all__ = ["digest_of", "is_grave", "mail_of", "mail_of_test"]

_ANY_SIZE: Final = 1 << 30
_LISTED: Final = 200
_LONGEST: Final = 4000
_GRAVITY: Final = {"Minor": 1, "Moderate": 2, "Severe": 3, "Extreme": 4, "Unknown": 5}
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MARKS: Final = ("Exercise", "Test", "System", "Draft")


def is_grave(target: MailTarget, entry: Entry) -> bool:
    """Return whether an entry is sent at once: a grave alert, or that nobody acknowledges one."""
    fields = entry[1]
    if fields[b"kind"] == b"escalation":
        return True
    if fields[b"kind"] != b"publish":
        return False
    facts = MessageFacts.model_validate_json(fields[b"facts"])
    return facts.kind == "alert" and _GRAVITY[facts.severity] >= _GRAVITY[target.immediate]


def mail_of(outlet: Outlet, entry: Entry, *, sender: str, host: str, base: str) -> EmailMessage:
    """Return the mail of one entry. *base* is where the hub is reached; empty: nobody knows."""
    index, fields = entry
    words = _words(outlet)
    shown = feed_json(*entry)
    at = datetime.fromisoformat(shown["at"])
    if shown["kind"] == "escalation":
        return _escalation(outlet, shown, at, sender=sender, host=host)
    facts = MessageFacts.model_validate_json(fields[b"facts"])
    info = _info_in(_target(outlet).language, _alert(fields))
    headline = (info and (info.headline or info.event)) or facts.headline
    sort = words.get(facts.msg_type, facts.msg_type)
    subject = f"{_mark(facts.status, words)}{words[facts.severity]}: {headline} ({sort})"
    lines: list[tuple[str, str]] = [
        (words["severity"], words[facts.severity]),
        (words["event"], info.event if info else ""),
        (words["areas"], "; ".join(a.area_desc for a in info.area) if info else ""),
        (words["from"], f"{(info and info.sender_name) or facts.sender} ({shown['agency']})"),
        (words["sent"], _utc(facts.sent)),
        (words["expires"], _utc(facts.expires) if facts.expires else ""),
        (words["description"], (info and info.description) or ""),
        (words["instruction"], (info and info.instruction) or ""),
        (words["number"], str(index)),
        (words["whole"], f"{base}/v1/messages/{index}/payload" if base else ""),
    ]
    notes = [words["exercise-note"]] if facts.status in {"Exercise", "Test"} else []
    return _mail(
        outlet,
        subject,
        at,
        f"{outlet.id}.{index}@{host}",
        sender=sender,
        before=[*notes, f"{sort}: {headline}"],
        lines=lines,
        after=[words["acknowledge"]],
    )


def digest_of(outlet: Outlet, entries: Sequence[Entry], *, sender: str, host: str) -> EmailMessage:
    """Return one mail that lists several entries, oldest first."""
    words = _words(outlet)
    first, last = entries[0][0], entries[-1][0]
    told = [_listed(entry, words) for entry in entries[:_LISTED]]
    if len(entries) > _LISTED:
        told.append(("", words["more"].format(count=len(entries) - _LISTED)))
    at = datetime.fromisoformat(entries[-1][1][b"at"].decode())
    mark = _mark(_status(entries[0]), words)
    subject = f"{mark}{words['digest'].format(count=len(entries))}: {outlet.feed}"
    return _mail(
        outlet,
        subject,
        at,
        f"{outlet.id}.{first}-{last}@{host}",
        sender=sender,
        before=[words["exercise-note"]] if _status(entries[0]) in {"Exercise", "Test"} else [],
        lines=told,
        after=[],
    )


def mail_of_test(outlet: Outlet, at_us: int, *, sender: str, host: str) -> EmailMessage:
    """Return a mail that says that it is a test."""
    words = _words(outlet)
    return _mail(
        outlet,
        f"[{words['Test']}] {words['test-subject']}",
        from_micros(at_us),
        f"{outlet.id}.test-{at_us}@{host}",
        sender=sender,
        before=[words["test-body"].format(feed=outlet.feed)],
        lines=[],
        after=[],
    )


def _escalation(
    outlet: Outlet, shown: dict[str, Any], at: datetime, *, sender: str, host: str
) -> EmailMessage:
    words = _words(outlet)
    messages = ", ".join(f"#{i}" for i in shown["messages"])
    subject = f"{_mark(shown['status'], words)}{words['escalated']}: {shown['recipient']}"
    return _mail(
        outlet,
        subject,
        at,
        f"{outlet.id}.{shown['index']}@{host}",
        sender=sender,
        before=[f"{words['escalated']}: {shown['recipient']}"],
        lines=[(words["number"], messages)],
        after=[words["acknowledge"]],
    )


def _listed(entry: Entry, words: Any) -> tuple[str, str]:
    shown = feed_json(*entry)
    at = _utc(datetime.fromisoformat(shown["at"]))
    head = f"#{shown['index']} {at}"
    kind = shown["kind"]
    if kind == "publish":
        facts = MessageFacts.model_validate_json(entry[1][b"facts"])
        sort = words["aid"] if facts.kind == "aid" else words.get(facts.msg_type, facts.msg_type)
        said = facts.headline or facts.identifier
        return head, f"{shown['agency']}: {words[facts.severity]}, {sort}: {said}"
    if kind == "acknowledgement":
        by = f"{shown['officer']} ({shown['agency']})"
        return head, f"#{shown['message']} {words['acknowledged']} {by} {shown['note']}"
    if kind == "redaction":
        return head, f"{words['redacted']} #{shown['message']}"
    return head, f"{words['escalated']}: {shown.get('recipient', '')}"


def _status(entry: Entry) -> str:
    shown = feed_json(*entry)
    if shown["kind"] == "publish":
        return str(shown["facts"].get("status", "Actual"))
    return str(shown.get("status", "Actual"))


def _mark(status: str, words: Any) -> str:
    """Return how a subject begins: in English too, so that a rule for mail can tell (G8)."""
    if status not in _MARKS:
        return ""
    both = dict.fromkeys((status.upper(), words[status]))
    return f"[{' · '.join(both)}] "


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
    target, words = _target(outlet), _words(outlet)
    why = words["why"].format(feed=outlet.feed)
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
    mail.set_content(_cleaned(plain) + "\n")
    direction = "rtl" if target.language in RTL else "ltr"
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
        c for c in text if c in "\n\t" or c.isprintable() or c in "\u200c\u200d\u200e\u200f"
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


def _utc(at: datetime) -> str:
    return f"{at.astimezone(from_micros(0).tzinfo):%Y-%m-%d %H:%M} UTC"


def _words(outlet: Outlet) -> Any:
    return TEXTS[_target(outlet).language]


def _target(outlet: Outlet) -> MailTarget:
    assert isinstance(outlet.target, MailTarget)  # noqa: S101  # of this kind all are
    return outlet.target
