"""Persons sign in, act in their own name, and sign out; nobody else does it for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from hub.members import accounts
from hub.members.accounts import found
from hub.members.credentials import issue
from tests.http.people import PASSWORD, Person, add_person, browser
from tests.hubkit import Hub, alert, another_api, problem, running_hub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TLS = {"X-Forwarded-Proto": "https"}


def at(address: str) -> dict[str, str]:
    """Return what a trusted proxy says of a browser at an address."""
    return {"X-Forwarded-Proto": "https", "X-Forwarded-For": address}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxied(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """Give a hub behind a proxy on this machine."""
    async with running_hub(
        tmp_path_factory.mktemp("proxied"),
        trusted_proxies="127.0.0.0/8",
        public_url="https://hub.example.org",
    ) as hub:
        yield hub


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def innocent(hub: Hub) -> None:
    """All browsers of these tests have one address: what failed in one test is not another's."""
    await forget(hub)


async def forget(hub: Hub) -> None:
    def forget() -> None:
        with hub.log.writing() as c:
            c.exec_driver_sql("DELETE FROM attempts")

    await asyncio.to_thread(forget)


async def test_an_officer_signs_in_acknowledges_in_their_name_and_signs_out(hub: Hub) -> None:
    person = await add_person(hub, "reza", person="Reza Karimi", language="fa", totp=True)
    index = await hub.publish("az-fhn")
    async with browser(hub) as page:
        made = await page.sign_in(person)
        assert made.status_code == 201, made.text
        assert made.json()["person"] == "Reza Karimi"
        assert made.json()["language"] == "fa"
        assert PASSWORD not in made.text
        cookie = made.headers["set-cookie"]
        assert cookie.startswith("caspian-local=csn_")
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()

        done = await page.ask("POST", f"/v1/messages/{index}/acknowledgements", json={})
        assert done.status_code == 201, done.text
        life = (await page.ask("GET", f"/v1/messages/{index}")).json()
        assert (await page.ask("GET", "/v1/session")).json() == made.json()
        assert (await page.ask("DELETE", "/v1/session")).status_code == 204
        page.cookie = cookie.partition(";")[0]
        problem(await page.ask("GET", "/v1/session"), 401, "session-ended")

    (own,) = [r for r in life["recipients"] if r["agency"] == "ir-ndmo"]
    assert [a["officer"] for a in own["acknowledgements"]] == ["Reza Karimi"]


async def test_nobody_acknowledges_in_anothers_name(hub: Hub) -> None:
    person = await add_person(hub, "leyla")
    index = await hub.publish("az-fhn")
    async with browser(hub) as page:
        await page.sign_in(person)
        answer = await page.ask(
            "POST", f"/v1/messages/{index}/acknowledgements", json={"officer": "Another"}
        )

    problem(answer, 403, "not-allowed")


async def test_every_mistake_has_the_same_answer_and_is_no_entry_of_the_log(hub: Hub) -> None:
    person = await add_person(hub, "gulnara", totp=True)
    gone = await add_person(hub, "gone")
    await asyncio.to_thread(accounts.disable, hub.log, "gone", now=datetime.now(UTC))
    answers = []
    async with browser(hub) as page:
        for one, given in (
            (Person("nobody", PASSWORD), {}),
            (Person("gulnara", "wrong"), {}),
            (person, {"code": "000000"}),
            (person, {"code": "abcd-abcd-abcd-abcd"}),
            (gone, {}),
        ):
            # A locked address would say so.
            answer = await page.sign_in(one, **given)
            answers.append(problem(answer, 401, "sign-in-refused"))
            assert "set-cookie" not in answer.headers
            await forget(hub)

    assert all(one == answers[0] for one in answers)
    await hub.api.flush()
    assert not [r for r in await hub.rows("refusal") if r.entry["code"] == "sign-in-refused"]


async def test_a_code_and_a_recovery_code_work_once(hub: Hub) -> None:
    person = await add_person(hub, "once", totp=True)
    code = person.code()
    recovery = person.recovery_codes[3].upper().replace("-", " ")
    async with browser(hub) as page:
        problem(await page.sign_in(person, code=""), 401, "code-required")
        assert (await page.sign_in(person, code=code)).status_code == 201
        problem(await page.sign_in(person, code=code), 401, "sign-in-refused")
        assert (await page.sign_in(person, code=recovery)).status_code == 201
        problem(await page.sign_in(person, code=recovery), 401, "sign-in-refused")


