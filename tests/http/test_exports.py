"""Files that the hub makes of its log: as the command's, and told in the log before they go."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.http import exports
from hub.log.bundle import open_bundle, verify_bundle
from hub.log.projections import read_logged
from tests.hubkit import Hub, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def taken(hub: Hub, who: str = "auditor", **wanted: Any) -> httpx.Response:
    async with hub.http(who) as http:
        return await http.post("/v1/exports/files", json=wanted)


async def test_a_bundle_verifies_without_the_hub_and_the_log_says_who_took_it(
    hub: Hub, tmp_path: Path
) -> None:
    through = await hub.publish()

    answer = await taken(hub, through=through, purpose="audit of June")

    assert answer.status_code == 200, answer.text
    path = tmp_path / "taken.jsonl.gz"
    path.write_bytes(answer.content)
    bundle = open_bundle(path)
    assert (await asyncio.to_thread(verify_bundle, bundle, read=read_logged)).fault is None
    assert [row.index for row in bundle.rows()] == list(range(through + 1))
    assert f'"caspian-log-0-{through}.jsonl.gz"' in answer.headers["content-disposition"]
    (row,) = [
        r for r in await hub.rows("export") if r.index == int(answer.headers["caspian-export"])
    ]
    assert row.index > through
    assert row.entry["by"] == "Auditor"
    told = row.entry["export"]
    assert (told["purpose"], told["entries"], told["payloads"]) == (
        "audit of June",
        through + 1,
        True,
    )


async def test_a_part_proves_that_each_of_its_entries_is_in_the_log(
    hub: Hub, tmp_path: Path
) -> None:
    first = await hub.publish()
    last = await hub.publish()

    answer = await taken(hub, first=first, through=last, kinds=["publish"], payloads=False)

    path = tmp_path / "part.jsonl.gz"
    path.write_bytes(answer.content)
    bundle = open_bundle(path)
    assert (bundle.header.part, bool(bundle.header.checkpoint)) == (True, True)
    report = await asyncio.to_thread(verify_bundle, bundle, read=read_logged)
    assert report.fault is None
    assert [row.index for row in bundle.rows()] == [first, last]


async def test_a_selection_as_a_table(hub: Hub) -> None:
    first = await hub.publish(headline="=1+1")
    last = await hub.publish("kz-mes", sender="duty@kz.example")

    wanted = {"first": first, "through": last, "kinds": ["publish"], "agency": "az-fhn"}
    answer = await taken(hub, format="csv", **wanted)
    parquet = await taken(hub, format="parquet", **wanted)

    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["index"], row["headline"]) == (str(first), "'=1+1")
    assert parquet.content.startswith(b"PAR1")


async def test_what_is_withheld_from_somebody_they_cannot_take(hub: Hub) -> None:
    private = await hub.publish("az-fhn", scope="Private", addresses="az-fhn ir-ndmo")
    theirs = await hub.publish("kz-mes", sender="duty@kz.example")
    before = len(await hub.rows("export"))

    refused = await taken(hub, "auditor of KZ", first=private, through=theirs)
    given = await taken(hub, "auditor of KZ", first=theirs, through=theirs)
    officer = await taken(hub, "officer", first=theirs, through=theirs)

    problem(refused, 403, "not-allowed")
    problem(officer, 403, "not-allowed")
    assert given.status_code == 200
    assert len(await hub.rows("export")) == before + 1


async def test_what_is_too_much_for_a_browser_is_for_the_command(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = await hub.publish()
    monkeypatch.setattr(exports, "_MOST", 2)

    told = problem(await taken(hub, first=0, through=through), 422, "export-invalid")
    unknown = problem(await taken(hub, kinds=["poetry"]), 422, "export-invalid")

    assert "caspian log export" in told["remedy"]
    assert "publish" in unknown["remedy"]
