"""Policies: as the specification has them, and a level is never shown before it is reached."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.checkpoint import Checkpoint
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey
from schemas.errors import Rejected
from schemas.notes import Note, NoteSignature, signature_line
from schemas.policy import Policy, read_policy
from tests.keys import cosign, key, raw_signature, witness

ORIGIN = "test.example/log"
TEXT = Checkpoint(ORIGIN, 7, bytes(32)).body()
FIVE = ("az", "ir", "kz", "ru", "tm")
STATES = "\n".join(
    [
        f"log {key(ORIGIN)} https://test.example/log",
        *(f"witness {name} {witness(name)} https://{name}.example" for name in FIVE),
        f"group states 3 {' '.join(FIVE)}",
        "quorum states",
        "",
    ]
)


def own(text: str = TEXT) -> NoteSignature:
    return signature_line(key(ORIGIN), raw_signature(ORIGIN, text.encode()))


def note(*witnesses: str, log: NoteSignature | None = None, text: str = TEXT) -> Note:
    lines = [log or own(text), *(cosign(name, text, 100 + n) for n, name in enumerate(witnesses))]
    return Note(text, tuple(lines))


def policy(text: str = STATES) -> Policy:
    return read_policy(text.encode())


def test_a_policy_says_whose_word_counts() -> None:
    found = policy()

    assert found.logs[0].key == key(ORIGIN)
    assert found.witnesses["kz"].key == witness("kz")
    assert found.witnesses["kz"].url == "https://kz.example"
    assert found.groups["states"].least == 3
    assert found.fewest == 3


@pytest.mark.parametrize("count", range(6))
def test_three_of_five_witness_and_four_seal_whoever_they_are(count: int) -> None:
    reached = {0: "signed", 1: "signed", 2: "signed", 3: "witnessed", 4: "sealed", 5: "sealed"}
    for some in combinations(FIVE, count):
        assert policy().level(note(*some)) == reached[count]


def test_nobody_counts_twice() -> None:
    lines = tuple(cosign("az", TEXT, at) for at in range(9))
    again = Note(TEXT, (own(), *lines, cosign("ir", TEXT, 5)))

    assert policy().level(again) == "signed"
    assert policy().cosigned(again) == {"az": 0, "ir": 5}, "the first time counts"


@pytest.mark.parametrize(
    "forged",
    [
        Note(TEXT, tuple(cosign(n, TEXT, 1) for n in FIVE)),
        note(*FIVE, log=signature_line(key(ORIGIN), bytes(64))),
        note(*FIVE, log=signature_line(key("other.example"), bytes(64))),
        note(*FIVE, text=Checkpoint("other.example/log", 7, bytes(32)).body()),
        Note("no checkpoint\n", (own("no checkpoint\n"),)),
    ],
    ids=["not by the log", "no signature", "of another key", "of another log", "no checkpoint"],
)
def test_what_no_log_of_the_policy_signed_has_no_level(forged: Note) -> None:
    assert policy().level(forged) is None


def test_cosignatures_of_another_checkpoint_count_for_nothing() -> None:
    other = Checkpoint(ORIGIN, 8, bytes(32)).body()
    lines = tuple(cosign(name, other, 1) for name in FIVE)

    assert policy().level(Note(TEXT, (own(), *lines))) == "signed"


@given(st.integers(0, 3 * 72 * 8 - 1))
def test_no_single_bit_that_is_wrong_makes_a_quorum(bit: int) -> None:
    whole = note("az", "ir", "kz")
    number, at = divmod(bit, 72 * 8)
    line = whole.signatures[1 + number]
    data = bytearray(line.signature)
    data[at // 8] ^= 1 << at % 8
    broken = NoteSignature(line.name, line.key_id, bytes(data))
    lines = [*whole.signatures]
    lines[1 + number] = broken

    assert policy().level(Note(TEXT, tuple(lines))) == "signed"


def test_groups_hold_groups() -> None:
    lines = [f"witness {n} {witness(n)}" for n in ("x1", "x2", "x3", "y1", "y2", "y3")]
    lines += ["group X 2 x1 x2 x3", "group Y any y1 y2 y3", "group both all X Y", "quorum both"]
    found = policy("\n".join(lines))

    assert found.fewest == 3
    assert found.holds({"x1", "x3", "y2"})
    assert not found.holds({"x1", "x2", "x3"})
    assert not found.holds({"x1", "y1", "y2", "y3"})


def test_without_a_quorum_nothing_is_ever_witnessed() -> None:
    found = policy(STATES.replace("quorum states", "quorum none"))

    assert found.level(note(*FIVE)) == "signed"
    assert found.fewest == 0


def test_a_single_witness_seals_nothing() -> None:
    found = policy(STATES.replace("quorum states", "quorum az"))

    assert found.level(note("az", "ir")) == "witnessed"


def test_comments_spaces_and_names_of_any_octets_are_taken() -> None:
    name = b"\xff\xe2\x84\xaa"
    data = b"\n".join(
        [
            b"\t# a policy \xff",
            b"",
            b"  \twitness\t " + name + b"   " + str(witness("az")).encode() + b" \t",
            b"quorum " + name,
        ]
    )

    found = read_policy(data)

    assert found.holds({name.decode("utf-8", "surrogateescape")})


W1, W2 = witness("w1"), witness("w2")
NAMED = f"witness a {W1}\nwitness b {W2}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no quorum"),
        (NAMED, "no quorum"),
        ("quorum none\nquorum none\n", "line 2: there is a quorum already"),
        ("quorum a\n", "line 1: no line before"),
        (f"quorum a\nwitness a {W1}\n", "line 1"),
        ("quorum\n", "not so many words"),
        ("quorum none none\n", "not so many words"),
        ("quorums none\n", "is none of"),
        ("QUORUM none\n", "is none of"),
        ("log\n", "not so many words"),
        (f"log {key('l')} u v\n", "not so many words"),
        (f"log {key('l')}\nlog {key('l')}\n", "line 2: the log stands there twice"),
        (f"log {key('l')}\nlog {VerifierKey('m', key('l').public)}\n", "twice"),
        (f"witness a {W1}\nwitness b {CosignerKey('x', W1.public)}\n", "twice"),
        (f"witness a {W1}\nwitness a {W2}\n", "taken"),
        (f"witness none {W1}\n", "taken"),
        (f"witness a {W1} u v\n", "not so many words"),
        (f"{NAMED}group a any b\n", "taken"),
        (f"{NAMED}group g any c\n", "no line before"),
        (f"{NAMED}group g any g\n", "no line before"),
        (f"{NAMED}group g any none\n", "no line before"),
        (f"{NAMED}group g any\n", "not so many words"),
        (f"{NAMED}group g 0 a b\n", "cannot be 0"),
        (f"{NAMED}group g 3 a b\n", "cannot be 3"),
        (f"{NAMED}group g 01 a b\n", "cannot be 01"),
        (f"{NAMED}group g +1 a b\n", "cannot be +1"),
        (f"{NAMED}group g ALL a b\n", "cannot be ALL"),
        (f"{NAMED}group g any a a\n", "already"),
        (f"{NAMED}group g any a\ngroup h any a b\n", "already"),
        ("quorum none\r\n", "line 1: there is a control character"),
        ("\n# x\x7f\nquorum none\n", "line 2: there is a control character"),
        ("#\n" * 2000 + "quorum none\n", "too long"),
        ("".join(f"witness w{n} {witness(str(n))}\n" for n in range(101)), "more than 100"),
    ],
)
def test_what_is_no_policy_is_refused_and_its_line_named(text: str, why: str) -> None:
    with pytest.raises(Rejected) as refused:
        policy(text)

    assert refused.value.code == "policy-invalid"
    assert why in refused.value.detail


@pytest.mark.parametrize("vkey", ["x", str(key("w1")), str(W1).replace("w1", "w2")])
def test_a_witness_has_a_key_for_cosignatures(vkey: str) -> None:
    with pytest.raises(Rejected) as refused:
        policy(f"witness a {vkey}\nquorum a\n")

    assert refused.value.code == "key-invalid"


_WORDS = st.sampled_from(
    [
        *("log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "a", "b", "#", "\t"),
        *map(str, (key(ORIGIN), W1, W2)),
    ]
)


@given(st.lists(st.lists(_WORDS, max_size=6).map(" ".join), max_size=8).map("\n".join))
def test_whatever_words_there_are_it_is_a_policy_or_is_refused(text: str) -> None:
    try:
        found = policy(text)
    except Rejected:
        return
    everybody = set(found.witnesses)
    assert found.holds(everybody)
    assert found.fewest <= len(everybody)
    assert found.quorum == "none" or not found.holds(set())


@given(st.binary(max_size=300))
def test_whatever_bytes_there_are_it_is_a_policy_or_is_refused(data: bytes) -> None:
    try:
        read_policy(data)
    except Rejected as e:
        e.detail.encode()
