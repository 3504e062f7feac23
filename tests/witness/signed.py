"""A log in a store that grows and signs its end, without the rest of a hub."""

from __future__ import annotations

from pathlib import Path

from nacl.signing import SigningKey

from hub.log.checkpoints import SignedCheckpoint, cosigned, latest, put
from hub.log.store import Log
from schemas.checkpoint import Checkpoint
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey
from schemas.notes import Note, read_note, signature_line
from tests.hubkit import store
from tests.log.samples import ORIGIN, Writer, alert

__all__ = ["SignedLog"]


class SignedLog:
    """A log that grows and signs its end, without the rest of a hub."""

    def __init__(self, directory: Path, secret: SigningKey | None = None) -> None:
        self.log = Log.open(store(directory))
        self.secret = secret or SigningKey.generate()
        self.key = VerifierKey(ORIGIN, bytes(self.secret.verify_key))
        self.writer = Writer(self.log).begin("az-fhn")
        self.written = 0

    def grow(self, count: int, word: str = "A") -> SignedCheckpoint:
        batch = [alert("az-fhn", f"{word}-{self.written + n}") for n in range(count)]
        self.writer.commit(batch)
        self.written += count
        return self.sign()

    def sign(self) -> SignedCheckpoint:
        head = self.log.head()
        text = Checkpoint(ORIGIN, head.size, head.root).body()
        line = signature_line(self.key, self.secret.sign(text.encode()).signature)
        made = SignedCheckpoint(head.size, head.root, 0, str(Note(text, (line,))))
        with self.log.writing() as c:
            assert put(c, made)
        return made

    def by(self, key: CosignerKey) -> int:
        """Return the size of the newest checkpoint, if a key has cosigned it and it verifies."""
        with self.log.reading() as c:
            one = latest(c)
            assert one is not None
            note = read_note(cosigned(c, one).encode())
        found = [line for line in note.signatures if key.verify(line, note.text)]
        return one.size if found else 0
