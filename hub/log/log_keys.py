"""The keys with which the log signs its checkpoints: their files, and who makes the first."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from hub.client.signers import KEY_NAME, Signer, make_key_file, open_signer, read_key
from hub.errors import Rejected, Unavailable
from hub.private_files import make_private, sync_directory
from schemas.ed25519 import VerifierKey

__all__ = ["first_key", "open_log_signers"]


def first_key(paths: Sequence[Path], origin: str) -> VerifierKey:
    """Return the public part of the first key file; make it where there is none.

    Only for a log that names no key yet: a key that was lost must be seen to be lost.
    Several processes may call it at once; one of them makes the file, whole or not at all.

    Raises:
        Unavailable: ``log-key-unusable``.
    """
    path = paths[0]
    try:
        if not path.exists():
            _make(path, origin)
        return _of_this_log(read_key(path), path, origin)
    except (Rejected, OSError) as e:
        raise _unusable(path, e) from e


def open_log_signers(paths: Sequence[Path], origin: str) -> list[Signer]:
    """Return what signs for the log, one for each key file.

    Raises:
        Unavailable: ``log-key-unusable``; a file is not there, cannot be read, or holds a key
            of another name than the log's.
    """
    found = []
    for path in paths:
        try:
            signer = open_signer(path, lambda: os.environ.get("CASPIAN_PASSPHRASE", ""))
            _of_this_log(signer.key, path, origin)
        except Rejected as e:
            raise _unusable(path, e) from e
        found.append(signer)
    return found


def _make(path: Path, origin: str) -> None:
    if re.fullmatch(KEY_NAME, origin) is None:
        raise Unavailable(
            "log-key-unusable",
            f"{origin!r} cannot be the name of a key, and so the log cannot sign",
            remedy="A new log needs a CASPIAN_ORIGIN of at most 100 letters, digits and ._/- only.",
        )
    if not path.parent.exists():
        make_private(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    make_key_file(draft, origin)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        draft.unlink()
    sync_directory(path.parent)


def _of_this_log(key: VerifierKey, path: Path, origin: str) -> VerifierKey:
    if key.name != origin:
        raise Unavailable(
            "log-key-unusable",
            f"{path} holds a key of {key.name}, not of this log",
            remedy=f"Make one with `caspian keys new {path} --name {origin}`.",
        )
    return key


def _unusable(path: Path, e: Rejected | OSError) -> Unavailable:
    why = e.detail if isinstance(e, Rejected) else f"{path}: {e.strerror or e}"
    remedy = e.remedy if isinstance(e, Rejected) else ""
    return Unavailable(
        "log-key-unusable",
        f"the log's key cannot be used: {why}",
        remedy=remedy or "Put your copy of it there; see CASPIAN_LOG_KEY in docs/settings.md.",
    )
