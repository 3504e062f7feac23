"""What whoever runs the hub could do to the log, with a perfect tree over it: seen, and blamed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from samples import Writer, acknowledgement, alert
from sqlalchemy import delete, insert, select, update

from hub.cli.trusted import read_end
from hub.core.candidate import Candidate
from hub.core.merkle import EMPTY, extend, leaf_hash
from hub.core.registry import REGISTRY_KINDS
from hub.core.signing import Chain
from hub.log.deliveries import Kept
from hub.log.faults import FAULTS, Wrong
from hub.log.feed_check import check_feeds
from hub.log.growth import Tiles, frontier_of, history_before, shrunk
from hub.log.hashes import hash_log
from hub.log.projections import read_logged
from hub.log.scan import scan
from hub.log.store import Head, Log
from hub.log.tables import ENTRIES, HEAD, PAYLOADS, TILES
from hub.log.tiles import add_leaves
from hub.log.tree import Tree
from hub.log.verify import Report, verify, verify_store
from hub.log.workers import workers
from schemas.entry import encode, rfc3339
from tests.keys import key, signed

AZ = "az-fhn/2026"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of an honest log; the comments are log indexes."""
    file = tmp_path_factory.mktemp("honest") / "log.db"
    log = Log.open(f"sqlite:///{file}")
    w = Writer(log).begin("az-fhn", "ir-ndmo", "kz-mchs")  # 0; 1, 2, 3
    change = {"agency": "az-fhn", "key": str(key(AZ)), "action": "add"}
    w.commit([Candidate("key", "az-fhn", body=change)])  # 4
    chain, batch = Chain(), []
    for name in ("s-1", "s-2", "s-3"):
        one = signed(alert("az-fhn", name, message_id=f"id-{name}"), AZ, chain)
        chain = chain.after(one.header)
        batch.append(one)
    w.commit(batch)  # 5, 6, 7
    w.commit(
        [
            alert("ir-ndmo", "i-1"),  # 8
            alert("ir-ndmo", "i-2", scope="Private", addresses="KZ"),  # 9
            acknowledgement("ir-ndmo", "5"),  # 10
            Candidate("delivery", "", body={"ir-ndmo": 8, "kz-mchs": 6}),  # 11
            alert("kz-mchs", "k-1"),  # 12
        ]
    )
    assert log.head().size == 13
    log.close()
    return file


@dataclass
class Hub:
    """A hub that lies: it can write anything, and puts a tree over it that holds."""

    log: Log
    kept: Head

    def body(self, index: int) -> dict[str, Any]:
        row = self.log.row(index)
        assert row is not None
        return row.entry

    def say(self, index: int, **facts: Any) -> None:
        """Let an entry say something else."""
        entry = {**self.body(index), **facts}
        body = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
        with self.log.writing() as c:
            c.execute(update(ENTRIES).where(ENTRIES.c.idx == index).values(body=body))
        self.seal()

    def remove(self, index: int) -> None:
        with self.log.writing() as c:
            for table in (ENTRIES, PAYLOADS):
                c.execute(delete(table).where(table.c.idx == index))
                for later in range(index + 1, self.kept.size):
                    c.execute(update(table).where(table.c.idx == later).values(idx=later - 1))
        self.seal()

    def append(self, kind: str, agency: str, **facts: Any) -> int:
        head = self.log.head()
        at = head.at_us + 1
        with self.log.writing() as c:
            body = encode(kind, at, agency, facts)  # type: ignore[arg-type]
            c.execute(
                insert(ENTRIES).values(idx=head.size, at_us=at, kind=kind, agency=agency, body=body)
            )
        self.seal()
        return head.size

    def swap(self, a: int, b: int) -> None:
        """Exchange two entries, each with the time that its new place has."""
        with self.log.writing() as c:
            rows = {r.idx: r for r in c.execute(select(ENTRIES).where(ENTRIES.c.idx.in_([a, b])))}
            for here, there in ((a, b), (b, a)):
                entry = {**json.loads(rows[there].body), "at": rfc3339(rows[here].at_us)}
                body = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
                values = {"kind": rows[there].kind, "agency": rows[there].agency, "body": body}
                c.execute(update(ENTRIES).where(ENTRIES.c.idx == here).values(values))
            for old, new in ((a, -1), (b, a), (-1, b)):
                c.execute(update(PAYLOADS).where(PAYLOADS.c.idx == old).values(idx=new))
        self.seal()

    def seal(self) -> None:
        """Make the tree and the end anew over what is there."""
        rows = list(scan(self.log))
        frontier = extend(EMPTY, [r.body for r in rows])
        with self.log.writing() as c:
            c.execute(delete(TILES))
            add_leaves(c, 0, [leaf_hash(r.body) for r in rows])
            c.execute(
                update(HEAD).values(
                    size=frontier.size,
                    at_us=rows[-1].at_us,
                    root=frontier.root,
                    frontier=frontier.to_bytes(),
                )
            )

    def verified(self, **given: Any) -> Report:
        return verify_store(self.log, read=read_logged, **given)


