"""The pages' addresses, and what every page says of itself to the browser."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from hub.console.pages import PAGES, Page
from hub.console.static_files import digest, static_files
from hub.i18n import LANGUAGES, chosen, language, texts
from hub.version import VERSION

__all__ = ["CSP", "LANGUAGE_COOKIE", "router"]

_CSP: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    # Where the browser knows it, not even our own scripts can make markup of a text.
    "require-trusted-types-for 'script'",
    "trusted-types default",
)
CSP: Final = "; ".join(_CSP)
"""What a page may load and do: the hub's own files, and nothing that stands in its markup."""

LANGUAGE_COOKIE: Final = "caspian-language"
_FOREVER: Final = "public, max-age=31536000, immutable"
_PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

router = APIRouter(include_in_schema=False)


@router.get("/")
async def root() -> Response:
    """Send people to the console."""
    return RedirectResponse("/console/watch", status_code=303)


@router.get("/console")
async def console() -> Response:
    """Send people to the watch."""
    return RedirectResponse("/console/watch", status_code=303)


@router.get("/console/static/{version}/{path:path}")
async def static(version: str, path: str) -> Response:
    """Return a file; one of the directory's right name may be kept for ever."""
    found = (await asyncio.to_thread(static_files)).get(path)
    if found is None:
        raise HTTPException(404, f"there is no file {path[:100]}")
    kept = _FOREVER if version == digest() else "no-store"
    return Response(found.body, media_type=found.media_type, headers={"Cache-Control": kept})


def _add(page: Page) -> None:
    async def shell(request: Request) -> Response:
        # In a thread: the first one reads all texts, and draws the map's outlines.
        return await asyncio.to_thread(_page, page, request)

    router.add_api_route(page.path, shell, methods=["GET"], name=page.name)


for _one in PAGES:
    _add(_one)


def _page(page: Page, request: Request) -> Response:
    """Return a page's shell in the language that its reader has chosen."""
    accept = request.headers.get("accept-language", "")
    code = chosen(request.cookies.get(LANGUAGE_COOKIE, ""), accept=accept)
    said = texts(code)
    exercise = request.query_params.get("mode") == "exercise"
    body = (
        _templates()
        .get_template(f"{page.name}.html")
        .render(
            _=said,
            page=page,
            pages=[one for one in PAGES if one.scopes],
            name=request.path_params.get("name", ""),
            language=said.language,
            languages=[language(one) for one in LANGUAGES],
            exercise=exercise,
            mode="?mode=exercise" if exercise else "",
            static=f"/console/static/{digest()}",
            version=VERSION,
        )
    )
    headers = {
        "Content-Security-Policy": CSP,
        "Permissions-Policy": _PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Language": code,
        "Vary": "Cookie, Accept-Language",
    }
    return HTMLResponse(body, headers=headers)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("hub.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = environment.filters
    filters["path"] = quote
    return environment
