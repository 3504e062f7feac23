"""DSSE v1: what exactly is signed, so that nothing signed can be taken for something else.

The bytes are signed as they are, together with their type (the pre-authentication
encoding, PAE): no canonical form that two programs could write differently, and a
signature over a header can never pass as one over a change of the registry.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from schemas.ed25519 import VerifierKey, decode_base64, verify
from schemas.errors import Rejected

__all__ = [
    "HEADER_TYPE",
    "STATEMENT_TYPE",
    "Signature",
    "pae",
    "read_signatures",
    "signed_by",
    "write_signatures",
]

HEADER_TYPE: Final = "application/vnd.caspian-hub.header+json"
STATEMENT_TYPE: Final = "application/vnd.caspian-hub.statement+json"

Signature = tuple[VerifierKey, bytes]
"""A key, and 64 bytes that are said to be its signature."""

_MOST: Final = 32


def pae(payload_type: str, body: bytes) -> bytes:
    """Return the bytes that a signature covers (DSSE v1.0.2, protocol, "Signature Definition").

    ``"DSSEv1" SP len(type) SP type SP len(body) SP body``, lengths in bytes as ASCII decimal.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def signed_by(payload_type: str, body: bytes, key: VerifierKey, signature: bytes) -> bool:
    """Tell whether *signature* is *key*'s over this type and these bytes."""
    return verify(key.public, signature, pae(payload_type, body))


def read_signatures(text: str) -> tuple[Signature, ...]:
    """Read ``[{"key": <verifier key>, "sig": <base64>}, …]``, at most 32 of them.

    Raises:
        Rejected: ``signature-invalid`` or ``key-invalid``.
    """
    try:
        found = json.loads(text)
        pairs = [(str(one["key"]), str(one["sig"])) for one in found]
    except (ValueError, TypeError, KeyError, RecursionError) as e:
        raise _invalid("signatures are a JSON list of {key, sig}") from e
    if not isinstance(found, list):
        raise _invalid("signatures are a JSON list of {key, sig}")
    if len(pairs) > _MOST:
        raise _invalid(f"there are more than {_MOST} signatures")
    return tuple((VerifierKey.read(key), _signature(sig)) for key, sig in pairs)


def _signature(text: str) -> bytes:
    data = decode_base64(text)
    if data is None or len(data) != 64:
        raise _invalid("a signature is 64 bytes in base64")
    return data


def write_signatures(signatures: tuple[Signature, ...]) -> list[dict[str, Any]]:
    """Write signatures as `read_signatures` reads them."""
    return [{"key": str(k), "sig": base64.b64encode(s).decode()} for k, s in signatures]


def _invalid(why: str) -> Rejected:
    return Rejected("signature-invalid", why, remedy="Sign it again; see docs/protocol/signing.md.")
