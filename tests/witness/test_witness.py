"""What a witness cosigns and what it refuses (C2SP tlog-witness), by vectors and by attacks."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import tlog_scales.signing
import tlog_scales.tlog

from hub.core.merkle import EMPTY_ROOT
from hub.errors import Rejected, Unavailable
from hub.witness.cosigning import cosigned_at
from hub.witness.identity import KEY, MARK, STORE
from hub.witness.making import init, lone, opened, recover
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey
from schemas.notes import read_note
from tests.witness.conftest import Asked
from tests.witness.logs import NOW, ORIGIN, FakeLog

VECTORS = Path("/work/shared/vectors")
WITNESS = "witness.example/az"


def cosigned(log: FakeLog, size: int, answer: str, key: CosignerKey) -> int:
    """Return the time of the cosignature in an answer, verified."""
    found = cosigned_at(read_note((log.checkpoint(size) + answer).encode()), key)
    assert found is not None
    return found


@pytest.mark.skipif(not VECTORS.exists(), reason="the public vectors are not here")
def test_the_public_vectors_get_the_answers_of_the_specification(
    tmp_path: Path, ask: Callable[[Path], Asked]
) -> None:
    vectors = json.loads((VECTORS / "witness_add_checkpoint.json").read_text())["requests"]
    origin = vectors[0]["body"].split("\n")[2]
    public = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f"
    key = VerifierKey(origin, bytes.fromhex(public))
    init(tmp_path / "w", name="example.com/witness", logs=[key], listen="127.0.0.1:0")
    witness = ask(tmp_path / "w")
    for vector in vectors:
        status, text = witness.add(vector["body"].encode())
        # The specification tells an unknown log from one without a valid signature.
        wanted = 404 if vector["body_contains"] == "unknown log" else vector["status"]

        assert (status, vector["body_contains"] or "") == (wanted, vector["body_contains"] or "")
        assert (vector["body_contains"] or "") in text


@pytest.mark.skipif(not VECTORS.exists(), reason="the public vectors are not here")
def test_cosignatures_of_others_verify() -> None:
    for vector in json.loads((VECTORS / "cosignature_v1.json").read_text()):
        key = CosignerKey.read(vector["vkey"])
        note = vector["checkpoint"]

        assert str(key) == vector["vkey"]
        assert cosigned_at(read_note(note.encode()), key) == 1767139200
        with pytest.raises(Rejected, match="does not hold"):
            cosigned_at(read_note(note.replace("\n300\n", "\n301\n").encode()), key)


def test_a_second_implementation_verifies_what_it_cosigns(witness: Asked, log: FakeLog) -> None:
    for old, size in [(0, 1), (1, 7), (7, 7), (7, 8), (8, 40)]:
        status, line = witness.add(log.submission(old, size))

        assert status == 200
        note = log.checkpoint(size) + line
        checkpoint = tlog_scales.tlog.Checkpoint.from_text(note)
        for key in (str(witness.identity.key), str(log.key)):
            checkpoint.verify(tlog_scales.signing.Vkey.from_string(key))
        assert cosigned(log, size, line, witness.identity.key) == NOW


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 1\n", 400),
        (b"old 01\n\n", 400),
        (b"old -1\n\n", 400),
        (b"new 0\n\n", 400),
        (b"old 0\nAAAA\n\n", 400),
        (b"old 0\n\nno note", 400),
        (b"old 0\n\n\xff\n\n\n", 403),
        (b"old 0\n\nno checkpoint\n\n\xe2\x80\x94 a AAAAAAAA\n", 400),
    ],
)
def test_what_is_malformed_is_told_so(witness: Asked, body: bytes, status: int) -> None:
    assert witness.add(body)[0] == status


def test_every_refusal_has_its_own_status(witness: Asked, log: FakeLog) -> None:
    stranger = FakeLog.of(5)
    assert witness.add(log.submission(0, 8))[0] == 200

    assert witness.add(stranger.submission(0, 5))[0] == 403, "not by the log that is trusted"
    unknown = log.submission(8, 9).replace(ORIGIN.encode() + b"\n", b"other.example\n")
    assert witness.add(unknown)[0] == 404
    assert witness.add(b"old 9\n\n" + log.checkpoint(8).encode())[0] == 400
    answer = witness.ask("POST", "/add-checkpoint", log.submission(5, 9))
    assert (answer.status_code, answer.text) == (409, "8\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert witness.add(log.submission(8, 9, proof=[]))[0] == 422
    assert witness.add(log.submission(8, 9, proof=[b"x" * 32] * 3))[0] == 422
    assert witness.add(log.submission(8, 8, proof=[b"x" * 32]))[0] == 422
    too_many = log.submission(8, 9, proof=[b"x" * 32] * 64)
    assert witness.add(too_many)[0] == 400


def test_a_proof_with_old_size_0_is_refused_and_none_is_needed(
    witness: Asked, log: FakeLog
) -> None:
    assert witness.add(log.submission(0, 8, proof=[b"x" * 32]))[0] == 422
    assert witness.add(b"old 0\n\n" + log.checkpoint(0, root=b"x" * 32).encode())[0] == 422
    assert witness.add(b"old 0\n\n" + log.checkpoint(0, root=EMPTY_ROOT).encode())[0] == 200
    assert witness.add(log.submission(0, 8))[0] == 200


def test_two_histories_of_one_size_are_kept_as_a_proof(witness: Asked, log: FakeLog) -> None:
    other = log.forked(10, 30)
    assert witness.add(log.submission(0, 20))[0] == 200
    assert witness.add(log.submission(20, 40))[0] == 200

    for old in (0, 20, 40):
        assert witness.add(other.submission(old, 20, proof=[]))[0] in {400, 409}

    (kept,) = witness.get("/evidence").json()["evidence"]
    assert kept["kind"] == "fork"
    first = base64.b64decode(kept["held"])
    second = base64.b64decode(kept["submission"]).partition(b"\n\n")[2]
    for note in (first, second):
        tlog_scales.tlog.Checkpoint.from_text(note.decode()).verify(
            tlog_scales.signing.Vkey.from_string(str(log.key))
        )
    texts = {read_note(note).text for note in (first, second)}
    assert len(texts) == 2, "two roots"
    assert {text.split("\n")[1] for text in texts} == {"20"}, "of one size"
    assert witness.get("/").json()["forks"] == 1


def test_the_same_size_with_another_root_is_refused_and_kept(witness: Asked, log: FakeLog) -> None:
    assert witness.add(log.submission(0, 20))[0] == 200

    assert witness.add(log.forked(10, 30).submission(20, 20, proof=[]))[0] == 422
    assert [e.kind for e in witness.store.evidence()] == ["fork"]
    assert witness.add(log.submission(20, 21))[0] == 200, "the log that it knows goes on"


def test_a_history_that_does_not_follow_is_kept_until_its_proof_comes(
    witness: Asked, log: FakeLog
) -> None:
    assert witness.add(log.submission(0, 20))[0] == 200
    assert witness.add(log.submission(20, 25, proof=[b"x" * 32] * 5))[0] == 422
    other = log.forked(10, 30)
    assert witness.add(other.submission(20, 30))[0] == 422
    assert [(e.kind, e.size) for e in witness.store.evidence()] == [
        ("suspicion", 30),
        ("suspicion", 25),
    ]

    assert witness.add(log.submission(20, 25))[0] == 200

    assert [(e.kind, e.size) for e in witness.store.evidence()] == [("suspicion", 30)]


def test_spoilt_proofs_without_end_are_one_suspicion(witness: Asked, log: FakeLog) -> None:
    assert witness.add(log.submission(0, 20))[0] == 200
    for n in range(10):
        assert witness.add(log.submission(20, 25, proof=[bytes([n]) * 32] * 5))[0] == 422

    assert len(witness.store.evidence()) == 1


def test_it_serves_the_latest_checkpoint_with_both_signatures(witness: Asked, log: FakeLog) -> None:
    name = sha256(ORIGIN.encode()).hexdigest()
    assert witness.get(f"/{name}/checkpoint").status_code == 404
    stray = log.submission(0, 20) + f"— {ORIGIN} AAAAAAAA\n".encode()
    assert witness.add(stray)[0] == 200

    note = read_note(witness.get(f"/{name}/checkpoint").content)

    assert cosigned_at(note, witness.identity.key) == NOW
    assert len(note.signatures) == 2, "and nothing that nobody verified"
    about = witness.get("/").json()
    assert (about["key"], about["logs"][0]["size"]) == (str(witness.identity.key), 20)


def test_the_time_never_runs_backwards(directory: Path, witness: Asked, log: FakeLog) -> None:
    times = []
    for n, at in enumerate([100, 50, 120, 119, 90], start=1):
        witness.now = NOW + at
        status, line = witness.add(log.submission(n - 1, n))
        assert status == 200
        times.append(cosigned(log, n, line, witness.identity.key) - NOW)
    assert times == [100, 100, 120, 120, 120]

    again = Asked(directory)
    again.now = NOW
    status, line = again.add(log.submission(5, 6))
    assert (status, cosigned(log, 6, line, again.identity.key)) == (200, NOW + 120)
    again.now = NOW - 1000
    status, text = again.add(log.submission(6, 7))
    assert status == 503
    assert "witness-clock-behind" in text
    assert again.store.latest()[0].size == 6


def test_racing_requests_end_in_one_history(directory: Path, log: FakeLog) -> None:
    """Forty threads, each with a store of its own, as if each were a process of its own."""
    other = log.forked(1, 40)
    answers: list[tuple[int, bytes, Any]] = []
    begin = threading.Barrier(40)

    def race(n: int) -> None:
        witness = Asked(directory)
        mine = (log, other)[n % 2]
        begin.wait()
        size = 0
        for _ in range(200):
            status, text = witness.add(mine.submission(size, min(size + 1 + n % 7, 40)))
            if status == 200:
                size = min(size + 1 + n % 7, 40)
                answers.append((size, mine.root(size), text))
            elif status == 409:
                size = int(text)
            elif status == 422:
                return
            if size == 40:
                return

    threads = [threading.Thread(target=race, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    roots: dict[int, set[bytes]] = {}
    for size, root, _ in answers:
        roots.setdefault(size, set()).add(root)
    winner = log if max(roots.items())[1] == {log.root(40)} else other
    assert all(found == {winner.root(size)} for size, found in roots.items() if size > 1)
    assert opened(directory)[2].latest()[0].root == winner.root(40)


@pytest.mark.parametrize("lost", [STORE, MARK])
def test_it_never_starts_on_a_lost_store(directory: Path, log: FakeLog, lost: str) -> None:
    assert Asked(directory).add(log.submission(0, 8))[0] == 200
    (directory / lost).unlink()

    with pytest.raises(Unavailable) as failed:
        opened(directory)
    assert failed.value.code == "witness-store-lost"


def test_it_never_starts_on_another_store(directory: Path, log: FakeLog, tmp_path: Path) -> None:
    assert Asked(directory).add(log.submission(0, 8))[0] == 200
    init(tmp_path / "other", name=WITNESS, logs=[log.key], listen="127.0.0.1:0")
    (tmp_path / "other" / STORE).replace(directory / STORE)

    with pytest.raises(Unavailable, match="another store"):
        opened(directory)


def test_it_never_starts_on_an_old_copy(directory: Path, log: FakeLog) -> None:
    old = (directory / STORE).read_bytes()
    witness = Asked(directory)
    assert witness.add(log.submission(0, 8))[0] == 200
    (directory / STORE).write_bytes(old)

    with pytest.raises(Unavailable, match="old copy"):
        opened(directory)
    assert witness.add(log.forked(0, 9).submission(0, 9))[0] == 503, "nor goes on by one"


def test_it_never_goes_on_without_its_store(directory: Path, log: FakeLog) -> None:
    witness = Asked(directory)
    assert witness.add(log.submission(0, 8))[0] == 200
    (directory / STORE).unlink()

    status, text = witness.add(log.submission(0, 9))

    assert (status, "witness-store-lost" in text) == (503, True)
    assert not (directory / STORE).exists()


def test_a_damaged_store_is_not_used(directory: Path) -> None:
    (directory / STORE).write_bytes(b"SQLite format 3\x00" + b"x" * 5000)

    with pytest.raises(Unavailable):
        opened(directory)


def test_it_goes_on_from_a_checkpoint_that_a_person_trusts(directory: Path, log: FakeLog) -> None:
    witness = Asked(directory)
    _, line = witness.add(log.submission(0, 20))
    (directory / STORE).unlink()
    with pytest.raises(Rejected, match="size 20 was cosigned"):
        recover(directory, [log.checkpoint(19).encode()])
    with pytest.raises(Rejected, match="another root"):
        recover(directory, [log.forked(5, 20).checkpoint(20).encode()])
    with pytest.raises(Rejected, match="trusts"):
        recover(directory, [FakeLog.of(30).checkpoint(30).encode()])
    with pytest.raises(Rejected, match="no checkpoint of"):
        recover(directory, [])

    recover(directory, [(log.checkpoint(20) + line).encode()])

    again = Asked(directory)
    again.now = NOW - 100
    assert again.identity.key == witness.identity.key
    assert again.add(log.submission(0, 30)) == (409, "20\n")
    assert again.add(log.forked(10, 30).submission(20, 30))[0] == 422
    status, line = again.add(log.submission(20, 30))
    assert (status, cosigned(log, 30, line, again.identity.key)) == (200, NOW)


def test_what_a_recovered_witness_does_not_know_it_does_not_cosign(
    directory: Path, log: FakeLog
) -> None:
    assert Asked(directory).add(log.submission(0, 20))[0] == 200
    (directory / STORE).unlink()
    recover(directory, [log.checkpoint(20).encode()])
    second = FakeLog.of(9)
    key = VerifierKey("second.example/log", second.key.public)
    config = (directory / "witness.toml").read_text().replace("logs = [", f'logs = ["{key}",')
    (directory / "witness.toml").write_text(config)
    text = second.checkpoint(9).partition("\n\n")[0].replace(ORIGIN, key.name) + "\n"
    signature = second.secret.sign(text.encode()).signature
    line = base64.b64encode(bytes.fromhex(key.id) + signature).decode()
    note = f"{text}\n— {key.name} {line}\n"

    assert "witness-unrecovered" in Asked(directory).add(f"old 0\n\n{note}".encode())[1]

    recover(directory, [note.encode()])
    assert Asked(directory).add(f"old 9\n\n{note}".encode())[0] == 200
    with pytest.raises(Rejected, match="knows"):
        recover(directory, [note.encode()])


def test_a_recovery_that_was_cut_short_goes_on(
    directory: Path, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Asked(directory).add(log.submission(0, 20))[0] == 200
    (directory / STORE).unlink()
    for cut in ("hub.witness.identity.Identity.write", "hub.witness.identity.Mark.write"):
        with monkeypatch.context() as patched:
            patched.setattr(cut, _breaks)
            with pytest.raises(Rejected):
                recover(directory, [log.checkpoint(20).encode()])
        with pytest.raises(Unavailable):
            opened(directory)

    recover(directory, [log.checkpoint(21).encode()])

    assert Asked(directory).add(log.submission(21, 30))[0] == 200


def _breaks(*_: Any) -> None:
    raise OSError(5, "Input/output error")


def test_a_witness_is_made_once(directory: Path, log: FakeLog) -> None:
    with pytest.raises(Rejected) as refused:
        init(directory, name=WITNESS, logs=[log.key], listen="127.0.0.1:0")
    assert refused.value.code == "witness-exists"
    for name in ("", "with space", "a+b"):
        with pytest.raises(Rejected) as refused:
            init(directory / "x", name=name, logs=[log.key], listen="127.0.0.1:0")
        assert refused.value.code == "witness-unusable"


def test_a_witness_is_run_once(directory: Path) -> None:
    with lone(directory), pytest.raises(Unavailable) as refused, lone(directory):
        pass
    assert refused.value.code == "witness-running"


def test_a_key_that_others_may_read_is_not_used(directory: Path) -> None:
    (directory / KEY).chmod(0o644)

    with pytest.raises(Rejected, match="others on this machine"):
        opened(directory)


def test_bodies_are_bounded(witness: Asked) -> None:
    assert witness.add(b"x" * 70_000) == (413, "the body is too long\n")


def test_who_asks_too_often_is_put_off(directory: Path, log: FakeLog) -> None:
    text = (directory / "witness.toml").read_text()
    (directory / "witness.toml").write_text(text + "rate = 2\n")
    witness = Asked(directory)

    assert [witness.add(log.submission(0, 8))[0] for _ in range(3)] == [200, 409, 429]


@pytest.mark.parametrize(
    "text", ["", "logs = []", 'logs = ["nonsense"]', 'listen = "here"', "x = 1", "logs = 1 1"]
)
def test_wrong_settings_are_told(directory: Path, text: str) -> None:
    (directory / "witness.toml").write_text(text)

    with pytest.raises(Rejected) as refused:
        opened(directory)
    assert refused.value.code == "witness-unusable"


def test_a_witness_key_is_no_key_of_a_log(witness: Asked, log: FakeLog) -> None:
    with pytest.raises(Rejected, match="type 4"):
        CosignerKey.read(str(log.key))
    with pytest.raises(Rejected):
        VerifierKey.read(str(witness.identity.key))
