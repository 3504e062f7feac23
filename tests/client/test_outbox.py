"""An agency's own record of what it signed: no gap, no twin, whatever dies in between."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.client import Outbox, SignedPublisher
from hub.client.outbox import Signed
from hub.client.signers import Signer, make_key_file, open_signer
from hub.core.signing import Chain
from hub.errors import Rejected, Unavailable
from schemas.header import read_header
from schemas.receipt import Receipt
from tests.log.samples import cap

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    make_key_file(tmp_path / "key", "az-fhn-1")
    return open_signer(tmp_path / "key", lambda: "")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox", "az-fhn")
    yield box
    box.close()


class Log:
    """What the hub does with the count, and no more."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.headers: list[str] = []
        self.fails: list[Exception] = []

    async def send(self, message: Signed) -> Receipt:
        if self.fails:
            raise self.fails.pop(0)
        if message.header not in self.headers:
            if not self.chain.is_next(read_header(message.header)):
                raise Rejected("sequence-gap", "not the next")
            self.chain = self.chain.after(message.header)
            self.headers.append(message.header)
        found = self.headers.index(message.header)
        return Receipt(index=found, id="x", sha256="", at=NOW)


def refusal(code: str, *, counted: bool) -> Rejected:
    return Rejected(code, "refused", counted=counted)


async def test_the_count_goes_on_from_message_to_message(outbox: Outbox, signer: Signer) -> None:
    log = Log()
    publisher = SignedPublisher(outbox, signer, log.send)
    receipts = [await publisher.publish(cap(f"a-{n}")) for n in range(3)]

    assert [r.index for r in receipts] == [0, 1, 2]
    assert outbox.chain == log.chain
    assert outbox.waiting() == []


async def test_the_same_payload_is_signed_once(outbox: Outbox, signer: Signer) -> None:
    log = Log()
    publisher = SignedPublisher(outbox, signer, log.send)
    await publisher.publish(cap("a"))
    await publisher.publish(cap("b"))
    again = await publisher.publish(cap("a"))

    assert again.index == 0
    assert len(log.headers) == 2


async def test_what_had_no_answer_goes_first(outbox: Outbox, signer: Signer) -> None:
    log = Log()
    publisher = SignedPublisher(outbox, signer, log.send)
    log.fails = [Unavailable("hub-unreachable", "away")]
    with pytest.raises(Unavailable):
        await publisher.publish(cap("a"))
    assert [m.seq for m in outbox.waiting()] == [1]

    receipt = await publisher.publish(cap("b"))

    assert receipt.index == 1
    assert (outbox.chain, outbox.waiting()) == (log.chain, [])


async def test_many_at_once_take_their_turns(outbox: Outbox, signer: Signer) -> None:
    log = Log()
    publisher = SignedPublisher(outbox, signer, log.send)
    receipts = await asyncio.gather(*(publisher.publish(cap(f"a-{n}")) for n in range(20)))

    assert sorted(r.index for r in receipts) == list(range(20))


async def test_a_refused_message_that_was_counted_keeps_its_number(
    outbox: Outbox, signer: Signer
) -> None:
    publisher = SignedPublisher(outbox, signer, Log().send)
    log = Log()
    sent: list[Signed] = []

    async def send(message: Signed) -> Receipt:
        sent.append(message)
        receipt = await log.send(message)
        if len(sent) == 1:
            raise refusal("no-known-recipient", counted=True)
        return receipt

    publisher = SignedPublisher(outbox, signer, send)
    with pytest.raises(Rejected):
        await publisher.publish(cap("a"))
    await publisher.publish(cap("b"))
    # The reason may be gone: what was refused is signed anew.
    await publisher.publish(cap("a"))

    assert [m.seq for m in sent] == [1, 2, 3]
    assert outbox.chain == log.chain


