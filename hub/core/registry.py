"""Who belongs: states, members, their keys, feeds and subscriptions, folded from the log.

The registry is a value. It begins with the ``genesis`` entry and changes only by
``state``, ``member``, ``key``, ``subscription`` and ``log-key`` entries of the log, so the registry
at any index can be made again by anybody who has the log (guarantees G5 and
"members are data, not code").
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from hub.core.holds import Hold, HoldLife, Release
from hub.core.identities import (
    KeyChange,
    KeyLife,
    LogKeyChange,
    LogKeyLife,
    State,
    read_key_text,
)
from schemas.errors import Rejected
from schemas.places import checked_outlines, checked_places, pinned
from schemas.scales import Severity

__all__ = [
    "AGENCY_ID",
    "CHANGE_KINDS",
    "FEED_ID",
    "REGISTRY_KINDS",
    "Agency",
    "Channel",
    "Filter",
    "History",
    "Registry",
    "Subscription",
    "channel_of",
    "main_feeds",
    "read_agency",
    "read_subscription",
    "subject_of",
]

AGENCY_ID: Final = r"^[a-z]{2}-[a-z0-9][a-z0-9-]{0,29}$"
"""ISO 3166-1 code of the state in lower case, a hyphen, the agency: ``az-fhn``."""

FEED_ID: Final = r"^[a-z]{2}-[a-z0-9][a-z0-9-]{0,29}(\.[a-z0-9][a-z0-9-]{0,29})?$"
"""An agency's main feed bears its id; every other adds a dot and a name: ``az-fhn.exercise``."""

CHANGE_KINDS: Final = frozenset(
    {"state", "member", "key", "subscription", "redaction", "log-key", "hold", "release"}
)
"""Entries that somebody may have to sign for: they change the registry, or what is kept."""

REGISTRY_KINDS: Final = CHANGE_KINDS | {"genesis"}
"""Entries that the registry is folded from."""

Channel = Literal["actual", "exercise", "system", "draft"]
"""Messages of different reality never share a feed (guarantee G8)."""

_CHANNELS: Final[Mapping[str, Channel]] = {
    "Actual": "actual",
    "Exercise": "exercise",
    "Test": "exercise",
    "System": "system",
    "Draft": "draft",
}


