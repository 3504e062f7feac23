"""Which names a document may leave behind in the memory of the process.

libxml2 keeps every name that it ever met, of elements, attributes, prefixes and
namespaces, for as long as the thread lives that parsed it: a sender of ever new
names would fill the memory of a process that lives for months: a hundred
messages of a megabyte take a hundred megabytes, for ever. So a document with names
outside a fixed vocabulary is read in a thread of its own; what libxml2 remembers of
it goes when the thread goes.
"""

from __future__ import annotations

import re
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeVar

from schemas.cap.encoding import refuse
from schemas.cap.layout import (
    ALERT,
    NAMESPACE_10,
    NAMESPACE_11,
    NAMESPACE_12,
    NAMESPACE_DSIG,
    Group,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MARKUP", "in_own_thread", "is_plain"]


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
_TAG: Final = re.compile(rb"<[^>]+>")
_PLAIN_HEAD: Final = re.compile(
    rb"\s*+(?:<\?xml\s[^<>?]*\?>\s*+)?"
    rb"(?:<alert\s+xmlns\s*=\s*([\"'])urn:oasis:names:tc:emergency:cap:1\.[12]\1\s*>"
    rb"|<cap:alert\s+xmlns:cap\s*=\s*([\"'])urn:oasis:names:tc:emergency:cap:1\.[12]\2\s*>)"
)

MARKUP: Final = re.compile(
    rb"<(?:!--(?:.*?-->|.*)"
    rb"|!\[CDATA\[(?:.*?\]\]>|.*)"
    rb"|\?(?:.*?\?>|.*)"
    rb"|[^!?<>](?:[^<>\"']+|\"[^<\"]*\"|'[^<']*')*>?"
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
        *(
            "xml",
            "xmlns",
            "version",
            "encoding",
            "standalone",
            "xsi",
            "schemaLocation",
            "xsd",
            "xs",
        ),
        *("cap", "cap11", "cap12", "c", *(f"ns{n}" for n in range(10))),
        *("ds", "dsig", "Signature", "SignedInfo", "SignatureValue", "CanonicalizationMethod"),
        *("SignatureMethod", "Reference", "Transforms", "Transform", "DigestMethod"),
        *("DigestValue", "KeyInfo", "KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent"),
        *("X509Data", "X509Certificate", "X509SubjectName", "X509IssuerSerial"),
        *("Object", "XPath", "InclusiveNamespaces", "PrefixList", "ec"),
        *("X509IssuerName", "X509SerialNumber", "X509SKI", "Algorithm", "Id", "URI", "Type"),
        *(NAMESPACE_12, NAMESPACE_11, NAMESPACE_10, NAMESPACE_DSIG, _XSI),
        *("http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2001/10/xml-exc-c14n#"),
    )
)


def is_plain(data: bytes) -> bool:
    """Tell whether all names in a document in UTF-8 are of the vocabulary.

    Raises:
        Rejected: ``xml-forbidden``, the document has a document type declaration
            (R00). It is refused before a parser could act on it.
    """
    head = _PLAIN_HEAD.match(data)
    if (
        head
        and _PLAIN_TAGS.issuperset(_TAG.findall(data, head.end()))
        and data.rfind(b"<") < data.rfind(b">")
    ):
        return True
    pieces = set(MARKUP.findall(data)) - _PLAIN_TAGS
    if b"<!" in pieces:
        at = next(found.start() for found in MARKUP.finditer(data) if found[0] == b"<!")
        refuse(
            "xml-forbidden",
            "R00",
            "the document has a document type or entity declaration",
            "Send the message without <!DOCTYPE …>.",
            data.count(b"\n", 0, at) + 1,
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
