"""Whether a resource is what it says it is (R25 to R30, R53, R54)."""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from schemas.cap.values import is_absolute_uri, is_uri_reference

if TYPE_CHECKING:
    from schemas.cap.draft import Draft, Path
    from schemas.cap.rulebook import Case

__all__ = ["judge_resource"]

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+\-]{0,126}"
_MIME: Final = re.compile(rf"{_NAME}/{_NAME}(?:\s*;[ -~]*)?")
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{40}|[A-Za-z0-9+/]{27}=|")
"""In hexadecimal, or in base64 as some agencies write it; or none."""
_SIZE: Final = re.compile(r"\+?[0-9]{1,18}|-0")


def judge_resource(resource: Draft, path: Path, case: Case) -> None:
    """Turn ``size`` into a number and report what is wrong (CAP 1.2, 3.2.3).

    A CAP 1.1 resource may have no mimeType: then it is any bytes (RFC 2046, 4.5.1).
    """
    if not resource["resource_desc"].strip():
        case.found("R54", (*path, ("resourceDesc", 0)), "resourceDesc says nothing")
    mime = resource.setdefault("mime_type", "application/octet-stream")
    if not _MIME.fullmatch(mime.strip()):
        case.found("R25", (*path, ("mimeType", 0)), f"{mime[:80]!r} is not type/subtype")
    size = resource.get("size")
    if size is not None:
        if _SIZE.fullmatch(size.strip()) is None:
            case.found("R28", (*path, ("size", 0)), "size is not a number of bytes")
            size = None
        else:
            resource["size"] = size = int(size)
    content = _content(resource, path, case)
    if content is not None:
        if size is not None and size != len(content):
            case.found("R28", (*path, ("size", 0)), f"size is {size}, the bytes are {len(content)}")
        digest = (resource.get("digest") or "").strip()
        if digest and not _is_digest(digest, content):
            case.found("R27", (*path, ("digest", 0)), "digest is not the SHA-1 of the bytes")
    elif "digest" in resource and not _DIGEST.fullmatch(resource["digest"].strip()):
        case.found("R53", (*path, ("digest", 0)), "digest does not look like a SHA-1")
    _judge_uri(resource, path, case)


def _content(resource: Draft, path: Path, case: Case) -> bytes | None:
    """Return the bytes that the resource carries, if it does and they can be read."""
    text = resource.get("deref_uri")
    if text is None or not text.strip():
        return None
    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
    except ValueError:
        case.found("R26", (*path, ("derefUri", 0)), "derefUri is not base64")
        return None


def _is_digest(digest: str, content: bytes) -> bool:
    """Compare with SHA-1 in hexadecimal, or in base64 as some agencies write it."""
    sha1 = hashlib.sha1(content, usedforsecurity=False)
    return digest.lower() == sha1.hexdigest() or digest == b64encode(sha1.digest()).decode()


def _judge_uri(resource: Draft, path: Path, case: Case) -> None:
    carried = (resource.get("deref_uri") or "").strip()
    uri = resource.get("uri")
    if uri is not None:
        resource["uri"] = uri = uri.strip()
    if not uri:
        if not carried:
            case.found("R29", path, "a resource has a uri or its bytes in derefUri")
    elif not is_uri_reference(uri):
        case.found("R30", (*path, ("uri", 0)), f"{uri[:80]!r} is not a URI")
    elif not carried and not is_absolute_uri(uri):
        case.found("R30", (*path, ("uri", 0)), "a relative uri needs the bytes in derefUri")
