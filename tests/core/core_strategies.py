"""Random messages, members and candidates, few enough of each kind that they meet."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from hub.core.admission import NewEntry, Rules, decide
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.registry import Agency, Filter, History, Registry, Subscription
from hub.core.rows import MessageRow
from hub.log.store import LogRow
from schemas.entry import decode, encode, micros
from schemas.facts import Area, MessageFacts, Reference

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
AGENCIES = ("az-fhn", "az-met", "ir-ndmo", "kz-mchs")
STRANGER = "tm-none"
STATUSES = ("Actual", "Exercise", "System", "Test", "Draft")
SENDERS = ("a@az", "b@az", "c@ir", "shared")
IDENTIFIERS = ("one", "two", "three")
MESSAGE_IDS = ("", "m-1", "m-2", "3", "4")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
moments = st.builds(
    lambda shift, zone: (NOW + shift).astimezone(timezone(timedelta(hours=zone))),
    st.timedeltas(timedelta(days=-3), timedelta(hours=1)).map(
        lambda d: timedelta(seconds=int(d.total_seconds()))
    ),
    st.sampled_from([0, 4, 5]),
)
points = st.tuples(
    st.floats(-90, 90, allow_nan=False).map(lambda x: round(x, 3)),
    st.floats(-180, 180, allow_nan=False).map(lambda x: round(x, 3)),
)
areas = st.builds(
    Area,
    description=texts,
    polygons=st.lists(st.lists(points, min_size=4, max_size=5).map(tuple), max_size=2).map(tuple),
    circles=st.lists(
        st.tuples(points, st.floats(0, 5000, allow_nan=False)).map(lambda c: (*c[0], c[1])),
        max_size=1,
    ).map(tuple),
)
addresses = st.lists(
    st.sampled_from([*AGENCIES, "AZ", "IR", "state:KZ", "members", "Centre", "nobody", "a@az"]),
    max_size=3,
).map(tuple)
references = st.lists(
    st.builds(
        Reference,
        sender=st.sampled_from(SENDERS),
        identifier=st.sampled_from(IDENTIFIERS),
        sent=st.just(NOW),
    ),
    max_size=2,
).map(tuple)


def facts_of(**given: st.SearchStrategy[Any]) -> st.SearchStrategy[MessageFacts]:
    """Return a strategy of facts, some of them as given."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "kind": st.sampled_from(["alert", "alert", "aid", "ack", "error"]),
        "sender": st.sampled_from(SENDERS),
        "identifier": st.sampled_from(IDENTIFIERS),
        "sent": moments,
        "status": st.sampled_from(STATUSES),
        "msg_type": st.sampled_from(["Alert", "Update", "Cancel", "Ack"]),
        "scope": st.sampled_from(["Public", "Restricted", "Private"]),
        "restriction": st.sampled_from(["", "az-fhn;IR", "for some"]),
        "addresses": addresses,
        "languages": st.lists(st.sampled_from(["az", "az-Latn", "ru", "en-US"]), max_size=2).map(
            tuple
        ),
        "events": st.lists(st.sampled_from(["Oil spill", "OET:v1.2=138"]), max_size=2).map(tuple),
        "severity": st.sampled_from(SEVERITIES),
        "urgency": st.sampled_from(URGENCIES),
        "headline": texts,
        "expires": st.none() | moments,
        "references": references,
        "areas": st.lists(areas, max_size=2).map(tuple),
    }
    return st.builds(MessageFacts, **{**parts, **given})


facts = facts_of()

filters = st.builds(
    Filter,
    states=st.lists(st.sampled_from(["AZ", "IR", "KZ"]), max_size=2).map(tuple),
    kinds=st.lists(st.sampled_from(["alert", "aid", "ack"]), max_size=2).map(tuple),
    severity=st.none() | st.sampled_from(SEVERITIES),
    events=st.lists(st.sampled_from(["oil SPILL", "flood"]), max_size=1).map(tuple),
    languages=st.lists(st.sampled_from(["az", "ru"]), max_size=1).map(tuple),
    touches=st.lists(st.sampled_from(["AZ", "IR-01", "TM-coast"]), max_size=2).map(tuple),
    bbox=st.none()
    | st.tuples(points, points).map(
        lambda p: (
            min(p[0][0], p[1][0]),
            min(p[0][1], p[1][1]),
            max(p[0][0], p[1][0]),
            max(p[0][1], p[1][1]),
        )
    ),
)


