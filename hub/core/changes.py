"""Who may change the registry: a signed statement, and whether the right ones signed it (G9).

A statement is a JSON text, signed as it stands (DSSE, `schemas.dsse.STATEMENT_TYPE`)::

    {"origin": "<the log's name>", "subject": "agency:az-fhn", "version": 3,
     "kind": "key", "record": {…}}

*origin* keeps it from being played into another log, *version* from being played
again: it is the number of this change of its subject, one more than the last.

=====================  =============================================================
change                 who must sign
=====================  =============================================================
a new state            the authorities of more than half of the states
a state's record       its authority and, where it names a new one, that one too; or
                       the authorities of more than half of the other states (a lost
                       or stolen authority's key)
a member's record      the authority of its state and the root it names
a member leaves        the authority of its state or its root
a key begins           the agency's root, the authority of its state, and the key
                       itself: nobody claims another's key
a key is revoked       the agency's root or the authority of its state: one is enough
                       to stop a thief
a subscription         the agency's root or one of its keys
a redaction            the authority of the state of the message's agency: it is its law
a hold, its release    the authority of the state that holds
a key of the log       the authorities of more than half of the states and, where it begins,
                       the key itself
=====================  =============================================================

Where the first entry of the log named no roots there is nobody to ask: the hub's
operator changes the registry, and every such entry shows that nobody signed it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from pydantic import ValidationError

from hub.core.claims import check_claims
from hub.core.holds import Hold, Release
from hub.core.identities import KeyChange, KeyLife, LogKeyChange, State
from hub.core.redaction import Redaction
from hub.core.registry import Agency, Registry, read_agency, read_subscription
from schemas.dsse import STATEMENT_TYPE, read_signatures, signed_by, write_signatures
from schemas.ed25519 import VerifierKey
from schemas.errors import Rejected
from schemas.one_reading import read_once

__all__ = ["Change", "ChangeKind", "change_of", "redacted_by", "statement_text", "subject_named"]

ChangeKind = Literal[
    "state", "member", "key", "subscription", "redaction", "log-key", "hold", "release"
]
_KINDS: Final[tuple[str, ...]] = get_args(ChangeKind)
_LONGEST: Final = 32_768


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the registry that may be logged: its kind, and the facts of its entry."""

    kind: ChangeKind
    agency: str
    """Whose doing it is; empty for a state's."""
    facts: dict[str, Any]


