"""docs/protocol/entries.md has every field of every kind of entry as the ledger writes it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consumers.intake import candidate_of, dead_letter_of
from consumers.signatures import opened
from consumers.worker import StreamEntry
from hub.core.actions import ABOUT
from hub.core.admission import Rules, decide
from hub.core.candidate import Candidate
from hub.core.changes import ChangeKind
from hub.core.exports import Export
from hub.core.identities import State
from hub.core.known import Known
from hub.core.registry import History, Registry
from hub.core.signing import Chain
from hub.log.bundle import export
from hub.log.genesis import ensure_genesis
from hub.log.store import Log
from schemas.entry import ENTRY_KINDS, decode, micros, rfc3339
from tests.docs.pages import bare, rows, sections, text_of
from tests.keys import key, signed, signed_fields, statement
from tests.log.samples import BEGAN, cap
from tests.xml_signer import signed as xml_signed

PAGE = "docs/protocol/entries.md"
_COMMON = {"v", "kind", "at", "agency"}
_AZ, _IR = "az-fhn", "ir-ndmo"
_LATER = {
    "escalation": timedelta(hours=2),
    "restart": timedelta(hours=4),
    "retirement": timedelta(days=3),
}
"""When a recipient is late, the hub has been down, and payloads are old."""


_ACTION: dict[str, Any] = {
    "action": "token-issued",
    "about": {n: 7 if n == "index" else [] if n in {"roles", "scopes"} else "x" for n in ABOUT},
}


def _inbox(fields: dict[bytes, bytes]) -> Candidate:
    entry = StreamEntry(b"1-0", fields)
    found = opened(_AZ, [entry]).get(entry.id)
    return candidate_of(_AZ, entry, max_payload_bytes=1 << 20, signed=found)


def _state(code: str) -> dict[str, str]:
    return {"id": code, "name": code, "authority": str(key(code))}


def _signed(registry: Registry, kind: ChangeKind, record: dict[str, Any]) -> Candidate:
    """Have a change signed by all who could be asked."""
    signers = ("AZ", "IR", "KZ", f"{_AZ}-root", f"{_IR}-root", _AZ, _IR, "docs.example/log")
    return Candidate(kind, "", body=statement(registry, kind, record, *signers))


def _candidates(registry: Callable[[], Registry]) -> Iterator[Candidate]:
    """Yield, one after the other, something of each kind by each way it can come."""
    yield _signed(registry(), "state", _state("KZ"))
    for agency in (_AZ, _IR):
        record = {"id": agency, "state": agency[:2].upper(), "name": agency, "coordinates": True}
        record["approval"] = True
        yield _signed(registry(), "member", {**record, "root": str(key(f"{agency}-root"))})
        added = {"agency": agency, "key": str(key(agency)), "action": "add"}
        yield _signed(registry(), "key", added)
    wanted = {"states": ["AZ"], "bbox": [36, 46, 48, 55]}
    asked = {"agency": _IR, "name": "sea", "filter": wanted}
    yield _signed(registry(), "subscription", asked)
    yield _inbox({
        b"payload": cap("A-1"), b"person": b"S. Rzayeva", b"approved_by": b"O. Mammadov",
    })  # fmt: skip
    order = {"agency": _AZ, "message": 7, "grounds": "court order 7"}
    yield _signed(registry(), "redaction", order)
    own = {"key": str(key("docs.example/log")), "action": "add"}
    yield _signed(registry(), "log-key", own)
    plain = _inbox({b"payload": cap("A-2")})
    yield _inbox(signed_fields(plain, _AZ))
    yield _inbox({b"payload": xml_signed(payload=cap("A-4"))})
    lost = _inbox({b"payload": cap("A-3", scope="Private", addresses="nobody")})
    chain = Chain().after(signed(plain, _AZ).header)
    yield _inbox(signed_fields(lost, _AZ, chain))
    yield _inbox({b"payload": b"no message"})
    yield _inbox({b"payload": cap("A-1", headline="other bytes"), b"via": b"http"})
    body = {"code": "token-missing", "detail": "none", "count": 7, "of": "request"}
    yield Candidate("refusal", "", via="http", body=body)
    yield Candidate(
        "acknowledgement", _IR, via="stream", inbox="1-0", body={"message": "7", "officer": "S"}
    )
    yield Candidate("delivery", "", body={_AZ: 7})
    yield Candidate("action", _AZ, inbox="action/1", person="L", body=_ACTION)
    late = {"recipient": _IR, "step": 3, "messages": [7, 8, 9, 10, 11]}
    yield Candidate("escalation", "", body=late)
    yield Candidate("restart", "", body={"since_us": 0})
    part = {"first": 0, "through": 7, "kinds": ["publish"]}
    drill = {"sandbox": "drill", "action": "started", "part": part}
    yield Candidate("replay", "", inbox="replay/1/started", person="Trainer", body=drill)
    entry = StreamEntry(b"2-0", {b"payload": b"x", b"id": b"17"}, deliveries=6)
    yield dead_letter_of(_AZ, entry, "intake", "a fault")
    yield Candidate("dead-letter", _AZ, body={"stage": "fanout", "index": 4, "reason": "a fault"})
    given_up = {"stage": "webhook", "index": 4, "outlet": "o1", "feed": _AZ, "reason": "it is gone"}
    yield Candidate("dead-letter", _AZ, body=given_up)
    held = {"state": "AZ", "message": None, "incident": "Oil-7", "reason": "case 7"}
    yield _signed(registry(), "hold", held)
    ended = {"state": "AZ", "hold": max(registry().holds), "reason": "closed"}
    yield _signed(registry(), "release", ended)
    taken = Export(
        format="csv",
        first=0,
        through=1,
        search={"text": "oil"},
        payloads=False,
        entries=2,
        sha256="0" * 64,
    )
    told = {"role": "auditor", "made": "now", "export": taken.model_dump(mode="json")}
    yield Candidate("export", "", body=told, person="Aida")
    aged = {"messages": list(range(8, 20)), "before": rfc3339(micros(BEGAN + timedelta(days=1)))}
    yield Candidate("retirement", "", body=aged)


def _written(log: Log) -> list[dict[str, Any]]:
    roots = [State.model_validate(_state(code)) for code in ("AZ", "IR")]
    head = ensure_genesis(
        log,
        origin="docs.example/log",
        version="0",
        now_us=micros(BEGAN),
        roots=roots,
        key=str(key("docs.example/old")),
    )
    first = log.row(0)
    assert first is not None
    found, history = [first.entry], History([(0, first.entry)])
    size, at_us, known = head.size, head.at_us, Known()
    for candidate in _candidates(lambda: history.latest):
        # As it comes out of Redis, so that nothing is lost on the way.
        read = Candidate.from_fields(
            {
                k.encode(): v if isinstance(v, bytes) else v.encode()
                for k, v in candidate.to_fields().items()
            }
        )
        decisions = decide(
            [read if read.header else replace(read, message_id="")],
            size=size,
            last_at_us=at_us,
            now_us=micros(BEGAN + _LATER.get(candidate.kind, timedelta(0))),
            registry=history.latest,
            known=known,
            rules=Rules(),
        )
        for entry in decisions.entries:
            decoded = decode(entry.body)
            history.apply(size, decoded)
            found.append(decoded)
            size, at_us = size + 1, entry.at_us
    return found


@pytest.fixture
def entries(tmp_path: Path) -> list[dict[str, Any]]:
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    try:
        return _written(log)
    finally:
        log.close()


def _flat(value: Mapping[str, Any], before: str = "") -> set[str]:
    """Return the names of all fields, those inside records and filters too."""
    found = set()
    for name, inner in value.items():
        found.add(before + name)
        if name in {
            "state",
            "member",
            "key",
            "subscription",
            "redaction",
            "hold",
            "release",
            "export",
            "log-key",
            "filter",
            "replay",
            "part",
            "about",
        } and isinstance(inner, dict):
            found |= _flat(inner, f"{before}{name}.")
    return found


def test_every_kind_has_a_section_with_its_fields(entries: list[dict[str, Any]]) -> None:
    written: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        written[entry["kind"]] |= _flat(entry) - _COMMON
    page = sections(text_of(PAGE), 2)

    for kind in ENTRY_KINDS:
        fields = rows(page[kind].split("The header is")[0])
        assert {bare(row[0]) for row in fields} == written[kind], kind


def test_the_fields_that_all_have_are_documented(entries: list[dict[str, Any]]) -> None:
    head = text_of(PAGE).split("## Hashes")[0]

    assert [bare(row[0]) for row in rows(head)] == list(entries[0])[: len(_COMMON)]
    assert set(entries[0]) >= _COMMON


def test_the_header_is_documented(entries: list[dict[str, Any]]) -> None:
    message = next(e for e in entries if e["kind"] == "publish")
    fields = rows(sections(text_of(PAGE), 2)["publish"].split("The header is")[1])

    assert [bare(row[0]) for row in fields] == list(json.loads(message["header"]))


def test_a_bundle_has_the_fields_that_are_documented(tmp_path: Path) -> None:
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    file = tmp_path / "bundle.jsonl"
    _written(log)
    export(log, file, kinds=["genesis"], agency="")
    log.close()
    page = sections(text_of(PAGE), 2)["Bundles"]

    for line in file.read_text("utf-8").splitlines():
        for name in json.loads(line):
            assert f"`{name}`" in page, name
