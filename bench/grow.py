"""Fill a log to a size, as the ledger would have: every entry admitted, chained and hashed."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from nacl.signing import SigningKey
from work import payload

from hub.core.admission import Rules, decide
from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.core.signing import Chain, audience_of
from hub.log.genesis import ensure_genesis
from hub.log.store import Head, Log
from schemas.dsse import HEADER_TYPE, pae
from schemas.ed25519 import VerifierKey
from schemas.entry import from_micros
from schemas.header import header_text
from schemas.payload import read_payload

__all__ = ["SECRET", "grow"]

BATCH = 5_000
AGO_US = 90 * 86_400 * 1_000_000
"""How old the log is: older than what feeds still hold, so that the log alone is large."""

SECRET = SigningKey(sha256(b"bench").digest())
"""Of the agency whose messages are signed."""


def grow(
    log_url: str, size: int, origin: str, agencies: Sequence[str], *, signed: bool = False
) -> float:
    """Make a log of *size* entries, all but the first few messages; return entries per second.

    *signed*: by the first of the agencies.
    """
    log = Log.open(log_url)
    began_us = time.time_ns() // 1000 - AGO_US
    ensure_genesis(log, origin=origin, version="bench", now_us=began_us)
    members = [
        Candidate("member", "", body={"id": a, "state": a[:2].upper(), "name": a}) for a in agencies
    ]
    agency = agencies[0]
    key = VerifierKey(f"{agency}/2026", bytes(SECRET.verify_key))
    head = _append(log, members, began_us)
    if signed:
        expires = (from_micros(began_us) + timedelta(days=700)).isoformat()
        body = {"agency": agency, "key": str(key), "action": "add", "expires": expires}
        head = _append(log, [Candidate("key", agency, body=body)], began_us)
    data = payload("grow", 0)
    facts = read_payload(data).facts
    start, began, chain = head.size, time.monotonic(), Chain()
    while head.size < size:
        batch = []
        for number in range(head.size, min(size, head.size + BATCH)):
            one = Candidate(
                "publish",
                agency,
                payload=data.replace(b">grow-0<", b">grow-%d<" % number),
                payload_type="application/cap+xml",
                facts=facts.model_copy(update={"identifier": f"grow-{number}"}),
            )
            if signed:
                one = _signed(one, key, chain)
                chain = chain.after(one.header)
            batch.append(one)
        head = _append(log, batch, began_us)
    log.close()
    return (head.size - start) / (time.monotonic() - began)


def _signed(one: Candidate, key: VerifierKey, chain: Chain) -> Candidate:
    assert one.facts is not None
    header = header_text(
        message_id=f"grow-{chain.seq + 1:012}",
        agency=one.agency,
        seq=chain.seq + 1,
        prev=chain.head,
        type_="alert",
        created=one.facts.sent.isoformat(),
        expires=one.facts.expires.isoformat() if one.facts.expires else None,
        audience=audience_of(one.facts),
        payload_type=one.payload_type,
        payload_sha256=sha256(one.payload).hexdigest(),
        payload_size=len(one.payload),
    )
    signature = SECRET.sign(pae(HEADER_TYPE, header.encode())).signature
    return replace(
        one,
        header=header,
        signature=base64.b64encode(signature).decode(),
        key=str(key),
        message_id=f"grow-{chain.seq + 1:012}",
    )


def _append(log: Log, batch: Sequence[Candidate], now_us: int) -> Head:
    head = log.head()
    decisions = decide(
        batch,
        size=head.size,
        last_at_us=head.at_us,
        now_us=now_us,
        registry=History(log.registry_entries()).latest,
        known=log.known_for(batch),
        rules=Rules(future_tolerance=timedelta(days=1000)),
    )
    refused = next((o.refusal for o in decisions.outcomes if o.refusal), None)
    assert refused is None, refused
    return log.append(decisions.entries, expect=head)
