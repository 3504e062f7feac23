"""Whether a message as a whole makes sense: who, to whom, about which message (R02 to R14).

A draft whose structure holds goes in; its texts become values and what breaks a
rule is noted. docs/standards.md explains the rules; profiles add to them
(`schemas.cap.profiles`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from schemas.cap.info_rules import judge_info, judge_together
from schemas.cap.text_rules import judge_texts, judge_time
from schemas.cap.values import read_list, read_references

if TYPE_CHECKING:
    from schemas.cap.draft import Draft
    from schemas.cap.rulebook import Case

__all__ = ["judge"]

_FORBIDDEN: Final = re.compile(r"[\s,<&]")
_TEXTS: Final = (("restriction", "restriction"), ("note", "note"))


def judge(draft: Draft, case: Case) -> None:
    """Turn the texts of *draft* into values in place and note what breaks a rule.

    Where an error was noted the draft is good for nothing but further findings.
    """
    _judge_names(draft, case)
    case.public = draft["scope"] == "Public"
    case.sent = judge_time(draft, "sent", (), case)
    _judge_distribution(draft, case)
    _judge_references(draft, case)
    incidents = draft.get("incidents")
    if incidents is not None:
        draft["incidents"] = read_list(incidents)
    judge_texts(draft, _TEXTS, (), case)
    infos = draft.get("info")
    if infos is None:
        if draft["msg_type"] in {"Alert", "Update"}:
            case.found("R14", (("info", 1),), f"an {draft['msg_type']} has at least one info")
        return
    for i, info in enumerate(infos, 1):
        judge_info(info, (("info", i),), case)
    if len(infos) > 1:
        judge_together(infos, case)


def _judge_names(draft: Draft, case: Case) -> None:
    """Judge identifier and sender: they are the parts of every reference (3.2.1)."""
    for rule, key in (("R02", "identifier"), ("R03", "sender")):
        text = draft[key]
        if not text:
            case.found(rule, ((key, 0),), f"{key} is empty")
        elif _FORBIDDEN.search(text):
            case.found(rule, ((key, 0),), f"{key} has white space or one of , < &")


def _judge_distribution(draft: Draft, case: Case) -> None:
    """Judge whom the message is for, and what has to be explained (3.2.1)."""
    scope = draft["scope"]
    restriction = draft.get("restriction")
    if scope == "Restricted":
        if not (restriction and restriction.strip()):
            case.found("R06", (("restriction", 0),), "scope Restricted needs a restriction")
    elif restriction is not None:
        case.found("R06b", (("restriction", 0),), f"a restriction means nothing in scope {scope}")
    _judge_addresses(draft, case)
    note = draft.get("note")
    if not (note and note.strip()):
        if draft["msg_type"] == "Error":
            case.found("R09", (("note", 0),), "an Error needs a note that explains it")
        if draft["status"] == "Exercise":
            case.found("R10", (("note", 0),), "an Exercise needs a note that names it")


def _judge_addresses(draft: Draft, case: Case) -> None:
    text = draft.get("addresses")
    if text is not None:
        draft["addresses"] = read_list(text)
    if draft["scope"] == "Private":
        if not draft.get("addresses"):
            case.found("R07", (("addresses", 0),), "scope Private needs addresses")
        elif text is not None and text.count('"') % 2:
            case.found("R07", (("addresses", 0),), "a quote in addresses is not closed")


def _judge_references(draft: Draft, case: Case) -> None:
    """Judge which messages it is about (3.2.1 ``references``)."""
    path = (("references", 0),)
    text = draft.get("references")
    if text is None or not text.strip():
        draft.pop("references", None)
        if draft["msg_type"] != "Alert":
            case.found("R08", path, f"msgType {draft['msg_type']} needs references")
        return
    try:
        references = draft["references"] = read_references(text, lenient=case.lenient)
    except ValueError as error:
        case.found("R11", path, str(error))
        return
    me = (draft["sender"], draft["identifier"])
    for reference in references:
        if (reference.sender, reference.identifier) == me:
            case.found("R12", path, "a message does not reference itself")
        elif case.sent is not None and reference.sent > case.sent:
            case.found("R13", path, f"{reference.identifier} was sent after this message")
