"""Client certificates: what names one, and how the front tells which one it saw (RFC 9440)."""

from __future__ import annotations

import base64
import binascii
import ssl
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import unquote

from hub.errors import Rejected

__all__ = ["Certificate", "in_header", "prefix_of", "read"]

_LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, as far as the hub looks into it: the front has verified the handshake."""

    fingerprint: bytes
    """SHA-256 of its DER form."""
    expires: datetime
    subject: str


def read(data: bytes) -> Certificate:
    """Read a certificate in PEM or DER.

    Raises:
        Rejected: ``certificate-invalid``.
    """
    from cryptography import x509  # noqa: PLC0415 - only for who registers a certificate

    try:
        found = (
            x509.load_pem_x509_certificate(data)
            if b"-----BEGIN" in data
            else x509.load_der_x509_certificate(data)
        )
    except ValueError as e:
        raise _invalid("this is no X.509 certificate in PEM or DER") from e
    der = ssl.PEM_cert_to_DER_cert(data.decode()) if b"-----BEGIN" in data else data
    return Certificate(
        sha256(der).digest(), found.not_valid_after_utc, found.subject.rfc4514_string()
    )


def in_header(value: str) -> bytes | None:
    """Return the fingerprint of the certificate in a ``Client-Cert`` header; None for none.

    RFC 9440, section 2.2: the DER form as a byte sequence of RFC 8941, ``:MIIC…:``. nginx
    cannot write that; its ``$ssl_client_escaped_cert`` (PEM, percent-encoded) is read too.

    Raises:
        Rejected: ``certificate-invalid``.
    """
    value = value.strip()
    if value in {"", "::"}:
        return None
    try:
        der = _der(value[:_LONGEST])
    except (ValueError, binascii.Error) as e:
        raise _invalid("the header Client-Cert holds no certificate (RFC 9440)") from e
    return sha256(der).digest()


def _der(value: str) -> bytes:
    if value.startswith("-----BEGIN"):
        return ssl.PEM_cert_to_DER_cert(unquote(value).strip())
    if not value.startswith(":") or not value.endswith(":") or len(value) < 3:
        raise ValueError("a byte sequence stands between colons")
    return base64.b64decode(value[1:-1], validate=True)


def prefix_of(fingerprint: bytes) -> str:
    """Return the name under which a certificate is listed; no token can bear it."""
    return f"x{fingerprint.hex()[:15]}"


def _invalid(detail: str) -> Rejected:
    return Rejected(
        "certificate-invalid", detail, remedy="See docs/access.md, client certificates."
    )
