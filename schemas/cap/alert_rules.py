"""Whether a message as a whole makes sense: who, to whom, about which message (R02 to R14).

A draft whose structure holds goes in; its texts become values and what breaks a
rule is reported. docs/standards.md explains the rules; profiles add to them
(`schemas.cap.profiles`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from schemas.cap.info_rules import judge_info, judge_together
from schemas.cap.text_rules import judge_texts, judge_time
from schemas.cap.values import read_list, read_references

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.draft import Draft
    from schemas.cap.rulebook import Found

__all__ = ["judge"]

_FORBIDDEN: Final = re.compile(r"[\s,<&]")
_TEXTS: Final = (("note", "note"), ("restriction", "restriction"))


def judge(draft: Draft, found: Found, *, lenient: bool) -> None:
    """Turn the texts of *draft* into values in place and report what breaks a rule.

    *lenient* reads dates as CAP 1.1 allows them. Where an error was reported the
    draft is good for nothing but further findings.
    """
    _judge_names(draft, found)
    sent = judge_time(draft, "sent", "sent", (), found, lenient=lenient)
    _judge_distribution(draft, found)
    _judge_references(draft, sent, found, lenient=lenient)
    if "incidents" in draft:
        draft["incidents"] = read_list(draft["incidents"])
    judge_texts(draft, _TEXTS, (), found)
    infos = draft.get("info")
    if infos is None:
        if draft["msg_type"] in {"Alert", "Update"}:
            found("R14", (("info", 1),), f"an {draft['msg_type']} has at least one info")
        return
    public = draft["scope"] == "Public"
    for i, info in enumerate(infos, 1):
        judge_info(info, (("info", i),), sent, found, public=public, lenient=lenient)
    if len(infos) > 1:
        judge_together(infos, found)


def _judge_names(draft: Draft, found: Found) -> None:
    """CAP 1.2, 3.2.1: identifier and sender are the parts of every reference."""
    for rule, key in (("R02", "identifier"), ("R03", "sender")):
        text = draft[key]
        if not text:
            found(rule, ((key, 0),), f"{key} is empty")
        elif _FORBIDDEN.search(text):
            found(rule, ((key, 0),), f"{key} has white space or one of , < &")


def _judge_distribution(draft: Draft, found: Found) -> None:
    """CAP 1.2, 3.2.1: whom it is for, and what must be explained."""
    scope = draft["scope"]
    restriction = draft.get("restriction")
    if scope == "Restricted":
        if not (restriction and restriction.strip()):
            found("R06", (("restriction", 0),), "scope Restricted needs a restriction")
    elif restriction is not None:
        found("R06b", (("restriction", 0),), f"a restriction means nothing in scope {scope}")
    addresses = draft.get("addresses")
    if addresses is not None:
        draft["addresses"] = items = read_list(addresses)
        if addresses.count('"') % 2 and scope == "Private":
            found("R07", (("addresses", 0),), "a quote in addresses is not closed")
        addresses = items
    if scope == "Private" and not addresses:
        found("R07", (("addresses", 0),), "scope Private needs addresses")
    note = draft.get("note")
    if not (note and note.strip()):
        if draft["msg_type"] == "Error":
            found("R09", (("note", 0),), "an Error needs a note that explains it")
        if draft["status"] == "Exercise":
            found("R10", (("note", 0),), "an Exercise needs a note that names it")


def _judge_references(draft: Draft, sent: datetime | None, found: Found, *, lenient: bool) -> None:
    """CAP 1.2, 3.2.1 ``references``."""
    path = (("references", 0),)
    text = draft.get("references")
    if text is None or not text.strip():
        draft.pop("references", None)
        if draft["msg_type"] != "Alert":
            found("R08", path, f"msgType {draft['msg_type']} needs references")
        return
    try:
        references = draft["references"] = read_references(text, lenient=lenient)
    except ValueError as error:
        found("R11", path, str(error))
        return
    for reference in references:
        if reference.identifier == draft["identifier"] and reference.sender == draft["sender"]:
            found("R12", path, "a message does not reference itself")
        elif sent is not None and reference.sent > sent:
            found("R13", path, f"{reference.identifier} was sent after this message")
