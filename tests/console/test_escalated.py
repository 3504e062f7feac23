"""What was not acknowledged in time stands on the watch of those who are told of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser

from hub.core.escalation import patience_us
from tests.console.browsers import desk, officer
from tests.hubkit import Hub

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Iterator[None]:
    """Let every deadline have passed at once, for the ledger and the job alike."""
    with pytest.MonkeyPatch.context() as patched:
        for module in ("hub.core.admission", "consumers.escalation"):
            patched.setattr(f"{module}.patience_us", lambda facts: patience_us(facts) // 3000)
        yield


async def test_who_is_told_is_alarmed_until_the_others_have_acknowledged(
    hub: Hub, browser: Browser
) -> None:
    name = await officer(hub, "escalated")
    async with desk(hub, browser, name) as at:
        await at.watches()
        sent = await hub.publish("ir-ndmo", severity="Extreme", scope="Private", addresses="KZ")
        own = await hub.publish("az-fhn", severity="Extreme", scope="Private", addresses="IR")

        await at.until("(i) => document.body.dataset.reasons.includes(`call-${i}-kz-mes`)", sent)
        banner = await at.page.text_content("[data-banner=calls]")
        assert f"#{sent} kz-mes" in (banner or "")
        await at.until("(i) => document.querySelector(`#open [data-index='${i}'] .kind.late`)", own)
        await at.watches()  # a page that is opened later knows it, too
        assert f"call-{sent}-kz-mes" in (await at.said("reasons")).split()
        async with hub.client("kz-mes") as client:
            await client.acknowledge(str(sent), officer="Aigul")
        await at.until("(i) => !document.body.dataset.reasons.includes(`call-${i}-`)", sent)

        assert await at.page.locator("[data-banner=calls]").count() == 0
        assert at.faults == []