async def test_two_who_send_one_code_at_once_do_not_both_come_in(hub: Hub) -> None:
    person = await add_person(hub, "race", totp=True)
    code = person.code()
    async with browser(hub) as one, browser(hub) as other:
        answers = await asyncio.gather(
            *(page.sign_in(person, code=code) for page in (one, other, one, other))
        )

    assert sorted(a.status_code for a in answers) == [201, 401, 401, 401]


async def test_each_sign_in_has_a_new_key_and_ends_the_one_before(hub: Hub) -> None:
    """Whoever planted a key in the browser would else be signed in with the person."""
    person = await add_person(hub, "fixed")
    async with browser(hub) as page:
        await page.sign_in(person)
        planted = page.cookie
        await page.sign_in(person)
        assert page.cookie != planted
        assert (await page.ask("GET", "/v1/session")).status_code == 200
        page.cookie = planted
        problem(await page.ask("GET", "/v1/session"), 401, "session-ended")
        page.cookie = "caspian-local=csn_0123456789abcdef_" + "x" * 43
        answer = await page.sign_in(person)
        assert answer.status_code == 201
        assert "0123456789abcdef" not in page.cookie


async def test_sessions_are_listed_and_ended_by_their_own_person(hub: Hub) -> None:
    person, other = await add_person(hub, "lister"), await add_person(hub, "other")
    async with browser(hub) as desk, browser(hub, **{"User-Agent": "Phone"}) as phone:
        await desk.sign_in(person)
        await phone.sign_in(person)
        listed = (await desk.ask("GET", "/v1/sessions")).json()["sessions"]
        assert [one["this"] for one in listed] == [False, True]
        assert listed[0]["agent"] == "Phone"
        path = f"/v1/sessions/{listed[0]['session']}"
        async with browser(hub) as stranger:
            await stranger.sign_in(other)
            problem(await stranger.ask("DELETE", path), 404, "session-unknown")
        assert (await desk.ask("DELETE", path)).status_code == 204
        problem(await phone.ask("GET", "/v1/session"), 401, "session-ended")
        assert (await desk.ask("GET", "/v1/session")).status_code == 200
        problem(await desk.ask("DELETE", path), 404, "session-unknown")


