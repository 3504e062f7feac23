"""The verifier in one file: with nothing but Python and PyNaCl it sees what the hub's own sees."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
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
from hub.log.tree import Tree
from schemas.checkpoint import Checkpoint
from schemas.notes import Note, signature_line
from tests.keys import cosign, key, raw_signature, signed, witness
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
    count = sum("entry" in x and not x.get("keys") for x in lines)
    last = {"entries": count, "sha256": sha256(body).hexdigest()}
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
        (lambda ls: [{**ls[0], "kinds": ["publish"]}, *ls[1:]], "entry 0: it is not proven"),
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


WITNESSES = ("az", "ir", "kz")
POLICY = "\n".join(
    [
        "# ours",
        f"log {key(ORIGIN)} https://hub.example",
        *(f"witness {name} {witness(name)}" for name in WITNESSES),
        "group some 2 az ir kz",
        "quorum some",
        "",
    ]
)


def note(log: Log, size: int, *witnesses: str) -> str:
    text = Checkpoint(ORIGIN, size, Tree(log).root(size)).body()
    own = signature_line(key(ORIGIN), raw_signature(ORIGIN, text.encode()))
    return str(Note(text, (own, *(cosign(name, text, 1_800_000_000) for name in witnesses))))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Give a log of ten entries: a key at 3, what it signed at 4, 5 and 9."""
    log = Log.open(f"sqlite:///{tmp_path_factory.mktemp('parts') / 'log.db'}")
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    change = {"agency": "az-fhn", "key": str(key(AZ)), "action": "add"}
    w.commit([Candidate("key", "az-fhn", body=change)])
    chain = Chain()
    for number in range(3):
        candidate = signed(alert("az-fhn", f"s-{number}", message_id=f"id-{number}"), AZ, chain)
        chain = chain.after(candidate.header)
        w.commit([candidate] if number else [candidate, alert("ir-ndmo", "i-1")])
    w.commit([acknowledgement("ir-ndmo", "4"), refusal("az-fhn")])
    yield log
    log.close()


@pytest.mark.parametrize(
    "part", [{}, {"through": 7}, {"first": 5}, {"kinds": ["publish"]}], ids=str
)
@pytest.mark.parametrize("size", [3, 8, 10])
def test_a_part_is_cleared_by_proofs_keys_and_cosignatures(
    log: Log, tmp_path: Path, part: dict[str, Any], size: int
) -> None:
    export(log, tmp_path / "x.jsonl", checkpoint=note(log, size, *WITNESSES), policy=POLICY, **part)

    read = program.verify(tmp_path / "x.jsonl", None)
    told = program.stands(read, None, program.Policy(POLICY), [])

    assert told[0] == f"signed  {size} entries: sealed, cosigned by az, ir, kz"
    assert told[-1].startswith("OK  ")
    assert read.signatures == {"{'first': 5}": 2, "{'through': 7}": 3}.get(str(part), 3)
    own = program.stands(read, None, None, [])
    assert own[0].startswith("hub     by its own policy, which need not be yours: sealed")


def test_the_command_takes_a_policy_and_asks_no_hub(log: Log, tmp_path: Path) -> None:
    export(log, tmp_path / "x.gz", kinds=["publish"], checkpoint=note(log, 9, "az", "kz"))
    (tmp_path / "policy").write_text(POLICY, "utf-8")
    (tmp_path / "strict").write_text(POLICY.replace("some 2", "some all"), "utf-8")

    done = run(tmp_path, str(tmp_path / "x.gz"), "--policy", str(tmp_path / "policy"))
    strict = run(tmp_path, str(tmp_path / "x.gz"), "--policy", str(tmp_path / "strict"))

    assert (done.returncode, done.stderr) == (0, "")
    assert "part    4 entries, each proven to be in it" in done.stdout
    assert "signed  9 entries: witnessed, cosigned by az, kz" in done.stdout
    assert (strict.returncode, strict.stdout) == (
        5,
        "BROKEN the checkpoint was cosigned by 2 witnesses: no quorum\n",
    )


def of_a_key_nobody_added(lines: list[dict[str, Any]]) -> None:
    lines[:] = [x for x in lines if not (x.get("keys") and x["index"] == 3)]


def of_another_entry(lines: list[dict[str, Any]]) -> None:
    lines[-2]["entry"] = lines[-3]["entry"]


def unproven(lines: list[dict[str, Any]]) -> None:
    del lines[-2]["proof"]


def twice(lines: list[dict[str, Any]]) -> None:
    lines.insert(-1, lines[-2])


def cosigned_by_a_thief(lines: list[dict[str, Any]]) -> None:
    head = lines[0]["checkpoint"]
    text = head.rpartition("\n\n")[0] + "\n"
    forged = str(cosign("az", text + " ", 1_800_000_000))
    real = next(line for line in head.splitlines() if line.startswith("\u2014 az "))
    lines[0]["checkpoint"] = head.replace(real, forged)


def signed_by_a_thief(lines: list[dict[str, Any]]) -> None:
    lines[0]["checkpoint"] = lines[0]["checkpoint"].replace(f"\u2014 {ORIGIN}", "\u2014 other")


def of_a_fork(lines: list[dict[str, Any]]) -> None:
    text = Checkpoint(ORIGIN, 6, bytes(32)).body()
    own = signature_line(key(ORIGIN), raw_signature(ORIGIN, text.encode()))
    both = [cosign(name, text, 1) for name in WITNESSES]
    lines[0]["checkpoint"] = str(Note(text, (own, *both)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (of_a_key_nobody_added, "is no key of az-fhn here"),
        (of_another_entry, "it is not proven to be in the log"),
        (unproven, "it is not proven to be in the log"),
        (twice, "it is not proven to be in the log"),
        (cosigned_by_a_thief, "the cosignature of az does not hold"),
        (signed_by_a_thief, "the key did not sign the checkpoint"),
        (of_a_fork, "a fork"),
        (lambda ls: ls[0].pop("checkpoint"), "the bundle has no checkpoint"),
        (lambda ls: ls[0].update(consistency=[]), "a fork"),
    ],
)
def test_what_was_forged_in_a_part_is_named(
    log: Log, tmp_path: Path, change: Any, told: str
) -> None:
    export(log, tmp_path / "x.jsonl", kinds=["publish"], checkpoint=note(log, 6, *WITNESSES))
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_bytes().splitlines()]
    change(lines)
    path = written(tmp_path / "y.jsonl", lines)

    with pytest.raises(program.Wrong, match=told):
        program.stands(program.verify(path, None), None, program.Policy(POLICY), [])


@pytest.mark.parametrize(
    "text", ["", "log\n", "quorum\n", "group a 3 b c\nquorum a\n", "witness a\n", "what\n"]
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises((program.Wrong, ValueError)):
        program.Policy(text)
