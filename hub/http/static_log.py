"""The log as static files (C2SP tlog-tiles): checkpoint, tiles of hashes, bundles of entries.

Checkpoint and hashes are for everybody: they tell how many entries there are, and nothing
of what they say. The entries themselves are for auditors of the whole and for mirrors.
"""

from __future__ import annotations

import asyncio
import gzip
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Response

from hub.core.tiles import WIDTH, read_path
from hub.errors import Rejected
from hub.http.problems import RESPONSES
from hub.http.state import Asker, HubState
from hub.log.store import Log
from hub.log.tiles import bundle
from hub.log.tree import Tree
from hub.members.roles import Principal

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)

_LARGEST: Final = 1 << 53
_FOR_EVER: Final = "max-age=31536000, immutable"
_PARTLY: Final = "max-age=3600, immutable"
"""A partial tile never changes either, but soon nobody asks for it any more."""

_BYTES: Final = "application/octet-stream"
_HAVE: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "As the client has it"}}
IfNoneMatch = Annotated[str, Header(alias="If-None-Match", include_in_schema=False)]
AcceptEncoding = Annotated[str, Header(alias="Accept-Encoding", include_in_schema=False)]


@router.get(
    "/log/checkpoint",
    summary="The newest checkpoint",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **_HAVE},
)
async def checkpoint(
    hub: HubState,
    have: IfNoneMatch = "",
    level: Literal["signed", "witnessed", "sealed"] = "signed",
) -> Response:
    """Return the newest checkpoint of a level, as a signed note with all its cosignatures."""
    note = await asyncio.to_thread(hub.levels.newest, level)
    if note is None:
        raise Rejected(
            "checkpoint-none",
            f"no checkpoint of the log is {level} yet",
            remedy="Ask again in a second; if it stays so, tell the operator.",
        )
    return _answer(note.encode(), "text/plain; charset=utf-8", "no-cache", have)


@router.get(
    "/log/tile/entries/{path:path}",
    summary="A bundle of the log's entries",
    response_class=Response,
    responses={200: {"content": {_BYTES: {}}}, **_HAVE},
)
async def entries(
    path: str,
    hub: HubState,
    asker: Asker,
    have: IfNoneMatch = "",
    accepts: AcceptEncoding = "",
) -> Response:
    """Return 256 entries, or as many as were asked for, each after its length in two bytes."""
    _may_mirror(asker)
    found = read_path(f"entries/{path}")
    held = None
    if found is not None and found[1] < _LARGEST:
        _, number, width = found
        held = await asyncio.to_thread(_bundle, hub.log, number, width)
    if found is None or held is None:
        raise _none(f"entries/{path}")
    tag = _tag(held)
    # A cache that several clients share must not give it to whoever may not read it.
    kept = f"private, {_kept(found[2])}"
    if "gzip" not in accepts:
        return _answer(held, _BYTES, kept, have, tag)
    packed = await asyncio.to_thread(gzip.compress, held, 5, mtime=0)
    answer = _answer(packed, _BYTES, kept, have, f'{tag[:-1]}-gzip"')
    answer.headers["Content-Encoding"] = "gzip"
    return answer


@router.get(
    "/log/tile/{path:path}",
    summary="A tile of the log's tree",
    response_class=Response,
    responses={200: {"content": {_BYTES: {}}}, **_HAVE},
)
async def tile(path: str, hub: HubState, have: IfNoneMatch = "") -> Response:
    """Return 256 hashes of the tree, or as many as were asked for."""
    found = read_path(path)
    hashes = None
    if found is not None and found[0] >= 0 and found[1] < _LARGEST:
        hashes = await asyncio.to_thread(Tree(hub.log).tile, *found)
    if found is None or hashes is None:
        raise _none(path)
    return _answer(hashes, _BYTES, f"public, {_kept(found[2])}", have)


def _may_mirror(asker: Principal) -> None:
    if not asker.sees_all and "mirror" not in asker.scopes:
        raise Rejected(
            "not-allowed",
            "the entries of the whole log are for auditors of all of it, and for mirrors",
            remedy="Ask the operator for a token of role mirror, or read GET /v1/log/entries.",
        )


def _bundle(log: Log, number: int, width: int) -> bytes | None:
    with log.reading() as c:
        return bundle(c, number, width)


def _kept(width: int) -> str:
    return _FOR_EVER if width == WIDTH else _PARTLY


def _tag(data: bytes) -> str:
    return f'"{sha256(data).hexdigest()[:32]}"'


def _answer(data: bytes, media_type: str, kept: str, have: str, tag: str = "") -> Response:
    tag = tag or _tag(data)
    headers = {"Cache-Control": kept, "ETag": tag}
    if kept.startswith("private"):
        headers["Vary"] = "Authorization, Cookie, Accept-Encoding"
    if have.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in have.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers=headers)


def _none(path: str) -> Rejected:
    return Rejected("entry-unknown", f"the log has no tile {path[:100]}")