def statement_text(
    origin: str, kind: ChangeKind, record: Mapping[str, Any], registry: Registry
) -> str:
    """Return the statement to sign for a change of *registry* as it is now."""
    subject = subject_named(kind, record)
    return json.dumps(
        {
            "origin": origin,
            "subject": subject,
            "version": registry.versions.get(subject, 0) + 1,
            "kind": kind,
            "record": record,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def subject_named(kind: str, record: Mapping[str, Any]) -> str:
    """Return whom a change is about, whose count of changes it moves on."""
    if kind == "log-key":
        return "log"
    if kind in {"hold", "release"}:
        return f"holds:{record.get('state')}"
    if kind in {"state", "member"}:
        return f"{'state' if kind == 'state' else 'agency'}:{record.get('id')}"
    return f"agency:{record.get('agency')}"


def change_of(kind: str, body: Mapping[str, Any], registry: Registry) -> Change:
    """Return what a proposal would change, once everything about it is in order.

    *body* is a record, or ``{"statement": text, "signatures": json}``.

    Raises:
        Rejected: ``statement-required``, ``statement-invalid``, ``statement-stale``,
            ``statement-unsigned``, ``signature-invalid``, ``key-invalid``, ``key-taken``,
            ``key-unknown``, ``unknown-state``, ``unknown-agency``, ``member-invalid``,
            ``name-taken`` or ``subscription-invalid``.
    """
    if "statement" not in body:
        if registry.signed:
            raise Rejected(
                "statement-required",
                f"in this log a change of a {kind} must be signed",
                remedy="Write a statement with `caspian registry propose`, have it signed.",
            )
        record, agency = _record(kind, body, registry)
        return Change(cast("ChangeKind", kind), agency, {kind: record})
    text, told = _statement(body, registry)
    kind = str(told["kind"])
    record, agency = _record(kind, told["record"], registry)
    if kind == "release" and registry.holds[record["hold"]].until is not None:
        raise _no_hold(Release.model_validate(record))
    if registry.signed:
        # Signatures that nobody could have asked for prove nothing.
        _check_signers(kind, record, registry, _signers(text, body))
    signatures = write_signatures(read_signatures(str(body["signatures"])))
    facts = {kind: record, "statement": text, "signatures": signatures}
    return Change(cast("ChangeKind", kind), agency, facts)


def redacted_by(kind: str, body: Mapping[str, Any]) -> str:
    """Return the log index of the message whose payload a proposal would remove, if it would."""
    try:
        told = json.loads(str(body["statement"])) if "statement" in body else None
        record = body if told is None else told["record"]
        wanted = (kind if told is None else told["kind"]) == "redaction"
        return str(record["message"]) if wanted else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _statement(body: Mapping[str, Any], registry: Registry) -> tuple[str, dict[str, Any]]:
    text = str(body["statement"])
    try:
        told = read_once(text)
        kind, record = told["kind"], told["record"]
        origin, subject, version = told["origin"], told["subject"], told["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise _invalid("it is not {origin, subject, version, kind, record}, each once") from e
    if len(text) > _LONGEST or len(told) != 5:
        raise _invalid("it says more than a statement does")
    if kind not in _KINDS or not isinstance(record, dict) or type(version) is not int:
        raise _invalid("its kind, record or version is not of the right type")
    if origin != registry.origin:
        raise _invalid(f"it is for the log {str(origin)[:100]!r}, not {registry.origin!r}")
    if subject != subject_named(kind, record):
        raise _invalid(f"its subject is {subject_named(kind, record)[:100]!r}")
    if version != (due := registry.versions.get(subject, 0) + 1):
        raise Rejected(
            "statement-stale",
            f"the next change of {subject} is number {due}, not {version}",
            remedy="Write the statement anew over the registry as it is, and have it signed.",
        )
    return text, told


def _record(kind: str, record: Mapping[str, Any], registry: Registry) -> tuple[dict[str, Any], str]:
    """Return the whole record of a change that makes sense, and whose doing it is."""
    if kind == "member":
        agency = read_agency(record)
        if registry.signed and agency.state not in registry.states:
            raise Rejected(
                "unknown-state",
                f"{agency.state} is not a member state",
                remedy="The states must first admit it: `caspian registry propose state`.",
            )
        check_claims(agency, registry)
        return agency.model_dump(mode="json"), ""
    if kind == "subscription":
        subscription = read_subscription(record, registry)
        return subscription.model_dump(mode="json"), ""
    try:
        if kind == "redaction":
            redaction = Redaction.model_validate(record)
            if redaction.agency not in registry.agencies:
                raise Rejected("unknown-agency", f"{redaction.agency} is not a member")
            return redaction.model_dump(mode="json"), ""
        if kind == "state":
            return State.model_validate(record).model_dump(mode="json"), ""
        if kind in {"hold", "release"}:
            return _hold(kind, record, registry), ""
        if kind == "log-key":
            own = LogKeyChange.model_validate(record)
            _check_log_key(own, registry)
            return own.model_dump(mode="json"), ""
        change = KeyChange.model_validate(record)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        raise _invalid(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from e
    _check_key(change, registry)
    return change.model_dump(mode="json"), change.agency


def _hold(kind: str, record: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """Return the record of a hold or a release by a state that there is."""
    known = registry.states or {a.state for a in registry.agencies.values()}
    found = Hold.model_validate(record) if kind == "hold" else Release.model_validate(record)
    if found.state not in known:
        raise Rejected("unknown-state", f"{found.state} is not a member state")
    if isinstance(found, Release):
        life = registry.holds.get(found.hold)
        if life is None or life.hold.state != found.state:
            raise _no_hold(found)
    return found.model_dump(mode="json")


def _no_hold(release: Release) -> Rejected:
    return Rejected(
        "hold-unknown",
        f"{release.state} holds nothing under {release.hold}",
        remedy="Look at `caspian holds ls`.",
    )


def _check_key(change: KeyChange, registry: Registry) -> None:
    if change.agency not in registry.agencies:
        raise Rejected("unknown-agency", f"{change.agency} is not a member")
    life = registry.keys.get(change.key)
    if change.action == "add":
        used = {agency.root for agency in registry.agencies.values()}
        used |= {state.authority for state in registry.states.values()}
        _check_free(change.key, (*registry.keys, *registry.log_keys, *(used - {""})))
        if change.compromised_since is not None:
            raise _invalid("a key that begins is not compromised")
    elif change.expires is not None:
        raise _invalid("a key that is revoked has no day to expire")
    elif life is None or life.agency != change.agency or not _tells_more(life, change):
        raise Rejected(
            "key-unknown",
            f"this is no key of {change.agency} that could be revoked",
            remedy="Look at `caspian keys ls`.",
        )


def _check_log_key(change: LogKeyChange, registry: Registry) -> None:
    """Let a key begin that serves nothing else, and cease where another goes on."""
    life = registry.log_keys.get(change.key)
    counting = {k for k, one in registry.log_keys.items() if one.until is None}
    if change.action == "retire":
        if change.key not in counting:
            raise Rejected(
                "key-unknown",
                "this is no key of the log that could be retired",
                remedy="Look at `caspian registry show`.",
            )
        if len(counting) == 1:
            raise _invalid("nobody could sign the log's checkpoints: let another key begin first")
        return
    if VerifierKey.read(change.key).name != registry.origin:
        raise _invalid(f"a key of this log has its name, {registry.origin}")
    if life is None or life.until is not None:
        used = [agency.root for agency in registry.agencies.values() if agency.root]
        used += [state.authority for state in registry.states.values()]
        _check_free(change.key, (*registry.keys, *registry.log_keys, *used))


def _check_free(key: str, taken: Iterable[str]) -> None:
    if VerifierKey.read(key).public in {VerifierKey.read(one).public for one in taken}:
        raise Rejected(
            "key-taken",
            "this key is or was in use; a key serves one agency for one purpose, once",
            remedy="Make a new one: `caspian keys new`.",
        )


def _tells_more(life: KeyLife, change: KeyChange) -> bool:
    """Tell whether a revocation is the first, or finds that the key was stolen earlier."""
    since, known = change.compromised_since, life.compromised_since
    return life.until is None or (since is not None and (known is None or since < known))


def _signers(text: str, body: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys whose signatures hold; one that fails refuses the whole."""
    found = set()
    for key, signature in read_signatures(str(body["signatures"])):
        if not signed_by(STATEMENT_TYPE, text.encode(), key, signature):
            raise Rejected(
                "signature-invalid",
                f"the signature of {key.name} does not hold for this statement",
                remedy="Sign exactly the text that is sent, as it stands.",
            )
        found.add(str(key))
    return frozenset(found)


def _check_signers(
    kind: str, record: Mapping[str, Any], registry: Registry, signers: frozenset[str]
) -> None:
    if kind == "log-key":
        own = {str(record["key"])} if record["action"] == "add" else set()
        if own <= signers and _majority(registry, "", signers):
            return
        raise _unsigned("more than half of the states" + (" and by the key itself" if own else ""))
    wanted = _wanted(kind, record, registry)
    if not any(alternative <= signers for alternative in wanted):
        if kind == "state" and _majority(registry, str(record["id"]), signers):
            return
        ways = " or ".join(
            " and ".join(sorted(VerifierKey.read(k).name for k in alternative))
            for alternative in wanted
        )
        also = "more than half of the states" if kind == "state" else ""
        raise _unsigned(" or by ".join(filter(None, (ways, also))))


def _unsigned(by: str) -> Rejected:
    return Rejected(
        "statement-unsigned",
        f"it must be signed by {by}",
        remedy="Have it signed with `caspian registry sign` by those, and send it again.",
    )


def _wanted(kind: str, record: Mapping[str, Any], registry: Registry) -> tuple[frozenset[str], ...]:
    """Return the sets of keys of which one must have signed whole."""
    if kind == "state":
        known = registry.states.get(str(record["id"]))
        return (frozenset({known.authority, record["authority"]}),) if known else ()
    if kind in {"hold", "release"}:
        return (frozenset({registry.states[str(record["state"])].authority}),)
    agency_id = str(record["id"] if kind == "member" else record["agency"])
    agency = registry.agencies.get(agency_id)
    if kind == "member":
        authority = registry.states[str(record["state"])].authority
        if agency is not None and not record["active"] and _leaves(agency, record):
            return tuple(frozenset({k}) for k in (authority, agency.root) if k)
        return (frozenset({authority, *([record["root"]] if record["root"] else [])}),)
    assert agency is not None  # noqa: S101 - the record was checked
    authority = registry.states[agency.state].authority
    if kind == "redaction":
        return (frozenset({authority}),)
    if kind == "key" and record["action"] == "add":
        return (frozenset({authority, record["key"], *([agency.root] if agency.root else [])}),)
    if kind == "key":
        return tuple(frozenset({k}) for k in (authority, agency.root) if k)
    own = (k for k, life in registry.keys.items() if life.agency == agency_id and not life.until)
    return tuple(frozenset({k}) for k in (agency.root, *own) if k)


def _leaves(agency: Agency, record: Mapping[str, Any]) -> bool:
    """Tell whether a record says nothing new but that the agency leaves."""
    return {**agency.model_dump(mode="json"), "active": False} == dict(record)


def _majority(registry: Registry, about: str, signers: frozenset[str]) -> bool:
    """Tell whether more than half of the states, without the one concerned, have signed."""
    others = {s.authority for s in registry.states.values() if s.id != about}
    return 2 * len(others & signers) > len(others)


def _invalid(why: str) -> Rejected:
    return Rejected(
        "statement-invalid",
        f"this is not a statement that can be taken: {why}",
        remedy="Write it with `caspian registry propose`; see docs/protocol/signing.md.",
    )
