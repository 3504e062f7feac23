"""Proofs and tiles: what the public vectors say, and no single bit that is wrong gets through."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.merkle import EMPTY, extend, leaf_hash, root_of
from hub.core.proofs import (
    consistency_proof,
    inclusion_proof,
    range_root,
    verify_consistency,
    verify_inclusion,
)
from hub.core.tiles import (
    WIDTH,
    entries_path,
    grown,
    node_from,
    partial_widths,
    read_path,
    tile_path,
)
from schemas.checkpoint import Checkpoint, read_checkpoint
from schemas.ed25519 import VerifierKey
from schemas.errors import Rejected
from schemas.notes import open_note, read_note, signature_line
from tests.keys import key, raw_signature

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def _lines(name: str) -> list[dict[str, Any]]:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"{file} is not on this machine")
    text = file.read_text("utf-8")
    return (
        [json.loads(line) for line in text.splitlines()] if name.endswith("l") else json.loads(text)
    )


def _b64(value: str | None) -> bytes:
    return base64.b64decode(value or "")


def test_the_public_inclusion_vectors_agree() -> None:
    cases = _lines("merkle_inclusion.jsonl")
    for c in cases:
        held = verify_inclusion(
            [_b64(p) for p in c["proof"] or ()],
            index=c["leafIdx"],
            size=c["treeSize"],
            leaf=_b64(c["leafHash"]),
            root=_b64(c["root"]),
        )
        assert held != c["wantErr"], c["file"]
    assert len(cases) == 98


def test_the_public_consistency_vectors_agree() -> None:
    cases = _lines("merkle_consistency.jsonl")
    for c in cases:
        held = verify_consistency(
            [_b64(p) for p in c["proof"] or ()],
            old=c["size1"],
            size=c["size2"],
            old_root=_b64(c["root1"]),
            root=_b64(c["root2"]),
        )
        assert held != c["wantErr"], c["file"]
    assert len(cases) == 98


class Tree:
    """A tree of numbered leaves, as tiles, grown in lots."""

    def __init__(self, size: int, lot: int = 64) -> None:
        self.entries = [str(n).encode() for n in range(size)]
        self.tiles: dict[tuple[int, int], bytes] = {}
        for at in range(0, size, lot):
            leaves = [leaf_hash(e) for e in self.entries[at : at + lot]]
            self.tiles |= grown(self.tiles, at, leaves)
        self.node = node_from(self.tiles)

    def root(self, size: int) -> bytes:
        return root_of(self.entries[:size])


TREE = Tree(300)
ROOTS = [TREE.root(n) for n in range(301)]


SIZES = [*range(1, 40), 63, 64, 65, 127, 128, 129, 255, 256, 257, 300]


@pytest.mark.parametrize(
    "size", [pytest.param(n, marks=[pytest.mark.soak] * (n not in SIZES)) for n in range(1, 301)]
)
def test_every_proof_holds_and_proves_nothing_else(size: int) -> None:
    for index in range(size):
        leaf = leaf_hash(TREE.entries[index])
        proof = inclusion_proof(TREE.node, index, size)
        told = {"index": index, "size": size, "leaf": leaf, "root": ROOTS[size]}
        assert verify_inclusion(proof, **told)
        assert not verify_inclusion([*proof, leaf], **told)
        assert not verify_inclusion(proof, **{**told, "index": (index + 1) % (size + 1)})
        assert not verify_inclusion(proof, **{**told, "root": ROOTS[size - 1]})
        if proof:
            assert not verify_inclusion(proof[:-1], **told)
            assert not verify_inclusion(proof, **{**told, "size": 1})
    for old in range(size + 1):
        proof = consistency_proof(TREE.node, old, size)
        grew = {"old": old, "size": size, "old_root": ROOTS[old], "root": ROOTS[size]}
        assert verify_consistency(proof, **grew) == (old > 0)
        assert not verify_consistency([*proof, ROOTS[1]], **grew)
        if 0 < old < size:
            assert not verify_consistency(proof[:-1], **grew)
            assert not verify_consistency(proof, **{**grew, "old_root": ROOTS[old - 1]})
            assert not verify_consistency(proof, **{**grew, "root": ROOTS[size - 1]})


FLIPPED = [1, 2, 3, 7, 8, 9, 100, 300]


@pytest.mark.parametrize(
    "size", [pytest.param(n, marks=[pytest.mark.soak] * (n not in FLIPPED)) for n in range(1, 301)]
)
def test_every_flipped_bit_is_caught(size: int) -> None:
    for index in {0, size // 2, size - 1}:
        leaf = leaf_hash(TREE.entries[index])
        proof = inclusion_proof(TREE.node, index, size)
        for place in range(len(proof)):
            for bit in range(256):
                bad = _flipped(proof, place, bit)
                assert not verify_inclusion(
                    bad, index=index, size=size, leaf=leaf, root=ROOTS[size]
                )
        grew = consistency_proof(TREE.node, index, size)
        for place in range(len(grew)):
            for bit in range(256):
                assert not verify_consistency(
                    _flipped(grew, place, bit),
                    old=index,
                    size=size,
                    old_root=ROOTS[index],
                    root=ROOTS[size],
                )


def _flipped(proof: list[bytes], place: int, bit: int) -> list[bytes]:
    bad = bytearray(proof[place])
    bad[bit // 8] ^= 1 << bit % 8
    return [*proof[:place], bytes(bad), *proof[place + 1 :]]


@given(st.integers(0, 70_000), st.lists(st.integers(1, 700), max_size=6))
def test_tiles_grow_as_the_tree_does(start: int, lots: list[int]) -> None:
    """However it is cut into batches: the partial tiles are enough to go on from."""
    leaf = sha256(b"x").digest()
    tiles: dict[tuple[int, int], bytes] = {}
    size = start % 600
    tiles |= grown({}, 0, [leaf] * size)
    for lot in lots:
        edge = {(lv, n): tiles[lv, n] for lv, n, _ in partial_widths(size)}
        tiles |= grown(edge, size, [leaf] * lot)
        size += lot
    whole = grown({}, 0, [leaf] * size)

    assert tiles == whole
    for (level, number), tile in tiles.items():
        nodes = size // WIDTH**level
        width = min(WIDTH, nodes - WIDTH * number)
        assert len(tile) == 32 * width


def test_the_root_over_tiles_is_the_trees() -> None:
    big = Tree(70_000, lot=512)
    frontier = extend(EMPTY, big.entries)

    assert range_root(big.node, 0, 65_536) == frontier.hashes[0]
    proof = inclusion_proof(big.node, 69_999, 70_000)
    leaf = leaf_hash(big.entries[-1])
    assert verify_inclusion(proof, index=69_999, size=70_000, leaf=leaf, root=frontier.root)
    assert {level for level, _ in big.tiles} == {0, 1, 2}


def test_a_tile_that_is_missing_is_named() -> None:
    tiles = {k: v for k, v in TREE.tiles.items() if k != (0, 1)}
    with pytest.raises(KeyError):
        inclusion_proof(node_from(tiles), 299, 300)
    with pytest.raises(ValueError, match="width"):
        grown({}, 300, [bytes(32)])


@pytest.mark.parametrize(
    ("number", "path"),
    [(0, "000"), (67, "067"), (1234067, "x001/x234/067"), (999, "999"), (1000, "x001/000")],
)
def test_paths_are_those_of_the_specification(number: int, path: str) -> None:
    assert tile_path(3, number) == f"tile/3/{path}"
    assert entries_path(number, 5) == f"tile/entries/{path}.p/5"
    assert read_path(f"3/{path}") == (3, number, WIDTH)
    assert read_path(f"entries/{path}.p/5") == (-1, number, 5)


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/", "0/1", "0/0001", "0/x000/001", "0/001/002", "64/000", "00/000", "-1/000",
        "0/000.p/0", "0/000.p/256", "0/000.p/07", "0/000.p/", "entries/../000", "0/000/",
    ],
)  # fmt: skip
def test_what_is_no_path_of_a_tile_is_none(path: str) -> None:
    assert read_path(path) is None


def test_the_public_notes_are_read_and_verified() -> None:
    vectors: Any = _lines("note.json")
    for good in vectors["good"]:
        note = read_note(good["note"].encode())
        keys = [VerifierKey.read(k) for k in good["vkeys"]]
        assert set(open_note(note, keys)) == set(keys)
        assert str(note) == good["note"]
    for bad in vectors["malformed"]:
        with pytest.raises(Rejected):
            read_note(bad.encode("utf-8", "surrogatepass"))


def test_the_checkpoints_of_another_log_are_read_and_are_those_of_its_entries() -> None:
    vectors: Any = _lines("tessera15.json")
    vkey = VerifierKey.read(vectors["vkey"])
    for size, text in vectors["checkpoints"].items():
        checkpoint, _ = read_checkpoint(text.encode(), vkey.name, (vkey,))
        entries = [e.encode() for e in vectors["entries"][: int(size)]]
        assert (checkpoint.size, checkpoint.root) == (int(size), root_of(entries))


def _signed(text: str, name: str = "log.example") -> bytes:
    signature = raw_signature(name, text.encode())
    return str(
        type(read_note(b"x\n\n\xe2\x80\x94 a AAAAAAA=\n"))(
            text, (signature_line(key(name), signature),)
        )
    ).encode()


BODY = Checkpoint("log.example", 7, bytes(32)).body()


def test_a_checkpoint_is_read_as_it_is_written() -> None:
    checkpoint, note = read_checkpoint(_signed(BODY), "log.example", (key("log.example"),))

    assert checkpoint == Checkpoint("log.example", 7, bytes(32))
    assert str(note).encode() == _signed(BODY)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_signed(BODY.replace("7", "07")), "note-invalid"),
        (_signed(BODY.replace("7", "-7")), "note-invalid"),
        (_signed(BODY.replace("AAA=", "AAA")), "note-invalid"),
        (_signed("log.example\n7\n"), "note-invalid"),
        (_signed(BODY.replace("log.example", "other.example")), "note-invalid"),
        (_signed(BODY).replace(b"\n7\n", b"\n8\n"), "note-unsigned"),
        (_signed(BODY, "another"), "note-unsigned"),
        (BODY.encode(), "note-invalid"),
        (b"\xff\xfe", "note-invalid"),
        (_signed(BODY).replace(b"\n7\n", b"\n7\r\n"), "note-invalid"),
    ],
)
def test_what_is_no_checkpoint_of_this_log_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_checkpoint(data, "log.example", (key("log.example"),))

    assert caught.value.code == code


@given(st.binary(max_size=200))
def test_whatever_is_said_to_be_a_note_is_read_or_refused(data: bytes) -> None:
    try:
        note = read_note(data)
    except Rejected:
        return
    assert str(note).encode() == data
