"""What pages are made of besides their shell: scripts, styles, texts, the map, and Leaflet.

All of it lies under one directory named by its own digest. Whatever is in there never changes,
so browsers keep it; a new version of the hub has another directory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from xstatic.pkg import leaflet

from hub.console.base_map import labels, outlines
from hub.i18n import LANGUAGES, date_forms, texts
from hub.i18n.collect import script_texts

__all__ = ["File", "digest", "static_files"]

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_LEAFLET: Final = ("leaflet.js", "leaflet.css")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served."""

    body: bytes
    media_type: str


@cache
def static_files() -> Mapping[str, File]:
    """Return every file by its path below the directory; made once, in a few tenths of a second."""
    found: dict[str, File] = {}
    for one in sorted((files("hub.console") / "static").iterdir(), key=lambda f: f.name):
        suffix = one.name[one.name.rindex(".") :] if "." in one.name else ""
        if suffix in _TYPES:
            found[one.name] = File(one.read_bytes(), _TYPES[suffix])
    for name in _LEAFLET:
        body = (files(leaflet) / "data" / name).read_bytes()
        found[f"leaflet/{name}"] = File(body, _TYPES[name[name.rindex(".") :]])
    for code in LANGUAGES:
        found[f"texts/{code}.js"] = File(_texts(code), _TYPES[".js"])
        for domain in ("findings", "details"):
            found[f"{domain}/{code}.js"] = File(_sentences(domain, code), _TYPES[".js"])
        found[f"map/{code}.json"] = File(_json(labels(code)), _TYPES[".json"])
    found["map/outlines.json"] = File(_json(outlines()), _TYPES[".json"])
    return found


@cache
def digest() -> str:
    """Return the name of the directory: it follows from all that is in it."""
    sums = hashlib.sha256()
    for name, file in sorted(static_files().items()):
        sums.update(name.encode() + b"\0" + hashlib.sha256(file.body).digest())
    return sums.hexdigest()[:16]


def _texts(code: str) -> bytes:
    said = texts(code)
    data = {
        "language": code,
        "direction": said.language.direction,
        "texts": {name: said(name) for name in script_texts()},
        "dates": date_forms(code).as_json(),
    }
    return b"export default " + _json(data) + b";\n"


def _sentences(domain: str, code: str) -> bytes:
    """Return what machines are told in English, each with what it is in a language."""
    return b"export default " + _json([*texts(code, domain).by_name.items()]) + b";\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