@pytest.mark.parametrize("code", ["key-expired", "token-expired", "too-large", "unknown-agency"])
async def test_a_number_that_the_log_did_not_count_is_given_back(
    outbox: Outbox, signer: Signer, code: str
) -> None:
    log = Log()
    publisher = SignedPublisher(outbox, signer, log.send)
    await publisher.publish(cap("a"))
    log.fails = [refusal(code, counted=False)]
    with pytest.raises(Rejected):
        await publisher.publish(cap("b"))

    assert outbox.chain == log.chain
    assert (await publisher.publish(cap("c"))).index == 1


async def test_a_refusal_of_what_was_receipted_takes_nothing_back(
    outbox: Outbox, signer: Signer
) -> None:
    log = Log()
    publisher = SignedPublisher(outbox, signer, log.send)
    for name in ("a", "b"):
        await publisher.publish(cap(name))
    log.fails = [refusal("token-expired", counted=False)]
    with pytest.raises(Rejected):
        await publisher.publish(cap("a"))

    assert outbox.chain == log.chain


async def test_a_count_that_is_astray_stays_as_it_is_until_a_person_looks(
    outbox: Outbox, signer: Signer
) -> None:
    log = Log()
    log.chain = Chain(7, "ab" * 32)
    publisher = SignedPublisher(outbox, signer, log.send)
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            await publisher.publish(cap("a"))
        assert caught.value.code == "sequence-gap"
    assert outbox.chain.seq == 1
    outbox.adopt(log.chain)

    assert (await publisher.publish(cap("a"))).index == 0
    assert outbox.chain == log.chain


def test_the_record_of_another_agency_is_refused(tmp_path: Path) -> None:
    Outbox(tmp_path / "outbox", "az-fhn").close()
    for path, agency in (("outbox", "ir-ndmo"), ("no/such", "az-fhn")):
        with pytest.raises(Rejected) as caught:
            Outbox(tmp_path / path, agency)
        assert caught.value.code == "outbox-unusable"


def test_what_is_no_message_is_not_signed(outbox: Outbox, signer: Signer) -> None:
    with pytest.raises(Rejected):
        outbox.sign(b"<no/>", signer, now=NOW)
    assert outbox.chain == Chain()


def test_a_signer_that_fails_leaves_no_gap(outbox: Outbox, signer: Signer) -> None:
    class Fails:
        key = signer.key

        def sign(self, _payload_type: str, _body: bytes) -> bytes:
            raise Rejected("signer-failed", "no card")

    with pytest.raises(Rejected):
        outbox.sign(cap("a"), Fails(), now=NOW)
    assert (outbox.chain, outbox.waiting()) == (Chain(), [])


_SIGNS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hub.client import Outbox, open_signer
from tests.log.samples import cap
directory = Path(sys.argv[1])
outbox = Outbox(directory / "outbox", "az-fhn")
signer = open_signer(directory / "key", lambda: "")
for number in range(100_000):
    signed = outbox.sign(cap(f"{sys.argv[2]}-{number}"), signer, now=datetime.now(UTC))
    print(signed.seq, flush=True)
"""


def test_sigkill_of_two_that_sign_at_once_leaves_an_unbroken_count(
    tmp_path: Path,
) -> None:
    make_key_file(tmp_path / "key", "az-fhn-1")
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _SIGNS, str(tmp_path), name],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        )
        for name in ("one", "two")
    ]
    for process in both:
        assert process.stdout is not None
        for _ in range(10):
            assert process.stdout.readline()
    said = []
    for process in both:
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        said += [int(line) for line in rest.split(b"\n")[:-1]]

    outbox = Outbox(tmp_path / "outbox", "az-fhn")
    chain = Chain()
    for number, message in enumerate(outbox.waiting(), 1):
        header = read_header(message.header)
        assert (message.seq, chain.is_next(header)) == (number, True)
        chain = chain.after(message.header)
    assert outbox.chain == chain
    assert chain.seq >= max(said, default=20)
    outbox.close()
