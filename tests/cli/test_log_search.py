"""``caspian log search``: of a store, a bundle and a hub; and a hub that lies is caught."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from hub.log.store import Log
from tests.cli.conftest import Caspian, Fresh
from tests.cli.hub import Hub
from tests.log.samples import cap

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
    url = between(lie)
    options = ("quagmire", "--from", "0", "--to", str(logged[3]))
    assert afar(hub, url, *options)[0] == 0  # so far it is believed

    code, out, err = afar(hub, url, *options, "--prove", "--json")

    assert code == 5, err
    fault = json.loads(out)["fault"]
    assert (fault["code"], fault["culprit"]) == ("answer", "hub")
    code, out, _ = afar(hub, url, *options, "--prove")
    assert code == 5
    assert "BROKEN" in out


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


def test_an_auditor_of_a_state_proves_without_reading_all(hub: Hub, fresh: Fresh) -> None:
    private = fresh(scope="Private", addresses="ir-ndmo", headline="Whisper")
    hidden = fresh(status="Draft", headline="Whisper")
    for payload in (private, hidden):
        assert hub.caspian("publish", "-", who="az-fhn", stdin=payload).returncode == 0
    done = hub.caspian("tokens", "add", "auditor", "--state", "IR")
    hub.tokens["auditor of IR"] = done.stdout.strip()

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
