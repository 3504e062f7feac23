"""The API and the streams described, for people; nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from hub.http.asyncapi import asyncapi

__all__ = ["CSP", "router"]

router = APIRouter(tags=["documents"], include_in_schema=False)

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h1,h2,h3{line-height:1.2}
h2{border-bottom:1px solid;margin-top:2.5rem}
h3{margin-top:2rem;font-size:1.05rem}
code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:start;vertical-align:top;padding:.25rem .75rem .25rem 0}
th,td{border-bottom:1px solid #8886}
nav ul{columns:20rem;padding-inline-start:1.2rem}
b.m{display:inline-block;min-width:4.5rem}
a:focus-visible{outline:2px solid}
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CSP: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""No script, and of styles the one that is written into the page."""

_PAGE_HEADERS: Final = {"Content-Security-Policy": CSP, "Cache-Control": "no-cache"}


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Show the HTTP API."""
    return _page("Caspian Hub: HTTP", _of_http(request.app.openapi()))


@router.get("/docs/streams")
async def streams() -> Response:
    """Show the streams."""
    return _page("Caspian Hub: the streams", _of_streams(asyncapi()))


@router.get("/asyncapi.json")
async def document() -> Response:
    """Return the streams as an AsyncAPI document."""
    return Response(json.dumps(asyncapi(), ensure_ascii=False), media_type="application/json")


def _page(title: str, parts: Iterator[str]) -> Response:
    body = "".join(parts)
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><header><p>"
        '<a href="/docs">HTTP</a> · <a href="/docs/streams">Streams</a> · '
        '<a href="/openapi.json">openapi.json</a> · <a href="/asyncapi.json">asyncapi.json</a>'
        f"</p></header><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return Response(html, media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)


def _of_http(api: Mapping[str, Any]) -> Iterator[str]:
    info = api["info"]
    yield f"<p>{escape(info.get('summary', ''))}. Version {escape(info['version'])}.</p>"
    yield (
        "<p>Send <code>Authorization: Bearer csp_…</code>. Errors are "
        "<code>application/problem+json</code> with a stable <code>code</code>.</p>"
    )
    groups: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    yield '<nav aria-label="Routes"><ul>'
    for routes in groups.values():
        for method, path, operation in routes:
            text = escape(operation.get("summary", ""))
            name = f"<code>{method} {escape(path)}</code>"
            yield f'<li><a href="#{_anchor(method, path)}">{name}</a> {text}</li>'
    yield "</ul></nav>"
    for tag, routes in groups.items():
        yield f"<h2>{escape(tag.capitalize())}</h2>"
        for method, path, operation in routes:
            yield from _route(api, method, path, operation)


def _route(
    api: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    name = f'<b class="m">{method}</b> <code>{escape(path)}</code>'
    yield f'<section><h3 id="{_anchor(method, path)}">{name}</h3>'
    yield from _paragraphs(operation.get("description") or operation.get("summary", ""))
    parameters = operation.get("parameters", ())
    if parameters:
        yield from _table(
            ("Parameter", "In", "Type", "Meaning"),
            (
                (
                    _code(p["name"]) + (" *" if p.get("required") else ""),
                    escape(p["in"]),
                    _type(api, p.get("schema", {})),
                    escape(p.get("description", "")),
                )
                for p in parameters
            ),
        )
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = _resolved(api, content.get("schema", {}))
        yield f"<p>Body: <code>{escape(media)}</code></p>"
        if schema.get("properties"):
            yield from _fields(api, schema)
    yield "<p>Answers: "
    yield ", ".join(
        f"{escape(status)} {escape(answer.get('description', ''))}"
        for status, answer in operation["responses"].items()
        if status.startswith("2") or status == "304"
    )
    yield "</p></section>"


def _of_streams(api: Mapping[str, Any]) -> Iterator[str]:
    yield f"<p>{escape(api['info']['description'])} Version {escape(api['info']['version'])}.</p>"
    for name, channel in api["channels"].items():
        yield f'<section><h2 id="{escape(name)}"><code>{escape(channel["address"])}</code></h2>'
        yield f"<p>{escape(channel['description'])}</p>"
        for operation in api["operations"].values():
            if operation["channel"]["$ref"].endswith(f"/{name}"):
                who = "You write it" if operation["action"] == "receive" else "You read it"
                yield f"<p><strong>{who}.</strong> {escape(operation['summary'])}</p>"
        for message in channel["messages"].values():
            found = _resolved(api, message)
            yield f"<h3>{escape(found['title'])}</h3>"
            yield from _fields(api, found["payload"])
        yield "</section>"


def _fields(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    required = set(schema.get("required", ()))
    yield from _table(
        ("Field", "Type", "Meaning"),
        (
            (
                _code(name) + (" *" if name in required else ""),
                _type(api, field),
                escape(str(field.get("description", ""))),
            )
            for name, field in schema["properties"].items()
        ),
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield "<table><thead><tr>"
    yield "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"


def _type(api: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    found = _resolved(api, schema)
    several = found.get("anyOf") or found.get("oneOf")
    if several:
        names = (_type(api, one) for one in several if one.get("type") != "null")
        return " or ".join(dict.fromkeys(names))
    if "enum" in found:
        return ", ".join(_code(str(one)) for one in found["enum"])
    if "const" in found:
        return _code(str(found["const"]))
    if found.get("type") == "array":
        return f"list of {_type(api, found.get('items', {}))}"
    bounds = [
        f"{word} {found[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"))
        if key in found
    ]
    name = str(found.get("title") if found.get("properties") else found.get("type", "any"))
    return escape(" ".join((name, *bounds)))


def _resolved(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = api
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _paragraphs(text: str) -> Iterator[str]:
    for one in re.split(r"\n\s*\n", text.strip()):
        marked = re.sub(r"``?([^`]+)``?", r"<code>\1</code>", escape(" ".join(one.split())))
        yield f"<p>{marked}</p>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _anchor(method: str, path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-")
