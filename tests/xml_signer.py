"""Alerts with an XML signature inside, and certificates for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner

from tests.log.samples import cap

__all__ = ["CA", "OFFICE", "SENT", "STRANGER", "Signer", "signed"]

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

SENT = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Signer:
    """A key and its certificate, issued by another or by itself."""

    def __init__(
        self,
        name: str,
        issuer: Signer | None = None,
        *,
        days: int = 30,
        key: Key | None = None,
    ) -> None:
        self.key: Key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        by = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is None else issuer.certificate.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(SENT - timedelta(days=days))
            .not_valid_after(SENT + timedelta(days=days))
            .add_extension(
                x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=issuer is None,
                    crl_sign=issuer is None,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()),
                critical=False,
            )
        )
        self.certificate = builder.sign(by.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


CA = Signer("Ministry CA", days=3000)
OFFICE = Signer("Alert office", CA)
STRANGER = Signer("Stranger")


class _Signing(XMLSigner):
    """Signs also with what is weak, as others do."""

    def check_deprecated_methods(self) -> None:
        """Refuse nothing."""


def signed(
    signer: Signer = OFFICE,
    payload: bytes = b"",
    *,
    method: SignatureMethod = SignatureMethod.ECDSA_SHA256,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
) -> bytes:
    """Return an alert with a signature inside, as its agency would make it."""
    root = etree.fromstring(payload or cap("signed-1", sent=SENT))
    made = _Signing(signature_algorithm=method, digest_algorithm=digest).sign(
        root, key=signer.key, cert=[signer.certificate]
    )
    return etree.tostring(made)