def agency(id_: str, **given: Any) -> Agency:
    """Return a member."""
    return Agency(id=id_, state=id_[:2].upper(), name=id_, **given)


agencies = st.sampled_from(AGENCIES).flatmap(
    lambda id_: st.builds(
        agency,
        st.just(id_),
        senders=st.sampled_from([(), ("a@az",), ("a@*", "shared"), ("c@ir",)]),
        addresses=st.sampled_from([(), ("Centre",), ("centre", "Quarter")]),
        active=st.sampled_from([True, True, True, False]),
    )
)
subscriptions = st.builds(
    Subscription,
    agency=st.sampled_from(AGENCIES),
    name=st.sampled_from(["oil", "all"]),
    channel=st.sampled_from(["actual", "exercise", "system", "draft"]),
    filter=filters,
    active=st.booleans(),
)


@st.composite
def registry_entries(draw: st.DrawFn) -> list[tuple[int, dict[str, Any]]]:
    """Draw entries that make a registry, at rising indexes, with entries of other kinds between."""
    entries: list[tuple[int, dict[str, Any]]] = []
    members: set[str] = set()
    index = draw(st.integers(0, 3))
    for one in draw(st.lists(st.one_of(agencies, agencies, subscriptions), max_size=10)):
        if isinstance(one, Agency):
            entries.append((index, {"kind": "member", "member": one.model_dump(mode="json")}))
            members.add(one.id)
        elif one.agency in members:
            record = one.model_dump(mode="json")
            entries.append((index, {"kind": "subscription", "subscription": record}))
        index += draw(st.integers(1, 3))
    return entries


registries = registry_entries().map(lambda entries: History(entries).latest)


@st.composite
def publications(draw: st.DrawFn) -> Candidate:
    """Draw a message; the payload is the facts, so equal payloads have equal facts."""
    said = draw(facts_of(headline=st.sampled_from(["", "x"]), areas=st.just(())))
    return Candidate(
        "publish",
        draw(st.sampled_from([*AGENCIES, STRANGER])),
        via="stream",
        payload=said.model_dump_json(exclude_defaults=True).encode(),
        payload_type="application/cap+xml",
        message_id=draw(st.sampled_from(MESSAGE_IDS)),
        facts=MessageFacts.model_validate_json(said.model_dump_json()),
    )


acknowledgements = st.builds(
    lambda by, message, officer, note: Candidate(
        "acknowledgement",
        by,
        via="http",
        body={"message": message, "officer": officer, "note": note},
    ),
    st.sampled_from([*AGENCIES, STRANGER]),
    st.sampled_from(["m-1", "m-2", *map(str, range(12)), "nothing", "", "a\x00"]),
    st.sampled_from(["Aysel", "Dana", "a@az", " "]),
    st.sampled_from(["", "seen", "x" * 2001, "\ud800"]),
)
refusals = st.builds(
    lambda by, payload, detail: Candidate(
        "refusal",
        by,
        payload=payload,
        body={"code": "not-xml", "detail": detail, "remedy": "", "findings": []},
    ),
    st.sampled_from([*AGENCIES, STRANGER]),
    st.sampled_from([b"", b"<no/>", b"x" * 70_000]),
    st.sampled_from(["no XML", "half \ud800 a character", "\x00"]),
)
dead_letters = st.builds(
    lambda by, size: Candidate(
        "dead-letter",
        by,
        payload=b"poison",
        body={"stage": "intake", "reason": "x", "fields": {"f": "й" * size}},
    ),
    st.sampled_from(AGENCIES),
    st.sampled_from([0, 40_000]),
)
deliveries = st.builds(
    lambda feeds: Candidate("delivery", "", body=feeds),
    st.dictionaries(st.sampled_from(["az-fhn", "ir-ndmo"]), st.integers(-1, 2), max_size=2),
)


