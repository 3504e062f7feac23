"""Replays: a part of the log lived through again in a sandbox, steered by an auditor or trainer."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.core.exercises import SANDBOX, Part
from hub.errors import Rejected
from hub.http.problems import RESPONSES
from hub.http.ranges import indexes_between
from hub.http.replaying import Replay
from hub.http.sight import shown
from hub.http.state import Asker, Hub, HubState
from hub.log.feeding import feeds_for
from hub.log.replay import belongs
from hub.members.roles import Principal, require
from schemas.entry import ENTRY_KINDS

__all__ = ["router"]

router = APIRouter(tags=["replays"], responses=RESPONSES)
Name = Annotated[str, Path(pattern=SANDBOX)]
Speed = Annotated[float | None, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class Beginning(BaseModel):
    """What is to be lived through again, and how fast."""

    model_config = ConfigDict(extra="forbid")

    sandbox: str = Field(pattern=SANDBOX)
    first: int | None = Field(None, ge=0, lt=1 << 53)
    """The first log index; the log's first entry where it and *since* are left out."""
    through: int | None = Field(None, ge=0, lt=1 << 53)
    """The last log index; the log's last entry where it and *until* are left out."""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    kinds: list[str] = Field(default_factory=list, max_length=20)
    agency: str = Field("", max_length=64)
    state: str = Field("", pattern=r"^([A-Z]{2})?$")
    incident: str = Field("", max_length=1000)
    speed: Speed = None
    """How many times as fast as it was; null for as fast as possible."""
    paused: bool = False
    """Begin standing still, to go on step by step."""


class Stepping(BaseModel):
    """How far to go on."""

    model_config = ConfigDict(extra="forbid")

    entries: int = Field(1, ge=1, le=1000)


class Speeding(BaseModel):
    """How fast to go on."""

    model_config = ConfigDict(extra="forbid")

    speed: Speed = None


class Admitting(BaseModel):
    """Who may read the replay too: a person of an agency, or all of it."""

    model_config = ConfigDict(extra="forbid")

    agency: str = Field(max_length=64)
    person: str = Field("", max_length=200)


