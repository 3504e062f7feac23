"""Who a witness is: its key, which store belongs to it, and how far that had come.

Two files lie in the witness's directory beside its store, better on another disk:

``key.json``
    The private key, and the random id of the one store that it signs by.
``mark.json``
    Written after every commit of the store, before the answer: how far the store had come. A
    store that stands before its mark is an old copy.

So a store that was lost, exchanged or brought back from a backup is seen, and nothing is
cosigned by it. Only when both files and the store are brought back together does the witness
itself not see it; the log's feeder does, for the witness then claims less than it had cosigned.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey

from hub.core.witnessing import Held
from hub.errors import Rejected
from hub.private_files import write_private
from schemas.cosignature import CosignerKey
from schemas.ed25519 import decode_base64

__all__ = ["CONFIG", "KEY", "MARK", "STORE", "Identity", "Mark"]

KEY: Final = "key.json"
MARK: Final = "mark.json"
STORE: Final = "witness.db"
CONFIG: Final = "witness.toml"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a store had come when it last answered."""

    store: str
    generation: int
    """How often the store has changed."""
    time_s: int
    """The latest time of a cosignature."""
    logs: Mapping[str, Held] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the file; a crash leaves the old one or the new one.

        Raises:
            OSError: it cannot be written.
        """
        logs = {o: {"size": h.size, "root": h.root.hex()} for o, h in self.logs.items()}
        record = {"store": self.store, "generation": self.generation, "time": self.time_s}
        write_private(path, json.dumps({**record, "logs": logs}) + "\n")
        _flush_directory(path.parent)

    @classmethod
    def read(cls, path: Path) -> Mark | None:
        """Read the file; None where it is not there, or damaged."""
        try:
            record = json.loads(path.read_bytes())
            logs = {
                str(o): Held(int(h["size"]), bytes.fromhex(h["root"]))
                for o, h in record["logs"].items()
            }
            generation, time_s = int(record["generation"]), int(record["time"])
            return cls(str(record["store"]), generation, time_s, logs)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


class Identity:
    """A witness's key, and the id of its store."""

    def __init__(self, name: str, seed: bytes, store: str) -> None:
        self._secret = SigningKey(seed)
        self.key = CosignerKey(name, bytes(self._secret.verify_key))
        self.store = store

    @classmethod
    def make(cls, name: str, store: str) -> Identity:
        """Make a new key; it is kept only once it is written."""
        return cls(name, bytes(SigningKey.generate()), store)

    def of_store(self, store: str) -> Identity:
        """Return the same key, that signs by another store."""
        return Identity(self.key.name, bytes(self._secret), store)

    def sign(self, data: bytes) -> bytes:
        """Return the signature over *data*, 64 bytes."""
        return self._secret.sign(data).signature

    def write(self, path: Path) -> None:
        """Write the file, readable by its owner alone; a crash leaves the old one or the new one.

        Raises:
            OSError: it cannot be written.
        """
        seed = base64.b64encode(bytes(self._secret)).decode()
        record = {"key": str(self.key), "seed": seed, "store": self.store}
        write_private(path, json.dumps(record) + "\n")
        _flush_directory(path.parent)

    @classmethod
    def read(cls, path: Path) -> Identity:
        """Read the file.

        Raises:
            Rejected: ``witness-unusable``; it is not there, others may read it, or it is none.
        """
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                record: Any = json.loads(file.read(65_536))
            key = CosignerKey.read(str(record["key"]))
            found = cls(key.name, decode_base64(str(record["seed"])) or b"", str(record["store"]))
        except (OSError, ValueError, KeyError, TypeError, Rejected) as e:
            why = e.strerror if isinstance(e, OSError) and e.strerror else "it is no witness's key"
            remedy = "Name the directory that `caspian witness init` made, or take your copy of it."
            raise Rejected("witness-unusable", f"{path}: {why}", remedy=remedy) from e
        if stat.S_IMODE(mode) & 0o077:
            raise Rejected(
                "witness-unusable",
                f"{path}: others on this machine may read it",
                remedy=f"Do `chmod 600 {path}`.",
            )
        if found.key != key:
            remedy = "Take your copy of the file."
            raise Rejected("witness-unusable", f"{path}: the seed is of another key", remedy=remedy)
        return found


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
