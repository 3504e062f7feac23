"""A client certificate stands for an agency's system, on the word of the hub's own front alone."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from hub.members import certificates
from hub.members.credentials import register, revoke
from hub.streams.embedded import free_port
from tests.http.certificates import Pair, made
from tests.hubkit import Hub, alert, another_api, problem, running_hub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fronted(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """Give a hub behind a front on this machine."""
    async with running_hub(
        tmp_path_factory.mktemp("fronted"),
        trusted_proxies="127.0.0.1, ::1",
        client_certificates=True,
    ) as hub:
        yield hub


def as_rfc_9440(pair: Pair) -> str:
    return f":{base64.b64encode(pair.der).decode()}:"


def as_nginx_writes(pair: Pair) -> str:
    return quote(pair.pem.decode(), safe="")


async def registered(hub: Hub, pair: Pair, **given: Any) -> str:
    now = datetime.now(UTC)
    facts: dict[str, Any] = {"agency": "az-fhn", "expires": None, "now": now, **given}
    return await asyncio.to_thread(register, hub.log, certificates.read(pair.pem), **facts)


async def ask(hub: Hub, value: str, who: str = "", times: int = 1) -> httpx.Response:
    async with hub.http(who) as http:
        return await http.get("/v1/session", headers=[("Client-Cert", value)] * times)


@pytest.mark.parametrize("written", [as_rfc_9440, as_nginx_writes])
async def test_a_registered_certificate_is_its_agency(fronted: Hub, written: Any) -> None:
    pair = made("az-fhn system")
    await registered(fronted, pair, scopes=("read", "publish"))

    who = (await ask(fronted, written(pair))).json()
    async with fronted.http() as http:
        done = await http.post(
            "/v1/messages", content=alert(), headers={"Client-Cert": written(pair)}
        )

    assert (who["role"], who["agency"], who["scopes"]) == ("agency", "az-fhn", ["publish", "read"])
    assert done.status_code == 201


@pytest.mark.parametrize("written", [as_rfc_9440, as_nginx_writes])
async def test_from_anybody_else_the_header_is_refused(hub: Hub, written: Any) -> None:
    """Anybody can write a header, and certificates are no secret."""
    pair = made("az-fhn system")
    await registered(hub, pair)
    before = await hub.head()

    problem(await ask(hub, written(pair)), 403, "certificate-refused")
    problem(await ask(hub, written(pair), "az-fhn"), 403, "certificate-refused")

    await hub.refused("certificate-refused", after=before)


async def test_a_front_that_was_not_told_to_tell_of_certificates_is_not_believed(
    fronted: Hub,
) -> None:
    """It may pass on what clients write."""
    pair = made("tm-msfs system")
    await registered(fronted, pair, agency="tm-msfs")
    async with another_api(fronted, client_certificates=False) as other, fronted.http() as http:
        answer = await http.get(
            f"http://127.0.0.1:{other.port}/v1/session",
            headers={"Client-Cert": as_rfc_9440(pair)},
        )

    problem(answer, 403, "certificate-refused")


async def test_an_unknown_a_revoked_and_an_expired_one_are_refused(fronted: Hub) -> None:
    known, over = made("known"), made("over", days=-1)
    problem(await ask(fronted, as_rfc_9440(known)), 401, "certificate-unknown")
    prefix = await registered(fronted, known)
    await registered(fronted, over)
    problem(await ask(fronted, as_rfc_9440(over)), 401, "token-expired")

    await asyncio.to_thread(revoke, fronted.log, prefix, now=datetime.now(UTC))

    async def forgotten() -> bool:
        return (await ask(fronted, as_rfc_9440(known))).status_code == 401

    await until(forgotten, "the certificate is revoked", 20)
    problem(await ask(fronted, as_rfc_9440(known)), 401, "certificate-unknown")


async def test_a_token_counts_before_a_certificate(fronted: Hub) -> None:
    pair = made("kz-mes system")
    await registered(fronted, pair, agency="kz-mes")

    assert (await ask(fronted, as_rfc_9440(pair), "ru-mchs")).json()["agency"] == "ru-mchs"
    problem(await ask(fronted, as_rfc_9440(pair), "revoked"), 401, "token-invalid")


async def test_who_shows_no_certificate_needs_something_else(fronted: Hub) -> None:
    for nothing in ("", "::"):
        problem(await ask(fronted, nothing), 401, "token-missing")
        assert (await ask(fronted, nothing, "az-fhn")).status_code == 200


@pytest.mark.parametrize(
    "value",
    ["MIIC", ":MIIC", ":?:", "MIIC:", ":", "-----BEGIN CERTIFICATE-----", "-----BEGIN%20", ":a:"],
)
async def test_what_is_no_certificate_is_refused(fronted: Hub, value: str) -> None:
    problem(await ask(fronted, value), 422, "certificate-invalid")


async def test_two_certificates_are_none(fronted: Hub) -> None:
    problem(await ask(fronted, as_rfc_9440(made("x")), times=2), 403, "certificate-refused")


CONFIGURATION = """
daemon off; pid {at}/nginx.pid; error_log {at}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
  fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key;
    ssl_client_certificate {at}/members.pem; ssl_verify_client optional;
    location / {{
      proxy_pass {hub};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header Client-Cert $ssl_client_escaped_cert;
    }}
  }}
}}
"""


@pytest.fixture
def front(fronted: Hub, tmp_path: Path) -> Any:
    """Run nginx in front of the hub, as docs/access.md says; give its port and the authority."""
    if NGINX is None and os.environ.get("CI") == "true":
        pytest.fail("there is no nginx: apt-get install nginx-light")
    if NGINX is None:
        pytest.skip("there is no nginx here: apt-get install nginx-light")
    authority = made("members")
    authority.write(tmp_path, "members")
    made("localhost", by=authority).write(tmp_path, "server")
    port = free_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(at=tmp_path, port=port, hub=fronted.url))
    process = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(configuration)])
    yield port, authority
    process.terminate()
    process.wait(20)


async def test_nginx_forwards_what_the_handshake_proved(
    fronted: Hub, front: tuple[int, Pair], tmp_path: Path
) -> None:
    port, authority = front
    own, other = made("ir-ndmo system", by=authority), made("ir-ndmo system", by=made("members"))
    await registered(fronted, own, agency="ir-ndmo")
    await registered(fronted, other, agency="tm-msfs")

    async def who(pair: Pair | None, **headers: str) -> httpx.Response:
        context = ssl.create_default_context(cafile=str(tmp_path / "members.pem"))
        if pair is not None:
            context.load_cert_chain(*pair.write(tmp_path, "client"))
        async with httpx.AsyncClient(verify=context) as http:
            return await http.get(f"https://localhost:{port}/v1/session", headers=headers)

    async def answers() -> bool:
        try:
            return (await who(own)).status_code == 200
        except httpx.TransportError:
            return False

    await until(answers, "nginx forwards", 20)
    assert (await who(own)).json()["agency"] == "ir-ndmo"
    # What a client writes itself never comes through.
    forged = {"Client-Cert": as_rfc_9440(own)}
    problem(await who(None, **forged), 401, "token-missing")
    problem(await who(None), 401, "token-missing")
    # Of another authority: nginx ends it, and the hub never sees it.
    assert (await who(other)).status_code == 400