@pytest.fixture
def hub(honest: Path, tmp_path: Path) -> Iterator[Hub]:
    file = tmp_path / "log.db"
    file.write_bytes(honest.read_bytes())
    log = Log.open(f"sqlite:///{file}")
    yield Hub(log, log.head())
    log.close()


def test_an_honest_log_is_cleared_of_everything(hub: Hub) -> None:
    report = hub.verified(earlier=hub.kept, confirmed={"ir-ndmo": 8})

    assert report.fault is None
    assert (report.signatures, report.acknowledged) == (3, 1)
    assert {f: (s.routed, s.waiting) for f, s in report.feeds.items()} == {
        "az-fhn": (6, 6),
        "ir-ndmo": (7, 3),
        "kz-mchs": (6, 4),
    }


def forge_signature(hub: Hub) -> None:
    other = signed(alert("az-fhn", "s-2", message_id="id-s-2"), "a thief", Chain())
    hub.say(6, signature=other.signature)


def sign_by_another_key(hub: Hub) -> None:
    entry = hub.body(7)
    header = entry["header"]
    one = signed(alert("az-fhn", "s-3", message_id="id-s-3"), "az-fhn/unknown", Chain())
    secret = "az-fhn/unknown"
    from schemas.dsse import HEADER_TYPE  # noqa: PLC0415
    from tests.keys import sign  # noqa: PLC0415

    made = base64.b64encode(sign(secret, HEADER_TYPE, header.encode())).decode()
    hub.say(7, key=one.key, signature=made)


def insert_a_message(hub: Hub) -> None:
    header = {**json.loads(hub.body(12)["header"]), "id": "made-up"}
    hub.append("publish", "kz-mchs", via="http", attested="hub", header=json.dumps(header))


