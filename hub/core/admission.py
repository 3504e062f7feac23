"""Which proposals enter the log: decided from the log before them and nothing else (G5, G6).

`decide` takes a whole batch at once, because a batch becomes one commit: what an
earlier candidate of the batch did already counts for the later ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from hub.core.actions import action_of
from hub.core.advice import advised
from hub.core.aid_moves import check_move
from hub.core.aid_statements import AidEntry
from hub.core.candidate import Candidate
from hub.core.changes import Change, change_of
from hub.core.claims import owner_of
from hub.core.escalation import (
    MOST_MESSAGES,
    OUTAGE_US,
    Escalation,
    Outage,
    coordinators,
    escalates,
    patience_us,
    step_due,
)
from hub.core.exercises import replay_facts
from hub.core.exports import read_export
from hub.core.holds import Hold, held
from hub.core.known import Known, accepted_key, export_key, header_key, input_key
from hub.core.redaction import residue
from hub.core.registry import Agency, Registry, Subscription
from hub.core.retention import before_us_of, fitting, left_of, retirable
from hub.core.routing import entitled, recipients
from hub.core.rows import (
    LONGEST_NAME_BYTES,
    AcknowledgementRow,
    MessageRow,
    acknowledged_by,
    identity,
    name_bytes,
    writable,
)
from hub.core.signing import Chain, audience_of, chain_name, check_signed, step
from schemas.entry import encode, from_micros, rfc3339
from schemas.errors import Finding, Rejected
from schemas.facts import MessageFacts
from schemas.header import header_text, uuid7
from schemas.places import touched
from schemas.receipt import findings_json

__all__ = ["Decision", "Decisions", "NewEntry", "Rules", "decide"]

_KEPT_REFUSED_BYTES: Final = 65_536
"""Of what was refused so much is kept, for the sender's and the auditor's eyes."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What may differ from hub to hub."""

    future_tolerance: timedelta = timedelta(minutes=10)
    """How far ahead of the hub's clock ``sent`` may be (rule H7)."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to append, and the rows that are derived from it and kept beside it."""

    kind: str
    at_us: int
    agency: str
    body: bytes
    payload: bytes = b""
    payload_type: str = ""
    payload_sha256: str = ""
    message: MessageRow | None = None
    acknowledgements: tuple[AcknowledgementRow, ...] = ()
    delivered: Mapping[str, int] = field(default_factory=dict)
    escalations: tuple[Escalation, ...] = ()
    chain: Chain | None = None
    chain_name: str = ""
    input_key: str = ""
    redacts: tuple[tuple[int, str], ...] = ()
    """The messages whose payload is removed, each with its residue (`hub.core.redaction`)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one candidate: logged (as itself or as a refusal), or known already."""

    candidate: Candidate
    index: int
    at_us: int
    message_id: str = ""
    sha256: str = ""
    duplicate: bool = False
    warnings: str = "[]"
    refusal: Rejected | None = None
    counted: bool = False
    """Of a refusal: it was signed, and keeps its place in the agency's count."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The outcome of a batch: what to append, and what to answer once it is appended."""

    entries: tuple[NewEntry, ...]
    outcomes: tuple[Decision, ...]


def decide(
    batch: Sequence[Candidate],
    *,
    size: int,
    last_at_us: int,
    now_us: int,
    registry: Registry,
    known: Known,
    rules: Rules,
    entropy: Sequence[bytes] | None = None,
) -> Decisions:
    """Decide a batch in its order, for a log of *size* entries whose last is of *last_at_us*.

    *entropy* gives 8 bytes for each candidate's UUIDv7; the system's where it is None.
    Every candidate gets exactly one outcome. A candidate that the log already
    holds appends nothing and gets the first receipt again.
    """
    work = _Batch(size, last_at_us, now_us, registry, known, rules)
    for number, candidate in enumerate(batch):
        work.entropy = entropy[number] if entropy is not None else None
        try:
            outcome = work.take(candidate)
        except Rejected as refusal:
            outcome = work.refuse(candidate, refusal)
        work.outcomes.append(replace(outcome, counted=header_key(candidate) in known.inputs))
    return Decisions(tuple(work.entries), tuple(work.outcomes))


