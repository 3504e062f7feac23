"""The JSON Schemas of messages, for whoever makes or reads them in JSON."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Response

from hub.errors import Rejected
from hub.http.problems import RESPONSES
from schemas.json_schemas import DIRECTORY, NAMES, schema_file

__all__ = ["router"]

router = APIRouter(tags=["schemas"])

_SCHEMA: Final = "application/schema+json"
_KEEP: Final = "public, max-age=3600"
"""They change only with the hub's version."""

IfNoneMatch = Annotated[str, Header(alias="If-None-Match", include_in_schema=False)]


@router.get(
    "/schemas",
    summary="Which messages have a JSON Schema",
    responses={304: {"description": "As the client has it"}},
)
async def listed(have: IfNoneMatch = "") -> Response:
    """List the schemas: the name, what it is for, and where it is."""
    return _answer(_list(), "application/json", have)


@router.get(
    "/schemas/{name}",
    summary="The JSON Schema of a message",
    response_class=Response,
    responses={
        200: {"content": {_SCHEMA: {}}},
        404: RESPONSES[404],
        304: {"description": "As the client has it"},
    },
)
async def one(name: str, have: IfNoneMatch = "") -> Response:
    """Return the JSON Schema (2020-12) of the JSON form of a message."""
    if name not in NAMES:
        raise Rejected(
            "route-unknown", f"there is no schema {name[:100]}", remedy="GET /schemas lists them."
        )
    return _answer(_read(name), _SCHEMA, have)


@cache
def _read(name: str) -> bytes:
    return (files("schemas") / DIRECTORY / schema_file(name)).read_bytes()


@cache
def _list() -> bytes:
    schemas: list[dict[str, Any]] = [
        {
            "name": name,
            "description": json.loads(_read(name))["description"],
            "path": f"/schemas/{name}",
        }
        for name in NAMES
    ]
    return json.dumps({"schemas": schemas}, ensure_ascii=False).encode()


def _answer(body: bytes, media_type: str, have: str) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": _KEEP}
    known = {one.strip().removeprefix("W/") for one in have.split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
