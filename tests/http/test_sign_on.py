"""People sign in with their own state's sign-on, and no lie of anybody lets somebody else in."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from hub.errors import Unavailable
from hub.members import accounts
from hub.members.sign_on import read
from tests.http.people import Browser, browser
from tests.http.provider import CLIENT, SECRET, Provider, running_provider
from tests.hubkit import Hub, problem, running_hub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class World:
    """A hub, and the sign-ons of two states."""

    hub: Hub
    iran: Provider
    kazakhstan: Provider


def write(directory: Path, **providers: Provider) -> Path:
    (directory / "secret").write_text(f"{SECRET}\n")
    file = directory / "sign-on.toml"
    file.write_text(
        "".join(
            f"""
[{state}]
name = "Sign-on of {state}"
issuer = "{provider.issuer}"
client_id = "{CLIENT}"
client_secret_file = "{directory / "secret"}"
"""
            for state, provider in providers.items()
        )
    )
    return file


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("sign-on")
    async with running_provider() as iran, running_provider() as kazakhstan:
        file = write(directory, IR=iran, KZ=kazakhstan)
        async with running_hub(directory, sign_on=file) as hub:
            for name, agency, issuer in (
                ("reza", "ir-ndmo", iran.issuer),
                ("aigul", "kz-mes", kazakhstan.issuer),
            ):
                await asyncio.to_thread(
                    accounts.add,
                    hub.log,
                    name=name,
                    person=name.title(),
                    roles=("officer",),
                    agency=agency,
                    issuer=issuer,
                    subject="subject-1",
                    now=datetime.now(UTC),
                )
            yield World(hub, iran, kazakhstan)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def honest(world: World) -> AsyncIterator[None]:
    """Let no lie of one test reach the next, nor what the hub keeps of it."""
    forget(world)
    yield
    for provider in (world.iran, world.kazakhstan):
        provider.honest()
        provider.person = "subject-1"
    forget(world)


def forget(world: World) -> None:
    for provider in world.hub.api.parts.sign_ons.values():
        provider._kept.clear()


async def there(page: Browser, state: str = "IR", then: str = "/") -> str:
    """Go to a state's sign-on; return the address that the provider sends the browser back to."""
    answer = await page.ask("GET", f"/v1/sign-on/{state}", params={"then": then})
    assert answer.status_code == 303, answer.text
    async with httpx.AsyncClient() as http:
        sent = await http.get(answer.headers["location"])
    assert sent.status_code == 302
    return str(sent.headers["location"])


async def signed_in(page: Browser, state: str = "IR", then: str = "/") -> httpx.Response:
    return await page.ask("GET", await there(page, state, then))


async def test_an_officer_signs_in_with_their_states_sign_on(world: World) -> None:
    async with browser(world.hub) as page:
        listed = (await page.ask("GET", "/v1/sign-on")).json()["sign_on"]
        assert [(one["state"], one["name"]) for one in listed] == [
            ("IR", "Sign-on of IR"),
            ("KZ", "Sign-on of KZ"),
        ]
        answer = await signed_in(page, then="/desk/alerts")
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/alerts")
        who = (await page.ask("GET", "/v1/session")).json()

    assert (who["person"], who["agency"], who["way"]) == ("Reza", "ir-ndmo", "oidc")


async def test_the_same_subject_of_another_state_is_another_person(world: World) -> None:
    async with browser(world.hub) as page:
        await signed_in(page, "KZ")
        who = (await page.ask("GET", "/v1/session")).json()

    assert who["person"] == "Aigul"


async def refused(world: World, page: Browser, address: str) -> None:
    before = await world.hub.head()
    answer = await page.ask("GET", address)
    problem(answer, 401, "sign-on-refused")
    assert "caspian-local=" not in answer.headers.get("set-cookie", "")
    await world.hub.api.flush()
    assert not await world.hub.rows("refusal", after=before)


def now(seconds: int) -> int:
    return int(time.time()) + seconds


LIES: dict[str, dict[str, Any]] = {
    "wrong nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "wrong issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "wrong audience": {"aud": "another client"},
    "no audience": {"aud": None},
    "two audiences, for the other": {"aud": [CLIENT, "another"], "azp": "another"},
    "two audiences, for nobody": {"aud": [CLIENT, "another"]},
    "expired": {"exp": now(-120)},
    "no expiry": {"exp": None},
    "expiry is a text": {"exp": "tomorrow"},
    "from the future": {"iat": now(3600)},
    "no time": {"iat": None},
    "not yet": {"nbf": now(3600)},
    "no subject": {"sub": None},
    "subject is a number": {"sub": 1},
    "subject is empty": {"sub": ""},
    "unknown subject": {"sub": "nobody"},
    "hash of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_in_the_token_is_found(world: World, lie: str) -> None:
    async with browser(world.hub) as page:
        address = await there(page)
        world.iran.claims = LIES[lie]

        await refused(world, page, address)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "none"}), json.dumps(claims)]
    return ".".join(encoded(p.encode()) for p in parts) + "."


