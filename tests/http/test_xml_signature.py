"""An XML signature inside an alert is told beside the message, and decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from hub.cap_trust import trusted_certificates
from hub.errors import Unavailable
from hub.log.projections import read_logged
from hub.log.verify import verify_store
from tests.hubkit import Hub, alert, running_hub
from tests.xml_signer import CA, OFFICE, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def trusting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    directory = tmp_path_factory.mktemp("trust")
    (directory / "ca.pem").write_bytes(CA.pem)
    (directory / "readme.txt").write_text("no certificate")
    async with running_hub(tmp_path_factory.mktemp("hub"), cap_trust=directory) as hub:
        yield hub


def fresh() -> bytes:
    return signed(payload=alert(sent=datetime.now(UTC).replace(microsecond=0)))


async def told(hub: Hub, payload: bytes) -> dict[str, object] | None:
    index = await hub.publish(payload=payload)
    async with hub.http("ir-ndmo") as http:
        shown = (await http.get(f"/v1/messages/{index}")).json()
    found: dict[str, object] | None = shown.get("xml_signature")
    return found


async def test_what_was_found_is_told(trusting: Hub) -> None:
    found = await told(trusting, fresh())

    assert found == {
        "state": "valid",
        "detail": "",
        "subject": "CN=Alert office",
        "issuer": "CN=Ministry CA",
    }
    assert await told(trusting, alert()) is None


async def test_one_that_does_not_hold_is_told_and_the_alert_goes_out(trusting: Hub) -> None:
    found = await told(trusting, fresh().replace(b"Keep away", b"Come near"))

    assert found is not None
    assert found["state"] == "invalid"


async def test_the_log_verifies_with_it(trusting: Hub) -> None:
    await told(trusting, fresh())

    assert (await asyncio.to_thread(verify_store, trusting.log, read=read_logged)).fault is None


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_a_directory_that_cannot_be_read_is_a_wrong_setting(
    tmp_path: Path, content: bytes | None
) -> None:
    directory = tmp_path / "trust"
    if content is not None:
        directory.mkdir()
        (directory / "ca.pem").write_bytes(content)
    with pytest.raises(Unavailable) as caught:
        trusted_certificates(directory)

    assert caught.value.code == "settings-invalid"
    assert trusted_certificates(None) == []
    assert OFFICE.certificate