def channel_of(status: str) -> Channel:
    """Return the channel that messages of a CAP status keep to."""
    return _CHANNELS[status]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Filter(_Record):
    """Which of the messages that an agency is entitled to a subscription wants.

    An empty list wants everything; several values of one list are alternatives,
    several lists must all hold.
    """

    states: tuple[str, ...] = ()
    """States of the sending agencies, ISO 3166-1 alpha-2: ``AZ``."""
    kinds: tuple[Literal["alert", "aid", "ack", "error", "acknowledgement", "escalation"], ...] = ()
    severity: Severity | None = None
    """The mildest severity wanted; Unknown is kept at every level, for it may be anything."""
    events: tuple[str, ...] = ()
    """Event texts or codes (``OET:v1.2=OET-138``), compared without regard to case."""
    languages: tuple[str, ...] = ()
    """Language prefixes: ``az`` also wants ``az-Latn``."""
    bbox: tuple[float, float, float, float] | None = None
    """South, west, north, east in degrees. A message without any geometry is kept."""
    outlines: str = ""
    """The version of the outlines by which *touches* is decided; left out, the first."""
    touches: tuple[str, ...] = ()
    """Places that its areas touch: ``AZ``, ``AZ-BA``, ``AZ-coast`` (`schemas.places`). A
    message that does not say where it is by a shape or a code of ISO 3166 is kept."""

    _outlines = field_validator("outlines")(checked_outlines)
    _touches = field_validator("touches")(checked_places)

    @model_validator(mode="before")
    @classmethod
    def _pinned(cls, record: Any) -> Any:
        return pinned(record, "touches")

    @field_validator("bbox")
    @classmethod
    def _ordered(
        cls, bbox: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if bbox is not None:
            south, west, north, east = bbox
            if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
                raise ValueError("a bbox is south,west,north,east in degrees")
        return bbox


class Agency(_Record):
    """A member agency, as a ``member`` entry states it; the newest entry holds."""

    id: str = Field(pattern=AGENCY_ID)
    state: str = Field(pattern=r"^[A-Z]{2}$")
    name: str = Field(min_length=1, max_length=200)
    names: dict[str, str] = Field(default_factory=dict)
    """The name in other languages, by BCP 47 tag."""
    senders: tuple[str, ...] = ()
    """CAP ``sender`` values that are this agency's; ``*`` at the end stands for any rest.
    Empty: any sender (a gateway that relays for others) but those that another state's
    agency has (`hub.core.claims`)."""
    addresses: tuple[str, ...] = ()
    """Names by which CAP ``addresses`` may call it, besides its id."""
    languages: tuple[str, ...] = ()
    outlines: str = ""
    """The version of the outlines by which *areas* is decided; left out, the first."""
    areas: tuple[str, ...] = ()
    """Places it may alert for, written as in a filter's ``touches``; empty: anywhere."""
    root: str = ""
    """The verifier key of its root, kept off line, that speaks for it about its keys."""
    signs: bool = False
    """Whether every message of it must bear its signature. Else the hub may attest one
    that came with its credentials alone, visibly to everybody."""
    coordinates: bool = False
    """Whether it is told when another agency of its state acknowledges too late
    (`hub.core.escalation`)."""
    approval: bool = False
    """Whether what an officer of it sends needs a second officer's approval."""
    active: bool = True

    _outlines = field_validator("outlines")(checked_outlines)
    _areas = field_validator("areas")(checked_places)

    @model_validator(mode="before")
    @classmethod
    def _pinned(cls, record: Any) -> Any:
        return pinned(record, "areas")

    _root = field_validator("root")(read_key_text)

    @model_serializer(mode="wrap")
    def _as_logged(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is newer than some entries: decided again they must be the same bytes."""
        record: dict[str, Any] = write(self)
        if not self.coordinates:
            record.pop("coordinates", None)
        if not self.approval:
            record.pop("approval", None)
        return record

    def model_post_init(self, _context: object, /) -> None:
        """Hold the id and the state together."""
        if self.id[:2] != self.state.lower():
            raise ValueError(f"agency {self.id} does not begin with its state {self.state}")

    def speaks_as(self, sender: str) -> bool:
        """Return whether a CAP ``sender`` belongs to this agency (rule H5)."""
        return not self.senders or any(
            sender == s or (s.endswith("*") and sender.startswith(s[:-1])) for s in self.senders
        )


class Subscription(_Record):
    """A further feed of an agency: part of what it is entitled to, by a filter."""

    agency: str = Field(pattern=AGENCY_ID)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,29}$")
    channel: Channel = "actual"
    filter: Filter = Filter()
    active: bool = True

    @field_validator("name")
    @classmethod
    def _free_name(cls, value: str) -> str:
        if value in {"actual", "exercise", "system", "draft"}:
            raise ValueError(f"{value} is the name of a feed that every agency has")
        return value

    @property
    def feed(self) -> str:
        """The id of its feed."""
        return f"{self.agency}.{self.name}"


class Registry(BaseModel):
    """All members and subscriptions as of some index of the log."""

    model_config = ConfigDict(frozen=True)

    origin: str = ""
    """The name of the log, which every signed change repeats."""
    states: dict[str, State] = Field(default_factory=dict)
    agencies: dict[str, Agency] = Field(default_factory=dict)
    keys: dict[str, KeyLife] = Field(default_factory=dict)
    """By verifier key."""
    log_keys: dict[str, LogKeyLife] = Field(default_factory=dict)
    """The keys that sign the log's checkpoints, by verifier key."""
    versions: dict[str, int] = Field(default_factory=dict)
    """How many signed changes there were of each subject: ``state:AZ``, ``agency:az-fhn``,
    ``log``."""
    subscriptions: dict[str, Subscription] = Field(default_factory=dict)
    """By feed id."""
    holds: dict[int, HoldLife] = Field(default_factory=dict)
    """By the log index of the hold; those that ended, too."""
    since: dict[str, int] = Field(default_factory=dict)
    """For each feed the index of the entry that made it: it holds nothing from before."""

    @property
    def signed(self) -> bool:
        """Whether changes need signatures: they do where the first entry named roots."""
        return bool(self.states)

    def key_counts(self, agency: str, key: str, index: int, at: datetime) -> bool:
        """Return whether *key* may sign a message of *agency* at *index* of the log, then."""
        life = self.keys.get(key)
        return life is not None and life.agency == agency and life.counts_at(index, at)

    @cached_property
    def members(self) -> frozenset[str]:
        """Ids of the active agencies."""
        return frozenset(a.id for a in self.agencies.values() if a.active)

    @cached_property
    def called(self) -> dict[str, frozenset[str]]:
        """Which active agencies an address means: by id, state, ``members`` or given name."""
        names: dict[str, set[str]] = {}
        for agency in self.agencies.values():
            if agency.active:
                for name in (
                    agency.id,
                    agency.state,
                    f"state:{agency.state}",
                    "members",
                    *agency.addresses,
                    *(s for s in agency.senders if not s.endswith("*")),
                ):
                    names.setdefault(name.casefold(), set()).add(agency.id)
        return {name: frozenset(ids) for name, ids in names.items()}

    @cached_property
    def by_agency(self) -> dict[str, tuple[Subscription, ...]]:
        """The active subscriptions of each agency."""
        found: dict[str, list[Subscription]] = {}
        for s in self.subscriptions.values():
            if s.active:
                found.setdefault(s.agency, []).append(s)
        return {agency: tuple(subs) for agency, subs in found.items()}

    def feeds(self) -> dict[str, int]:
        """Return every feed that is written to, with the index that it begins after."""
        found = {}
        for agency in self.members:
            for feed in main_feeds(agency).values():
                found[feed] = self.since[feed]
            for subscription in self.by_agency.get(agency, ()):
                found[subscription.feed] = self.since[subscription.feed]
        return found

    def apply(self, index: int, entry: Mapping[str, Any]) -> Registry:
        """Return the registry after a log entry; entries of other kinds change nothing."""
        changed = self._changed(index, entry)
        if "statement" in entry:
            subject, version = subject_of(entry["statement"])
            changed["versions"] = {**self.versions, subject: version}
        if not changed:
            return self
        # Not model_copy: it would take over what was computed of the old registry.
        kept = {name: getattr(self, name) for name in Registry.model_fields}
        return Registry(**{**kept, **changed})

    def _changed(self, index: int, entry: Mapping[str, Any]) -> dict[str, Any]:
        kind = entry["kind"]
        if kind == "genesis":
            states = [State.model_validate(one) for one in entry.get("roots", ())]
            own = {entry["key"]: LogKeyLife(since=index)} if "key" in entry else {}
            found = {one.id: one for one in states}
            return {"origin": entry["origin"], "states": found, "log_keys": own}
        if kind == "state":
            state = State.model_validate(entry["state"])
            return {"states": {**self.states, state.id: state}}
        if kind == "member":
            agency = Agency.model_validate(entry["member"])
            made = dict.fromkeys(main_feeds(agency.id).values(), index)
            return {
                "agencies": {**self.agencies, agency.id: agency},
                "since": {**made, **self.since},
            }
        if kind == "key":
            change = KeyChange.model_validate(entry["key"])
            if change.action == "add":
                life = KeyLife(agency=change.agency, since=index, expires=change.expires)
            else:
                life = self.keys[change.key].revoked(index, change.compromised_since)
            return {"keys": {**self.keys, change.key: life}}
        if kind == "log-key":
            sign = LogKeyChange.model_validate(entry["log-key"])
            return {"log_keys": {**self.log_keys, sign.key: self._own_life(index, sign)}}
        if kind == "hold":
            begun = HoldLife(hold=Hold.model_validate(entry["hold"]))
            return {"holds": {**self.holds, index: begun}}
        if kind == "release":
            ended = Release.model_validate(entry["release"]).hold
            over = HoldLife(hold=self.holds[ended].hold, until=index)
            return {"holds": {**self.holds, ended: over}}
        if kind == "subscription":
            subscription = Subscription.model_validate(entry["subscription"])
            return {
                "subscriptions": {**self.subscriptions, subscription.feed: subscription},
                "since": {subscription.feed: index, **self.since},
            }
        return {}

    def _own_life(self, index: int, change: LogKeyChange) -> LogKeyLife:
        known = self.log_keys.get(change.key)
        if known is None:
            return LogKeyLife(since=index)
        return known if change.action == "add" else LogKeyLife(since=known.since, until=index)


def subject_of(statement: str) -> tuple[str, int]:
    """Return whom a signed statement of the log is about, and the number of the change."""
    told = json.loads(statement)
    return str(told["subject"]), int(told["version"])


class History:
    """The registry at every index, from the few entries that changed it."""

    def __init__(self, entries: Iterable[tuple[int, Mapping[str, Any]]] = ()) -> None:
        self._steps: list[tuple[int, Registry]] = [(-1, Registry())]
        for index, entry in entries:
            self.apply(index, entry)

    def apply(self, index: int, entry: Mapping[str, Any]) -> None:
        """Take in one entry; entries come in the order of the log, repeats change nothing."""
        last, registry = self._steps[-1]
        if index > last and entry["kind"] in REGISTRY_KINDS:
            self._steps.append((index, registry.apply(index, entry)))

    @property
    def latest(self) -> Registry:
        """The registry after everything taken in so far."""
        return self._steps[-1][1]

    @property
    def last_index(self) -> int:
        """The index of the newest entry that changed the registry; -1 before the first."""
        return self._steps[-1][0]

    def at(self, index: int) -> Registry:
        """Return the registry that decides about the entry at *index*: the log before it."""
        last, registry = self._steps[-1]
        if last < index:
            return registry
        return self._steps[max(0, bisect_left(self._steps, index, key=itemgetter(0)) - 1)][1]

    def __iter__(self) -> Iterator[tuple[int, Registry]]:
        return iter(self._steps)


def main_feeds(agency: str) -> dict[Channel, str]:
    """Return the four feeds that every agency has, one for each channel."""
    return {
        "actual": agency,
        "exercise": f"{agency}.exercise",
        "system": f"{agency}.system",
        "draft": f"{agency}.draft",
    }


def read_agency(record: Mapping[str, Any]) -> Agency:
    """Read an agency's record.

    Raises:
        Rejected: ``member-invalid``; the sender must correct the record.
    """
    try:
        return Agency.model_validate(record)
    except ValidationError as e:
        raise Rejected("member-invalid", _first(e), remedy="See `caspian members --help`.") from e


def read_subscription(record: Mapping[str, Any], registry: Registry) -> Subscription:
    """Read a subscription's record.

    Raises:
        Rejected: ``subscription-invalid`` or ``unknown-agency``.
    """
    try:
        subscription = Subscription.model_validate(record)
    except ValidationError as e:
        raise Rejected(
            "subscription-invalid", _first(e), remedy="See docs/protocol/entries.md."
        ) from e
    if subscription.agency not in registry.agencies:
        raise Rejected("unknown-agency", f"{subscription.agency} is not a member")
    earlier = registry.subscriptions.get(subscription.feed)
    if earlier is not None and earlier.channel != subscription.channel:
        # The feed keeps what it holds: exercises and the real thing would stand in it together.
        raise Rejected(
            "subscription-invalid",
            f"channel: {subscription.feed} is a feed of the channel {earlier.channel} for good",
            remedy="Make a subscription of another name.",
        )
    return subscription


def _first(e: ValidationError) -> str:
    fault = e.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else re.sub("^Value error, ", "", fault["msg"])
