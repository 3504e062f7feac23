"""How a log hands its checkpoint to a witness (C2SP tlog-witness), whatever that answers."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import httpx

from schemas.cosignature import CosignerKey
from schemas.errors import Rejected
from schemas.notes import NoteSignature, read_line

__all__ = ["Answer", "Cosigned", "Failed", "Stale", "WitnessAt", "hand_in"]

_LONGEST: Final = 65_536


@dataclass(frozen=True, slots=True)
class WitnessAt:
    """A witness, by whatever name it is called here, and where it is asked."""

    name: str
    key: CosignerKey
    url: str
    """The submission prefix: ``/add-checkpoint`` is added."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The witness cosigned: one line by its own key that verifies."""

    line: NoteSignature


@dataclass(frozen=True, slots=True)
class Stale:
    """The witness stands at another size than the proof begins at."""

    size: int


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no cosignature; *why* is one of few words, *detail* for people."""

    why: str
    detail: str

    @property
    def contradicts(self) -> bool:
        """Whether the witness says that the log's own history does not hold."""
        return self.why == "refused"


Answer = Cosigned | Stale | Failed

_WHY: Final = {400: "malformed", 403: "signature", 404: "unknown-log", 422: "refused"}


async def hand_in(
    http: httpx.AsyncClient,
    witness: WitnessAt,
    *,
    old: int,
    proof: Sequence[bytes],
    note: str,
    within: timedelta,
) -> Answer:
    """Hand a checkpoint in, and return what came of it; never raises for what a witness does.

    Nothing is followed elsewhere, and of an answer no more is read than one could have;
    all of it within that time, however slowly it comes. *http* follows no redirects.
    """
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    body = f"old {old}\n{lines}\n{note}".encode()
    try:
        async with (
            asyncio.timeout(within.total_seconds()),
            http.stream(
                "POST", f"{witness.url.rstrip('/')}/add-checkpoint", content=body
            ) as answer,
        ):
            text = await _bounded(answer)
    except TimeoutError:
        return Failed("timeout", f"no answer within {within.total_seconds():g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as e:
        return Failed("unreachable", f"{type(e).__name__}: {e}"[:300])
    if text is None:
        return Failed("too-long", f"an answer of over {_LONGEST} bytes")
    return _read(answer.status_code, text, witness.key, note)


async def _bounded(answer: httpx.Response) -> bytes | None:
    found = bytearray()
    async for part in answer.aiter_raw(8192):
        found += part
        if len(found) > _LONGEST:
            return None
    return bytes(found)


def _read(status: int, text: bytes, key: CosignerKey, note: str) -> Answer:
    if status == 409:
        size = re.fullmatch(rb"(0|[1-9][0-9]{0,18})\n", text)
        return Stale(int(size[1])) if size else Failed("nonsense", "a 409 that names no size")
    if status != 200:
        shown = text[:200].decode("utf-8", "replace").strip()
        return Failed(_WHY.get(status, "status"), f"status {status}: {shown}")
    body = note.rpartition("\n\n")[0] + "\n"
    try:
        found = [read_line(line) for line in text.decode().splitlines()]
    except (Rejected, UnicodeDecodeError):
        return Failed("nonsense", "an answer that is no signature lines")
    for line in found:
        if key.verify(line, body) is not None:
            return Cosigned(line)
    names = ", ".join(sorted({one.name[:100] for one in found})) or "nobody"
    return Failed(
        "wrong-key", f"no cosignature by {key.name} that holds; there are some by {names}"
    )