class _Batch:
    """One batch while it is decided."""

    def __init__(
        self,
        size: int,
        last_at_us: int,
        now_us: int,
        registry: Registry,
        known: Known,
        rules: Rules,
    ) -> None:
        self.size = size
        self.at_us = last_at_us
        self.now_us = now_us
        self.registry = registry
        self.known = known
        self.rules = rules
        self.entropy: bytes | None = None
        self.entries: list[NewEntry] = []
        self.outcomes: list[Decision] = []

    def _tick(self) -> int:
        """Return the time of the next entry: now, but always after the last entry's."""
        return max(self.now_us, self.at_us + 1)

    def _append(self, entry: NewEntry) -> int:
        index = self.size + len(self.entries)
        self.entries.append(entry)
        self.at_us = entry.at_us
        return index

    def take(self, c: Candidate) -> Decision:
        if c.kind == "refusal":
            return self._logged_refusal(c)
        if c.kind == "dead-letter":
            return self._dead_letter(c)
        if c.kind == "action":
            return self._action(c)
        if (refused := self._refused_before(c)) is not None:
            # What was refused stays refused, whatever the registry says by now: its sender knows.
            again = Rejected(
                "refused-before",
                f"this was refused; the log has the reason at {refused[0]}",
                remedy="Look at the first refusal; send what you have corrected anew.",
            )
            return Decision(c, *refused, duplicate=True, refusal=again)
        decided = {
            "publish": self._publish,
            "acknowledgement": self._acknowledge,
            "delivery": self._delivered,
            "export": self._export,
            "escalation": self._escalate,
            "restart": self._restarted,
            "replay": self._replayed,
            "retirement": self._retire,
        }
        return decided.get(c.kind, self._change)(c)

    def _refused_before(self, c: Candidate) -> tuple[int, int] | None:
        known = self.known.inputs
        return known.get(header_key(c)) or known.get(input_key(c))

    def _publish(self, c: Candidate) -> Decision:
        facts = c.facts
        if facts is None:
            raise Rejected("not-a-message", "the candidate has no facts")
        _check_names(facts)
        digest = sha256(c.payload).hexdigest()
        key = identity(c.agency, facts.sender, facts.identifier)
        # The sender's own id comes second: without one, the identifier in the message is the id.
        earlier = self.known.by_identity.get(key)
        if earlier is None and c.message_id:
            earlier = self.known.by_id.get((c.agency, c.message_id))
        if earlier is not None:
            if (
                earlier.sha256 != digest
                or (c.message_id and earlier.id != c.message_id)
                or self._step(c) is not None  # signed anew: what is logged has another header
            ):
                raise Rejected(
                    "conflicting-replay",
                    f"{facts.identifier} of {facts.sender} is in the log at {earlier.index} "
                    "with another content or id",
                    remedy="Give the new message an identifier of its own; send an Update or "
                    "a Cancel to change what was sent.",
                )
            return Decision(
                c,
                earlier.index,
                earlier.at_us,
                earlier.id,
                digest,
                duplicate=True,
                warnings=earlier.warnings,
            )
        # After the look for the first receipt: who was a member then has it for good.
        self._check_agency(c.agency)
        at_us = self._tick()
        self._check_signature(facts, c, at_us)
        self._check_message(facts, c, at_us)
        entry = AidEntry(self.size + len(self.entries), c.agency, facts)
        if facts.aid is not None:
            check_move(entry, self.known.aid.around(entry))
        warnings = advised(
            c.warnings,
            facts,
            agency=self.registry.agencies[c.agency],
            at_us=at_us,
            known=self.known,
        )
        message_id = c.message_id or uuid7(at_us, self.entropy)
        name = chain_name(c.agency, signed=bool(c.header))
        chain = self.known.chains.get(name, Chain())
        header = c.header or header_text(
            message_id=message_id,
            agency=c.agency,
            seq=chain.seq + 1,
            prev=chain.head,
            type_=facts.kind,
            created=facts.sent.isoformat(),
            expires=facts.expires.isoformat() if facts.expires else None,
            audience=audience_of(facts),
            payload_type=c.payload_type,
            payload_sha256=digest,
            payload_size=len(c.payload),
        )
        index = self.size + len(self.entries)
        row = MessageRow(index, message_id, c.agency, key, digest, at_us, facts, warnings)
        chain = chain.after(header)
        acks = acknowledged_by(facts, c.agency, index, at_us)
        self._append(
            NewEntry(
                "publish",
                at_us,
                c.agency,
                _entry("publish", at_us, c.agency, _came(c, header)),
                payload=c.payload,
                payload_type=c.payload_type,
                payload_sha256=digest,
                message=row,
                acknowledgements=acks,
                chain=chain,
                chain_name=name,
            )
        )
        self.known.add(row)
        if facts.aid is not None:
            self.known.aid.add(entry)
        self.known.chains[name] = chain
        for ack in acks:
            self.known.add_acknowledgement(ack)
        return Decision(c, index, at_us, message_id, digest, warnings=warnings)

    def _check_agency(self, agency: str) -> None:
        if agency not in self.registry.members:
            raise Rejected(
                "unknown-agency",
                f"{agency} is not an active member",
                remedy="Ask the operator to register the agency.",
            )

    def _check_signature(self, facts: MessageFacts, c: Candidate, at_us: int) -> None:
        """Let a message be signed rightly, or unsigned where its agency allows that (rule H6)."""
        if c.header:
            check_signed(
                c,
                facts,
                self.registry,
                self._chain(c),
                index=self.size + len(self.entries),
                now=from_micros(at_us),
                tolerance=self.rules.future_tolerance,
            )
        elif self.registry.agencies[c.agency].signs:
            raise Rejected(
                "signature-required",
                f"every message of {c.agency} must bear its signature",
                remedy="Sign it: `caspian publish --key FILE`; see docs/protocol/signing.md.",
            )

    def _chain(self, c: Candidate) -> Chain:
        """Return the agency's own count of what it signed."""
        return self.known.chains.get(chain_name(c.agency, signed=True), Chain())

    def _step(self, c: Candidate) -> Chain | None:
        """Return that count after this candidate; None where it does not move it on."""
        index, now = self.size + len(self.entries), from_micros(self._tick())
        return step(c, self.registry, self._chain(c), index=index, now=now)

    def _check_message(self, facts: MessageFacts, c: Candidate, at_us: int) -> None:
        """Hold the message against the registry and its time in the log (rules H3, H5, H7)."""
        agency = self.registry.agencies[c.agency]
        if not agency.speaks_as(facts.sender):
            raise Rejected(
                "sender-not-of-agency",
                f"{facts.sender!r} is not a sender of {c.agency}",
                remedy="Use one of the agency's registered senders.",
            )
        if owner := owner_of(facts.sender, agency, self.registry):
            raise Rejected(
                "sender-not-of-agency",
                f"{facts.sender!r} is a sender of {owner}, which speaks for itself",
                remedy="Relay only what comes from those who are no members of another state.",
            )
        if facts.msg_type in {"Update", "Cancel"} and facts.kind == "alert":
            for ref in facts.references:
                if not agency.speaks_as(ref.sender):
                    raise Rejected(
                        "not-your-message",
                        f"{facts.msg_type} of {ref.identifier} by {ref.sender!r}, "
                        f"who is not a sender of {c.agency}",
                        remedy="Only the agency that sent an alert can update or cancel it.",
                    )
        ahead = facts.sent - from_micros(at_us)
        if ahead > self.rules.future_tolerance:
            raise Rejected(
                "sent-in-future",
                f"sent {facts.sent.isoformat()} is {ahead} ahead of the hub's clock",
                remedy="Set the clock of the sending system, or correct `sent`.",
            )
        if facts.scope == "Private" and not (entitled(facts, c.agency, self.registry) - {c.agency}):
            raise Rejected(
                "no-known-recipient",
                "none of the addresses names a member",
                remedy="Address agencies by id, or states by their two-letter code.",
            )
        _check_areas(facts, agency)

    def _acknowledge(self, c: Candidate) -> Decision:
        named, officer = _text(c.body, "message", 200), _text(c.body, "officer", 200)
        note = str(c.body.get("note") or "")
        if len(note) > 2000:
            raise Rejected("note-too-long", "a note has at most 2000 characters")
        _check_text("note", note)
        try:
            row = self._to_acknowledge(c.agency, named)
        except Rejected:
            # What was acknowledged stays so, whatever the registry says by now.
            found = [d for r in self._called(named) if (d := self._before(c, r, officer))]
            if len(found) != 1:
                raise
            return found[0]
        earlier = self._before(c, row, officer)
        if earlier is not None:
            return earlier
        at_us = self._tick()
        ack = AcknowledgementRow(
            self.size + len(self.entries),
            row.facts.sender,
            row.facts.identifier,
            c.agency,
            officer,
            note,
            at_us,
            row.id,
            of=row.agency,
        )
        body = {
            "via": c.via,
            "message": row.index,
            "message_id": row.id,
            "message_agency": row.agency,
            "status": row.facts.status,
            "sender": row.facts.sender,
            "identifier": row.facts.identifier,
            "officer": officer,
            "note": note,
        }
        index = self._append(
            NewEntry(
                "acknowledgement",
                at_us,
                c.agency,
                _entry("acknowledgement", at_us, c.agency, body),
                acknowledgements=(ack,),
            )
        )
        self.known.add_acknowledgement(ack)
        return Decision(c, index, at_us, row.id, row.sha256)

    def _before(self, c: Candidate, row: MessageRow, officer: str) -> Decision | None:
        """Return the first receipt where the officer has acknowledged the message already."""
        key = (row.facts.sender, row.facts.identifier, c.agency, officer)
        earlier = next((a for a in self.known.acknowledged.get(key, ()) if a.is_of(row)), None)
        if earlier is None:
            return None
        return Decision(c, earlier.index, earlier.at_us, row.id, row.sha256, duplicate=True)

    def _to_acknowledge(self, agency: str, named: str) -> MessageRow:
        """Return the message that *agency* means and is asked to acknowledge."""
        self._check_agency(agency)
        row = self._named(agency, named)
        if agency not in recipients(row.facts, row.agency, self.registry):
            raise Rejected(
                "not-to-acknowledge",
                f"{agency} is not asked to acknowledge {named}",
                remedy="A message is acknowledged by its recipients, not by its own agency; "
                "an Ack or a Draft by nobody.",
            )
        return row

    def _called(self, named: str) -> list[MessageRow]:
        """Return the messages of this log index or id, whoever may read them.

        An id is its sender's own choice. Digits are therefore always an index, or an
        agency that calls a message "17" would catch the acknowledgements of index 17.
        """
        if named.isdigit():
            return [row] if (row := self.known.by_index.get(named)) is not None else []
        return list(self.known.by_name.get(named, {}).values())

    def _named(self, agency: str, named: str) -> MessageRow:
        """Return the message that *agency* means by a log index or an id."""
        found = [
            r for r in self._called(named) if agency in entitled(r.facts, r.agency, self.registry)
        ]
        if not found:
            # One answer for both: who may not read a message must not learn that it exists.
            raise Rejected(
                "unknown-message",
                f"no message {named} for {agency}",
                remedy="Name the message by its id or log index.",
            )
        if len(found) > 1:
            raise Rejected(
                "ambiguous-message",
                f"{named} is the id of messages of {' and '.join(sorted(r.agency for r in found))}",
                remedy="Name the message by its log index.",
            )
        return found[0]

    def _change(self, c: Candidate) -> Decision:
        key = accepted_key(c)
        if (earlier := self.known.inputs.get(key)) is not None:
            return Decision(c, *earlier, duplicate=True)
        change = change_of(c.kind, c.body, self.registry)
        if not key and "statement" not in c.body:
            since = self._unchanged(change.facts)
            if since is not None:
                return Decision(c, since, self.at_us, duplicate=True)
        if change.kind == "hold":
            self._check_held(change.facts["hold"]["message"])
        at_us = self._tick()
        redacted = self._redacted(change) if change.kind == "redaction" else None
        facts = {"inbox": c.inbox, "by": _writable_name(c.person), **change.facts}
        facts |= redacted or {}
        index = self._append(
            NewEntry(
                change.kind,
                at_us,
                c.agency,
                _entry(change.kind, at_us, c.agency, facts),
                input_key=key,
                redacts=((change.facts["redaction"]["message"], redacted["residue"]),)
                if redacted
                else (),
            )
        )
        if key:
            self.known.inputs[key] = (index, at_us)
        self.registry = self.registry.apply(index, {"kind": change.kind, **change.facts})
        return Decision(c, index, at_us)

    def _check_held(self, message: int | None) -> None:
        if message is not None and message >= self.size + len(self.entries):
            raise Rejected(
                "unknown-message",
                f"the log has nothing at {message}",
                remedy="Name the message by its log index.",
            )

    def _export(self, c: Candidate) -> Decision:
        """Log that somebody took something out; what comes again is the same export."""
        key = export_key(c)
        if (earlier := self.known.inputs.get(key)) is not None:
            return Decision(c, *earlier, duplicate=True)
        record = read_export(c.body)
        if record.through >= self.size + len(self.entries):
            raise Rejected("cursor-invalid", f"the log has nothing at {record.through}")
        at_us = self._tick()
        facts = {
            "by": _writable_name(c.person),
            "role": str(c.body["role"])[:40],
            "made": str(c.body["made"])[:40],
            "export": record.model_dump(mode="json"),
        }
        body = _entry("export", at_us, c.agency, facts)
        index = self._append(NewEntry("export", at_us, c.agency, body, input_key=key))
        self.known.inputs[key] = (index, at_us)
        return Decision(c, index, at_us)

    def _redacted(self, change: Change) -> dict[str, str]:
        """Return what an entry says of the message that it redacts, besides the record."""
        record = change.facts["redaction"]
        row = self.known.by_index.get(str(record["message"]))
        if row is None or row.agency != record["agency"]:
            raise Rejected(
                "unknown-message",
                f"{record['agency']} has no message at {record['message']}",
                remedy="Name the message by its log index, and the agency that sent it.",
            )
        hold = held(self.registry.holds, row.index, row.facts)
        if hold is not None:
            raise Rejected(
                "payload-held",
                f"the message at {row.index} is under the hold at {hold}",
                remedy="Who holds it must release it first: `caspian holds ls`.",
            )
        left = residue(row.facts)
        self.known.removed.add(row.index)
        self.known.add(replace(row, facts=MessageFacts.model_validate_json(left)))
        return {"message_id": row.id, "payload_sha256": row.sha256, "residue": left}

    def _retire(self, c: Candidate) -> Decision:
        """Log that payloads go by age: of those messages that may go, as many as fit."""
        at_us = self._tick()
        before_us = before_us_of(str(c.body["before"]), at_us)
        rows = fitting(
            row
            for index in dict.fromkeys(c.body["messages"])
            if (row := self.known.by_index.get(str(index))) is not None
            and retirable(row, self.known, self.registry, before_us=before_us, at_us=at_us)
        )
        if not rows:
            return Decision(c, self.size + len(self.entries) - 1, self.at_us, duplicate=True)
        left = [left_of(row) for row in rows]
        body = {
            "before": rfc3339(before_us),
            "messages": [row.index for row in rows],
            "left": left,
        }
        index = self._append(
            NewEntry(
                "retirement",
                at_us,
                "",
                _entry("retirement", at_us, "", body),
                redacts=tuple((r.index, o["residue"]) for r, o in zip(rows, left, strict=True)),
            )
        )
        for row, one in zip(rows, left, strict=True):
            self.known.removed.add(row.index)
            self.known.add(replace(row, facts=MessageFacts.model_validate_json(one["residue"])))
        return Decision(c, index, at_us)

    def _unchanged(self, facts: dict[str, Any]) -> int | None:
        """Return since when the registry holds just this record; None where it does not.

        So is a record known again that came from no stream and has no name there.
        """
        if "member" in facts:
            agency = Agency.model_validate(facts["member"])
            same = self.registry.agencies.get(agency.id) == agency
            return self.registry.since[agency.id] if same else None
        if "subscription" in facts:
            subscription = Subscription.model_validate(facts["subscription"])
            same = self.registry.subscriptions.get(subscription.feed) == subscription
            return self.registry.since[subscription.feed] if same else None
        if "log-key" in facts:
            life = self.registry.log_keys.get(facts["log-key"]["key"])
            added = facts["log-key"]["action"] == "add"
            return life.since if added and life is not None and life.until is None else None
        if "hold" in facts:
            asked = Hold.model_validate(facts["hold"])
            same_holds = (i for i, one in self.registry.holds.items() if one.hold == asked)
            return next((i for i in same_holds if self.registry.holds[i].until is None), None)
        if "release" in facts:
            return self.registry.holds[facts["release"]["hold"]].until
        if "redaction" in facts:
            row = self.known.by_index.get(str(facts["redaction"]["message"]))
            gone = row is not None and row.facts == MessageFacts.model_validate_json(
                residue(row.facts)
            )
            return row.index if row is not None and gone else None
        return None

    def _delivered(self, c: Candidate) -> Decision:
        size = self.size + len(self.entries)
        there = self.registry.feeds()
        feeds = {
            str(feed): int(through)
            for feed, through in c.body.items()
            if str(feed) in there and self.known.delivered.get(str(feed), -1) < int(through) < size
        }
        if not feeds:
            return Decision(c, size - 1, self.at_us, duplicate=True)
        at_us = self._tick()
        body = _entry("delivery", at_us, "", {"feeds": feeds})
        index = self._append(NewEntry("delivery", at_us, "", body, delivered=feeds))
        self.known.delivered.update(feeds)
        return Decision(c, index, at_us)

    def _action(self, c: Candidate) -> Decision:
        """Log what a person did that no other entry tells (`hub.core.actions`)."""
        key = input_key(c)
        if (earlier := self.known.inputs.get(key)) is not None:
            return Decision(c, *earlier, duplicate=True)
        at_us = self._tick()
        facts = {"inbox": c.inbox, "by": _writable_name(c.person), **action_of(c.body)}
        index = self._append(
            NewEntry(
                "action",
                at_us,
                c.agency,
                _entry("action", at_us, c.agency, facts),
                input_key=self._remember(at_us, key),
            )
        )
        return Decision(c, index, at_us)

    def _escalate(self, c: Candidate) -> Decision:
        """Log that a recipient's next in line is told, of the messages for which that is due."""
        recipient, wanted = str(c.body["recipient"]), int(c.body["step"])
        at_us = self._tick()
        rows = [
            row
            for index in dict.fromkeys(c.body["messages"])
            if (row := self.known.by_index.get(str(index))) is not None
            and self._waits(row, recipient, wanted, at_us)
        ][:MOST_MESSAGES]
        # One entry goes to the feeds of one channel, and of one agency that sent.
        rows = [
            r for r in rows if (r.agency, r.facts.status) == (rows[0].agency, rows[0].facts.status)
        ]
        if not rows:
            return Decision(c, self.size + len(self.entries) - 1, self.at_us, duplicate=True)
        taken = tuple(Escalation(row.index, recipient, wanted) for row in rows)
        body = {
            "recipient": recipient,
            "step": wanted,
            "of": rows[0].agency,
            "status": rows[0].facts.status,
            "messages": [row.index for row in rows],
        }
        index = self._append(
            NewEntry(
                "escalation", at_us, "", _entry("escalation", at_us, "", body), escalations=taken
            )
        )
        for one in taken:
            self.known.add_escalation(one)
        return Decision(c, index, at_us)

    def _waits(self, row: MessageRow, recipient: str, wanted: int, at_us: int) -> bool:
        """Return whether a step is due and not taken for a message that still waits."""
        facts = row.facts
        due = step_due(
            patience_us(facts),
            row.at_us,
            at_us,
            coordinated=bool(coordinators(recipient, self.registry)),
            outages=self.known.outages,
        )
        return (
            escalates(facts)
            and (facts.expires is None or facts.expires > from_micros(at_us))
            and self.known.escalated.get((row.index, recipient), 0) < wanted == due
            and recipient in recipients(facts, row.agency, self.registry)
            and not self.known.acknowledges(recipient, row)
        )

    def _replayed(self, c: Candidate) -> Decision:
        """Log that a person began or ended a replay; once, however often it is proposed."""
        key = accepted_key(c)
        if (earlier := self.known.inputs.get(key)) is not None:
            return Decision(c, *earlier, duplicate=True)
        at_us = self._tick()
        told = replay_facts(c.body, self.size + len(self.entries))
        facts = {"inbox": c.inbox, "by": _writable_name(c.person), "replay": told}
        index = self._append(
            NewEntry(
                "replay",
                at_us,
                c.agency,
                _entry("replay", at_us, c.agency, facts),
                input_key=key,
            )
        )
        if key:
            self.known.inputs[key] = (index, at_us)
        return Decision(c, index, at_us)

    def _restarted(self, c: Candidate) -> Decision:
        """Log that the hub was down, if it was: nothing was logged and nobody was at work."""
        at_us = self._tick()
        since_us = max(int(c.body["since_us"]), self.at_us)
        if at_us - since_us < OUTAGE_US:
            return Decision(c, self.size + len(self.entries) - 1, self.at_us, duplicate=True)
        body = _entry("restart", at_us, "", {"since": rfc3339(since_us)})
        index = self._append(NewEntry("restart", at_us, "", body))
        self.known.outages.append(Outage(since_us, at_us))
        return Decision(c, index, at_us)

    def refuse(self, c: Candidate, refusal: Rejected) -> Decision:
        """Log a refusal that the ledger itself decided."""
        body = {
            "via": c.via,
            "of": c.kind,
            "code": refusal.code,
            "detail": writable(refusal.detail[:1000]),
            "count": 1,
            "findings": json.loads(findings_json(refusal.findings)),
        }
        return self._refusal(c, body, refusal)

    def _logged_refusal(self, c: Candidate) -> Decision:
        """Log a refusal that intake or the API decided before the ledger saw anything."""
        body = dict(c.body)
        remedy = str(body.pop("remedy", ""))
        findings = tuple(Finding(**f) for f in body.get("findings", ()))
        refusal = Rejected(str(body["code"]), str(body["detail"]), remedy=remedy, findings=findings)
        return self._refusal(c, {"via": c.via, "of": "publish", "count": 1, **body}, refusal)

    def _refusal(self, c: Candidate, body: dict[str, Any], refusal: Rejected) -> Decision:
        digest = sha256(c.payload).hexdigest() if c.payload else ""
        earlier = self._refused_before(c)
        if earlier is not None:
            return Decision(c, *earlier, sha256=digest, duplicate=True, refusal=refusal)
        at_us = self._tick()
        body["inbox"] = c.inbox
        body["payload_sha256"], body["payload_size"] = digest, len(c.payload)
        chain = self._step(c)
        if chain is not None:
            body |= {"header": c.header, "key": c.key, "signature": c.signature}
        try:
            data = _entry("refusal", at_us, c.agency, body)
        except Rejected:
            # A refusal must always find its place: what it says in many words is left out.
            body["detail"], body["findings"] = writable(str(body["detail"])[:1000]), []
            data = _entry("refusal", at_us, c.agency, body)
        index = self._append(
            NewEntry(
                "refusal",
                at_us,
                c.agency,
                data,
                payload=c.payload[:_KEPT_REFUSED_BYTES],
                payload_type=c.payload_type,
                payload_sha256=digest,
                chain=chain,
                chain_name=chain_name(c.agency, signed=True) if chain else "",
                input_key=self._remember(at_us, header_key(c) if chain else input_key(c)),
            )
        )
        if chain is not None:
            self.known.chains[chain_name(c.agency, signed=True)] = chain
        return Decision(c, index, at_us, sha256=digest, refusal=refusal)

    def _remember(self, at_us: int, key: str) -> str:
        if key:
            self.known.inputs[key] = (self.size + len(self.entries), at_us)
        return key

    def _dead_letter(self, c: Candidate) -> Decision:
        digest = sha256(c.payload).hexdigest()
        refusal = Rejected(
            "dead-letter",
            "the hub could not process this message; its operator has been told",
            remedy="Wait for the operator, or send it by another way; nothing was published.",
        )
        earlier = self.known.inputs.get(input_key(c))
        if earlier is not None:
            return Decision(c, *earlier, sha256=digest, duplicate=True, refusal=refusal)
        at_us = self._tick()
        body = {
            **c.body,
            "inbox": c.inbox,
            "payload_sha256": digest,
            "payload_size": len(c.payload),
        }
        try:
            data = _entry("dead-letter", at_us, c.agency, body)
        except Rejected:
            body["fields"] = {}
            data = _entry("dead-letter", at_us, c.agency, body)
        index = self._append(
            NewEntry(
                "dead-letter",
                at_us,
                c.agency,
                data,
                payload=c.payload,
                payload_type=c.payload_type,
                payload_sha256=digest,
                input_key=self._remember(at_us, input_key(c)),
            )
        )
        return Decision(c, index, at_us, sha256=digest, refusal=refusal)


