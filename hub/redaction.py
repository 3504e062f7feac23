"""What of a value may stand in a log line: never a secret, never a payload.

Secrets are known by the name they go under, wherever it stands: a key of the
event, a key in a dict inside a list inside it, or ``name=value`` in a text or in
the ``repr`` of an object. Passwords in URLs and bearer tokens are masked under
any name. Raw bytes become their size. What is left is plain JSON data. Where a
secret ends is sometimes a guess; the guess is then to mask more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from typing import Any, Final

__all__ = ["MASK", "clean", "clean_text", "is_secret"]

MASK: Final = "***"

_SECRET: Final = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "cookie",
    "credential",
    "apikey",
    "privatekey",
    "payload",
)
_ABOUT_A_PAYLOAD: Final = frozenset({"payloaddigest", "payloadsizebytes", "payloadtype"})
_DEEPEST: Final = 8
_HEAD: Final = 12 * 1024
_TAIL: Final = 4 * 1024

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
# Each pattern starts with fixed words and bounds what follows: long hostile texts cost linear time.
_HEADER = re.compile(r"(?P<before>(?:cookie|authorization)[\"']?\s*[:=]).*", re.IGNORECASE)
_NAMED = re.compile(
    r"""(?P<before>
            (?:pass(?:word|wd|phrase)|secret|token|credential|api[_ -]?key|private[_ -]?key
              |payload(?![_-]?(?:digest|size|type)))
            [\w.-]{0,64}
            ["']?\]?\s*[=:]>?\s*)
        (?:
            [bruf]{0,2}"(?:[^"\\]|\\.?)*"?  # a quoted text, or the rest if the quote never closes
          | [bruf]{0,2}'(?:[^'\\]|\\.?)*'?
          | [\[{(<].*                       # a nested value: where it ends is a guess
          | (?:bearer|basic|digest)\s+\S+
          | [^\s&]+
        )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_IN_URL = re.compile(r"(?P<before>://[^\s/:@]{0,256}:)[^\s/]+(?=@)")
_PEM = re.compile(r"(?P<before>-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----).*", re.DOTALL)
_BEARER = re.compile(r"(?P<before>\bbearer)\s+[\w.~+/=-]{6,}", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Return whether what goes under *name* must not be shown: ``X-Api-Key``, ``redisPassword``."""
    bare = _NOT_IN_NAMES.sub("", name.lower())
    return bare not in _ABOUT_A_PAYLOAD and any(word in bare for word in _SECRET)


def clean_text(text: str) -> str:
    """Return *text* without the secrets that can be told from the words around them.

    Of a text over 16 KiB the middle is left out: the end of a traceback says the most.
    """
    text = _HEADER.sub(rf"\g<before> {MASK}", text)
    text = _PEM.sub(rf"\g<before> {MASK}", text)
    text = _IN_URL.sub(rf"\g<before>{MASK}", text)
    text = _NAMED.sub(rf"\g<before>{MASK}", text)
    text = _BEARER.sub(rf"\g<before> {MASK}", text)
    if len(text) > _HEAD + _TAIL:
        left_out = len(text) - _HEAD - _TAIL
        text = f"{text[:_HEAD]} ... {left_out} characters left out ... {text[-_TAIL:]}"
    return text


def clean(value: Any, *, _depth: int = 0) -> Any:
    """Return *value* as plain JSON data in which no named secret is left."""
    if not isinstance(value, Mapping | list | tuple | AbstractSet):
        return _clean_leaf(value)
    if _depth >= _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        named = ((_name(key), inner) for key, inner in value.items())
        return {
            name: MASK if is_secret(name) else clean(inner, _depth=_depth + 1)
            for name, inner in named
        }
    return [clean(inner, _depth=_depth + 1) for inner in value]


def _clean_leaf(value: object) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return clean_text(str.__str__(value))
        case int():
            return int(value)
        case float():
            return value if math.isfinite(value) else repr(value)
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case date():  # a datetime is one
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return clean_text(repr(value))


def _name(key: object) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)
