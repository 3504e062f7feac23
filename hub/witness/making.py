"""How a witness begins, and how it begins again after it has lost its store."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.core.witnessing import EMPTY, Held
from hub.errors import Rejected, Unavailable
from hub.private_files import make_private, write_private
from hub.witness.config import WitnessConfig, read_config, written
from hub.witness.cosigning import cosigned_at
from hub.witness.identity import CONFIG, KEY, MARK, STORE, Identity, Mark
from hub.witness.store import Latest, WitnessStore, make_store
from schemas.checkpoint import Checkpoint
from schemas.ed25519 import KEY_NAME, VerifierKey
from schemas.notes import open_note, read_note

__all__ = ["init", "lone", "opened", "recover"]

_LOCK = "lock"


def init(directory: Path, *, name: str, logs: Sequence[VerifierKey], listen: str) -> Identity:
    """Make a witness: its store, its settings and, last, its key.

    A crash leaves no key, so nothing was ever signed: the same call begins anew.

    Raises:
        Rejected: ``witness-exists``, ``witness-unusable``.
    """
    if re.fullmatch(KEY_NAME, name) is None:
        raise _unusable(f"{name!r} is no name for a key", "Use letters, digits and ._/- only.")
    if (directory / KEY).exists():
        raise Rejected(
            "witness-exists",
            f"{directory} holds a witness already",
            remedy="Run it, or name another directory. Never delete its key or store.",
        )
    try:
        make_private(directory)
        (directory / STORE).unlink(missing_ok=True)
        store = make_store(directory / STORE)
        Mark(store, 0, 0).write(directory / MARK)
        if not (directory / CONFIG).exists():
            write_private(directory / CONFIG, written(listen, logs))
        made = Identity.make(name, store)
        made.write(directory / KEY)
    except (OSError, sqlite3.Error) as e:
        raise _unusable(f"{directory}: {e}", "Name a directory that can be written.") from e
    return made


def opened(directory: Path) -> tuple[WitnessConfig, Identity, WitnessStore]:
    """Open a witness, and see that its store is the one by which its key signs.

    Raises:
        Rejected: ``witness-unusable``. Unavailable: ``witness-store-lost``,
            ``witness-store-unavailable``.
    """
    config = read_config(directory / CONFIG)
    identity = Identity.read(directory / KEY)
    store = WitnessStore(directory / STORE, directory / MARK, identity)
    store.check()
    return config, identity, store


@contextmanager
def lone(directory: Path) -> Iterator[None]:
    """Be the only process that runs this witness. The lock ends with the process.

    Raises:
        Unavailable: ``witness-running``. Rejected: ``witness-unusable``.
    """
    try:
        descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as e:
        raise _unusable(f"{directory}: {e.strerror}", "Name a witness's directory.") from e
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as e:
        raise Unavailable(
            "witness-running", f"{directory} is run by another process", remedy="Stop that first."
        ) from e
    finally:
        os.close(descriptor)


def recover(directory: Path, notes: Sequence[bytes]) -> list[Latest]:
    """Begin again from checkpoints that a person trusts, one of each log; return them.

    Where the store is whole only logs that it does not know are taken. Where it is lost a
    new one is made, and what is left of the old one is kept beside it. A checkpoint that
    stands before what the mark, or the old store, says was cosigned is refused. A crash
    leaves a witness that does not start; the same call goes on.

    Raises:
        Rejected: ``witness-unusable``; ``recovery-refused``: a checkpoint is not of a trusted
            log, is missing, or contradicts what is known.
        Unavailable: ``witness-store-unavailable``.
    """
    config, identity = read_config(directory / CONFIG), Identity.read(directory / KEY)
    found = [_trusted(note, config, identity) for note in notes]
    floor, time_s = _known(directory, identity)
    for one, _ in found:
        known = floor.get(one.origin, EMPTY)
        if one.size < known.size or (one.size == known.size and one.root != known.root):
            raise Rejected(
                "recovery-refused",
                f"of {one.origin} size {known.size} was cosigned; the checkpoint says {one.size}"
                + ("" if one.size != known.size else ", with another root"),
                remedy="Take the largest that others have; where theirs differ, tell them all.",
            )
    time_s = max([time_s, *(at for _, at in found)])
    held = [one for one, _ in found]
    try:
        _, _, store = opened(directory)
    except Unavailable as e:
        if e.code != "witness-store-lost":
            raise
    else:
        for one in held:
            _add(store, one, time_s)
        return held
    missing = sorted(set(config.trusted) - {one.origin for one in held})
    if missing:
        raise Rejected(
            "recovery-refused",
            f"there is no checkpoint of {', '.join(missing)}",
            remedy="Give one of each log that the witness cosigns; drop logs it never cosigned"
            f" from {CONFIG}, and add them again afterwards.",
        )
    _begin_again(directory, identity, held, time_s)
    return held


def _add(store: WitnessStore, one: Latest, time_s: int) -> None:
    try:
        store.hold(one, time_s=time_s)
    except ValueError as e:
        raise Rejected(
            "recovery-refused",
            f"the store is whole and knows {one.origin}",
            remedy="Nothing needs to be recovered. Start the witness.",
        ) from e


def _begin_again(directory: Path, identity: Identity, held: Sequence[Latest], time_s: int) -> None:
    draft, path = directory / f"{STORE}.new", directory / STORE
    try:
        draft.unlink(missing_ok=True)
        store = make_store(draft, time_s=time_s, held=held, recovered=True)
        if path.exists():
            path.replace(directory / f"{STORE}.lost-{time.time_ns()}")
        # A hot journal of the lost store would be played into the new one.
        for journal in directory.glob(f"{STORE}-*"):
            journal.replace(directory / f"{journal.name}.lost-{time.time_ns()}")
        identity.of_store(store).write(directory / KEY)
        draft.replace(path)
        marked = {one.origin: Held(one.size, one.root) for one in held}
        Mark(store, 0, time_s, marked).write(directory / MARK)
    except (OSError, sqlite3.Error) as e:
        raise _unusable(f"{directory}: {e}", "See to its disk; then do the same again.") from e


def _known(directory: Path, identity: Identity) -> tuple[dict[str, Held], int]:
    """Return what is still known of what was cosigned, and of the time it was done."""
    found: dict[str, Held] = {}
    time_s = 0
    mark = Mark.read(directory / MARK)
    if mark is not None:
        found, time_s = dict(mark.logs), mark.time_s
    for path in (directory / STORE, *directory.glob(f"{STORE}.lost-*")):
        with suppress(sqlite3.Error, TypeError, ValueError):
            c = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            try:
                time_s = max(time_s, int(c.execute("SELECT time_s FROM meta").fetchone()[0]))
                for origin, size, root, note in c.execute("SELECT * FROM logs").fetchall():
                    by_us = cosigned_at(read_note(bytes(note)), identity.key) is not None
                    if by_us and size >= found.get(origin, EMPTY).size:
                        found[origin] = Held(size, bytes(root))
            finally:
                c.close()
    return found, time_s


def _trusted(data: bytes, config: WitnessConfig, identity: Identity) -> tuple[Latest, int]:
    """Return a checkpoint that a trusted log signed, and when this witness cosigned it, or 0."""
    try:
        note = read_note(data)
        checkpoint = Checkpoint.of(note.text)
        keys = config.trusted.get(checkpoint.origin, ())
        open_note(note, keys)
        at = cosigned_at(note, identity.key) or 0
    except Rejected as e:
        raise Rejected(
            "recovery-refused",
            f"this is no checkpoint of a log that {CONFIG} trusts: {e.detail}",
            remedy="Take it from the log, or from others' witnesses and mirrors.",
        ) from e
    return Latest(checkpoint.origin, checkpoint.size, checkpoint.root, data), at


def _unusable(detail: str, remedy: str) -> Rejected:
    return Rejected("witness-unusable", detail, remedy=remedy)
