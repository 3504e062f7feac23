"""A log that can lie: entries of its own, checkpoints with its signature, proofs as it likes."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from nacl.signing import SigningKey

from hub.core.merkle import leaf_hash, root_of
from hub.core.proofs import consistency_proof
from hub.core.tiles import grown, node_from
from schemas.checkpoint import Checkpoint
from schemas.ed25519 import VerifierKey
from schemas.notes import Note, signature_line

ORIGIN = "test.example/log"
NOW = 1_800_000_000


class FakeLog:
    """A log in memory; two with one key are a log that forks."""

    def __init__(self, entries: Sequence[bytes], *, key: SigningKey | None = None) -> None:
        self.entries = list(entries)
        self.secret = key or SigningKey.generate()
        self.key = VerifierKey(ORIGIN, bytes(self.secret.verify_key))

    @classmethod
    def of(cls, size: int, *, key: SigningKey | None = None, word: str = "entry") -> FakeLog:
        return cls([f"{word} {n}".encode() for n in range(size)], key=key)

    def forked(self, at: int, size: int) -> FakeLog:
        """Return another history of the same log, that says something else from *at* on."""
        other = [f"other {n}".encode() for n in range(at, size)]
        return FakeLog([*self.entries[:at], *other], key=self.secret)

    def root(self, size: int) -> bytes:
        return root_of(self.entries[:size])

    def checkpoint(self, size: int, *, root: bytes | None = None) -> str:
        text = Checkpoint(ORIGIN, size, root or self.root(size)).body()
        signature = self.secret.sign(text.encode()).signature
        return str(Note(text, (signature_line(self.key, signature),)))

    def proof(self, old: int, size: int) -> list[bytes]:
        tiles = grown({}, 0, [leaf_hash(e) for e in self.entries[:size]])
        return consistency_proof(node_from(tiles), old, size) if old else []

    def submission(self, old: int, size: int, *, proof: Sequence[bytes] | None = None) -> bytes:
        hashes = self.proof(old, size) if proof is None else proof
        lines = "".join(f"{base64.b64encode(h).decode()}\n" for h in hashes)
        return f"old {old}\n{lines}\n{self.checkpoint(size)}".encode()
