"""The hub connects to no address of its own network, whatever it is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.webhook import Webhooks
from hub.outlets.guard import Forbidden, Guard, GuardedBackend, is_outside
from hub.outlets.records import Outlet, WebhookTarget, new_secret
from hub.settings import Settings
from tests.http.certificates import made
from tests.outlets.receiver import receiving

INNER = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2001:db8::1",
    "2001:0:7f00:1::",
    "2002:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
OUTER = ["1.1.1.1", "8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700:4700::1111"]


@pytest.mark.parametrize("address", INNER)
def test_an_inner_address_is_seen_in_every_form(address: str) -> None:
    assert not is_outside(ip_address(address))


@pytest.mark.parametrize("address", OUTER)
def test_an_address_of_the_internet_is_one(address: str) -> None:
    assert is_outside(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_is_the_same_in_whatever_it_is_wrapped(address: Any) -> None:
    for wrapped in (f"::ffff:{address}", ip_address(int(ip_address("64:ff9b::")) + int(address))):
        assert is_outside(ip_address(str(wrapped))) == is_outside(address)


def answering(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Have names stand for these addresses, another list each time they are asked for."""
    waiting = list(answers)

    async def getaddrinfo(_host: str, port: int, **_: Any) -> list[Any]:
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)


async def test_one_inner_address_among_many_refuses_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, ["8.8.8.8", "127.0.0.1"])

    with pytest.raises(Forbidden, match=r"127\.0\.0\.1"):
        await Guard().addresses_of("evil.example", 443, encrypted=True)


async def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    asked: list[str] = []

    class Backend:
        async def connect_tcp(self, host: str, *_: Any, **__: Any) -> None:
            asked.append(host)

    backend = GuardedBackend(Guard(), encrypted=True)
    backend._backend = Backend()  # type: ignore[assignment]
    await backend.connect_tcp("rebind.example", 443)
    with pytest.raises(Forbidden):
        await backend.connect_tcp("rebind.example", 443)

    assert asked == ["8.8.8.8"]
    with pytest.raises(Forbidden):
        await backend.connect_unix_socket("/run/secret.sock")


async def test_where_one_address_cannot_be_reached_the_next_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, ["2606:4700:4700::1111", "8.8.8.8"])
    asked: list[str] = []

    class Backend:
        async def connect_tcp(self, host: str, *_: Any, **__: Any) -> str:
            asked.append(host)
            if ":" in host:
                raise httpcore.ConnectError("no route")
            return "connected"

    backend = GuardedBackend(Guard(), encrypted=True)
    backend._backend = Backend()  # type: ignore[assignment]

    assert str(await backend.connect_tcp("both.example", 443)) == "connected"
    assert asked == ["2606:4700:4700::1111", "8.8.8.8"]


async def test_in_the_clear_only_to_networks_that_the_operator_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, ["8.8.8.8"], ["10.0.0.7"], ["::ffff:10.0.0.7"], ["10.1.0.7"])
    guard = Guard([ip_network("10.0.0.0/24")])

    with pytest.raises(Forbidden, match="in the clear"):
        await guard.addresses_of("a.example", 80, encrypted=False)
    assert await guard.addresses_of("b.example", 80, encrypted=False) == ["10.0.0.7"]
    assert await guard.addresses_of("c.example", 80, encrypted=True) == ["::ffff:10.0.0.7"]
    with pytest.raises(Forbidden, match="inner network"):
        await guard.addresses_of("d.example", 443, encrypted=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "0"])
async def test_other_ways_to_write_this_machine_are_this_machine(host: str) -> None:
    with pytest.raises((Forbidden, OSError)):
        await Guard().addresses_of(host, 443, encrypted=True)


def outlet(url: str) -> Outlet:
    target = WebhookTarget(url=url)
    return Outlet(
        id="otest",
        feed="az-fhn",
        target=target,
        secret=new_secret(),
        secret_before="",
        secret_before_until_us=0,
        confirms=False,
        state="active",
        reason="",
        through=0,
        place="{}",
        failures=0,
        failing_since_us=None,
        next_us=0,
        attempts=0,
        delivered_us=None,
        test_us=1,
        created_us=0,
        created_by="",
        version=1,
    )


async def test_over_tls_a_receiver_must_be_who_its_name_says(tmp_path: Path) -> None:
    pair = made("receiver")
    certificate, key = pair.write(tmp_path, "receiver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    given: dict[str, Any] = {
        "webhook_allow": "127.0.0.0/8",
        "webhook_timeout": timedelta(seconds=20),
    }
    async with receiving(context) as receiver:
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        trusting = Webhooks(Settings(**given, webhook_ca=Path(certificate)))
        taken = await trusting.test(outlet(by_name), 1)
        await trusting.leave("otest")
        doubting = Webhooks(Settings(**given))
        unknown = await doubting.test(outlet(by_name), 1)
        await doubting.leave("otest")
        other = await trusting.test(outlet(receiver.url.replace("127.0.0.1", "127.0.0.2")), 1)
        await trusting.leave("otest")

    assert taken.ok, taken
    assert not unknown.ok
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.detail
    assert not other.ok


async def test_a_guarded_webhook_is_told_why_it_did_not_connect() -> None:
    async with receiving() as receiver:
        webhooks = Webhooks(Settings())
        outcome = await webhooks.test(outlet(receiver.url), 1)
        await webhooks.leave("otest")

    assert not outcome.ok
    assert "inner network" in outcome.detail
    assert receiver.connections == 0
