"""The XML signature that an alert may bear (CAP 1.2, 3.3.4.1): whose it is, and whether it holds.

It is looked at as of the time that the alert gives itself (``sent``), against certificates
that the hub trusts. The result is told beside the message and changes nothing else: the
hub's own signatures are another thing, and a message is never mended.

An XML signature can hold and yet not cover what a reader reads. So exactly one is looked
for, directly within ``alert``, with one reference, to the whole document, and with no
transform but the removal of the signature itself and canonicalization.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import verification
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

__all__ = ["XmlSignature", "check_xml_signature", "read_certificates"]

State = Literal["valid", "untrusted", "invalid", "unsupported"]

_NAMESPACE: Final = "http://www.w3.org/2000/09/xmldsig#"
_MARKS: Final = tuple(_NAMESPACE.encode(e) for e in ("utf-8", "utf-16-le", "utf-16-be"))
_TRANSFORMS: Final = frozenset(
    {
        f"{_NAMESPACE}enveloped-signature",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2006/12/xml-c14n11#WithComments",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    }
)
_MOST_CERTIFICATES: Final = 10
_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS: Final = frozenset(
    {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
)
"""Named one by one: what a later signxml adds is not taken unseen. No SHA-1, no secret keys."""
_ODD: Final = (
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class XmlSignature:
    """What became of the XML signature of an alert."""

    state: State
    """``valid``: it covers the alert, and one trusted vouches for its certificate.
    ``untrusted``: it covers the alert, and nobody trusted does. ``invalid``: it does not hold,
    or its certificate was not valid when the alert was sent. ``unsupported``: it is of a form
    that is not looked at, for it could cover something else than what is read, or is weak."""
    detail: str = ""
    subject: str = ""
    """Of the certificate, RFC 4514."""
    issuer: str = ""


class _Found(Exception):
    def __init__(self, state: State, detail: str) -> None:
        super().__init__(detail)
        self.state: State = state


def read_certificates(pem: bytes) -> list[x509.Certificate]:
    """Read the certificates of a PEM file.

    Raises:
        ValueError: there is none, or one is malformed.
    """
    return x509.load_pem_x509_certificates(pem)


def check_xml_signature(
    payload: bytes, trusted: Sequence[x509.Certificate], *, sent: datetime
) -> XmlSignature | None:
    """Look at the XML signature of an alert as of *sent*; None where it bears none.

    *payload* is the alert as it came. *trusted* are certificates of authorities, or of
    signers themselves. Never raises, whatever the payload holds.
    """
    if not any(mark in payload for mark in _MARKS):
        return None
    try:
        root = etree.fromstring(
            payload, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        )
    except (etree.LxmlError, ValueError):
        return None
    everywhere = list(root.iter(f"{{{_NAMESPACE}}}Signature"))
    if not everywhere:
        return None
    subject = issuer = ""
    try:
        signature = _the_signature(root, everywhere)
        chain = _certificates(signature)
        subject, issuer = _name(chain[0].subject), _name(chain[0].issuer)
        _verify(root, chain[0], sent)
        _trust(chain, trusted, sent)
    except _Found as found:
        return XmlSignature(found.state, str(found)[:300], subject, issuer)
    return XmlSignature("valid", "", subject, issuer)


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()[:300]


def _the_signature(root: etree._Element, everywhere: list[etree._Element]) -> etree._Element:
    """Return the one signature, if it is of the form that covers the whole alert."""
    if len(everywhere) != 1 or everywhere[0].getparent() is not root:
        raise _Found("unsupported", "there is more than one, or it is not directly in the alert")
    signature = everywhere[0]
    references = signature.findall(f"{{{_NAMESPACE}}}SignedInfo/{{{_NAMESPACE}}}Reference")
    if len(references) != 1 or references[0].get("URI") != "":
        raise _Found("unsupported", "it is not of the whole alert and nothing else")
    transforms = {
        str(t.get("Algorithm"))
        for t in references[0].iterfind(f"{{{_NAMESPACE}}}Transforms/{{{_NAMESPACE}}}Transform")
    }
    if not transforms <= _TRANSFORMS:
        raise _Found("unsupported", "what it covers is transformed before")
    return signature


def _certificates(signature: etree._Element) -> list[x509.Certificate]:
    """Return the certificates within the signature, the signer's first."""
    found = []
    path = f"{{{_NAMESPACE}}}KeyInfo/{{{_NAMESPACE}}}X509Data/{{{_NAMESPACE}}}X509Certificate"
    for element in signature.findall(path)[:_MOST_CERTIFICATES]:
        text = re.sub(r"\s", "", element.text or "")
        try:
            one = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
            # They are parsed when they are asked for, and may turn out to be garbled then.
            _ = one.subject, one.issuer, one.not_valid_before_utc, one.extensions, one.public_key()
            found.append(one)
        except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm, *_ODD) as e:
            raise _Found("unsupported", f"a certificate cannot be read: {e}") from e
    if not found:
        raise _Found("unsupported", "it names no certificate")
    issuers = {c.issuer for c in found}
    # No order is implied (XML Signature, 4.5.4): the signer's is the one that issued no other.
    ends = [c for c in found if c.subject not in issuers or c.subject == c.issuer]
    leaf = next((c for c in ends if c.subject != c.issuer), ends[0] if ends else found[0])
    return [leaf, *(c for c in found if c is not leaf)]


def _verify(root: etree._Element, certificate: x509.Certificate, sent: datetime) -> None:
    """Verify that the certificate's key signed the alert as it stands."""
    config = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        verification_time=sent,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
    )
    try:
        result = XMLVerifier().verify(root, x509_cert=certificate, expect_config=config)
    except (SignXMLException, InvalidSignature) as e:
        weak = "forbidden by configuration" in str(e) or "SHA1" in str(e).upper().replace("-", "")
        raise _Found("unsupported" if weak else "invalid", str(e) or "it does not hold") from e
    except (
        UnsupportedAlgorithm,
        etree.LxmlError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
    ) as e:
        raise _Found("unsupported", f"it cannot be read: {e}") from e
    covered = None if isinstance(result, list) else result.signed_xml
    if covered is None or covered.tag != root.tag or _said(covered) != _said(root):
        raise _Found("unsupported", "it covers something else than the alert")


def _said(alert: etree._Element) -> list[tuple[object, str]]:
    """Return what an alert says, element by element, without its signature."""
    return [
        (element.tag, (element.text or "").strip())
        for element in alert.iter()
        if isinstance(element.tag, str) and not element.tag.startswith(f"{{{_NAMESPACE}}}")
    ]


def _trust(
    chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], sent: datetime
) -> None:
    """Find one trusted who vouches for the signer's certificate, as of *sent*."""
    leaf = chain[0]
    if not leaf.not_valid_before_utc <= sent <= leaf.not_valid_after_utc:
        raise _Found("invalid", "its certificate was not valid when the alert was sent")
    if leaf in trusted:
        return
    if not trusted:
        raise _Found("untrusted", "the hub trusts no certificates (CASPIAN_CAP_TRUST)")
    permissive = verification.ExtensionPolicy.permit_all()
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(list(trusted)))
        .time(sent)
        .extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=permissive
        )
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, list(chain[1:]))
    except (verification.VerificationError, ValueError, UnsupportedAlgorithm) as e:
        raise _Found("untrusted", f"nobody trusted vouches for its certificate: {e}") from e
