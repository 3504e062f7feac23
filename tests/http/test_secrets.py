"""What is secret stands in no line, no error, no figure and no entry, and nobody forges a line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hub.streams.embedded import free_port
from tests.http.people import add_person
from tests.hubkit import Hub, alert, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG_TOKEN = "csp_0123456789ab_wrongwrongwrongwrong"
WRONG_PASSWORD = "not-the-password-of-anybody"
WRONG_CODE = "918273"
PASSPHRASE = "a-passphrase-for-a-sealed-key"
FORGED = "\n{forged}\r\x1b[2J\x9b2J"


@asynccontextmanager
async def api_process(hub: Hub, lines: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the hub by the command itself, with all that it can be told to write."""
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CASPIAN_")},
        **hub.settings.to_environment(),
        "CASPIAN_PORT": str(port),
        "CASPIAN_LOG_LEVEL": "debug",
        "CASPIAN_LOG_FORMAT": "json",
    }
    with lines.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220  # it begins at once
            [sys.executable, "-m", "hub.cli", "serve"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:

            async def ready() -> bool:
                assert process.poll() is None
                try:
                    return (await http.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await until(ready, "it serves", 60)
            yield http
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


@pytest.mark.long
async def test_no_secret_is_told_to_anybody(hub: Hub, tmp_path: Path) -> None:
    person = await add_person(hub, "leyla", totp=True)
    lines, sealed = tmp_path / "lines", tmp_path / "sealed"
    redis_password = hub.settings.redis_url.partition("@")[0].rpartition(":")[2]
    own = {"Authorization": f"Bearer {hub.tokens['az-fhn']}"}
    answers: list[httpx.Response] = []
    async with api_process(hub, lines) as http:
        before = await hub.head()
        published = await http.post("/v1/messages", content=alert(), headers=own)
        assert published.status_code == 201
        answers += [
            published,
            await http.post("/v1/messages", content=b"<broken", headers=own),
            await http.get("/v1/feeds", headers={"Authorization": f"Bearer {WRONG_TOKEN}"}),
            await http.get("/v1/feeds", headers={"Authorization": f"Basic {WRONG_TOKEN}"}),
            await http.get("/v1/feeds", headers={"Cookie": f"caspian-local={WRONG_TOKEN}"}),
            await http.get(
                "/v1/feeds", headers={"Authorization": f"Bearer {hub.tokens['revoked']}"}
            ),
            await http.post("/v1/session", json={"name": person.name, "password": WRONG_PASSWORD}),
            await http.post("/v1/session", json={"name": 7, "password": WRONG_PASSWORD}),
            await http.post(
                "/v1/session",
                content=f'{{"name": "leyla", "password": "{WRONG_PASSWORD}"',
                headers={"Content-Type": "application/json"},
            ),
            await http.post(
                "/v1/session",
                json={"name": person.name, "password": person.password, "code": WRONG_CODE},
            ),
            await http.post(
                "/v1/session",
                json={"name": person.name, "password": person.password, "x": WRONG_PASSWORD},
            ),
        ]
        sealing = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "hub.cli", "keys", "new", str(sealed), "--sealed"],
            env={**os.environ, "CASPIAN_PASSPHRASE": PASSPHRASE},
            capture_output=True,
            check=False,
        )
        assert sealing.returncode == 0, sealing.stderr
        figures = await http.get("/metrics")
        answers.append(figures)

        async def logged() -> bool:
            found = await hub.rows("refusal", after=before)
            return sum(r.entry["code"] == "token-invalid" for r in found) >= 2

        await until(logged, "the refusals are in the log", 20)

    entries = b"\n".join(
        json.dumps(r.entry, ensure_ascii=False).encode() + (r.payload or b"")
        for r in await hub.rows()
    )
    told = {
        "lines": lines.read_bytes(),
        "answers": b"\n".join(a.content + repr(a.headers).encode() for a in answers),
        "entries": entries,
        "the command": sealing.stdout + sealing.stderr,
        "the sealed key": sealed.read_bytes(),
    }
    assert b"token-invalid" in told["entries"]
    assert b"sign-in-refused" in told["answers"]
    secrets = {
        "the token": hub.tokens["az-fhn"].split("_", 2)[2],
        "the revoked token": hub.tokens["revoked"].split("_", 2)[2],
        "a wrong token": WRONG_TOKEN.rpartition("_")[2],
        "the password": person.password,
        "a wrong password": WRONG_PASSWORD,
        "a wrong code": WRONG_CODE,
        "the passphrase": PASSPHRASE,
        "Redis's password": redis_password,
    }
    for where, text in told.items():
        for what, secret in secrets.items():
            assert len(secret) >= 6
            assert secret.encode() not in text, f"{what} stands in {where}"


async def test_nobody_forges_a_line_or_moves_a_cursor(hub: Hub, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    own = {"Authorization": f"Bearer {hub.tokens['az-fhn']}"}
    quoted = "%0A%7Bforged%7D%0D%1B%5B2J"
    async with api_process(hub, lines) as http:
        answers = [
            await http.get(f"/{quoted}", headers=own),
            await http.get(f"/v1/feeds/{quoted}", headers=own),
            await http.get(f"/v1/messages/{quoted}", headers=own),
            await http.get("/v1/feeds/az-fhn", params={"bbox": FORGED}, headers=own),
            await http.get("/v1/feeds/az-fhn", params={"after": FORGED}, headers=own),
            await http.post(
                "/v1/messages",
                content=alert(),
                headers={**own, "Caspian-Message-Id": "a\x9b2J{forged}".encode("latin-1")},  # type: ignore[dict-item]  # httpx takes bytes
            ),
            await http.post("/v1/session", json={"name": FORGED, "password": "x"}),
        ]
        port = http.base_url.port
        assert port is not None
        hanging_up = (
            f"POST /v1/messages?{quoted} HTTP/1.1\r\nHost: hub\r\n"
            f"Authorization: {own['Authorization']}\r\nContent-Length: 9\r\n\r\n<"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(hanging_up.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""

        async def written() -> bool:
            return b"request.abandoned" in lines.read_bytes()

        await until(written, "the line is there", 20)

    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text
        for name, value in answer.headers.items():
            assert "forged" not in name + value
        assert not set(answer.text) & {"\n", "\r", "\x1b", "\x9b"}, answer.text
    for line in lines.read_text().splitlines():
        assert isinstance(json.loads(line), dict), line
        assert not line.startswith("{forged}")
    assert not set(lines.read_text()) & {"\r", "\x1b", "\x9b"}
