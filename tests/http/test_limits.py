"""Who asks too often waits, and nobody else does."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.client.calls import read_error
from hub.errors import Unavailable
from hub.http.limits import FAILURES_A_MINUTE, Rate, network_of
from tests.hubkit import Hub, another_api, problem, until

TRUSTED = "127.0.0.1"


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        """Return what it shows."""
        return self.now


@given(st.integers(1, 500), st.lists(st.floats(0, 5), max_size=200))
def test_nobody_gets_more_than_a_minutes_worth_and_what_has_come_back(
    a_minute: int, pauses: list[float]
) -> None:
    clock = Clock()
    rate = Rate(a_minute, clock=clock)
    taken, began = 0, clock.now

    for pause in pauses:
        clock.now += pause
        taken += rate.take("a") == 0.0

    assert taken <= a_minute + (clock.now - began) * a_minute / 60 + 1e-6


@given(st.integers(1, 500), st.floats(0, 100))
def test_after_the_time_that_it_says_there_is_one_and_before_there_is_none(
    a_minute: int, pause: float
) -> None:
    clock = Clock()
    rate = Rate(a_minute, clock=clock)
    assert [rate.take("a") for _ in range(a_minute)] == [0.0] * a_minute
    clock.now += pause * 60 / a_minute / 101
    wait = rate.take("a")
    assert wait > 0

    clock.now += wait * 0.9
    early = rate.take("a")
    clock.now += wait * 0.1 + 1e-6

    assert early > 0
    assert rate.take("a") == 0.0


def test_others_are_not_counted_and_what_is_full_is_forgotten() -> None:
    clock = Clock()
    rate = Rate(1, clock=clock, kept=3)
    assert rate.take("a") == 0.0
    assert rate.take("a") > 0

    assert rate.take("b") == 0.0
    clock.now += 61
    assert rate.take("c") == 0.0
    assert list(rate._full_at) == ["c"]
    for name in "defg":
        assert rate.take(name) == 0.0
    assert list(rate._full_at) == ["e", "f", "g"]


def test_nothing_is_counted_where_there_is_no_bound() -> None:
    rate = Rate(0)

    assert {rate.take("a") for _ in range(1000)} == {0.0}


def test_one_host_of_ipv6_has_one_name() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""


def test_the_client_takes_429_for_a_hub_that_wants_time() -> None:
    answer = httpx.Response(
        429,
        json={"code": "rate-limited", "detail": "too often"},
        headers={"Retry-After": "7"},
        request=httpx.Request("GET", "http://hub/v1/feeds"),
    )

    error = read_error(answer)

    assert isinstance(error, Unavailable)
    assert (error.code, error.retry_after_s) == ("rate-limited", 7)


def _bearer(token: str, address: str = "192.0.2.1") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}


@pytest.mark.asyncio(loop_scope="module")
async def test_an_agency_that_asks_too_often_waits_and_no_other(hub: Hub) -> None:
    before = await hub.head()
    async with (
        another_api(hub, agency_rate=3, trusted_proxies=TRUSTED) as settings,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http,
    ):
        first = _bearer(hub.tokens["ir-ndmo"])
        of_its_officer = _bearer(hub.tokens["officer"], "192.0.2.2")
        passed = [(await http.get("/v1/feeds", headers=first)).status_code for _ in range(3)]
        refused = await http.get("/v1/feeds", headers=of_its_officer)
        other = await http.get("/v1/feeds", headers=_bearer(hub.tokens["az-fhn"]))
        shown = (await http.get("/metrics")).text

    assert passed == [200] * 3
    problem(refused, 429, "rate-limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert other.status_code == 200
    assert 'caspian_throttled_total{code="rate-limited"}' in shown
    assert "rate-limited" not in [r.entry["code"] for r in await hub.rows("refusal", after=before)]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_address_that_asks_too_often_waits_but_for_health(hub: Hub) -> None:
    async with (
        another_api(hub, address_rate=2, trusted_proxies=TRUSTED) as settings,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http,
    ):
        here, there = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
        passed = [(await http.get("/schemas", headers=here)).status_code for _ in range(2)]
        refused = await http.get("/none", headers=here)
        health = [
            (await http.get(path, headers=here)).status_code
            for path in ("/healthz", "/readyz", "/metrics")
        ]
        other = await http.get("/schemas", headers=there)

    assert passed == [200] * 2
    problem(refused, 429, "rate-limited")
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert health == [200] * 3
    assert other.status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_whoever_guesses_tokens_is_not_heard_and_whoever_was_known_there_is(
    hub: Hub,
) -> None:
    async with (
        another_api(hub, trusted_proxies=TRUSTED) as settings,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http,
    ):

        async def ask(token: str, address: str = "192.0.2.1") -> httpx.Response:
            return await http.get("/v1/feeds", headers=_bearer(token, address))

        assert (await ask(hub.tokens["az-fhn"])).status_code == 200
        answers = [await ask(f"csp_guess{i}_x") for i in range(FAILURES_A_MINUTE + 20)]
        unheard = await ask(hub.tokens["ir-ndmo"])
        known = await ask(hub.tokens["az-fhn"])
        elsewhere = await ask(hub.tokens["ir-ndmo"], "192.0.2.2")

    codes = [a.status_code for a in answers]
    assert codes[:FAILURES_A_MINUTE] == [401] * FAILURES_A_MINUTE
    assert codes[-1] == 429
    problem(unheard, 429, "rate-limited")
    assert 1 <= int(unheard.headers["retry-after"]) <= 2
    assert known.status_code == elsewhere.status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_an_agency_holds_so_many_streams_open_and_no_more(hub: Hub) -> None:
    async with (
        another_api(hub, agency_streams=2) as settings,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http,
    ):
        own = _bearer(hub.tokens["az-fhn"])
        path = "/v1/feeds/az-fhn/events"
        async with AsyncExitStack() as open_ones:
            for _ in range(2):
                one = await open_ones.enter_async_context(http.stream("GET", path, headers=own))
                assert one.status_code == 200
            # One that is refused for another reason is not counted.
            away = await http.get("/v1/feeds/none/events", headers=_bearer(hub.tokens["kz-mes"]))
            refused = await http.get(path, headers=own)
            other = await open_ones.enter_async_context(
                http.stream(
                    "GET", "/v1/feeds/ir-ndmo/events", headers=_bearer(hub.tokens["ir-ndmo"])
                )
            )
            assert other.status_code == 200

        async def free() -> bool:
            async with asyncio.timeout(20), http.stream("GET", path, headers=own) as again:
                return again.status_code == 200

        await until(free, "streams that ended are not counted", 20)

    problem(away, 404, "feed-unknown")
    problem(refused, 429, "too-many-streams")
    assert refused.headers["retry-after"] == "10"
