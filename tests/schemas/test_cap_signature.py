"""The XML signature of an alert: what it covers, who vouches for it, and every way to cheat."""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta

import pytest
from cap_corpus import SHARED
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod
from signxml.util import namespaces

from schemas.cap import alert_facts, read_alert
from schemas.cap.signature import XmlSignature, check_xml_signature, read_certificates
from tests.log.samples import cap
from tests.xml_signer import CA, OFFICE, SENT, STRANGER, Signer, signed

DS = namespaces.ds


def state(payload: bytes, *trusted: Signer, sent: datetime = SENT) -> str:
    found = check_xml_signature(payload, [t.certificate for t in trusted], sent=sent)
    return found.state if found else "none"


def test_a_signed_alert_is_an_alert_that_the_reader_takes() -> None:
    facts = alert_facts(read_alert(signed()).alert)

    assert facts.identifier == "signed-1"


def test_one_without_has_none() -> None:
    assert state(cap("plain"), CA) == "none"
    assert state(b"no xml http://www.w3.org/2000/09/xmldsig#", CA) == "none"


def test_a_signature_that_a_trusted_authority_vouches_for_is_valid() -> None:
    found = check_xml_signature(signed(), [CA.certificate], sent=SENT)

    assert found == XmlSignature("valid", "", "CN=Alert office", "CN=Ministry CA")


def test_a_signer_may_be_trusted_without_an_authority() -> None:
    assert state(signed(), OFFICE) == "valid"
    assert state(signed(STRANGER), STRANGER) == "valid"


@pytest.mark.parametrize("trusted", [(), (STRANGER,)])
def test_a_signature_that_nobody_vouches_for_is_untrusted(trusted: tuple[Signer, ...]) -> None:
    assert state(signed(), *trusted) == "untrusted"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Keep away", b"Come near"),
        (b"signed-1", b"signed-2"),
        (b"<urgency>Immediate", b"<urgency>Expected"),
    ],
)
def test_an_altered_alert_is_invalid(old: bytes, new: bytes) -> None:
    payload = signed()
    assert old in payload

    assert state(payload.replace(old, new), CA) == "invalid"


def test_a_certificate_counts_at_the_time_that_the_alert_was_sent() -> None:
    payload = signed()

    assert state(payload, CA, sent=SENT + timedelta(days=29)) == "valid"
    assert state(payload, CA, sent=SENT + timedelta(days=31)) == "invalid"
    assert state(payload, OFFICE, sent=SENT - timedelta(days=31)) == "invalid"


def test_another_encoding_changes_nothing() -> None:
    root = etree.fromstring(signed())

    assert state(etree.tostring(root, encoding="UTF-16"), CA) == "valid"


def wrapped() -> bytes:
    """Return a forged alert that carries a rightly signed one in a resource, as wrappers do."""
    inner = etree.fromstring(signed())
    signature = inner.find(f"{{{DS}}}Signature")
    assert signature is not None
    inner.remove(signature)
    inner.set("Id", "real")
    for reference in signature.iter(f"{{{DS}}}Reference"):
        reference.set("URI", "#real")
    outer = etree.fromstring(cap("forged", sent=SENT, headline="Everybody go home"))
    outer.append(signature)
    signature.append(etree.SubElement(signature, f"{{{DS}}}Object"))
    signature[-1].append(inner)
    return etree.tostring(outer)


def test_a_wrapped_signature_is_not_taken_for_the_alerts() -> None:
    assert state(wrapped(), CA) == "unsupported"


def test_a_second_signature_or_one_elsewhere_is_not_looked_at() -> None:
    root = etree.fromstring(signed())
    signature = root.find(f"{{{DS}}}Signature")
    assert signature is not None
    twice = etree.fromstring(etree.tostring(root))
    twice.append(etree.fromstring(etree.tostring(signature)))
    info = root.find("{*}info")
    assert info is not None
    info.append(signature)

    assert state(etree.tostring(twice), CA) == "unsupported"
    assert state(etree.tostring(root), CA) == "unsupported"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb'URI=""', rb'URI="#x"'),
        (rb'URI=""', rb'URI="http://127.0.0.1:9/alert.xml"'),
        (rb'URI=""', rb'URI="file:///etc/passwd"'),
        (
            rb"http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            rb"http://www.w3.org/TR/1999/REC-xslt-19991116",
        ),
        (
            rb"http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            rb"http://www.w3.org/TR/1999/REC-xpath-19991116",
        ),
    ],
)
def test_what_could_cover_something_else_or_ask_the_network_is_not_looked_at(
    old: bytes, new: bytes
) -> None:
    payload = signed()
    assert old in payload

    assert state(payload.replace(old, new), CA) == "unsupported"


