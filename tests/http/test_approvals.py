"""A second officer's approval: who may, what is refused, and what the log then says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from hub.log.projections import read_logged
from hub.log.verify import verify_store
from hub.members import waiting
from hub.members.credentials import issue
from hub.members.roles import Principal
from tests.http.people import add_person, browser
from tests.hubkit import Hub, alert, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENCY = "az-careful"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def careful(hub: Hub) -> AsyncIterator[Hub]:
    """Register an agency whose policy asks for a second officer, and give its people tokens."""
    record = {"id": AGENCY, "state": "AZ", "name": "Careful", "approval": True}
    await hub.add_members([record])
    for who, role, person in (
        ("first", "officer", "Leyla Aliyeva"),
        ("second", "officer", "Orkhan Mammadov"),
        ("system", "agency", ""),
    ):
        hub.tokens[who] = await asyncio.to_thread(
            issue,
            hub.log,
            role=role,  # type: ignore[arg-type]  # one of the roles above
            agency=AGENCY,
            person=person,
            expires=None,
            now=datetime.now(UTC),
        )
    yield hub


async def asked(hub: Hub, who: str, method: str, path: str, **given: Any) -> httpx.Response:
    async with hub.http(who) as http:
        return await http.request(method, path, **given)


async def handed(hub: Hub, payload: bytes) -> str:
    answer = await asked(hub, "first", "POST", "/v1/drafts", content=payload)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_the_second_officer_publishes_in_both_names(careful: Hub) -> None:
    payload = alert()
    draft = await handed(careful, payload)
    assert await handed(careful, payload) == draft

    told = (await asked(careful, "second", "GET", f"/v1/drafts/{draft}")).json()
    assert told["composed_by"] == "Leyla Aliyeva"
    assert told["form"] == "alert"
    assert "ir-ndmo" in [one["agency"] for one in told["recipients"]]
    answer = await asked(careful, "second", "POST", f"/v1/drafts/{draft}/approve")
    again = await asked(careful, "second", "POST", f"/v1/drafts/{draft}/approve")

    assert (answer.status_code, again.status_code) == (201, 200), again.text
    index = answer.json()["index"]
    [row] = await careful.rows("publish", agency=AGENCY, after=index - 1)
    assert (row.entry["by"], row.entry["approved_by"]) == ("Leyla Aliyeva", "Orkhan Mammadov")
    assert row.payload == payload
    life = (await asked(careful, "ir-ndmo", "GET", f"/v1/messages/{index}")).json()
    assert life["approved_by"] == "Orkhan Mammadov"
    listed = (await asked(careful, "first", "GET", "/v1/drafts")).json()["drafts"]
    [one] = [d for d in listed if d["id"] == draft]
    assert (one["state"], one["index"], one["own"]) == ("approved", index, True)


async def test_an_officer_does_not_publish_alone_and_a_system_does(careful: Hub) -> None:
    problem(
        await asked(careful, "first", "POST", "/v1/messages", content=alert()),
        403,
        "approval-required",
    )
    person = await add_person(careful, "alone", agency=AGENCY)
    async with browser(careful) as at:
        await at.sign_in(person)
        told = await at.ask("POST", "/v1/messages", content=alert())
        problem(told, 403, "approval-required")
    system = await asked(careful, "system", "POST", "/v1/messages", content=alert())
    other = await asked(careful, "officer", "POST", "/v1/messages", content=alert())

    assert (system.status_code, other.status_code) == (201, 201)


async def test_nobody_approves_what_they_wrote_also_by_another_account(careful: Hub) -> None:
    draft = await handed(careful, alert())

    own = await asked(careful, "first", "POST", f"/v1/drafts/{draft}/approve")
    problem(own, 403, "own-draft")
    twin = await add_person(careful, "leyla.twice", agency=AGENCY, person="leyla ALIYEVA")
    async with browser(careful) as at:
        await at.sign_in(twin)
        problem(await at.ask("POST", f"/v1/drafts/{draft}/approve"), 403, "own-draft")
    problem(
        await asked(careful, "system", "POST", f"/v1/drafts/{draft}/approve"), 403, "not-allowed"
    )


async def test_a_draft_is_its_agencys_alone(careful: Hub) -> None:
    draft = await handed(careful, alert())

    for path in ("", "/approve", "/reject"):
        method = "POST" if path else "GET"
        told = await asked(careful, "officer", method, f"/v1/drafts/{draft}{path}")
        problem(told, 404, "draft-unknown")


async def test_what_is_rejected_or_taken_back_is_not_sent(careful: Hub) -> None:
    before = await careful.head()
    for who in ("second", "first"):
        draft = await handed(careful, alert())
        said = {"note": "The place is wrong"}
        answer = await asked(careful, who, "POST", f"/v1/drafts/{draft}/reject", json=said)
        assert answer.json()["state"] == "rejected"
        assert answer.json()["note"] == "The place is wrong"
        told = await asked(careful, "second", "POST", f"/v1/drafts/{draft}/approve")
        problem(told, 409, "draft-decided")

    assert await careful.rows("publish", agency=AGENCY, after=before) == []


async def test_what_would_be_refused_is_not_handed_over(careful: Hub) -> None:
    told = await asked(
        careful,
        "first",
        "POST",
        "/v1/drafts",
        content=alert(scope="Private", addresses="nobody-here"),
    )

    problem(told, 422, "no-known-recipient")


async def test_what_the_log_refuses_by_then_says_so(careful: Hub) -> None:
    name = "test-taken-meanwhile"
    draft = await handed(careful, alert(name))
    await careful.publish("system", alert(name, headline="Something else"))

    answer = await asked(careful, "second", "POST", f"/v1/drafts/{draft}/approve")

    problem(answer, 409, "conflicting-replay")
    listed = (await asked(careful, "first", "GET", "/v1/drafts")).json()["drafts"]
    [one] = [d for d in listed if d["id"] == draft]
    assert one["state"] == "refused"
    assert one["note"].startswith("conflicting-replay")


async def test_so_many_may_wait(careful: Hub) -> None:
    author = Principal("officer", "az-many", "Author")
    facts = {"payload_type": "x", "headline": "", "msg_type": "Alert", "status": "Actual"}

    def fill() -> None:
        for number in range(waiting.MOST):
            waiting.add(careful.log, author, now=datetime.now(UTC), payload=b"%d" % number, **facts)

    await asyncio.to_thread(fill)
    with pytest.raises(Exception, match="wait for approval") as refused:
        await asyncio.to_thread(
            waiting.add, careful.log, author, now=datetime.now(UTC), payload=b"one more", **facts
        )
    assert refused.value.code == "draft-limit"  # type: ignore[attr-defined]


async def test_the_log_verifies_with_both_names(careful: Hub) -> None:
    draft = await handed(careful, alert())
    await asked(careful, "second", "POST", f"/v1/drafts/{draft}/approve")

    report = await asyncio.to_thread(verify_store, careful.log, read=read_logged)

    assert report.fault is None