@st.composite
def batches(draw: st.DrawFn, *, max_size: int = 14) -> list[Candidate]:
    """Draw candidates, each with an inbox entry of its own.

    Some make members to begin with, so that the others find some.
    """
    made = [
        Candidate("member", "", body=a.model_dump(mode="json"))
        for a in draw(st.lists(agencies, min_size=2, max_size=6))
    ]
    made += [
        Candidate("subscription", s.agency, body=s.model_dump(mode="json"))
        for s in draw(st.lists(subscriptions, max_size=3))
    ]
    others = draw(
        st.lists(
            st.one_of(
                publications(),
                publications(),
                publications(),
                acknowledgements,
                acknowledgements,
                refusals,
                dead_letters,
                deliveries,
            ),
            max_size=max_size,
        )
    )
    # Two members always come first, so that a delivery can be of what is in the log.
    late = draw(st.integers(2, len(made)))
    ordered = [*made[:late], *draw(st.permutations([*made[late:], *others]))]
    return [named(c, f"{n}-1") for n, c in enumerate(ordered)]


def named(candidate: Candidate, inbox: str) -> Candidate:
    """Return the candidate as it came from an inbox entry."""
    return Candidate(
        candidate.kind,
        candidate.agency,
        via=candidate.via,
        inbox=inbox,
        payload=candidate.payload,
        payload_type=candidate.payload_type,
        message_id=candidate.message_id,
        facts=candidate.facts,
        warnings=candidate.warnings,
        body=candidate.body,
    )


def entropy_of(candidate: Candidate) -> bytes:
    """Return 8 bytes that are the candidate's own, whenever it is decided."""
    return hashlib.sha256(repr(candidate).encode("utf-8", "replace")).digest()[:8]


class Model:
    """A log in memory whose ledger knows everything that is in it."""

    def __init__(self, *, now: datetime = NOW, rules: Rules | None = None) -> None:
        self.now = now
        self.rules = rules or Rules()
        at_us = micros(now)
        first = encode("genesis", at_us, "", {"origin": "model"})
        self.entries = [NewEntry("genesis", at_us, "", first)]
        self.outcomes: list[Any] = []

    def commit(self, batch: Sequence[Candidate]) -> Any:
        """Decide a batch and append it."""
        decisions = decide(
            batch,
            size=len(self.entries),
            last_at_us=self.entries[-1].at_us,
            now_us=micros(self.now),
            registry=self.registry,
            known=self.known(),
            rules=self.rules,
            entropy=[entropy_of(c) for c in batch],
        )
        self.entries += decisions.entries
        self.outcomes += decisions.outcomes
        return decisions

    @property
    def registry(self) -> Registry:
        """The registry after all entries."""
        return History((i, decode(e.body)) for i, e in enumerate(self.entries)).latest

    @property
    def messages(self) -> list[MessageRow]:
        """All messages."""
        return [e.message for e in self.entries if e.message is not None]

    @property
    def bodies(self) -> list[bytes]:
        """The bytes of all entries."""
        return [e.body for e in self.entries]

    def known(self) -> Known:
        """Return everything that the log holds."""
        delivered: dict[str, int] = {}
        inputs: dict[str, tuple[int, int]] = {}
        for index, e in enumerate(self.entries):
            for feed, through in e.delivered.items():
                delivered[feed] = max(through, delivered.get(feed, -1))
            if e.input_key:
                inputs[e.input_key] = (index, e.at_us)
        return Known(
            self.messages,
            [a for e in self.entries for a in e.acknowledgements],
            {e.chain_name: e.chain for e in self.entries if e.chain is not None},
            delivered,
            inputs,
        )

    def rows(self) -> list[LogRow]:
        """Return the entries as a store gives them."""
        return [
            LogRow(i, e.at_us, e.kind, e.agency, e.body, e.payload or None, e.payload_type)
            for i, e in enumerate(self.entries)
        ]


def refusal_codes(outcomes: Sequence[Any]) -> list[str]:
    """Return the code of each outcome's refusal, empty where there is none."""
    return [o.refusal.code if o.refusal else "" for o in outcomes]
