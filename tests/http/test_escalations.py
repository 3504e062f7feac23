"""Who was told of what nobody had acknowledged: shown to those whose messages they are."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.candidate import Candidate
from hub.core.escalation import patience_us
from hub.streams.submit import propose
from tests.hubkit import Hub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Any:
    """Let every deadline have passed at once, for the ledger and the job alike."""
    with pytest.MonkeyPatch.context() as patched:
        for module in ("hub.core.admission", "consumers.escalation"):
            patched.setattr(f"{module}.patience_us", lambda facts: patience_us(facts) // 3000)
        yield


async def test_an_escalation_reaches_who_is_told_and_who_asks(hub: Hub) -> None:
    await propose(
        hub.redis,
        [
            Candidate(
                "subscription",
                "ir-ndmo",
                body={"agency": "ir-ndmo", "name": "second", "filter": {"kinds": ["escalation"]}},
            )
        ],
    )
    index = await hub.publish("az-fhn", severity="Extreme", scope="Private", addresses="IR KZ")

    async def told() -> bool:
        rows = await hub.rows("escalation", after=index)
        return {(r.entry["recipient"], r.entry["step"]) for r in rows} >= {
            ("ir-ndmo", 3),
            ("kz-mes", 3),
        }

    await until(told, "both are told of, to the last step", 20)
    last = await hub.head()

    async with hub.http("ir-ndmo") as http:
        own = (await http.get("/v1/escalations", params={"after": index})).json()
        message = (await http.get(f"/v1/messages/{index}")).json()
        await hub.fed("ir-ndmo", last)
        feed = (await http.get("/v1/feeds/ir-ndmo", params={"kind": "escalation"})).json()
        second = (await http.get("/v1/feeds/ir-ndmo.second")).json()
    assert {e["recipient"] for e in own["escalations"]} == {"ir-ndmo"}
    assert all(e["messages"] == [index] and e["of"] == "az-fhn" for e in own["escalations"])
    (life,) = [r for r in message["recipients"] if r["agency"] == "ir-ndmo"]
    assert [s["step"] for s in life["escalations"]] == [e["step"] for e in own["escalations"]]
    shown = [e for e in feed["entries"] if e["messages"] == [index]]
    assert {e["kind"] for e in shown} == {"escalation"}
    assert [e["index"] for e in shown] == [e["index"] for e in own["escalations"]]
    assert [e["index"] for e in second["entries"]] == [e["index"] for e in shown]
    async with hub.http("az-fhn") as http:
        sent = (await http.get("/v1/escalations", params={"after": index})).json()["escalations"]
        page = (await http.get("/v1/escalations", params={"after": index, "limit": 1})).json()
        mine = (await http.get("/v1/feeds/az-fhn", params={"kind": "escalation"})).json()
    assert {e["recipient"] for e in sent} == {"ir-ndmo", "kz-mes"}
    assert page == {"escalations": sent[:1], "next": sent[0]["index"]}
    assert {(e["recipient"], e["step"]) for e in mine["entries"] if index in e["messages"]} == {
        ("ir-ndmo", 3),
        ("kz-mes", 3),
    }
    async with hub.http("tm-msfs") as http:
        answer = (await http.get("/v1/escalations", params={"after": index})).json()
    assert answer["escalations"] == []
