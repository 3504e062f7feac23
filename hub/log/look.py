"""What an entry's payload and signature say by themselves; quick to import, for other processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hub.core.redaction import residue
from schemas.dsse import HEADER_TYPE, signed_by
from schemas.ed25519 import VerifierKey, decode_base64
from schemas.errors import Rejected
from schemas.payload import ReadPayload

__all__ = ["Look", "Task", "look_at"]

Reader = Callable[[bytes, str], ReadPayload]


@dataclass(frozen=True, slots=True)
class Look:
    """What an entry's payload and signature say, without the log before it."""

    sha256: str = ""
    """Of the payload; empty where there is none."""
    facts: str = ""
    """Of a message, as JSON; empty where they were not asked for, or cannot be read."""
    slim: str = ""
    """Of these what decides who may acknowledge it (`hub.core.redaction.residue`)."""
    refusal: str = ""
    """Why the payload of a message cannot be read."""
    code: str = ""
    """The code of that refusal."""
    signed: bool | None = None
    """Whether the header's signature is the key's; None where there is none to verify."""
    unsound: str = ""
    """What is wrong with the key itself."""


@dataclass(frozen=True, slots=True)
class Task:
    """What of a row the look needs: no more travels to another process."""

    payload: bytes | None = None
    payload_type: str = ""
    header: str = ""
    key: str = ""
    signature: str = ""
    facts: bool = False


def look_at(read: Reader | None, tasks: list[Task]) -> list[Look]:
    """Look at some rows; *read* reads the payloads of messages."""
    return [_look(task, read) for task in tasks]


_NOTHING: Final = Look()


def _look(task: Task, read: Reader | None) -> Look:
    if task.payload is None and not task.signature:
        return _NOTHING
    signed, unsound = (None, "") if not task.signature else _signed(task)
    digest = "" if task.payload is None else sha256(task.payload).hexdigest()
    facts = slim = refusal = code = ""
    if task.facts and task.payload is not None and read is not None:
        try:
            found = read(task.payload, task.payload_type).facts
            facts, slim = found.model_dump_json(exclude_defaults=True), residue(found)
        except Rejected as e:
            refusal, code = str(e), e.code
    return Look(digest, facts, slim, refusal, code, signed, unsound)


def _signed(task: Task) -> tuple[bool, str]:
    try:
        key = VerifierKey.read(task.key)
    except Rejected as e:
        return False, str(e)
    signature = decode_base64(task.signature) or b""
    return signed_by(HEADER_TYPE, task.header.encode(), key, signature), ""
