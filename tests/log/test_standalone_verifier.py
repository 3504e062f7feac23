"""The verifier in one file: with nothing but Python and PyNaCl it sees what the hub's own sees."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import hub.log.data.verify_bundle as program
from hub.core.candidate import Candidate
from hub.core.signing import Chain
from hub.log.bundle import export
from hub.log.store import Log
from schemas.checkpoint import Checkpoint
from schemas.notes import Note, signature_line
from tests.keys import key, raw_signature, signed
from tests.log.samples import ORIGIN, Writer, acknowledgement, alert, refusal

AZ = "az-fhn/2026"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Give the lines of a bundle: members, a key at 3, signed messages at 4 and 5, others."""
    directory = tmp_path_factory.mktemp("bundle")
    log = Log.open(f"sqlite:///{directory / 'log.db'}")
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    change = {"agency": "az-fhn", "key": str(key(AZ)), "action": "add"}
    w.commit([Candidate("key", "az-fhn", body={**change, "expires": "2027-01-01T00:00:00Z"})])
    first = signed(alert("az-fhn", "s-1", message_id="id-1"), AZ)
    chain = Chain().after(first.header)
    second = signed(alert("az-fhn", "s-2", message_id="id-2"), AZ, chain)
    w.commit([first, second, alert("ir-ndmo", "i-1"), refusal("az-fhn")])
    w.commit([acknowledgement("ir-ndmo", "4"), Candidate("delivery", "", body={"ir-ndmo": 5})])
    export(log, directory / "x.jsonl")
    log.close()
    return [json.loads(line) for line in (directory / "x.jsonl").read_bytes().splitlines()]


def written(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Write lines as a file whose last line is right, whatever they say."""
    body = b"".join(json.dumps(x, separators=(",", ":")).encode() + b"\n" for x in lines[:-1])
    last = {"entries": len(lines) - 2, "sha256": sha256(body).hexdigest()}
    path.write_bytes(body + json.dumps(last).encode() + b"\n")
    return path


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the file where nothing but the standard library and PyNaCl can be imported."""
    only = tmp_path / "only"
    if not only.exists():
        only.mkdir()
        for name in ("nacl", "cffi", "_cffi_backend"):
            spec = find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (only / source.name).symlink_to(source)
    code = (
        "import runpy, sys; sys.path.append(sys.argv[1]); del sys.argv[:2];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(only), program.__file__, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_honest_bundle_is_cleared_with_nothing_of_the_hub(
    lines: list[dict[str, Any]], tmp_path: Path
) -> None:
    head = lines[0]
    checkpoint = Checkpoint(ORIGIN, head["size"], bytes.fromhex(head["root"]))
    text = checkpoint.body()
    line = signature_line(key(ORIGIN), raw_signature(ORIGIN, text.encode()))
    (tmp_path / "note").write_text(str(Note(text, (line,))), encoding="utf-8")
    bundle = str(written(tmp_path / "x.jsonl", lines))

    kept = f"{head['size']}:{head['root']}"
    note = ("--checkpoint", str(tmp_path / "note"))
    done = run(tmp_path, bundle, "--earlier", kept, *note, "--key", str(key(ORIGIN)))

    assert (done.returncode, done.stderr) == (0, "")
    assert f"root    {head['root']}" in done.stdout
    assert "checked 3 payloads, 2 signatures" in done.stdout
    thief = run(tmp_path, bundle, *note, "--key", str(key("a thief")))
    assert (thief.returncode, thief.stdout) == (5, "BROKEN the key did not sign the checkpoint\n")


def forged(lines: list[dict[str, Any]], index: int, old: str, new: str) -> list[dict[str, Any]]:
    body = base64.b64decode(lines[index + 1]["entry"]).decode()
    assert old in body
    changed = base64.b64encode(body.replace(old, new).encode()).decode()
    return [{**x, "entry": changed} if x.get("index") == index else x for x in lines]


def without(lines: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    left = [x for x in lines if x.get("index") != index]
    return [{**x, "index": x["index"] - 1} if x.get("index", -1) > index else x for x in left]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda ls: forged(ls, 8, "Aysel", "Ayten"), "the root over the entries"),
        (lambda ls: forged(ls, 4, "id-1", "id-9"), "entry 4: "),
        (lambda ls: forged(ls, 3, "az-fhn/2026", "az-fhn/2027"), "entry 4: "),
        (lambda ls: forged(ls, 3, "2027-01-01", "2025-01-01"), "entry 4: "),
        (lambda ls: without(ls, 4), "entry 4: message 2"),
        (lambda ls: ls[:3] + ls[4:], "index 3 stands where 2 should"),
        (
            lambda ls: [{**x, "payload": "eA=="} if x.get("index") == 6 else x for x in ls],
            "entry 6: its payload",
        ),
        (lambda ls: [{**ls[0], "kinds": ["publish"]}, *ls[1:]], "this is not a bundle from"),
    ],
)
def test_what_was_changed_is_named(
    lines: list[dict[str, Any]], tmp_path: Path, change: Any, told: str
) -> None:
    bundle = written(tmp_path / "x.jsonl", change(lines))

    with pytest.raises(program.Wrong) as wrong:
        program.verify(bundle, None)

    assert told in str(wrong.value)


def test_a_file_that_was_cut_or_altered_is_refused(
    lines: list[dict[str, Any]], tmp_path: Path
) -> None:
    whole = written(tmp_path / "x.jsonl", lines).read_bytes()
    for data in (b"".join(whole.splitlines(keepends=True)[:-1]), whole + b"{}\n"):
        (tmp_path / "y").write_bytes(data)
        with pytest.raises(program.Wrong):
            program.verify(tmp_path / "y", None)
    with pytest.raises(program.Wrong, match="not those that you know"):
        program.verify(tmp_path / "x.jsonl", (4, "0" * 64))
    with pytest.raises(program.Wrong, match="you know one of"):
        program.verify(tmp_path / "x.jsonl", (400, "0" * 64))
