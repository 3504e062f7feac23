"""``caspian log search``: of a store, a bundle and a hub; and a hub that lies is caught."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.log.bundle import open_bundle
from hub.log.checkpoints import SignedCheckpoint, add_cosignatures, put
from hub.log.store import Log
from hub.log.tree import Tree
from schemas.checkpoint import Checkpoint
from schemas.notes import Note, signature_line
from tests.cli.conftest import ORIGIN, Caspian, Fresh
from tests.cli.hub import Hub
from tests.keys import cosign, key, raw_signature, witness
from tests.log.samples import Writer, alert, cap

Change = Callable[[dict[str, Any]], None]


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


class Liar(BaseHTTPRequestHandler):
    """Passes everything on to a hub, and changes its answers to searches."""

    real = ""
    path_of = "/v1/log/search"
    change: Change

    def do_GET(self) -> None:
        token = {"Authorization": self.headers.get("Authorization", "")}
        answer = httpx.get(self.real + self.path, headers=token)
        body = answer.content
        if self.path.startswith(self.path_of):
            page = answer.json()
            type(self).change(page)
            body = json.dumps(page).encode()
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["content-type"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def between(hub: Hub) -> Iterator[Callable[..., str]]:
    """Give a function that says where a hub is that lies so, between us and the real one."""
    servers = []

    def begin(change: Change, path: str = "/v1/log/search") -> str:
        given = {"real": hub.url, "change": staticmethod(change), "path_of": path}
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("It", (Liar,), given))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def logged(hub: Hub) -> list[int]:
    """Publish three messages that say one word, and one that does not; give their indexes."""
    found = []
    for n, headline in enumerate(("Quagmire", "Нефть quagmire", "Calm", "QUAGMIRE")):
        payload = cap(f"search-{n}", headline=headline, sent=datetime.now(UTC))
        done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=payload)
        found.append(json.loads(done.stdout)["receipt"]["index"])
    return found


def afar(hub: Hub, url: str, *arguments: str, who: str = "auditor") -> tuple[int, str, str]:
    done = hub.caspian("log", "search", *arguments, "--url", url, who=who)
    return done.returncode, done.stdout, done.stderr


def test_a_hub_and_its_store_find_the_same_and_prove_it(hub: Hub, logged: list[int]) -> None:
    for options in (
        ("quagmire",),
        ("--text", "quagmire", "--newest", "--limit", "2"),
        ("quagmire", "--from", str(logged[1]), "--to", str(logged[2])),
        ("quagmire", "--from", "1h", "--agency", "az-fhn"),
    ):
        here = hub.caspian("log", "search", *options, "--json", "--prove")
        code, out, err = afar(hub, hub.url, *options, "--json", "--prove")

        assert (code, here.returncode) == (0, 0), err + here.stderr
        *far, told = objects(out)
        *near, _ = objects(here.stdout)
        assert [(o["index"], o["leaf"], o["message"]) for o in far] == [
            (o["index"], o["leaf"], o["message"]) for o in near
        ]
        assert far
        assert told["proven"]["entries"] == told["end"] - told["first"]
    found = [
        o["index"]
        for o in objects(hub.caspian("log", "search", "quagmire", "--json").stdout)
        if "index" in o
    ]
    assert found == [logged[0], logged[1], logged[3]]


def test_people_are_told_what_was_looked_at(hub: Hub, logged: list[int]) -> None:
    code, out, err = afar(hub, hub.url, "Quagmire", "--prove")

    assert code == 0
    assert out.count("uagmire") == 2
    assert "PROVEN" in out
    assert "3 found; entries 0 to " in err
    assert "nobody's signature was asked for" in err
    assert logged


def drop(page: dict[str, Any]) -> None:
    page["entries"] = page["entries"][1:]


def add(page: dict[str, Any]) -> None:
    one = page["entries"][0]
    page["entries"] = [{**one, "index": 0}, *page["entries"]]


def alter(page: dict[str, Any]) -> None:
    page["entries"][0]["message"]["headline"] = "All is well"


def exchange(page: dict[str, Any]) -> None:
    page["entries"][0]["entry"] = page["entries"][1]["entry"]


def shorten(page: dict[str, Any]) -> None:
    page["end"] -= 1
    page["entries"] = [e for e in page["entries"] if e["index"] < page["end"]]


def begin_late(page: dict[str, Any]) -> None:
    page["first"] += 1


@pytest.mark.parametrize("lie", [drop, add, alter, exchange, shorten, begin_late])
def test_a_hub_that_lies_is_caught_and_named(
    hub: Hub, logged: list[int], between: Callable[..., str], lie: Change
) -> None:
    options = ("quagmire", "--from", "0", "--to", str(logged[3]))

    code, out, err = afar(hub, between(lie), *options, "--prove", "--json")

    assert code == 5, err
    fault = json.loads(out)["fault"]
    assert (fault["code"], fault["culprit"]) == ("answer", "hub")


def test_a_lie_is_believed_by_who_asks_for_no_proof_and_told_to_people_who_do(
    hub: Hub, logged: list[int], between: Callable[..., str]
) -> None:
    url = between(drop)
    options = ("quagmire", "--to", str(logged[3]))

    assert afar(hub, url, *options)[0] == 0
    code, out, _ = afar(hub, url, *options, "--prove")
    assert code == 5
    assert f"entry {logged[0]}: answer: it is what is searched for, and was left out" in out
    assert "whoever runs the hub" in out


def test_a_hub_that_shows_something_else_in_proof_is_caught(
    hub: Hub, logged: list[int], between: Callable[..., str]
) -> None:
    def hide(page: dict[str, Any]) -> None:
        for one in page["entries"]:
            if one["index"] == logged[1]:
                one |= {"entry": None, "leaf": "00" * 32}

    url = between(hide, "/v1/log/entries")

    code, out, _ = afar(hub, url, "calm", "--prove", "--json")

    assert (code, json.loads(out)["fault"]["code"]) == (5, "answer")


@pytest.fixture(scope="module", autouse=True)
def auditor_of_a_state(hub: Hub) -> None:
    done = hub.caspian("tokens", "add", "auditor", "--state", "IR")
    hub.tokens["auditor of IR"] = done.stdout.strip()


def test_an_auditor_of_a_state_verifies_what_they_may_not_read_by_its_hash(
    hub: Hub, logged: list[int], between: Callable[..., str]
) -> None:
    def verify(*options: str, url: str = hub.url) -> tuple[int, dict[str, Any]]:
        done = hub.caspian("verify", *options, "--json", "--url", url, who="auditor of IR")
        return done.returncode, json.loads(done.stdout)

    whole = json.loads(hub.caspian("verify", "--json").stdout)
    code, told = verify("--earlier", f"{whole['entries']}:{whole['root']}")
    assert (code, told["fault"]) == (0, None)
    assert told["unread"] > 0
    assert told["messages"] > 0
    size = told["entries"] + told["unread"]
    assert size >= whole["entries"]
    assert verify("--earlier", f"{whole['entries']}:{'0' * 64}")[1]["fault"]["code"] == "root"
    code, since = verify("--since", f"{whole['entries']}:{whole['root']}")
    assert (code, since["since"]) == (0, whole["entries"])
    assert verify("--since", f"{whole['entries']}:{'0' * 64}")[0] == 5

    def alter(page: dict[str, Any]) -> None:
        for one in page["entries"]:
            if one["entry"] is None:
                one["leaf"] = "00" * 32

    code, told = verify(url=between(alter, "/v1/log/entries"))
    assert (code, told["fault"]["code"], told["fault"]["culprit"]) == (5, "root", "hub")
    done = hub.caspian("verify", "--url", hub.url, who="auditor of IR")
    assert "were proven by their hash, without being read" in done.stderr
    assert logged


def test_an_auditor_of_a_state_takes_out_what_they_may_read(hub: Hub, logged: list[int]) -> None:
    given = ("--url", hub.url, "--json", "--force")
    done = hub.caspian("log", "export", "theirs.gz", *given, who="auditor of IR")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["withheld"] > 0
    assert told["logged"] > 0
    verified = json.loads(hub.caspian("verify", "--bundle", "theirs.gz", "--json").stdout)
    assert (verified["ok"], verified["entries"]) == (True, told["size"] - told["withheld"])
    assert verified["proven"] >= verified["entries"]
    listed = objects(
        hub.caspian("log", "ls", "--bundle", "theirs.gz", "--from", "0", "--json").stdout
    )
    assert {0, *logged} <= {one["index"] for one in listed}
    table = ("--format", "csv", "--table", "messages")
    done = hub.caspian("log", "export", "theirs.csv", *given, *table, who="auditor of IR")
    assert done.returncode == 0, done.stderr


def test_an_auditor_of_a_state_proves_without_reading_all(hub: Hub, fresh: Fresh) -> None:
    private = fresh(scope="Private", addresses="ir-ndmo", headline="Whisper")
    hidden = fresh(status="Draft", headline="Whisper")
    for payload in (private, hidden):
        assert hub.caspian("publish", "-", who="az-fhn", stdin=payload).returncode == 0

    code, out, err = afar(hub, hub.url, "whisper", "--prove", "--json", who="auditor of IR")

    *found, told = objects(out)
    assert code == 0, err
    assert len(found) == 1
    assert told["withheld"] == told["proven"]["unread"] > 0
    assert told["proven"]["entries"] == told["end"]
    _, _, err = afar(hub, hub.url, "whisper", who="auditor of IR")
    assert "are not yours to read: not searched" in err


@pytest.mark.usefixtures("log")
def test_stores_and_bundles_are_searched_without_a_hub(caspian: Caspian, log: Log) -> None:
    assert caspian("log", "export", "all.gz", "--unlogged").returncode == 0
    for options in ((), ("--bundle", "all.gz")):
        done = caspian("log", "search", "drill", "--severity", "Extreme", *options)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("[EXERCISE]") == 1
        assert f"1 found; entries 0 to {log.head().size - 1}" in done.stderr
    here = caspian("log", "search", "--kind", "refusal", "--prove", "--json")
    assert objects(here.stdout)[-1]["proven"]["entries"] == log.head().size
    for wrong in (
        ("--prove", "--bundle", "all.gz"),
        ("--limit", "0"),
        ("--policy", "p"),
        ("--bbox", "1,2"),
        ("--touches", "Atlantis"),
        ("--kind", "none"),
        ("--prove", "--policy", "missing"),
    ):
        assert caspian("log", "search", *wrong).returncode == 2, wrong


def test_what_was_searched_is_taken_out_with_its_proofs(hub: Hub, logged: list[int]) -> None:
    options = ("--text", "quagmire", "--agency", "az-fhn", "--severity", "Severe", "--json")
    verifier = hub.caspian("log", "verifier")
    (hub.directory / "verify_bundle.py").write_text(verifier.stdout, "utf-8")
    for name, far in (("near.gz", ()), ("far.gz", ("--url", hub.url))):
        done = hub.caspian("log", "export", name, *options, "--force", *far, who="auditor")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        entry = json.loads(hub.caspian("log", "show", str(told["logged"]), "--json").stdout)
        search = {"severity": "Severe", "text": "quagmire"}
        assert (entry["export"]["search"], entry["export"]["entries"]) == (search, 3)
        verified = json.loads(hub.caspian("verify", "--bundle", name, "--json").stdout)
        assert (verified["ok"], verified["entries"]) == (True, 3)
        assert verified["proven"] > 3
        listed = hub.caspian("log", "ls", "--bundle", name, "--json")
        assert [one["index"] for one in objects(listed.stdout)] == [logged[i] for i in (0, 1, 3)]
        alone = subprocess.run(
            [sys.executable, str(hub.directory / "verify_bundle.py"), name],
            cwd=hub.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert alone.returncode == 0, alone.stdout + alone.stderr
        assert "part    3 entries, each proven to be in it" in alone.stdout
    table = hub.caspian("log", "export", "q.csv", "--format", "csv", *options, "--force")
    assert table.returncode == 0, table.stderr
    assert len((hub.directory / "q.csv").read_text("utf-8").splitlines()) == 4
    assert hub.caspian("verify").returncode == 0


@pytest.fixture
def signed_ends(log: Log) -> str:
    """Sign two ends of the log, the first cosigned by two; return the text of a policy."""
    for size, witnesses in ((6, ("az", "ir")), (log.head().size, ())):
        root = Tree(log).root(size)
        text = Checkpoint(ORIGIN, size, root).body()
        line = signature_line(key(ORIGIN), raw_signature(ORIGIN, text.encode()))
        with log.writing() as c:
            put(c, SignedCheckpoint(size, root, size, str(Note(text, (line,)))))
            add_cosignatures(c, size, [cosign(one, text, 1_800_000_000) for one in witnesses])
    named = [f"witness {one} {witness(one)}" for one in ("az", "ir", "kz")]
    return "\n".join([f"log {key(ORIGIN)}", *named, "group a 2 az ir kz", "quorum a", ""])


def test_a_bundle_has_the_best_signed_end_that_covers_it(
    caspian: Caspian, log: Log, tmp_path: Path, signed_ends: str
) -> None:
    (tmp_path / "policy").write_text(signed_ends, "utf-8")
    own = {"CASPIAN_POLICY": str(tmp_path / "policy")}
    for options, size, level in (
        ((), log.head().size, None),
        (("--to", "5"), 6, "witnessed"),
        (("--from", "4", "--to", "5"), 6, "witnessed"),
        (("--from", "4"), log.head().size, None),
    ):
        given = ("log", "export", "x.gz", "--unlogged", "--force", "--json", *options)
        done = caspian(*given, env=own)
        assert json.loads(done.stdout)["checkpoint"] == size, done.stderr
        told = caspian("verify", "--bundle", "x.gz", "--policy", "policy", "--json")
        report = json.loads(told.stdout)
        assert (report["level"], report["ok"]) == (level or "signed", level is not None)
        assert caspian("verify", "--bundle", "x.gz").returncode == 0
    done = caspian("log", "search", "--prove", "--policy", "policy", "--json", env=own)
    assert (done.returncode, json.loads(done.stdout)["fault"]["code"]) == (5, "quorum")
    (tmp_path / "mild").write_text(signed_ends.replace("quorum a", "quorum none"), "utf-8")
    done = caspian("log", "search", "--prove", "--policy", "mild", "--json")
    assert objects(done.stdout)[-1]["proven"]["level"] == "signed"
    caspian("log", "export", "none.gz", "--unlogged", "--policy", "mild")
    assert open_bundle(tmp_path / "none.gz").header.policy.endswith("quorum none\n")


@pytest.fixture
def served(
    caspian: Caspian, tmp_path: Path, log: Log, signed_ends: str
) -> Iterator[tuple[str, Path]]:
    """Serve the log as static files, as a mirror does; give the address and the directory."""
    assert log.head().size
    assert signed_ends
    done = caspian("log", "tiles", "served/log")
    assert done.returncode == 0, done.stderr
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{server.server_port}", tmp_path / "served" / "log"
    server.shutdown()
    server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_: Any) -> None:
        pass


def test_a_hub_or_mirror_is_compared_by_its_address(
    caspian: Caspian, log: Log, tmp_path: Path, served: tuple[str, Path]
) -> None:
    url, files = served
    size = log.head().size
    caspian("log", "export", "part.gz", "--to", "4", "--unlogged")
    Writer(log).commit([alert("az-fhn", "later")])
    for pair, same in (((url, "log.db"), size), (("part.gz", url), 5), ((url, url), size)):
        done = caspian("log", "compare", *pair)
        assert done.returncode == 0, done.stderr
        assert f"both begin with the same {same} entries" in done.stdout

    other = Log.open(f"sqlite:///{tmp_path / 'other.db'}")
    Writer(other).begin("az-fhn", "ir-ndmo", "kz-mchs").commit([alert("az-fhn", "b-1")])
    other.close()
    told = json.loads(caspian("log", "compare", url, "other.db", "--json").stdout)
    assert (told["ok"], told["index"], told["culprits"]) == (False, 4, ["hub"])
    tile = next(path for path in files.glob("tile/0/**/*") if path.is_file())
    for path in files.glob("tile/0/**/*"):
        if path.is_file():
            path.write_bytes(bytes(len(path.read_bytes())))
    assert tile.read_bytes().strip(b"\0") == b""
    told = json.loads(caspian("log", "compare", url, "part.gz", "--json").stdout)
    assert (told["fault"]["code"], told["fault"]["culprit"]) == ("tree", "hub")
    assert caspian("log", "compare", "http://127.0.0.1:1", "log.db").returncode == 3