ATTACKS: dict[str, tuple[Callable[[Hub], Any], int | None, str]] = {
    "an officer's word is rewritten": (lambda h: h.say(10, note="not seen"), None, "root"),
    "another officer is put in": (lambda h: h.say(10, officer=" Ayten"), 10, "decision"),
    "a signed message is removed": (lambda h: h.remove(6), 6, "chain"),
    "the last signed message is removed": (lambda h: h.remove(7), 12, "rollback"),
    "an attested message is removed": (lambda h: h.remove(8), 8, "chain"),
    "a message is inserted": (insert_a_message, 13, "chain"),
    "messages are reordered": (lambda h: h.swap(5, 6), 5, "chain"),
    "messages of two agencies are reordered": (lambda h: h.swap(7, 8), None, "root"),
    "a signature is forged": (forge_signature, 6, "signature"),
    "a key is made up": (sign_by_another_key, 7, "signature"),
    "an agency is admitted by nobody": (
        lambda h: h.append("member", "", member={"id": "xx-spy"}),
        13,
        "decision",
    ),
    "a delivery of what is not yet there": (
        lambda h: h.append("delivery", "", feeds={"kz-mchs": 20}),
        13,
        "decision",
    ),
    "a delivery to a feed that is not": (
        lambda h: h.append("delivery", "", feeds={"xx-spy": 9}),
        13,
        "decision",
    ),
    "an acknowledgement by who never got it": (
        lambda h: h.append(
            "acknowledgement",
            "az-fhn",
            via="http",
            message=9,
            message_id=json.loads(h.body(9)["header"])["id"],
            message_agency="ir-ndmo",
            status="Actual",
            sender="centre@az.example",
            identifier="i-2",
            officer="Aysel",
            note="",
        ),
        13,
        "decision",
    ),
    "an acknowledgement is counted twice": (
        lambda h: h.append(
            "acknowledgement", "ir-ndmo", **{k: h.body(10)[k] for k in list(h.body(10))[4:]}
        ),
        13,
        "decision",
    ),
    "an acknowledgement of no message": (
        lambda h: h.append(
            "acknowledgement",
            "ir-ndmo",
            **{**{k: h.body(10)[k] for k in list(h.body(10))[4:]}, "message": 4},
        ),
        13,
        "decision",
    ),
}


@pytest.mark.parametrize(("attack", "index", "code"), ATTACKS.values(), ids=ATTACKS)
def test_what_the_hub_did_is_seen_and_the_hub_is_blamed(
    hub: Hub, attack: Callable[[Hub], Any], index: int | None, code: str
) -> None:
    attack(hub)

    report = hub.verified(earlier=hub.kept)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (index, code), str(report.fault)
    assert report.fault.culprit == "hub"


def publish(hub: Hub, one: Candidate) -> int:
    """Log a signed message without deciding about it."""
    facts = {"header": one.header, "key": one.key, "signature": one.signature}
    index = hub.append("publish", one.agency, via="http", attested="agency", **facts)
    with hub.log.writing() as c:
        row = {"idx": index, "type": one.payload_type, "body": one.payload}
        c.execute(insert(PAYLOADS).values(sha256=sha256(one.payload).digest(), **row))
    return index


@pytest.mark.parametrize(
    ("seq", "name", "culprit"),
    [
        (2, "another", "agency az-fhn"),
        (3, "another", "agency az-fhn"),
        (3, "s-3", "hub"),
        (5, "another", "hub"),
    ],
    ids=["an early number", "the last number", "the same id again", "a gap"],
)
def test_an_agency_that_signed_two_messages_under_one_number_is_named(
    hub: Hub, seq: int, name: str, culprit: str
) -> None:
    """The hub should not have taken the second, but nobody else could have signed it."""
    chain = Chain(seq - 1, json.loads(hub.body(5 + min(seq, 3) - 1)["header"])["prev"])
    message = alert("az-fhn", name, message_id=f"id-{name}", headline="The other story")
    index = publish(hub, signed(message, AZ, chain))

    fault = hub.verified().fault

    assert fault is not None
    assert (fault.index, fault.code, fault.culprit) == (index, "chain", culprit)


def test_a_log_set_back_is_seen_by_who_kept_its_end(hub: Hub) -> None:
    for index in (12, 11):
        hub.remove(index)
        hub.kept = Head(index, hub.kept.at_us, hub.kept.frontier) if index > 12 else hub.kept

    report = hub.verified(earlier=hub.kept)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code, report.fault.culprit) == (11, "rollback", "hub")


def test_a_delivery_that_its_reader_never_confirmed_is_seen(hub: Hub) -> None:
    report = hub.verified(confirmed={"kz-mchs": 5})

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (11, "delivery")
    assert report.fault.culprit == "hub"


