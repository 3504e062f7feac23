"""Every route, for every role, for one's own and for another state's: as docs/access.md says."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import insert, select

from hub.cli import app as cli
from hub.core.candidate import Candidate
from hub.log.store import Log
from hub.log.tables import OUTLETS
from hub.members import waiting
from hub.members.credentials import issue
from hub.members.roles import Principal
from hub.outlets import store
from hub.outlets.records import WebhookTarget
from hub.streams.submit import propose
from schemas.payload import read_payload
from tests.docs.pages import bare, rows, sections, text_of
from tests.http.description import operations
from tests.hubkit import Hub, alert, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

_SECTION = sections(text_of("docs/access.md"), 2)["What each may do"]
_TABLE = rows(_SECTION.split("**Commands.**")[0])
_HEAD = next(line for line in _SECTION.splitlines() if line.startswith("| route"))
ROLES = [cell.strip() for cell in _HEAD.strip("|").split("|")][1:]
CELLS = {
    (bare(row[0]), role): cell for row in _TABLE for role, cell in zip(ROLES, row[1:], strict=True)
}
ROUTES = sorted({route for route, _ in CELLS})


@dataclass
class Things:
    """Of each state something that only it may read, and who asks."""

    message: dict[str, int]
    outlet: dict[str, str]
    draft: dict[str, str]
    dead: dict[str, int]
    replay: dict[str, str]
    """Begun by an auditor of the state, its agency admitted."""
    trainer: dict[str, str]
    """The token of that auditor."""
    tokens: dict[str, str]
    log: Log

    def keep(self, outlet: str) -> Any:
        with self.log.reading() as c:
            return c.execute(select(OUTLETS).where(OUTLETS.c.id == outlet)).one()._asdict()

    def put_back(self, row: Any) -> None:
        with self.log.writing() as c:
            c.execute(insert(OUTLETS).values(row))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def things(hub: Hub) -> AsyncIterator[Things]:
    now = datetime.now(UTC)

    def make(role: Any, agency: str = "", state: str = "") -> str:
        return issue(
            hub.log, role=role, agency=agency, state=state, person="P", expires=None, now=now
        )

    tokens = {
        "nobody": "",
        "agency": make("agency", "az-fhn"),
        "officer": make("officer", "az-fhn"),
        "auditor of a state": make("auditor", state="AZ"),
        "auditor": make("auditor"),
        "registrar of a state": make("registrar", state="AZ"),
        "registrar": make("registrar"),
        "operator": make("operator"),
        "witness": make("witness", state="AZ"),
        "mirror": make("mirror", state="AZ"),
    }
    message = {}
    for state, agency, other in (("AZ", "az-fhn", "az-met"), ("IR", "ir-ndmo", "ir-met")):
        await hub.add_members([{"id": other, "state": state, "name": other}])
        given = {"scope": "Private", "addresses": f"{agency} {other}"}
        hub.tokens[other] = await asyncio.to_thread(make, "agency", other)
        message[state] = await hub.publish(other, **given)
    letters = [
        Candidate("dead-letter", a, payload=alert(), body={"stage": "intake", "reason": "x"})
        for a in ("az-fhn", "ir-ndmo")
    ]
    await propose(hub.redis, letters)

    async def logged() -> bool:
        return len(await hub.rows("dead-letter")) == 2

    await until(logged, "the dead letters are in the log", 20)
    dead = {r.agency[:2].upper(): r.index for r in await hub.rows("dead-letter")}
    replay, trainer = {}, {}
    for state, agency in (("AZ", "az-fhn"), ("IR", "ir-ndmo")):
        trainer[state] = make("auditor", state=state)
        replay[state] = await _begun(hub, trainer[state])
        async with hub.http() as http:
            http.headers["Authorization"] = f"Bearer {trainer[state]}"
            await http.post(f"/v1/replays/{replay[state]}/admissions", json={"agency": agency})
    outlet = {
        state: store.add(
            hub.log,
            feed=agency,
            target=WebhookTarget(url="https://receiver.example/"),
            secret="",
            confirms=False,
            through=0,
            by="test",
            now=now,
        ).id
        for state, agency in (("AZ", "az-fhn"), ("IR", "ir-ndmo"))
    }
    draft = {s: waits(hub.log, a) for s, a in (("AZ", "az-fhn"), ("IR", "ir-ndmo"))}
    yield Things(message, outlet, draft, dead, replay, trainer, tokens, hub.log)


async def _begun(hub: Any, token: str) -> str:
    name = f"r-{uuid.uuid4().hex[:20]}"
    async with hub.http() as http:
        headers = {"Authorization": f"Bearer {token}"}
        given = {"sandbox": name, "paused": True}
        answer = await http.post("/v1/replays", json=given, headers=headers)
        assert answer.status_code == 201, answer.text
    return name


Ask = Callable[[httpx.AsyncClient, Things, str], Awaitable[httpx.Response]]


def _get(path: str) -> Ask:
    async def ask(http: httpx.AsyncClient, t: Things, state: str) -> httpx.Response:
        agency = {"AZ": "az-fhn", "IR": "ir-ndmo"}[state]
        filled = path.format(
            message=t.message[state],
            feed=agency,
            agency=agency,
            replay=t.replay[state],
            outlet=t.outlet[state],
            draft=t.draft[state],
        )
        return await http.get(filled)

    return ask


def _post(path: str, body: Callable[[Things, str], Any]) -> Ask:
    async def ask(http: httpx.AsyncClient, t: Things, state: str) -> httpx.Response:
        agency = {"AZ": "az-fhn", "IR": "ir-ndmo"}[state]
        filled = path.format(
            message=t.message[state],
            feed=agency,
            dead=t.dead[state],
            replay=t.replay[state],
            outlet=t.outlet[state],
        )
        return await http.post(filled, json=body(t, state))

    return ask


async def _publish(http: httpx.AsyncClient, _t: Things, _state: str) -> httpx.Response:
    return await http.post("/v1/messages", content=alert())


async def _hand_over(http: httpx.AsyncClient, _t: Things, _state: str) -> httpx.Response:
    return await http.post("/v1/drafts", content=alert())


def _approve(action: str) -> Ask:
    async def ask(http: httpx.AsyncClient, t: Things, state: str) -> httpx.Response:
        """Decide about a draft that waits anew for who asks next."""
        agency = {"AZ": "az-fhn", "IR": "ir-ndmo"}[state]
        draft = await asyncio.to_thread(waits, t.log, agency)
        return await http.post(f"/v1/drafts/{draft}/{action}")

    return ask


def waits(log: Log, agency: str) -> str:
    """Return a draft of an agency, by somebody else than whoever asks."""
    author = Principal("officer", agency, "Author", scopes=frozenset({"publish"}))
    payload = alert()
    read = read_payload(payload)
    facts = {"msg_type": read.facts.msg_type, "status": "Actual", "headline": ""}
    return waiting.add(
        log,
        author,
        now=datetime.now(UTC),
        payload=payload,
        payload_type=read.payload_type,
        **facts,
    ).id


async def _events(http: httpx.AsyncClient, _t: Things, state: str) -> httpx.Response:
    agency = {"AZ": "az-fhn", "IR": "ir-ndmo"}[state]
    async with http.stream("GET", f"/v1/feeds/{agency}/events") as answer:
        if not answer.is_success:
            await answer.aread()
        return answer


async def _begin_replay(http: httpx.AsyncClient, _t: Things, _state: str) -> httpx.Response:
    name = f"r-{uuid.uuid4().hex[:20]}"
    answer = await http.post("/v1/replays", json={"sandbox": name, "paused": True})
    if answer.is_success:  # what waits to be steered looks again and again
        assert (await http.delete(f"/v1/replays/{name}")).is_success
    return answer


async def _end_replay(http: httpx.AsyncClient, t: Things, state: str) -> httpx.Response:
    name = f"r-{uuid.uuid4().hex[:20]}"
    trainer = {"Authorization": f"Bearer {t.trainer[state]}"}
    await http.post("/v1/replays", json={"sandbox": name, "paused": True}, headers=trainer)
    answer = await http.delete(f"/v1/replays/{name}")
    if not answer.is_success:
        assert (await http.delete(f"/v1/replays/{name}", headers=trainer)).is_success
    return answer


async def _withdraw(http: httpx.AsyncClient, t: Things, state: str) -> httpx.Response:
    return await http.delete(f"/v1/replays/{t.replay[state]}/admissions", params={"agency": "none"})


async def _end(http: httpx.AsyncClient, _t: Things, _state: str) -> httpx.Response:
    return await http.delete("/v1/session")


async def _end_one(http: httpx.AsyncClient, _t: Things, _state: str) -> httpx.Response:
    return await http.delete("/v1/sessions/none")


async def _remove_outlet(http: httpx.AsyncClient, t: Things, state: str) -> httpx.Response:
    """Remove one; another with its id is there at once for who asks next."""
    row = await asyncio.to_thread(t.keep, t.outlet[state])
    answer = await http.delete(f"/v1/outlets/{t.outlet[state]}")
    if answer.is_success:
        await asyncio.to_thread(t.put_back, row)
    return answer


def _fresh(state: str) -> str:
    return f"{state.lower()}-x{uuid.uuid4().hex[:10]}"


ASK: dict[str, Ask] = {
    "POST /v1/messages": _publish,
    "POST /v1/messages/{name}/acknowledgements": _post(
        "/v1/messages/{message}/acknowledgements", lambda _t, _s: {"officer": "P"}
    ),
    "POST /v1/drafts/check": _post("/v1/drafts/check", lambda _t, _s: {}),
    "POST /v1/drafts": _hand_over,
    "GET /v1/drafts": _get("/v1/drafts"),
    "GET /v1/drafts/{draft}": _get("/v1/drafts/{draft}"),
    "POST /v1/drafts/{draft}/approve": _approve("approve"),
    "POST /v1/drafts/{draft}/reject": _approve("reject"),
    "GET /v1/messages/{name}": _get("/v1/messages/{message}"),
    "GET /v1/messages/{name}/payload": _get("/v1/messages/{message}/payload"),
    "GET /v1/messages/{name}/content": _get("/v1/messages/{message}/content"),
    "GET /v1/messages/{name}/proof": _get("/v1/messages/{message}/proof"),
    "GET /v1/messages/{name}/receipt": _get("/v1/messages/{message}/receipt"),
    "GET /v1/messages/{name}/thread": _get("/v1/messages/{message}/thread"),
    "GET /v1/incidents": _get("/v1/incidents"),
    "GET /v1/incidents/{incident}": _get("/v1/incidents/none"),
    "GET /v1/aid/board": _get("/v1/aid/board"),
    "GET /v1/escalations": _get("/v1/escalations"),
    "GET /v1/reports/acknowledgements": _get("/v1/reports/acknowledgements?agency={agency}"),
    "GET /v1/reports/acknowledgements/sums": _get(
        "/v1/reports/acknowledgements/sums?agency={agency}"
    ),
    "GET /v1/operations": _get("/v1/operations"),
    "GET /v1/feeds": _get("/v1/feeds"),
    "GET /v1/feeds/{feed}": _get("/v1/feeds/{feed}"),
    "GET /v1/feeds/{feed}/events": _events,
    "GET /v1/feeds/{feed}/watch": _get("/v1/feeds/{feed}/watch"),
    "POST /v1/feeds/{feed}/confirmations": _post(
        "/v1/feeds/{feed}/confirmations", lambda _t, _s: {"through": 0}
    ),
    "GET /v1/feeds/{feed}/atom": _get("/v1/feeds/{feed}/atom"),
    "GET /v1/alerts/{form}": _get("/v1/alerts/atom"),
    "GET /public/alerts/{form}": _get("/public/alerts/atom"),
    "GET /public/messages/{index}": _get("/public/messages/{message}"),
    "GET /v1/outlets": _get("/v1/outlets"),
    "POST /v1/outlets": _post(
        "/v1/outlets",
        lambda _t, s: {
            "feed": {"AZ": "az-fhn", "IR": "ir-ndmo"}[s],
            "target": {"kind": "webhook", "url": "https://receiver.example/"},
        },
    ),
    "GET /v1/outlets/{outlet}": _get("/v1/outlets/{outlet}"),
    "POST /v1/outlets/{outlet}/{action}": _post("/v1/outlets/{outlet}/pause", lambda _t, _s: None),
    "DELETE /v1/outlets/{outlet}": _remove_outlet,
    "GET /v1/members": _get("/v1/members"),
    "POST /v1/members": _post(
        "/v1/members", lambda _t, s: {"id": _fresh(s), "state": s, "name": "New"}
    ),
    "POST /v1/subscriptions": _post(
        "/v1/subscriptions",
        lambda _t, s: {"agency": {"AZ": "az-fhn", "IR": "ir-ndmo"}[s], "name": _fresh("n")[2:]},
    ),
    "POST /v1/redactions": _post(
        "/v1/redactions",
        lambda _t, s: {
            "agency": {"AZ": "az-fhn", "IR": "ir-ndmo"}[s],
            "message": 10**9,
            "grounds": "none",
        },
    ),
    "GET /v1/holds": _get("/v1/holds"),
    "POST /v1/holds": _post(
        "/v1/holds", lambda _t, s: {"state": s, "message": 10**9, "reason": "none"}
    ),
    "POST /v1/holds/{index}/release": _post(
        "/v1/holds/999999/release", lambda _t, _s: {"reason": "none"}
    ),
    "POST /v1/exports": _post(
        "/v1/exports",
        lambda _t, _s: {
            "format": "csv",
            "first": 0,
            "through": 10**9,
            "payloads": False,
            "entries": 1,
            "sha256": "0" * 64,
        },
    ),
    "POST /v1/exports/files": _post(
        "/v1/exports/files", lambda t, s: {"first": t.message[s], "through": t.message[s]}
    ),
    "GET /v1/registry": _get("/v1/registry"),
    "GET /v1/members/{agency}/chain": _get("/v1/members/{agency}/chain"),
    "POST /v1/statements": _post(
        "/v1/statements", lambda _t, _s: {"statement": "{}", "signatures": []}
    ),
    "GET /v1/log": _get("/v1/log"),
    "GET /v1/log/levels": _get("/v1/log/levels"),
    "GET /v1/log/inclusion/{index}": _get("/v1/log/inclusion/{message}"),
    "GET /v1/log/consistency": _get("/v1/log/consistency?old=1"),
    "GET /log/checkpoint": _get("/log/checkpoint"),
    "GET /log/tile/{path}": _get("/log/tile/0/000.p/1"),
    "GET /log/tile/entries/{path}": _get("/log/tile/entries/000.p/1"),
    "GET /v1/log/entries": _get("/v1/log/entries?limit=1000"),
    "GET /v1/log/entries/{index}": _get("/v1/log/entries/{message}"),
    "GET /v1/log/search": _get("/v1/log/search?kind=publish&limit=200"),
    "GET /v1/dead-letters": _get("/v1/dead-letters"),
    "POST /v1/dead-letters/{index}/retry": _post(
        "/v1/dead-letters/{dead}/retry", lambda _t, _s: {}
    ),
    "GET /v1/replays": _get("/v1/replays"),
    "POST /v1/replays": _begin_replay,
    "GET /v1/replays/{name}": _get("/v1/replays/{replay}"),
    "DELETE /v1/replays/{name}": _end_replay,
    **{
        f"POST /v1/replays/{{name}}/{what}": _post(f"/v1/replays/{{replay}}/{what}", body)
        for what, body in {
            "step": lambda _t, _s: {"entries": 1},
            "pause": lambda _t, _s: {},
            "resume": lambda _t, _s: {},
            "speed": lambda _t, _s: {"speed": 1},
            "admissions": lambda _t, s: {"agency": {"AZ": "az-fhn", "IR": "ir-ndmo"}[s]},
        }.items()
    },
    "DELETE /v1/replays/{name}/admissions": _withdraw,
    "POST /v1/session": _post("/v1/session", lambda _t, _s: {"name": "x", "password": "y"}),
    "GET /v1/session": _get("/v1/session"),
    "DELETE /v1/session": _end,
    "GET /v1/sessions": _get("/v1/sessions"),
    "DELETE /v1/sessions/{session}": _end_one,
    "GET /v1/sign-on": _get("/v1/sign-on"),
    "GET /v1/sign-on/{state}": _get("/v1/sign-on/AZ"),
    "GET /v1/sign-on/{state}/callback": _get("/v1/sign-on/AZ/callback"),
    "GET /v1/vocabularies": _get("/v1/vocabularies"),
    "GET /v1/vocabularies/{name}": _get("/v1/vocabularies/oet"),
    "GET /schemas": _get("/schemas"),
    "GET /schemas/{name}": _get("/schemas/alert"),
    "GET /healthz": _get("/healthz"),
    "GET /readyz": _get("/readyz"),
    "GET /metrics": _get("/metrics"),
}

ALLOWED: dict[str, set[int]] = {
    # The request itself is a wrong one, so that nothing is done: it got as far as that.
    "POST /v1/redactions": {404},
    "POST /v1/holds": {404},
    "POST /v1/holds/{index}/release": {404},
    "POST /v1/exports": {422},
    "POST /v1/statements": {422},
    # After some steps it is at its end.
    "POST /v1/replays/{name}/step": {200, 422},
    "POST /v1/session": {401, 429},
    # This hub has none, and says so to everybody.
    "GET /v1/sign-on/{state}": {404},
    "GET /v1/sign-on/{state}/callback": {404},
    "GET /v1/incidents/{incident}": {404},
    "GET /schemas/{name}": {200, 404},
    # This hub shows nothing without a token: it says so to everybody.
    "GET /public/alerts/{form}": {404},
    "GET /public/messages/{index}": {404},
}


def _seen(route: str, answer: httpx.Response, things: Things, state: str) -> bool:
    """Tell whether an answer that is a list tells of what only this state may read."""
    told = answer.json()
    if route == "GET /v1/feeds":
        return any(f["feed"][:2].upper() == state for f in told["feeds"])
    if route == "GET /v1/replays":
        return things.replay[state] in [r["sandbox"] for r in told["replays"]]
    if route == "GET /v1/outlets":
        return things.outlet[state] in [o["id"] for o in told["outlets"]]
    if route == "GET /v1/log/entries":
        return any(
            e["index"] == things.message[state] and e["entry"] is not None for e in told["entries"]
        )
    if route == "GET /v1/log/search":
        return things.message[state] in [e["index"] for e in told["entries"]]
    if route == "GET /v1/log/entries/{index}":
        return told["entry"] is not None
    if route == "GET /v1/dead-letters":
        return things.dead[state] in [e["index"] for e in told["entries"]]
    return True


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES)
async def test_who_may_what(hub: Hub, things: Things, route: str, role: str) -> None:
    cell = CELLS[route, role]
    token = things.tokens[role]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for state in ("AZ", "IR"):
        async with hub.http() as http:
            http.headers.update(headers)
            answer = await ASK[route](http, things, state)
        said = (
            f"{role}, {state}: {answer.status_code} {answer.text if not answer.is_success else ''}"
        )
        may = cell == "all" or (cell == "own" and state == "AZ")
        if route in _OF_ALL and cell == "own":
            assert answer.status_code == 200, said
        elif may and route in ALLOWED:
            assert answer.status_code in ALLOWED[route], said
        elif may:
            assert answer.status_code in {200, 201, 202, 204}, said
            if route in _LISTS:
                assert _seen(route, answer, things, state), said
        elif cell == "own" and route in _LISTS:
            assert answer.status_code == 200, said
            assert not _seen(route, answer, things, state), said
        elif role == "nobody":
            assert answer.status_code == 401, said
        else:
            hidden = {404} if cell == "own" else set()
            assert answer.status_code in {401, 403, *hidden}, said


_OF_ALL = {
    "GET /v1/aid/board",
    "GET /v1/alerts/{form}",
    "GET /v1/escalations",
    "GET /v1/incidents",
}
"""What each may ask for, and finds in it what is theirs."""
_LISTS = {
    "GET /v1/replays",
    "GET /v1/outlets",
    "GET /v1/feeds",
    "GET /v1/log/entries",
    "GET /v1/log/search",
    "GET /v1/log/entries/{index}",
    "GET /v1/dead-letters",
}


async def test_every_route_has_a_row_and_a_request() -> None:
    found = set(operations())

    assert set(ROUTES) == found
    assert set(ASK) == found
    assert set(CELLS.values()) == {"all", "own", "-"}


async def test_every_command_has_a_row() -> None:
    table = rows(_SECTION.split("**Commands.**")[1])
    named = {word.split()[0] for row in table for word in row[0].replace("`", "").split(", ")}
    commands = {name for name in cli if not name.startswith("-")}

    assert named == commands


async def test_what_one_may_not_know_of_looks_like_what_there_is_not(
    hub: Hub, things: Things
) -> None:
    """Or somebody could find out how many private messages there are."""
    async with hub.http("az-fhn") as http:
        hidden = await http.get(f"/v1/messages/{things.message['IR']}")
        missing = await http.get("/v1/messages/999999")
        feed = await http.get("/v1/feeds/ir-ndmo")
        no_feed = await http.get("/v1/feeds/xx-none")

    def shape(answer: httpx.Response) -> tuple[int, str, set[str]]:
        body = answer.json()
        return answer.status_code, body["code"], set(body)

    assert shape(hidden) == shape(missing)
    assert shape(feed) == shape(no_feed)
