"""Proofs over the log for whoever keeps a root."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from hub.core.merkle import leaf_hash
from hub.errors import Rejected
from hub.http.problems import RESPONSES
from hub.http.state import Asker, HubState

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)
_LARGEST: Final = 1 << 53
_Size = Annotated[int | None, Query(ge=1, lt=_LARGEST)]


@router.get("/v1/log/inclusion/{index}", summary="Proof that an entry is in the log")
async def inclusion(index: int, hub: HubState, _asker: Asker, size: _Size = None) -> dict[str, Any]:
    """Return the hashes from an entry's leaf to the root (RFC 6962, 2.1.1)."""
    of = await _size(hub, size)
    if not 0 <= index < of:
        raise Rejected("entry-unknown", f"the log of {of} entries has no entry {index}")
    row = await asyncio.to_thread(hub.log.row, index)
    if row is None:
        raise Rejected("entry-unknown", f"the log has no entry {index}")
    tree = hub.levels.tree
    proof = await asyncio.to_thread(tree.inclusion, index, of)
    root = await asyncio.to_thread(tree.root, of)
    return {
        "index": index,
        "size": of,
        "leaf": leaf_hash(row.body).hex(),
        "root": root.hex(),
        "proof": [one.hex() for one in proof],
    }


@router.get("/v1/log/consistency", summary="Proof that the log only grew")
async def consistency(
    hub: HubState,
    _asker: Asker,
    old: Annotated[int, Query(ge=1, lt=_LARGEST)],
    size: _Size = None,
) -> dict[str, Any]:
    """Return the hashes that lead from an earlier root to a later one (RFC 6962, 2.1.2)."""
    of = await _size(hub, size)
    if old > of:
        raise Rejected("cursor-invalid", f"the log of {of} entries never had {old}")
    tree = hub.levels.tree
    proof = await asyncio.to_thread(tree.consistency, old, of)
    root = await asyncio.to_thread(tree.root, of)
    return {"old": old, "size": of, "root": root.hex(), "proof": [one.hex() for one in proof]}


async def _size(hub: HubState, size: int | None) -> int:
    head = (await asyncio.to_thread(hub.log.head)).size
    if size is not None and size > head:
        raise Rejected("cursor-invalid", f"the log has {head} entries, not {size}")
    return size or head
