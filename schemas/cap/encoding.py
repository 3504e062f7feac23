"""Which characters bytes are: bounded, and in UTF-8 before anything reads them (R00, R01)."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from schemas.errors import Finding, Rejected

__all__ = ["MAX_BYTES", "refuse", "refuse_size", "to_utf8"]

MAX_BYTES: Final = 1 << 20
"""The default limit of a message, in bytes."""


def refuse(code: str, rule: str, detail: str, remedy: str, line: int | None = None) -> NoReturn:
    """Refuse a message as a whole, with one finding that has no path."""
    finding = Finding(rule, "error", "", detail, line)
    raise Rejected(code, detail, remedy=remedy, findings=(finding,))


def refuse_size(size: int, limit: int) -> NoReturn:
    """Refuse a message of more bytes than the limit (R01)."""
    refuse(
        "too-large",
        "R01",
        f"the message has {size} bytes; the limit is {limit}",
        "Send a smaller message; refer to large files by URI.",
    )


_ENCODINGS: Final = frozenset(
    ["us-ascii", "ascii", "gb18030", "gbk", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr"]
    + [f"iso-8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)]
    + [f"windows-{n}" for n in range(1250, 1259)]
    + ["koi8-r", "koi8-u", "kz1048"]
)
_USUAL: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>',
    b'<?xml version="1.0" encoding="utf-8"?>',
    b"<alert ",
)
_DECLARED: Final = re.compile(
    rb"<\?xml\s[^<>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._\-]{0,39})[\"']"
)
_UTF16_DECLARED: Final = re.compile(r"<\?xml\s[^<>]{0,200}?\sencoding\s*=\s*[\"']([^\"']*)[\"']")


def _refuse_encoding(detail: str) -> NoReturn:
    refuse("not-xml", "R00", detail, "Send the message in UTF-8.", 1)


def to_utf8(data: bytes, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the document in UTF-8, without a byte order mark (R00, R01).

    UTF-8 is passed on as it is; its validity is the parser's to judge.

    Raises:
        Rejected: ``too-large``, or ``not-xml`` for bytes that are not in the
            encoding that they declare.
    """
    if len(data) > max_bytes:
        refuse_size(len(data), max_bytes)
    if data.startswith(_USUAL):
        return data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        return _from_utf16(data)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    match = _DECLARED.match(data)
    if match is None:
        return data
    name = match[1].decode("ascii").lower()
    if name in {"utf-8", "utf8"}:
        return data
    if name not in _ENCODINGS:
        _refuse_encoding(f"the declared encoding {name!r} is not read, or not that of the bytes")
    try:
        return data.decode(name).encode()
    except (UnicodeError, LookupError):
        _refuse_encoding(f"the bytes are not in the declared encoding {name!r}")


def _from_utf16(data: bytes) -> bytes:
    if data.startswith((b"\xff\xfe\0\0", b"\0\0")):
        name = "utf-32"
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        name = "utf-16"
    else:
        name = "utf-16-be" if data.startswith(b"\0") else "utf-16-le"
    try:
        text = data.decode(name)
        declared = _UTF16_DECLARED.match(text)
        if name == "utf-32" or (
            declared and declared[1].lower() not in {"utf-16", "utf-16le", "utf-16be"}
        ):
            _refuse_encoding("the bytes are not UTF-16, or declare another encoding")
        return text.encode()
    except UnicodeError:
        _refuse_encoding("the bytes are not UTF-16, or declare another encoding")