def with_(alg: str, key: Any, **header: Any) -> Any:
    return lambda claims: jwt.encode({"alg": alg, **header}, claims, key, algorithms=[alg])


SIGNATURES: dict[str, Any] = {
    "none": unsigned,
    "no signature": lambda claims: unsigned(claims).rstrip("."),
    "by a stranger": with_("RS256", RSAKey.generate_key(2048), kid="one"),
    "by a stranger of another kind": with_("ES256", ECKey.generate_key("P-256"), kid="one"),
    "by a key of that name that there is not": with_("RS256", RSAKey.generate_key(2048), kid="two"),
    "by the client's secret": with_("HS256", OctKey.import_key(SECRET.ljust(32, "x"))),
    "nothing": lambda _claims: "",
    "no text": lambda _claims: 7,
}


@pytest.mark.parametrize("lie", SIGNATURES)
async def test_a_token_that_the_provider_did_not_sign_is_refused(world: World, lie: str) -> None:
    async with browser(world.hub) as page:
        address = await there(page)
        world.iran.sign = SIGNATURES[lie]

        await refused(world, page, address)


async def test_the_providers_public_key_is_no_shared_secret(world: World) -> None:
    """The oldest trick: sign with HMAC, and the public key as the secret."""
    public: bytes = world.iran.key.as_pem(private=False)

    def by_the_public_key(claims: dict[str, Any]) -> str:
        text = encoded(json.dumps({"alg": "HS256", "kid": "one"}).encode())
        text += "." + encoded(json.dumps(claims).encode())
        return f"{text}.{encoded(hmac.digest(public, text.encode(), 'sha256'))}"

    async with browser(world.hub) as page:
        address = await there(page)
        world.iran.sign = by_the_public_key

        await refused(world, page, address)


async def test_a_changed_token_is_refused(world: World) -> None:
    def changed(claims: dict[str, Any]) -> str:
        head, _, signature = world.iran.signed({**claims, "sub": "somebody"}).split(".")
        return f"{head}.{encoded(json.dumps(claims).encode())}.{signature}"

    async with browser(world.hub) as page:
        address = await there(page)
        world.iran.sign = changed

        await refused(world, page, address)


async def test_a_new_key_is_fetched_when_it_is_first_met(world: World) -> None:
    async with browser(world.hub) as page:
        await signed_in(page)
        (one,) = [p for s, p in world.hub.api.parts.sign_ons.items() if s == "IR"]
        old = world.iran.key
        world.iran.key = RSAKey.generate_key(2048, {"kid": "new"})
        one._kept = {url: (at - 120, found) for url, (at, found) in one._kept.items()}
        try:
            assert (await signed_in(page)).status_code == 303
        finally:
            world.iran.key = old


async def test_a_code_works_in_the_browser_that_began_alone(world: World) -> None:
    """Else a link would sign somebody in as whoever made it."""
    async with browser(world.hub) as attacker, browser(world.hub) as victim:
        address = await there(attacker)
        await refused(world, victim, address)
        await there(victim)
        await refused(world, victim, address)


async def test_nobody_makes_up_what_follows_from_no_secret(world: World) -> None:
    from hub.members.oidc import Flow  # noqa: PLC0415 - the attacker has read the source

    state = Flow("").value("state", "IR")
    async with browser(world.hub) as page:
        for cookie in ("", "caspian-local-sign-on=", "caspian-local-sign-on=!/"):
            page.cookie = cookie
            await refused(world, page, f"/v1/sign-on/IR/callback?code=x&state={state}")


async def test_a_code_of_one_state_is_nothing_to_another(world: World) -> None:
    async with browser(world.hub) as page:
        address = await there(page, "IR")

        await refused(world, page, address.replace("/IR/", "/KZ/"))


async def test_a_code_works_once(world: World) -> None:
    async with browser(world.hub) as page:
        address = await there(page)
        flow = page.cookie
        assert (await page.ask("GET", address)).status_code == 303
        page.cookie = flow
        await refused(world, page, address)


