"""Go's checksum database, golang.org/x/mod/sumdb, verifies our log from its files.

The program is ``sumdb/verify.go``; Debian's packages bring Go and the module.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from hub.core.admission import NewEntry
from hub.core.tiles import entries_path, tile_path
from hub.log.genesis import ensure_genesis
from hub.log.log_keys import first_key, open_log_signers
from hub.log.signer import CheckpointSigner, memory_of
from hub.log.static_files import write_files
from hub.log.store import Log
from hub.log.tree import Tree
from schemas.entry import encode

pytestmark = pytest.mark.long

ORIGIN: Final = "test.example/log"
GOPATH: Final = Path("/usr/share/gocode")
PROGRAM: Final = Path(__file__).parent / "sumdb" / "verify.go"


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the program; without Go tests are skipped, but not where a submission is judged."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        missing = "there is no Go with x/mod: apt-get install golang-go golang-golang-x-mod-dev"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    directory = tmp_path_factory.mktemp("go")
    subprocess.run(
        ["go", "build", "-o", directory / "verify", PROGRAM],
        env={
            **os.environ,
            "GO111MODULE": "off",
            "GOPATH": str(GOPATH),
            "GOCACHE": str(directory / "cache"),
            "CGO_ENABLED": "0",
            "GOFLAGS": "",
        },
        check=True,
    )
    return directory / "verify"


class Written(NamedTuple):
    """A log as files, the key that signed it, and proofs that the hub made."""

    directory: Path
    key: str
    proofs: str


def write(directory: Path, size: int) -> Written:
    key = str(first_key([directory / "log.key"], ORIGIN))
    log = Log.open(f"sqlite:///{directory / 'log.db'}")
    head = ensure_genesis(log, origin=ORIGIN, version="1", now_us=1, key=key)
    while head.size < size:
        entries = [
            NewEntry("delivery", t, "", encode("delivery", t, "", {"feeds": {"az-fhn": t}}))
            for t in range(head.size, min(size, head.size + 4096))
        ]
        head = log.append(entries, expect=head)
    keys = [directory / "log.key"]
    CheckpointSigner(log, open_log_signers(keys, ORIGIN), memory_of(keys[0]), ORIGIN).step(2)
    write_files(log, directory / "files")
    proofs = _proofs(Tree(log), size)
    log.close()
    return Written(directory / "files", key, json.dumps(proofs))


def _proofs(tree: Tree, size: int) -> dict[str, object]:
    def base64s(hashes: list[bytes]) -> list[str]:
        return [base64.b64encode(one).decode() for one in hashes]

    chosen = {0, 1, 255, 256, 257, size // 2, size - 257, size - 2, size - 1}
    records = [{"Index": i, "Proof": base64s(tree.inclusion(i, size))} for i in sorted(chosen)]
    olds = {1, 2, 3, 255, 256, 257, 512, size // 3, size - 1, size}
    trees = [
        {
            "Old": old,
            "Root": base64.b64encode(tree.root(old)).decode(),
            "Proof": base64s(tree.consistency(old, size)),
        }
        for old in sorted(olds)
    ]
    return {"Records": records, "Trees": trees}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(tmp_path_factory.mktemp("log"), 3_000)


def run(go: Path, log: Written) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [go, log.directory, log.key], input=log.proofs, capture_output=True, text=True, check=False
    )


def test_go_verifies_our_log(go: Path, written: Written) -> None:
    done = run(go, written)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3000 entries, 9 and 10 proofs\n"


@pytest.mark.soak
def test_go_verifies_our_log_of_three_levels_of_tiles(go: Path, tmp_path: Path) -> None:
    done = run(go, write(tmp_path, 70_000))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("70000 entries")


def _flip(path: str, at: int) -> Callable[[Written], None]:
    def change(log: Written) -> None:
        file = log.directory / path
        data = bytearray(file.read_bytes())
        data[at] ^= 1
        file.write_bytes(data)

    return change


def _of_a_proof(kind: str) -> Callable[[Written], Written]:
    def change(log: Written) -> Written:
        proofs = json.loads(log.proofs)
        one = proofs[kind][4]["Proof"]
        one[0], one[1] = one[1], one[0]
        return log._replace(proofs=json.dumps(proofs))

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_flip("checkpoint", 20), "checkpoint: "),
        (_flip(tile_path(0, 4), 40), "tree: "),
        (_flip(tile_path(1, 0, 11), 3), "tree: "),
        (_flip(entries_path(0), 700), "entries: "),
        (_of_a_proof("Records"), "proof of entry 257: "),
        (_of_a_proof("Trees"), "proof of the tree of 256: "),
    ],
)
def test_go_finds_what_was_changed(
    go: Path,
    written: Written,
    tmp_path: Path,
    change: Callable[[Written], Written | None],
    said: str,
) -> None:
    """Or it would prove less than it says."""
    shutil.copytree(written.directory, tmp_path / "files")
    copy = written._replace(directory=tmp_path / "files")
    done = run(go, change(copy) or copy)

    assert done.returncode == 1
    assert done.stderr.startswith(said)
