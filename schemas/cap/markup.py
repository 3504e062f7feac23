"""Whether bytes are safe XML, and their tree (R00, R01).

Bytes come from outside. They are bounded, brought to UTF-8, and looked over
before libxml2 sees them: a document type declaration is refused before anything
in it could act. What is left is parsed without network, entities, comments and
processing instructions.
"""

from __future__ import annotations

import re
from collections import deque
from threading import Thread
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from lxml import etree

from schemas.cap.layout import (
    ALERT,
    NAMESPACE_10,
    NAMESPACE_11,
    NAMESPACE_12,
    NAMESPACE_DSIG,
    Group,
)
from schemas.errors import Finding, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "depth_of",
    "in_own_thread",
    "is_plain",
    "parse",
    "refuse_depth",
    "to_utf8",
]

MAX_BYTES: Final = 1 << 20
"""The default limit of a message, in bytes."""

MAX_DEPTH: Final = 64
"""Elements may be nested this deep; CAP needs 5, an XML signature about 10."""

_ENCODINGS: Final = frozenset(
    ["us-ascii", "ascii", "gb18030", "gbk", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr"]
    + [f"iso-8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)]
    + [f"windows-{n}" for n in range(1250, 1259)]
    + ["koi8-r", "koi8-u", "kz1048"]
)
_DECLARED: Final = re.compile(
    rb"<\?xml\s[^<>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._\-]{0,39})[\"']"
)
_UTF16_DECLARED: Final = re.compile(r"<\?xml\s[^<>]{0,200}?\sencoding\s*=\s*[\"']([^\"']*)[\"']")


def _refuse(code: str, rule: str, detail: str, remedy: str, line: int | None = None) -> NoReturn:
    finding = Finding(rule, "error", "", detail, line)
    raise Rejected(code, detail, remedy=remedy, findings=(finding,))


def _refuse_encoding(detail: str) -> NoReturn:
    _refuse("not-xml", "R00", detail, "Send the message in UTF-8.", 1)


def to_utf8(data: bytes, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the document in UTF-8, without a byte order mark (R00, R01).

    UTF-8 is passed on as it is; its validity is the parser's to judge.

    Raises:
        Rejected: ``too-large``, or ``not-xml`` for bytes that are not in the
            encoding that they declare.
    """
    if len(data) > max_bytes:
        _refuse(
            "too-large",
            "R01",
            f"the message has {len(data)} bytes; the limit is {max_bytes}",
            "Send a smaller message; refer to large files by URI.",
        )
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


# --- Names ---------------------------------------------------------------------------
# libxml2 keeps every name it ever met, of elements, attributes and prefixes, for as long
# as the thread lives: a sender of ever new names would fill the memory of a process that
# lives for months. So a document with names outside the vocabulary below is read in a
# thread of its own, and what it made libxml2 remember goes when the thread goes.


def _names(group: Group) -> Iterator[str]:
    for element in group.elements:
        yield element.tag
        if element.group is not None:
            yield from _names(element.group)


_CAP_NAMES: Final = frozenset(["alert", *_names(ALERT)])
_PREFIXES: Final = ("", "cap:")
_PLAIN_TAGS: Final = frozenset(
    tag.encode()
    for prefix in _PREFIXES
    for name in _CAP_NAMES
    for tag in (f"<{prefix}{name}>", f"</{prefix}{name}>", f"<{prefix}{name}/>")
)
_TAGS: Final = re.compile(rb"<[^<>]*>?")
_PLAIN_HEAD: Final = re.compile(
    rb"<\?xml\s[^<>?]*\?>"
    rb"|<alert\s+xmlns\s*=\s*([\"'])urn:oasis:names:tc:emergency:cap:1\.[12]\1\s*/?>"
    rb"|<cap:alert\s+xmlns:cap\s*=\s*([\"'])urn:oasis:names:tc:emergency:cap:1\.[12]\2\s*/?>"
)

_MARKUP: Final = re.compile(
    rb"<(?:!--(?:.*?-->|.*)"
    rb"|!\[CDATA\[(?:.*?\]\]>|.*)"
    rb"|\?(?:.*?\?>|.*)"
    rb"|[^!?<>](?:[^<>\"']*+(?:\"[^<\"]*+\"|'[^<']*+')?+)*+>?"
    rb"|!)",
    re.DOTALL,
)
"""The pieces of markup in a well-formed document, exactly; the last is a declaration."""

_QUOTED: Final = re.compile(rb"\"[^\"]*\"|'[^']*'")
_NAME: Final = re.compile(rb"[^\s<>/=:?\"']+")
_XMLNS: Final = re.compile(rb"xmlns(?::[^\s=]+)?\s*=\s*[\"']([^\"']*)[\"']")
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_VOCABULARY: Final = frozenset(
    name.encode()
    for name in (
        *_CAP_NAMES,
        *("cap", "xml", "xmlns", "xsi", "schemaLocation", "version", "encoding", "standalone"),
        *("ds", "dsig", "Signature", "SignedInfo", "SignatureValue", "CanonicalizationMethod"),
        *("SignatureMethod", "Reference", "Transforms", "Transform", "DigestMethod"),
        *("DigestValue", "KeyInfo", "KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent"),
        *("X509Data", "X509Certificate", "X509SubjectName", "X509IssuerSerial"),
        *("X509IssuerName", "X509SerialNumber", "X509SKI", "Algorithm", "Id", "URI", "Type"),
        *(NAMESPACE_12, NAMESPACE_11, NAMESPACE_10, NAMESPACE_DSIG, _XSI),
    )
)


def is_plain(data: bytes) -> bool:
    """Tell whether all names in the document are of a fixed vocabulary.

    Raises:
        Rejected: ``xml-forbidden``, the document has a document type declaration (R00).
    """
    rest = set(_TAGS.findall(data)) - _PLAIN_TAGS
    if all(map(_PLAIN_HEAD.fullmatch, rest)):
        return True
    pieces = set(_MARKUP.findall(data)) - _PLAIN_TAGS
    if b"<!" in pieces:
        _refuse(
            "xml-forbidden",
            "R00",
            "the document has a document type or entity declaration",
            "Send the message without <!DOCTYPE …>.",
            next(
                data[: found.start()].count(b"\n") + 1
                for found in _MARKUP.finditer(data)
                if found[0] == b"<!"
            ),
        )
    return all(map(_is_plain_piece, pieces))


def _is_plain_piece(piece: bytes) -> bool:
    if piece.startswith(b"<!"):
        return True
    if piece.startswith(b"<?"):
        return piece.startswith((b"<?xml ", b"<?xml-stylesheet "))
    names = _NAME.findall(_QUOTED.sub(b"", piece)) + _XMLNS.findall(piece)
    return _VOCABULARY.issuperset(names)


_Result = TypeVar("_Result")


def in_own_thread(work: Callable[[], _Result]) -> _Result:
    """Do *work* in a thread that ends with it, and return or raise what it does."""
    results: list[_Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    thread = Thread(target=run, name="cap-foreign-names")
    thread.start()
    thread.join()
    if errors:
        raise errors.pop()
    return results.pop()


_parsers: Final[deque[etree.XMLParser]] = deque()


def parse(data: bytes) -> etree._Element:
    """Parse a document in UTF-8 that `is_plain` has looked over.

    Raises:
        Rejected: ``not-xml``, ``too-deep``, ``too-large`` or ``xml-forbidden``.
    """
    try:
        parser = _parsers.pop()
    except IndexError:
        parser = etree.XMLParser(
            encoding="UTF-8",
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
        )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        _refuse_syntax(error)
    finally:
        _parsers.append(parser)


_RESOURCE_LIMIT: Final = 114
"""libxml2's code for all its limits."""


def _refuse_syntax(error: etree.XMLSyntaxError) -> NoReturn:
    message = (error.msg or "not well-formed")[:300]
    if error.code == _RESOURCE_LIMIT:
        if "depth" in message:
            refuse_depth(error.lineno)
        _refuse(
            "too-large",
            "R01",
            f"a text or attribute is too long: {message}",
            "Send a smaller message; refer to large files by URI.",
            error.lineno,
        )
    _refuse(
        "not-xml",
        "R00",
        f"not well-formed XML: {message}",
        "Send one well-formed XML document in UTF-8.",
        error.lineno,
    )


def refuse_depth(line: int | None = None) -> NoReturn:
    """Refuse a document whose elements are nested too deep (R01)."""
    _refuse(
        "too-deep",
        "R01",
        f"elements are nested deeper than {MAX_DEPTH}",
        "Send a CAP alert; it needs five levels.",
        line,
    )


def depth_of(root: etree._Element) -> int:
    """Return how deep elements are nested; the root alone is 1."""
    depth, level = 0, [root]
    while level:
        depth += 1
        level = [child for element in level for child in element]
    return depth
