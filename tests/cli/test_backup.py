"""``caspian backup``, ``restore`` and ``log migrate``, as an operator uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.client.signers import make_key_file, open_signer
from hub.log.checkpoints import SignedCheckpoint, put
from hub.log.signer import memory_of
from hub.log.store import Log
from schemas.checkpoint import Checkpoint
from schemas.notes import Note, signature_line
from tests.cli.conftest import ORIGIN, Caspian


def test_a_store_is_backed_up_and_restored(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    made = caspian("backup", "b")
    store = {"CASPIAN_LOG_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    restored = caspian("restore", "b", env=store)
    verified = caspian("verify", "--json", env=store)

    root = log.head().root.hex()
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("b: 9 entries, at 20")
    assert made.stdout.endswith(f"root {root}\n")
    assert restored.returncode == 0, restored.stderr
    assert "restored 9 entries" in restored.stdout
    assert "The log is lost or damaged" in restored.stderr
    assert json.loads(verified.stdout)["root"] == root


@pytest.mark.usefixtures("log")
def test_a_directory_gets_a_file_of_a_name_of_its_own(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    made = caspian("backup", "d", "--json")

    assert [str(p.relative_to(tmp_path)) for p in (tmp_path / "d").iterdir()] == [
        json.loads(made.stdout)["file"]
    ]


@pytest.mark.usefixtures("log")
def test_what_is_there_is_not_overwritten(caspian: Caspian, tmp_path: Path) -> None:
    assert caspian("backup", "b").returncode == 0
    again = caspian("backup", "b")
    forced = caspian("backup", "b", "--force")
    restored = caspian("restore", "b")

    assert (again.returncode, forced.returncode) == (2, 0)
    assert restored.returncode == 5
    assert "log-present" in restored.stderr
    assert "--replace" in restored.stderr
    assert len(list(tmp_path.glob("log.db*.replaced*"))) == 0


def test_an_old_log_is_put_aside(caspian: Caspian, log: Log) -> None:
    assert caspian("backup", "b").returncode == 0
    in_use = caspian("restore", "b", "--replace")
    log.close()
    restored = caspian("restore", "b", "--replace", "--json")

    assert in_use.returncode == 5
    assert "log-in-use" in in_use.stderr
    assert restored.returncode == 0, restored.stderr
    told = json.loads(restored.stdout)
    assert (told["size"], told["verified"], told["missing"]) == (9, True, "")
    assert Path(told["aside"]).exists()


@pytest.mark.usefixtures("log")
def test_what_is_no_backup_is_refused(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 5000)
    new = {"CASPIAN_LOG_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    broken, missing = caspian("restore", "x", env=new), caspian("restore", "y", env=new)
    nowhere = caspian("backup", "no/where")

    assert broken.returncode == 5
    assert "backup-broken" in broken.stderr
    assert not (tmp_path / "new.db").exists()
    assert (missing.returncode, nowhere.returncode) == (2, 2)


def test_who_has_signed_more_than_is_restored_is_told(
    caspian: Caspian, log: Log, tmp_path: Path
) -> None:
    """The signer's own memory forbids a fork; the operator must know before the hub runs."""
    assert caspian("backup", "b").returncode == 0
    key = tmp_path / "log-key"
    make_key_file(key, ORIGIN)
    signer = open_signer(key, lambda: "")
    text = Checkpoint(ORIGIN, 12, b"\x01" * 32).body()
    note = str(Note(text, (signature_line(signer.key, signer.sign_note(text)),)))
    memory_of(key).write_text(note)
    log.close()

    told = caspian("restore", "b", "--replace", env={"CASPIAN_LOG_KEY": str(key)})

    assert told.returncode == 5
    assert "NOT ALL OF IT" in told.stderr
    assert "Do not start the ledger" in told.stderr


def test_a_log_is_moved(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    new = f"sqlite:///{tmp_path / 'moved.db'}"
    moved = caspian("log", "migrate", f"sqlite:///{tmp_path / 'log.db'}", new)
    again = caspian(
        "log", "migrate", f"sqlite:///{tmp_path / 'log.db'}", "--json", env={"CASPIAN_LOG_URL": new}
    )
    third = caspian(
        "log",
        "migrate",
        f"sqlite:///{tmp_path / 'log.db'}",
        f"sqlite:///{tmp_path / 'third.db'}",
        "--json",
    )
    nothing = caspian("log", "migrate", f"sqlite:///{tmp_path / 'none.db'}", new)

    root = log.head().root.hex()
    assert moved.stdout == f"9 entries moved, and verified\nroot {root}\n"
    assert "CASPIAN_LOG_URL" in moved.stderr
    assert again.returncode == 5
    assert "log-present" in again.stderr
    assert json.loads(third.stdout) == {"size": 9, "root": root}
    assert nothing.returncode == 3
    assert "log-missing" in nothing.stderr


def test_the_log_is_written_as_files(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    unsigned = caspian("log", "tiles", "files")
    head = log.head()
    with log.writing() as c:
        put(c, SignedCheckpoint(head.size, head.root, head.at_us, "a note\n"))
    done = caspian("log", "tiles", "files")
    told = caspian("log", "tiles", "files", "--json")

    assert unsigned.returncode == 5
    assert "checkpoint-none" in unsigned.stderr
    assert done.stdout.startswith("files: 9 entries")
    assert json.loads(told.stdout)["root"] == head.root.hex()
    assert (tmp_path / "files" / "tile" / "0" / "000.p" / "9").exists()
