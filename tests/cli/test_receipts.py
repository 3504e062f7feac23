"""``caspian proof`` and ``receipt``: evidence that holds, or not, without any hub."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hub.core.merkle import leaf_hash, root_of
from hub.log.bundle import export
from hub.log.store import Log
from schemas.checkpoint import Checkpoint
from schemas.dsse import HEADER_TYPE
from schemas.entry import encode
from schemas.log_receipt import LogReceipt
from schemas.notes import Note, signature_line
from schemas.policy import Level
from schemas.tlog_proof import TlogProof
from tests.cli.conftest import Caspian
from tests.cli.hub import Hub
from tests.keys import cosign, key, raw_signature, sign, witness
from tests.log.samples import ORIGIN, Writer, cap

FIVE = ("az", "ir", "kz", "ru", "tm")
AT_US = 1_795_000_000_000_000


def entry(signature: bytes | None = None) -> bytes:
    """Return the entry of a message that az-fhn signed; *signature* in place of its own."""
    header = json.dumps({"id": "a-1", "payload_sha256": sha256(cap("a-1")).hexdigest()})
    made = sign("az-fhn-2026", HEADER_TYPE, header.encode()) if signature is None else signature
    facts = {
        "via": "http",
        "attested": "agency",
        "header": header,
        "key": str(key("az-fhn-2026")),
        "signature": b64encode(made).decode(),
    }
    return encode("publish", AT_US, "az-fhn", facts)


def receipt(
    level: Level, *witnesses: str, body: bytes | None = None, log_key: str = ORIGIN
) -> bytes:
    body = entry() if body is None else body
    first = b"the first entry"
    text = Checkpoint(ORIGIN, 2, root_of([first, body])).body()
    own = signature_line(key(ORIGIN), raw_signature(log_key, text.encode()))
    lines = (own, *(cosign(name, text, 1_795_000_001 + n) for n, name in enumerate(witnesses)))
    proof = TlogProof(1, (leaf_hash(first),), Note(text, lines))
    made = LogReceipt.of(ORIGIN, 1, body, level, None if level == "durable" else proof)
    return json.dumps(made.to_json()).encode()


@pytest.fixture
def verify(caspian: Caspian, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    lines = [f"log {key(ORIGIN)}", *(f"witness {n} {witness(n)}" for n in FIVE)]
    text = "\n".join([*lines, f"group states 3 {' '.join(FIVE)}", "quorum states", ""])
    (tmp_path / "policy").write_text(text)
    (tmp_path / "alert.xml").write_bytes(cap("a-1"))
    (tmp_path / "other.xml").write_bytes(cap("a-2"))

    def run(data: bytes, *options: str) -> tuple[int, str, str]:
        (tmp_path / "receipt.json").write_bytes(data)
        done = caspian("receipt", "verify", "receipt.json", "--policy", "policy", *options)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize(
    ("count", "level"), [(0, "signed"), (2, "signed"), (3, "witnessed"), (4, "sealed")]
)
def test_it_says_the_level_that_it_finds(verify: Any, count: int, level: Level) -> None:
    code, out, _ = verify(receipt(level, *FIVE[:count]), "--json", "--payload", "alert.xml")
    found = json.loads(out)

    assert code == 0
    assert (found["level"], found["said"], found["size"]) == (level, level, 2)
    assert found["signer"] == str(key("az-fhn-2026"))
    assert list(found["cosigned"]) == list(FIVE[:count])
    assert found["existed_by"] == (1_795_000_003 if count >= 3 else None)


def test_people_read_who_signed_and_when(verify: Any) -> None:
    code, out, _ = verify(receipt("witnessed", *FIVE[:3]))

    assert code == 0
    assert f"entry 1 of {ORIGIN}" in out
    assert re.search(r"level +witnessed", out)
    assert "signed by az-fhn-2026" in out
    assert re.search(r"cosigned +kz ", out)
    assert "existed by" in out


def test_less_than_was_claimed_or_asked_for_is_refused(verify: Any) -> None:
    claimed = verify(receipt("sealed", *FIVE[:3]))
    asked = verify(receipt("signed"), "--least", "witnessed")
    nothing = verify(receipt("durable"))

    assert [code for code, _, _ in (claimed, asked, nothing)] == [5, 5, 5]
    assert "it has not reached sealed" in claimed[2]
    assert "it has not reached witnessed" in asked[2]
    assert "the hub's word" in nothing[1]
    assert verify(receipt("durable"), "--least", "durable")[0] == 0


def altered(**changed: Any) -> bytes:
    return json.dumps({**json.loads(receipt("signed")), **changed}).encode()


@pytest.mark.parametrize(
    ("data", "options", "code"),
    [
        (altered(origin="other.example/log"), (), "receipt-wrong"),
        (receipt("signed"), ("--payload", "other.xml"), "receipt-wrong"),
        (receipt("signed", body=entry(bytes(64))), (), "receipt-wrong"),
        (receipt("signed", body=b"{}"), (), "receipt-wrong"),
        (altered(index=0), (), "receipt-invalid"),
        (b"{}", (), "receipt-invalid"),
        (
            altered(proof=json.loads(receipt("signed", body=entry(b"x" * 64)))["proof"]),
            (),
            "proof-wrong",
        ),
    ],
)
def test_what_does_not_hold_is_refused(
    verify: Any, data: bytes, options: tuple[str, ...], code: str
) -> None:
    done = verify(data, *options)

    assert done[0] == 5
    assert code in done[2]


def test_a_receipt_that_somebody_else_made_up_is_refused(verify: Any) -> None:
    """They may have witnesses of their own; they have not the log's key."""
    code, _, err = verify(receipt("signed", "thief", "friend", log_key="a thief"))
    beside = verify(receipt("witnessed", "thief", "friend", "third"))

    assert code == 5
    assert "proof-wrong" in err
    assert beside[0] == 5
    assert "it has not reached witnessed" in beside[2]


def test_a_receipt_of_what_is_not_in_the_log_convicts_the_hub(
    verify: Any, caspian: Caspian, tmp_path: Path
) -> None:
    """It has the log's own signature, so it holds; the log then does not hold against it."""
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    Writer(log).begin("az-fhn", "ir-ndmo")
    export(log, tmp_path / "log.jsonl")
    log.close()
    code, out, _ = verify(receipt("signed"), "--json")
    found = json.loads(out)
    end = f"{found['size']}:{found['root']}"
    verified = caspian("log", "verify", "--bundle", "log.jsonl", "--earlier", end, "--json")
    fault = json.loads(verified.stdout)["fault"]

    assert code == 0
    assert verified.returncode == 5
    assert (fault["code"], fault["culprit"]) == ("root", "hub")


def test_a_policy_that_is_none_is_refused(verify: Any, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("quorum states\n")
    code, _, err = verify(receipt("signed"), "--policy", "bad")

    assert code in {2, 5}
    assert "policy" in err


def test_a_receipt_comes_from_a_hub_into_a_file(
    hub: Hub, fresh: Callable[..., bytes], tmp_path: Path
) -> None:
    published = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=fresh())
    index = json.loads(published.stdout)["receipt"]["index"]
    file = tmp_path / "r.json"
    got = hub.caspian("receipt", "get", str(index), "-o", str(file), who="ir-ndmo")
    shown = hub.caspian("show", str(index), who="ir-ndmo")
    proof = hub.caspian("proof", str(index), who="ir-ndmo")

    assert got.returncode == 0, got.stderr
    assert json.loads(file.read_text())["index"] == index
    assert ", durable" in shown.stdout
    assert proof.returncode == 5
    assert "checkpoint-none" in proof.stderr
