"""The code lists that messages use, for whoever lets people choose from them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from hub.errors import Rejected
from hub.http.problems import RESPONSES
from hub.http.state import Asker
from schemas.vocab import vocabularies, vocabulary

__all__ = ["router"]

router = APIRouter(tags=["schemas"], responses=RESPONSES)


@router.get("/v1/vocabularies", summary="Which code lists the hub knows")
async def listed(asker: Asker) -> dict[str, Any]:  # noqa: ARG001 - whoever is known may ask
    """List the vocabularies: name, the name to write in messages, title and version."""
    found = [(name, vocabulary(name)) for name in vocabularies()]
    return {
        "vocabularies": [
            {"name": name, "urn": v.urns[0], "title": v.title, "version": v.version}
            for name, v in found
        ]
    }


@router.get("/v1/vocabularies/{name}", summary="A code list")
async def one(name: str, asker: Asker) -> dict[str, Any]:  # noqa: ARG001 - likewise
    """Return the codes in use of a list, with their names in every language that has one."""
    if name not in vocabularies():
        raise Rejected(
            "route-unknown",
            f"there is no vocabulary {name[:100]}",
            remedy="GET /v1/vocabularies lists them.",
        )
    found = vocabulary(name)
    return {
        "name": name,
        "urn": found.urns[0],
        "title": found.title,
        "version": found.version,
        "terms": [
            {
                "code": term.code,
                "labels": dict(term.labels),
                **({"parent": term.parent} if term.parent else {}),
                **({"facts": dict(term.facts)} if term.facts else {}),
            }
            for term in found.terms.values()
            if term.deprecated is None
        ],
    }
