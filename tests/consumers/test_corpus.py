"""Messages of real agencies go from publishing to replay, and come out byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from lxml import etree

from hub.client import StreamPublisher
from hub.log.bundle import export, open_bundle
from hub.log.replay import replay
from hub.log.scan import scan
from hub.streams import keys
from hub.streams.feeds import FeedStreams
from schemas.errors import Rejected
from schemas.payload import read_payload
from schemas.receipt import Receipt
from tests.hubkit import AGENCIES, Hub

SHARED = Path(__file__).resolve().parents[3] / "shared"
CORPUS = SHARED / "corpus" / "cap"
SCHEMAS = [SHARED / "standards" / "cap" / name for name in ("CAP-v1.2.xsd", "cap11.xsd")]


def allowed() -> list[bytes]:
    """Return the messages of the corpus that an official schema of CAP takes."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real messages is not beside this checkout")
    schemas = [etree.XMLSchema(etree.parse(path)) for path in SCHEMAS]
    found = []
    for path in sorted(p for p in CORPUS.rglob("*") if p.is_file()):
        data = path.read_bytes()
        try:
            root = etree.fromstring(data, etree.XMLParser(resolve_entities=False))
        except etree.XMLSyntaxError:
            continue
        if any(schema.validate(root) for schema in schemas):
            found.append(data)
    return sorted(set(found))


def spread(messages: list[bytes]) -> Iterator[tuple[str, bytes, str]]:
    """Yield a publisher, a message and the code it is refused with, if any.

    The corpus holds several versions of some messages: each is by an agency that has none of
    that name, as another text under the same name would be refused.
    """
    taken: set[tuple[str, str, str]] = set()
    for data in messages:
        try:
            facts = read_payload(data).facts
        except Rejected as refusal:
            yield AGENCIES[0], data, refusal.code
            continue
        names = ((agency, facts.sender, facts.identifier) for agency in AGENCIES)
        name = next(name for name in names if name not in taken)
        taken.add(name)
        yield name[0], data, ""


async def test_every_message_that_the_structure_allows_comes_out_byte_for_byte(
    own_hub: Hub, tmp_path: Path
) -> None:
    hub = own_hub
    messages = list(spread(allowed()))
    codes: dict[bytes, str] = {}
    receipts: dict[bytes, Receipt] = {}

    async with AsyncExitStack() as stack:
        publishers = {
            agency: await stack.enter_async_context(StreamPublisher(hub.settings.redis_url, agency))
            for agency in AGENCIES
        }

        async def publish(agency: str, data: bytes) -> None:
            try:
                receipts[data] = await publishers[agency].publish(data)
            except Rejected as refusal:
                codes[data] = refusal.code

        await asyncio.gather(*(publish(agency, data) for agency, data, _ in messages))

    # What breaks no rule has a receipt. What does has its code, and the log has its bytes too.
    assert codes == {data: code for _, data, code in messages if code}
    assert len(receipts) >= 40
    kept = {row.payload for row in await hub.rows("refusal")}
    assert kept >= {data[:65_536] for data in codes}
    assert all(receipt.sha256 == sha256(data).hexdigest() for data, receipt in receipts.items())

    await asyncio.to_thread(export, hub.log, tmp_path / "all.jsonl.gz")
    rows = open_bundle(tmp_path / "all.jsonl.gz").rows()
    await replay(rows, sandbox=FeedStreams(hub.redis, sandbox="corpus"))
    replayed: dict[int, bytes] = {}
    for agency in AGENCIES:
        async for key in hub.redis.scan_iter(f"sandbox:corpus:feed:{agency}*"):
            for id_, fields in await hub.redis.xrange(key):
                replayed[keys.index_of(id_)] = fields[b"payload"]
    assert replayed == {receipt.index: data for data, receipt in receipts.items()}
    direct = {row.index: row.payload for row in scan(hub.log) if row.kind == "publish"}
    assert direct == replayed