@router.get("/v1/replays", summary="Replays whose sandbox is there")
async def replays(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return the replays that one steers, or was admitted to."""
    require(asker, "read")
    found = await hub.replays.all()
    return {"replays": [_told(r, asker) for r in found if _may_read(asker, r)]}


@router.post("/v1/replays", status_code=201, summary="Begin a replay")
async def begin(given: Beginning, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log that a replay begins, and play it into the feeds of a sandbox.

    Its feeds are read with ``sandbox=NAME``; each entry bears the field ``replay``.
    """
    require(asker, "audit")
    replay = await hub.replays.begin(
        given.sandbox,
        await asyncio.to_thread(_part, hub, given),
        by=asker.person or asker.account or asker.role,
        agency=asker.agency,
        state_of=asker.state,
        speed=given.speed,
        paused=given.paused,
    )
    return _told(replay, asker)


@router.get("/v1/replays/{name}", summary="One replay")
async def one(name: Name, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return how far a replay is."""
    require(asker, "read")
    replay = await hub.replays.find(name)
    if replay is None or not _may_read(asker, replay):
        raise _unknown(name)
    return _told(replay, asker)


@router.delete("/v1/replays/{name}", status_code=204, summary="End a replay")
async def finish(name: Name, hub: HubState, asker: Asker) -> Response:
    """End a replay, remove the feeds of its sandbox, and log that it ended."""
    await _own(hub, asker, name)
    await hub.replays.finish(name, by=asker.person or asker.account or asker.role)
    return Response(status_code=204)


@router.post("/v1/replays/{name}/step", summary="Go on by a step")
async def step(
    name: Name, hub: HubState, asker: Asker, given: Stepping | None = None
) -> dict[str, Any]:
    """Pause, go on by entries that a feed carries, and return them once they stand in the feeds."""
    before = await _own(hub, asker, name)
    replay = await hub.replays.step(name, (given or Stepping(entries=1)).entries)
    return {**_told(replay, asker), "entries": await _between(hub, asker, before.reached, replay)}


@router.post("/v1/replays/{name}/pause", summary="Let a replay stand still")
async def pause(name: Name, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Stand still until a step or until it is resumed; steps not yet taken are forgotten."""
    replay = await _own(hub, asker, name)
    if replay.state == "running":
        replay = await hub.replays.steer(name, state="paused", wanted=str(replay.stepped))
    return _told(replay, asker)


@router.post("/v1/replays/{name}/resume", summary="Let a replay go on")
async def resume(name: Name, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Go on at its speed; also where the process that played it has died, from where it was."""
    replay = await _own(hub, asker, name)
    if replay.state in {"running", "paused"}:
        replay = await hub.replays.steer(name, state="running")
    return _told(replay, asker)


@router.post("/v1/replays/{name}/speed", summary="Change a replay's speed")
async def speed(name: Name, given: Speeding, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Go on so many times as fast as it was; null for as fast as possible."""
    await _own(hub, asker, name)
    return _told(await hub.replays.steer(name, speed=repr(given.speed or 0.0)), asker)


@router.post("/v1/replays/{name}/admissions", status_code=201, summary="Admit to a replay")
async def admit(name: Name, given: Admitting, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Let an agency, or one person of it, read that agency's own feeds in the sandbox."""
    replay = await _own(hub, asker, name)
    if given.agency not in (await hub.registry()).latest.agencies:
        raise Rejected("unknown-agency", f"{given.agency} is not a member")
    admitted = dict.fromkeys((*replay.admitted, (given.agency, given.person)))
    return _told(await hub.replays.admit(name, list(admitted)), asker)


@router.delete("/v1/replays/{name}/admissions", summary="Admit to a replay no longer")
async def withdraw(
    name: Name,
    hub: HubState,
    asker: Asker,
    agency: Annotated[str, Query(max_length=64)],
    person: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """Take an admission back, as it was given; streams that it opened end at their next look."""
    replay = await _own(hub, asker, name)
    left = [one for one in replay.admitted if one != (agency, person)]
    return _told(await hub.replays.admit(name, left), asker)


async def _own(hub: Hub, asker: Principal, name: str) -> Replay:
    """Return a replay that is the asker's to steer.

    Raises:
        Rejected: ``not-allowed``, ``scope-missing``, ``replay-unknown``.
    """
    require(asker, "audit")
    replay = await hub.replays.find(name)
    if replay is None or not _steers(asker, replay):
        raise _unknown(name)
    return replay


def _steers(asker: Principal, replay: Replay) -> bool:
    mine = (asker.agency, asker.state) == (replay.agency, replay.state_of)
    return "audit" in asker.scopes and (asker.sees_all or mine)


def _may_read(asker: Principal, replay: Replay) -> bool:
    return _steers(asker, replay) or replay.admits(asker.agency, asker.person)


def _part(hub: Hub, given: Beginning) -> Part:
    for kind in given.kinds:
        if kind not in ENTRY_KINDS:
            raise Rejected(
                "replay-invalid",
                f"there is no kind {kind[:40]!r}",
                remedy=f"Kinds are {', '.join(ENTRY_KINDS)}.",
            )
    first, through = indexes_between(
        hub.log, first=given.first, through=given.through, since=given.since, until=given.until
    )
    return Part(
        first=first,
        through=through,
        kinds=tuple(given.kinds),
        agency=given.agency,
        state=given.state,
        incident=given.incident,
    )


async def _between(hub: Hub, asker: Principal, before: int, replay: Replay) -> list[dict[str, Any]]:
    """Return the entries that a step has put into feeds, as far as they are the asker's to read."""
    part, history, about = replay.part, await hub.registry(fresh=True), set[int]()
    rows = await asyncio.to_thread(
        hub.log.rows,
        after=max(before, part.first - 1),
        through=replay.reached,
        limit=10_000,
        kinds=part.kinds,
        agency=part.agency or None,
    )
    found = []
    for row in rows:
        if not part.incident and not belongs(row, part, about):
            continue
        feeds = feeds_for(row, history.at(row.index))
        if feeds:
            told = {**shown(asker, row, history), "replay": replay.name}
            found.append({**told, "feeds": [f for f in feeds if asker.sees(f.partition(".")[0])]})
    return found


def _told(replay: Replay, asker: Principal) -> dict[str, Any]:
    return {
        "sandbox": replay.name,
        "steers": _steers(asker, replay),
        "by": replay.by,
        **replay.part.model_dump(mode="json"),
        "state_now": replay.shown,
        "speed": replay.speed,
        "reached": replay.reached,
        "routed": replay.routed,
        "digest": replay.digest,
        "error": replay.error,
        "admitted": [{"agency": a, "person": p} for a, p in replay.admitted],
    }


def _unknown(name: str) -> Rejected:
    return Rejected(
        "replay-unknown",
        f"there is no replay {name[:60]} for you",
        remedy="See GET /v1/replays; a sandbox is lost with its Redis.",
    )
