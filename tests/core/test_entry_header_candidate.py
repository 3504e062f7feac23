"""The bytes of an entry, a header's order, and candidates that survive their stream."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from core_strategies import (
    acknowledgements,
    dead_letters,
    deliveries,
    publications,
    refusals,
    texts,
)
from hypothesis import given
from hypothesis import strategies as st

from hub.core.candidate import Candidate
from schemas.entry import (
    ENTRY_KINDS,
    MAX_ENTRY_BYTES,
    decode,
    encode,
    from_micros,
    micros,
    rfc3339,
)
from schemas.header import Header, header_text, uuid7

at = st.integers(0, 4_102_444_800_000_000)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(ENTRY_KINDS), at, texts, st.dictionaries(texts, json_values, max_size=4))
def test_an_entry_is_read_back_as_it_was_written(
    kind: Any, at_us: int, agency: str, facts: dict[str, Any]
) -> None:
    facts = {k: v for k, v in facts.items() if k not in {"v", "kind", "at", "agency"}}

    data = encode(kind, at_us, agency, facts)

    assert decode(data) == {
        "v": 1,
        "kind": kind,
        "at": rfc3339(at_us),
        "agency": agency,
        **facts,
    }
    assert b"\n" not in data
    assert data == encode(kind, at_us, agency, facts)


@given(at)
def test_a_time_is_read_back_to_the_microsecond(at_us: int) -> None:
    text = rfc3339(at_us)

    assert micros(datetime.fromisoformat(text)) == at_us
    assert micros(from_micros(at_us)) == at_us
    assert from_micros(at_us).tzinfo is UTC
    assert len(text) == 27


@given(at, at)
def test_times_sort_as_their_texts(one: int, other: int) -> None:
    assert (one < other) == (rfc3339(one) < rfc3339(other))


def test_an_entry_has_a_longest_length() -> None:
    room = MAX_ENTRY_BYTES - len(encode("refusal", 0, "", {"x": ""}))

    assert len(encode("refusal", 0, "", {"x": "a" * room})) == MAX_ENTRY_BYTES
    with pytest.raises(ValueError, match="over"):
        encode("refusal", 0, "", {"x": "a" * (room + 1)})


def test_half_a_character_is_no_text_for_an_entry() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode("refusal", 0, "", {"x": "\ud800"})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"v":2,"kind":"publish"}',
        b'{"v":1,"kind":"gossip"}',
        b'{"v":1}',
        b'{"v":1,"kind":"publish"} trailing',
    ],
)
def test_other_bytes_are_no_entry(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(data)


@given(at, at, st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_ids_sort_as_the_moments_they_were_made_at(
    one: int, other: int, salt: bytes, pepper: bytes
) -> None:
    if one < other:
        assert uuid7(one, salt) < uuid7(other, pepper)


@given(at, st.binary(min_size=8, max_size=8))
def test_an_id_is_a_uuid_of_version_7(at_us: int, salt: bytes) -> None:
    made = uuid.UUID(uuid7(at_us, salt))

    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == at_us // 1000
    assert uuid7(at_us, salt) == str(made)


def test_ids_of_one_moment_differ() -> None:
    assert len({uuid7(1) for _ in range(100)}) == 100


@given(texts, st.lists(texts, max_size=3), st.none() | st.just("2026-11-23T14:00:00+00:00"))
def test_a_header_is_read_back_as_it_was_written(
    agency: str, audience: list[str], expires: str | None
) -> None:
    facts = {
        "agency": agency,
        "seq": 3,
        "prev": "0" * 64,
        "created": "2026-11-23T14:00:00+04:00",
        "expires": expires,
        "audience": tuple(audience),
        "payload_type": "application/cap+xml",
        "payload_sha256": "1" * 64,
        "payload_size": 5,
    }

    text = header_text(message_id="m-1", type_="alert", **facts)  # type: ignore[arg-type]

    header = Header.model_validate_json(text)
    written = header.model_dump()
    assert written.pop("id") == "m-1"
    assert written.pop("type") == "alert"
    assert written.pop("created") == datetime.fromisoformat("2026-11-23T14:00:00+04:00")
    ends = written.pop("expires")
    assert ends == (datetime.fromisoformat(expires) if expires else None)
    assert written.items() <= facts.items()
    assert list(json.loads(text)) == list(Header.model_fields)


def through_stream(candidate: Candidate) -> Candidate:
    return Candidate.from_fields(
        {
            name.encode(): value if isinstance(value, bytes) else value.encode()
            for name, value in candidate.to_fields().items()
        }
    )


storable = st.one_of(publications(), acknowledgements, refusals, dead_letters, deliveries).filter(
    lambda c: "\ud800" not in {c.body.get("note"), c.body.get("detail", "")[5:6]}
)


@given(storable, texts, st.sampled_from(["http", "stream", "hub"]))
def test_a_candidate_survives_its_stream(candidate: Candidate, inbox: str, via: Any) -> None:
    sent = Candidate(
        candidate.kind,
        candidate.agency,
        via=via,
        inbox=inbox,
        payload=candidate.payload,
        payload_type=candidate.payload_type,
        message_id=candidate.message_id,
        facts=candidate.facts,
        warnings='[{"rule":"R17"}]' if inbox else "[]",
        body=candidate.body,
    )

    assert through_stream(sent) == sent
    assert all(value for name, value in sent.to_fields().items() if name != "agency")


@pytest.mark.parametrize("fields", [{}, {b"kind": b"publish"}, {b"kind": b"\xff", b"agency": b""}])
def test_fields_of_something_else_are_no_candidate(fields: dict[bytes, bytes]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Candidate.from_fields(fields)


def test_a_header_with_a_wrong_id_is_none() -> None:
    text = header_text(
        message_id="-starts-badly",
        agency="az-fhn",
        seq=1,
        prev="",
        type_="alert",
        created=str(datetime.now(UTC) - timedelta(days=1)),
        expires=None,
        audience=(),
        payload_type="application/cap+xml",
        payload_sha256="",
        payload_size=0,
    )

    with pytest.raises(ValueError, match="id"):
        Header.model_validate_json(text)