@pytest.mark.parametrize(
    ("pattern", "weak"),
    [
        (rb"http://www.w3.org/2001/04/xmlenc#sha256", rb"http://www.w3.org/2000/09/xmldsig#sha1"),
        (
            rb"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            rb"http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        ),
        (rb"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", rb"urn:unheard-of"),
        (rb"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", rb"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
    ],
)  # fmt: skip
def test_weak_and_other_kinds_of_algorithms_are_never_valid(pattern: bytes, weak: bytes) -> None:
    payload = signed()
    assert pattern in payload

    assert state(payload.replace(pattern, weak), CA, OFFICE) in {"unsupported", "invalid"}


def rsa_signed(method: SignatureMethod, digest: DigestAlgorithm) -> tuple[bytes, Signer]:
    """Return an alert signed with RSA, and who vouches for it, to the choice of the algorithms."""
    signer = Signer("RSA office", CA, key=rsa.generate_private_key(65537, 2048))
    return signed(signer, method=method, digest=digest), signer


@pytest.mark.parametrize(
    ("method", "digest", "expected"),
    [
        (SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256, "valid"),
        (SignatureMethod.SHA512_RSA_MGF1, DigestAlgorithm.SHA512, "valid"),
        (SignatureMethod.RSA_SHA1, DigestAlgorithm.SHA256, "unsupported"),
        (SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA1, "unsupported"),
        (SignatureMethod.RSA_SHA224, DigestAlgorithm.SHA256, "unsupported"),
    ],
)
def test_algorithms_count_by_name_whoever_vouches(
    method: SignatureMethod, digest: DigestAlgorithm, expected: str
) -> None:
    payload, signer = rsa_signed(method, digest)

    assert state(payload, CA, signer) == expected


def test_a_trusted_signer_is_no_authority() -> None:
    assert state(signed(Signer("Friend of the office", OFFICE)), OFFICE) == "untrusted"


def test_a_certificate_of_another_is_no_help() -> None:
    payload = signed(STRANGER)
    theirs = base64.b64encode(OFFICE.certificate.public_bytes(serialization.Encoding.DER))
    swapped = re.sub(
        rb"(<ds:X509Certificate>).*?(</ds:X509Certificate>)",
        rb"\g<1>" + theirs + rb"\g<2>",
        payload,
        flags=re.DOTALL,
    )
    assert swapped != payload

    assert state(swapped, CA) in {"invalid", "unsupported"}


def test_one_without_a_certificate_is_not_looked_at() -> None:
    payload = re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", signed(), flags=re.DOTALL)

    assert state(payload, CA) == "unsupported"


@given(st.data())
def test_nothing_that_is_garbled_is_valid_or_falls_over(data: st.DataObject) -> None:
    payload = bytearray(signed())
    at = data.draw(st.integers(0, len(payload) - 1))
    flipped = data.draw(st.integers(1, 255))
    payload[at] ^= flipped
    found = check_xml_signature(bytes(payload), [CA.certificate], sent=SENT)

    if found is not None and found.state == "valid":
        # Only what is not signed may differ: white space around, or within the base64.
        assert _text(bytes(payload)) == _text(signed_before(payload, at, flipped))


def signed_before(payload: bytearray, at: int, flipped: int) -> bytes:
    before = bytearray(payload)
    before[at] ^= flipped
    return bytes(before)


def _text(payload: bytes) -> list[str]:
    root = etree.fromstring(payload)
    return [
        f"{e.tag} {(e.text or '').strip()}"
        for e in root.iter()
        if isinstance(e.tag, str) and DS not in e.tag
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("capparselib/tests/resources/canada_signed.cap", "unsupported"),
        ("capparselib/tests/resources/no_info_tag.cap", "unsupported"),
        ("capparselib/tests/resources/earthquake_signed.cap", "unsupported"),
    ],
)
def test_real_alerts_are_told_of(name: str, expected: str) -> None:
    file = SHARED / "corpus" / "cap" / name
    if not file.exists():
        pytest.skip(f"{file} is not on this machine")

    payload = file.read_bytes()
    sent = re.search(rb"sent>([^<]+)<", payload)
    assert sent is not None
    assert state(payload, CA, sent=datetime.fromisoformat(sent[1].decode())) == expected


def test_certificates_are_read_from_pem() -> None:
    assert read_certificates(CA.pem + OFFICE.pem) == [CA.certificate, OFFICE.certificate]
    for bad in (b"", b"no", CA.pem[:100]):
        with pytest.raises(ValueError, match=r"."):
            read_certificates(bad)