@pytest.mark.parametrize(
    "query", ["error=access_denied", "", "code=x&iss=https%3A%2F%2Fevil.example", "code=made-up"]
)
async def test_an_answer_without_a_code_of_the_provider_is_refused(
    world: World, query: str
) -> None:
    async with browser(world.hub) as page:
        state = parse_qs(urlsplit(await there(page)).query)["state"][0]

        await refused(world, page, f"/v1/sign-on/IR/callback?{query}&state={state}")


async def test_a_person_is_told_at_the_door_what_was_wrong(world: World) -> None:
    async with browser(world.hub, Accept="text/html,application/xhtml+xml") as page:
        answer = await page.ask("GET", "/v1/sign-on/IR/callback?error=access_denied&state=x")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in?refused=sign-on-refused"
    assert "set-cookie" not in answer.headers


async def test_a_disabled_account_lets_nobody_in(world: World) -> None:
    world.iran.person = "was here"
    when = datetime.now(UTC)
    await asyncio.to_thread(
        accounts.add,
        world.hub.log,
        name="was.here",
        person="Was Here",
        roles=("auditor",),
        state="IR",
        issuer=world.iran.issuer,
        subject="was here",
        now=when,
    )
    async with browser(world.hub) as page:
        assert (await signed_in(page)).status_code == 303
        await asyncio.to_thread(accounts.disable, world.hub.log, "was.here", now=when)
        await refused(world, page, await there(page))


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/x",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://[::1",
        "",
        7,
        None,
    ],
)
async def test_the_metadata_send_the_hub_nowhere_else(world: World, name: str, url: Any) -> None:
    async with browser(world.hub) as page:
        address = await there(page)
        forget(world)
        world.iran.metadata = {name: url}
        asked = "/v1/sign-on/IR" if name == "authorization_endpoint" else address
        answer = await page.ask("GET", asked)

    problem(answer, 503, "sign-on-unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_the_metadata_of_another_issuer_are_not_believed(world: World) -> None:
    world.iran.metadata = {"issuer": world.kazakhstan.issuer}
    async with browser(world.hub) as page:
        problem(await page.ask("GET", "/v1/sign-on/IR"), 503, "sign-on-unavailable")


@pytest.mark.parametrize(
    ("status", "body"),
    [(302, b"{}"), (307, b"{}"), (500, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b"{}")],
)
async def test_no_redirect_is_followed_and_no_nonsense_believed(
    world: World, status: int, body: bytes
) -> None:
    async with browser(world.hub) as page:
        address = await there(page)
        world.iran.token_status, world.iran.token_body = status, body
        answer = await page.ask("GET", address)

    assert answer.json()["code"] in {"sign-on-refused", "sign-on-unavailable"}
    assert "/elsewhere" not in world.iran.asked


async def test_an_answer_without_end_is_not_read(world: World) -> None:
    async with browser(world.hub) as page:
        address = await there(page)
        world.iran.token_body = b'{"id_token": "' + b"x" * (1 << 20) + b'"}'

        problem(await page.ask("GET", address), 503, "sign-on-unavailable")


@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example", "/\\evil.example", "/a?b", "evil", "/a\nb"]
)
async def test_the_way_ends_on_the_hubs_own_pages(world: World, then: str) -> None:
    async with browser(world.hub) as page:
        answer = await page.ask("GET", "/v1/sign-on/IR", params={"then": then})

    problem(answer, 422, "request-invalid")


async def test_a_state_without_a_sign_on_has_none(world: World) -> None:
    async with browser(world.hub) as page:
        for path in ("/v1/sign-on/AZ", "/v1/sign-on/AZ/callback"):
            problem(await page.ask("GET", path), 404, "sign-on-unknown")


@pytest.mark.parametrize(
    "text",
    [
        "[IR",
        '[IR]\nissuer = "https://x.example"',
        '[IR]\nissuer = "http://x.example"\nclient_id = "c"',
        '[IR]\nissuer = "https://u@x.example"\nclient_id = "c"',
        '[IR]\nissuer = "https://x.example?y"\nclient_id = "c"',
        '[ir]\nissuer = "https://x.example"\nclient_id = "c"',
        '[IR]\nissuer = "https://x.example"\nclient_id = "c"\nsecret = "s"',
        'IR = "https://x.example"',
    ],
)
async def test_a_sign_on_that_makes_no_sense_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sign-on.toml"
    file.write_text(text)

    with pytest.raises(Unavailable, match="settings-invalid"):
        read(file)
    with pytest.raises(Unavailable, match="settings-invalid"):
        read(tmp_path / "missing")