def test_two_processes_find_the_same_as_one(hub: Hub) -> None:
    forge_signature(hub)
    alone = hub.verified()

    with workers(2) as crew:
        shared = hub.verified(crew=crew)
        hashed = hash_log(hub.log, 13, hub.log.head().root, crew=crew)

    assert shared == alone
    assert hashed.fault is None
    assert hashed.root == hub.log.head().root


def since(hub: Hub, size: int, *, root: bytes | None = None) -> Report:
    """Verify what was added after the first *size* entries."""
    trusted = Head(size, 0, extend(EMPTY, [r.body for r in scan(hub.log, through=size - 1)]))
    end = read_end(f"{size}:{(root or trusted.root).hex()}")
    assert end is not None
    head = hub.log.head()
    if (fault := shrunk(head.size, end)) is not None:
        return Report(fault=fault)
    tiles = Tiles(Tree(hub.log).tile, size)
    try:
        frontier = frontier_of(tiles, end)
        history = history_before(scan(hub.log, through=size - 1, kinds=REGISTRY_KINDS), tiles, end)
    except Wrong as wrong:
        return Report(fault=wrong.fault)
    return verify(
        scan(hub.log, after=size - 1, through=head.size - 1),
        head,
        first=size,
        frontier=frontier,
        history=history,
        read=read_logged,
    )


def test_what_came_after_a_trusted_end_is_verified_alone(hub: Hub) -> None:
    for size in range(5, 13):
        report = since(hub, size)

        assert report.fault is None, str(report.fault)
        assert report.entries == 13 - size
        assert report.root == hub.kept.root
    assert since(hub, 5).signatures == 3


def test_what_was_rewritten_before_or_after_a_trusted_end_is_seen(hub: Hub) -> None:
    assert since(hub, 9, root=bytes(32)).fault is not None
    hub.say(7, key=str(key("a thief")))
    report = since(hub, 6)
    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (7, "signature")
    with hub.log.writing() as c:
        c.execute(update(ENTRIES).where(ENTRIES.c.idx == 2).values(body=hub.log.row(1).body))  # type: ignore[union-attr]
    report = since(hub, 6, root=hub.kept.root)
    assert report.fault is not None


def page(*entries: tuple[int, bytes], to: int = 99) -> Callable[[str, int], dict[str, Any]]:
    """Return a live feed of these messages."""

    def read(_feed: str, after: int) -> dict[str, Any]:
        found = [
            {
                "index": i,
                "kind": "publish",
                "payload": data.decode(),
                "payload_sha256": sha256(data).hexdigest(),
            }
            for i, data in entries
            if i > after
        ]
        return {"entries": found, "next": to}

    return read


def kept(*entries: tuple[int, bytes]) -> Kept:
    due = Kept()
    for index, data in entries:
        due.add(index, sha256(data).hexdigest())
    return due


@pytest.mark.parametrize(
    ("live", "index"),
    [
        (page((4, b"a"), (7, b"b")), None),
        (page((4, b"a"), (7, b"b"), (30, b"later")), None),
        (page((7, b"b")), 4),
        (page((4, b"a")), 7),
        (page(), 4),
        (page((4, b"a"), (5, b"x"), (7, b"b")), 5),
        (page((4, b"another"), (7, b"b")), 4),
        (page((4, b"a"), to=6), None),
    ],
)
def test_a_message_kept_back_from_a_feed_or_put_into_it_is_seen(
    live: Callable[[str, int], dict[str, Any]], index: int | None
) -> None:
    due = {"az-fhn": kept((4, b"a"), (7, b"b"))}

    reached, fault = check_feeds(due, {"az-fhn": 3}, 20, live)

    assert (fault.index if fault else None) == index
    assert fault is None or (fault.code, fault.culprit) == ("feed", "hub")
    assert fault is not None or reached["az-fhn"] in {6, 19}


def test_every_fault_has_somebody_to_blame() -> None:
    assert all(culprit in {"hub", "storage", "witness"} for _, culprit in FAULTS.values())