def _came(c: Candidate, header: str) -> dict[str, Any]:
    """Return how a message came, and who vouches for its header."""
    told: dict[str, Any] = {"via": c.via, "attested": "hub", "header": header}
    if c.header:
        told |= {"attested": "agency", "key": c.key, "signature": c.signature}
    if c.xml_signature:
        told["xml_signature"] = json.loads(c.xml_signature)
    if by := _writable_name(c.person):
        told["by"] = by
    if approved := _writable_name(c.approved_by):
        told["approved_by"] = approved
    return told


def _entry(kind: str, at_us: int, agency: str, facts: dict[str, Any]) -> bytes:
    try:
        return encode(kind, at_us, agency, facts)  # type: ignore[arg-type]  # kinds are all literals
    except ValueError as e:  # too long, or a lone surrogate out of JSON
        raise Rejected(
            "entry-too-large",
            f"the facts of this message do not fit into a log entry: {e}",
            remedy="Shorten what is not payload: identifiers, references, addresses, notes.",
        ) from e


def _writable_name(person: str) -> str:
    return writable(person.replace("\x00", ""))[:200]


def _text(body: Mapping[str, Any], name: str, limit: int) -> str:
    value = str(body.get(name) or "").strip()
    if not value or len(value) > limit:
        raise Rejected(
            "field-missing",
            f"{name} is required, with at most {limit} characters",
            remedy="See docs/protocol/streams.md.",
        )
    _check_text(name, value)
    return value