@pytest.mark.parametrize(
    "headers",
    [
        {"Caspian-Csrf": ""},
        {"Caspian-Csrf": "0" * 64},
        {"Caspian-Csrf": "\u00e9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_no_other_site_acts_through_somebodys_browser(
    hub: Hub, headers: dict[str, str]
) -> None:
    person = await add_person(hub, f"csrf{abs(hash(str(headers)))}")
    async with browser(hub) as page:
        await page.sign_in(person)
        raw: Any = {k: v.encode("latin-1") for k, v in headers.items()}
        answer = await page.ask("POST", "/v1/messages", content=alert(), headers=raw)
        problem(answer, 403, "csrf-refused")
        assert (await page.ask("GET", "/v1/session", headers=raw)).status_code == 200
        own = {"Origin": hub.url, "Sec-Fetch-Site": "same-origin"}
        done = await page.ask("POST", "/v1/messages", content=alert(), headers=own)

    assert done.status_code == 201, done.text


async def test_another_sites_page_signs_nobody_in(hub: Hub) -> None:
    person = await add_person(hub, "lured")
    async with browser(hub, Origin="https://evil.example") as page:
        problem(await page.sign_in(person), 403, "csrf-refused")


async def test_a_token_needs_no_page(hub: Hub) -> None:
    """And where both are sent the token alone counts: no page can send one."""
    person = await add_person(hub, "both")
    async with browser(hub) as page:
        await page.sign_in(person)
        page.csrf = ""
        bearer = {"Authorization": f"Bearer {hub.tokens['az-fhn']}"}
        done = await page.ask("POST", "/v1/messages", content=alert(), headers=bearer)
        who = (await page.ask("GET", "/v1/session", headers=bearer)).json()

    assert done.status_code == 201
    assert (who["role"], who["agency"]) == ("agency", "az-fhn")
    assert "csrf" not in who


async def test_a_changed_account_ends_its_sessions(hub: Hub) -> None:
    person = await add_person(hub, "changed")
    async with browser(hub) as page:
        await page.sign_in(person)
        await asyncio.to_thread(
            accounts.set_password, hub.log, "changed", "another dampf schuh", now=datetime.now(UTC)
        )

        async def over() -> bool:
            return (await page.ask("GET", "/v1/session")).status_code == 401

        await until(over, "the session is over", 20)
        problem(await page.ask("GET", "/v1/session"), 401, "session-ended")
        problem(await page.sign_in(person), 401, "sign-in-refused")
        person.password = "another dampf schuh"
        assert (await page.sign_in(person)).status_code == 201
    assert (await asyncio.to_thread(found, hub.log, "changed")).signed_in is not None


async def test_who_guesses_is_told_to_wait_and_the_person_is_not(proxied: Hub) -> None:
    person = await add_person(proxied, "target")
    wrong = Person("target", "wrong")
    async with browser(proxied, **at("192.0.2.10")) as home:
        assert (await home.sign_in(person)).status_code == 201
        async with browser(proxied, **at("203.0.113.66")) as away:
            for _ in range(5):
                problem(await away.sign_in(wrong), 401, "sign-in-refused")
            answer = await away.sign_in(person)
            problem(answer, 429, "locked")
            assert int(answer.headers["retry-after"]) >= 1
        async with browser(proxied, **at("203.0.113.67")) as elsewhere:
            problem(await elsewhere.sign_in(person), 429, "locked")
        assert (await home.sign_in(person)).status_code == 201


async def test_over_tls_the_cookie_is_bound_to_the_host(proxied: Hub) -> None:
    person = await add_person(proxied, "secure")
    async with browser(proxied, Origin="https://hub.example.org", **TLS) as page:
        answer = await page.sign_in(person)
        assert answer.status_code == 201
        cookie = answer.headers["set-cookie"]
        assert (await page.ask("DELETE", "/v1/session")).status_code == 204

    assert cookie.startswith("__Host-caspian=csn_")
    for needed in ("Secure", "HttpOnly", "Path=/"):
        assert needed in cookie
    assert "domain" not in cookie.lower()


async def test_what_proxies_say_is_believed_of_trusted_ones_alone(hub: Hub) -> None:
    """Else a header would make every guess come from another address."""
    wrong = Person("whoever", "wrong")
    answers = []
    for n in range(7):
        async with browser(hub, **at(f"192.0.2.{n}")) as page:
            answers.append((await page.sign_in(wrong)).status_code)

    assert answers == [401] * 5 + [429] * 2


async def test_nobody_signs_in_where_others_can_read_along(hub: Hub) -> None:
    person = await add_person(hub, "plain")
    async with browser(hub, Host="hub.example.org") as page:
        problem(await page.sign_in(person), 403, "tls-required")
    await hub.refused("tls-required")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a"},
        {"name": "", "password": "secret secret"},
        {"name": "a", "password": "secret secret" * 50},
        {"name": "a", "password": "secret secret", "more": 1},
        ["secret secret"],
    ],
    ids=str,
)
async def test_what_is_no_sign_in_is_refused_without_telling_what_it_was(
    hub: Hub, body: Any
) -> None:
    async with browser(hub) as page:
        answer = await page.ask("POST", "/v1/session", json=body)

    problem(answer, 422, "request-invalid")
    assert "secret secret" not in answer.text


async def test_a_token_has_no_sessions(hub: Hub) -> None:
    async with hub.http("officer") as http:
        problem(await http.get("/v1/sessions"), 403, "not-allowed")
        problem(await http.delete("/v1/session"), 403, "not-allowed")


async def test_a_stream_ends_with_its_session_and_keeps_it_in_use_meanwhile(hub: Hub) -> None:
    person = await add_person(hub, "watcher")
    async with (
        another_api(hub, sse_heartbeat=timedelta(milliseconds=50)) as other,
        browser(hub) as page,
    ):
        page.http.base_url = f"http://127.0.0.1:{other.port}"
        await page.sign_in(person)
        async with (
            asyncio.timeout(30),
            page.http.stream(
                "GET", "/v1/feeds/ir-ndmo/events", headers={"Cookie": page.cookie}
            ) as stream,
        ):
            lines = stream.aiter_lines()
            first = await anext(lines)
            assert (await page.ask("DELETE", "/v1/session")).status_code == 204
            rest = [line async for line in lines]

    assert first.startswith(("id: ", ": ping"))
    assert rest


async def test_a_stream_ends_with_its_token(hub: Hub) -> None:
    now = datetime.now(UTC)
    token = await asyncio.to_thread(
        issue, hub.log, role="agency", agency="kz-mes", expires=now + timedelta(seconds=2), now=now
    )
    async with (
        another_api(hub, sse_heartbeat=timedelta(milliseconds=50)) as other,
        hub.http() as http,
        asyncio.timeout(30),
        http.stream(
            "GET",
            f"http://127.0.0.1:{other.port}/v1/feeds/kz-mes/events",
            headers={"Authorization": f"Bearer {token}"},
        ) as stream,
    ):
        assert [line async for line in stream.aiter_lines()]

    assert datetime.now(UTC) >= now + timedelta(seconds=2)
