"""Keys and signatures for tests; a key is made of its name, so the same come out each time."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from hub.core.candidate import Candidate
from hub.core.changes import ChangeKind, statement_text
from hub.core.registry import Registry
from hub.core.signing import Chain, audience_of
from schemas.cosignature import CosignerKey, cosignature, message
from schemas.dsse import HEADER_TYPE, STATEMENT_TYPE, pae
from schemas.ed25519 import VerifierKey
from schemas.notes import NoteSignature

__all__ = [
    "cosign",
    "header_of",
    "key",
    "raw_signature",
    "sign",
    "signed",
    "signed_fields",
    "statement",
    "statement_of",
    "witness",
]


def _secret(name: str) -> SigningKey:
    return SigningKey(sha256(name.encode()).digest())


def key(name: str) -> VerifierKey:
    """Return the public key of a name."""
    return VerifierKey(name, bytes(_secret(name).verify_key))


def sign(name: str, payload_type: str, body: bytes) -> bytes:
    """Sign in a name."""
    return _secret(name).sign(pae(payload_type, body)).signature


def witness(name: str) -> CosignerKey:
    """Return the public key of a witness."""
    return CosignerKey(name, bytes(_secret(name).verify_key))


def cosign(name: str, text: str, at: int) -> NoteSignature:
    """Cosign a checkpoint's text as a witness of that name, at a time in seconds."""
    return cosignature(witness(name), at, raw_signature(name, message(text, at)))


def raw_signature(name: str, data: bytes) -> bytes:
    """Sign bytes as they are."""
    return _secret(name).sign(data).signature


def statement_of(text: str, *signers: str) -> dict[str, Any]:
    """Return the proposal of a statement's text, signed by these."""
    return {
        "statement": text,
        "signatures": json.dumps(
            [
                {
                    "key": str(key(name)),
                    "sig": base64.b64encode(sign(name, STATEMENT_TYPE, text.encode())).decode(),
                }
                for name in signers
            ]
        ),
    }


def statement(
    registry: Registry, kind: ChangeKind, record: Mapping[str, Any], *signers: str
) -> dict[str, Any]:
    """Return the proposal of a change, signed by these."""
    return statement_of(statement_text(registry.origin, kind, record, registry), *signers)


def header_of(c: Candidate, chain: Chain = Chain(), **changed: Any) -> str:  # noqa: B008 - frozen
    """Return the header that the agency of a candidate would sign; some of it *changed*."""
    assert c.facts is not None
    told = {
        "id": c.message_id or f"h-{chain.seq + 1}",
        "agency": c.agency,
        "seq": chain.seq + 1,
        "prev": chain.head,
        "type": c.facts.kind,
        "created": c.facts.sent.isoformat(),
        "expires": c.facts.expires.isoformat() if c.facts.expires else None,
        "audience": list(audience_of(c.facts)),
        "payload_type": c.payload_type,
        "payload_sha256": sha256(c.payload).hexdigest(),
        "payload_size": len(c.payload),
    }
    return json.dumps({**told, **changed}, ensure_ascii=False)


def signed(
    c: Candidate,
    signer: str,
    chain: Chain = Chain(),  # noqa: B008 - frozen
    **changed: Any,
) -> Candidate:
    """Return the candidate that intake makes of the same message, signed."""
    header = header_of(c, chain, **changed)
    signature = base64.b64encode(sign(signer, HEADER_TYPE, header.encode())).decode()
    return replace(
        c,
        header=header,
        signature=signature,
        key=str(key(signer)),
        message_id=json.loads(header)["id"],
    )


def signed_fields(
    c: Candidate,
    signer: str,
    chain: Chain = Chain(),  # noqa: B008 - frozen
    **changed: Any,
) -> dict[bytes, bytes]:
    """Return the fields of an inbox entry that holds a candidate's message, signed."""
    one = signed(c, signer, chain, **changed)
    return {
        b"type": b"message",
        b"payload": c.payload,
        b"header": one.header.encode(),
        b"signature": one.signature.encode(),
        b"key": one.key.encode(),
    }