def _check_text(name: str, value: str) -> None:
    """Refuse what no store can keep: PostgreSQL has no NUL, UTF-8 no lone surrogate."""
    if "\x00" in value or writable(value) != value:
        raise Rejected(
            "field-invalid",
            f"{name} holds a NUL or half a character",
            remedy="Send text in UTF-8, without control characters.",
        )


def _check_areas(facts: MessageFacts, agency: Agency) -> None:
    """Let an agency alert for its own places only, where it has any.

    A Cancel warns nobody: what was sent before the places changed can still be ended.
    """
    if not agency.areas or facts.kind != "alert" or facts.msg_type == "Cancel":
        return
    places = touched(facts.areas, agency.outlines)
    if places.located and not places.touch(agency.areas):
        raise Rejected(
            "area-outside",
            f"no area of the alert touches {', '.join(agency.areas)[:200]}, "
            f"for which {agency.id} may alert",
            remedy="Correct the areas (`caspian where FILE`), or leave the alert to the agency "
            "whose place it is.",
        )


def _check_names(facts: MessageFacts) -> None:
    if name_bytes(facts.sender, facts.identifier) > LONGEST_NAME_BYTES:
        raise Rejected(
            "identifier-too-long",
            f"sender and identifier have together more than {LONGEST_NAME_BYTES} bytes",
            remedy="Give the message a shorter identifier.",
        )
    for name in ("sender", "identifier"):
        _check_text(name, getattr(facts, name))
    for named in (facts.aid.answers, facts.aid.recalls) if facts.aid else ():
        if name_bytes("", named) > LONGEST_NAME_BYTES:
            raise Rejected(
                "identifier-too-long",
                f"the id of another message has more than {LONGEST_NAME_BYTES} bytes",
                remedy="Name the message by the id that it bears.",
            )
        _check_text("the id of another message", named)
