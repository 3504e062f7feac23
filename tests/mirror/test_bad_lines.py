"""A mirror on a bad line, or of a hub that answers badly: what was proven is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hub.core.tiles import entries_path, read_path, tile_path
from hub.errors import HubError
from hub.log.checkpoints import latest
from hub.log.store import Log
from hub.log.tiles import bundle
from hub.log.tree import Tree
from hub.log.verify import verify_store
from hub.mirror.following import Follower
from hub.mirror.source import Source
from tests.hubkit import store
from tests.witness.signed import SignedLog

SIZE = 602
"""Three bundles; the mirror holds two entries of the first."""


class BadServer(ThreadingHTTPServer):
    """Serves a log's files, one of them badly, for as long as *fault* says how."""

    daemon_threads = True

    def __init__(self, log: Log) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.log = log
        self.path = ""
        self.fault = ""
        self.over = threading.Event()

    def file(self, path: str) -> bytes | None:
        """Return what a hub has there."""
        if path == "/log/checkpoint":
            with self.log.reading() as c:
                found = latest(c)
            return None if found is None else found.note.encode()
        place = read_path(path.removeprefix("/log/tile/"))
        if place is None:
            return None
        level, number, width = place
        if level >= 0:
            return Tree(self.log).tile(level, number, width)
        with self.log.reading() as c:
            return bundle(c, number, width)


class _Answers(BaseHTTPRequestHandler):
    server: BadServer

    def do_GET(self) -> None:
        data = self.server.file(self.path)
        self.send_response(404 if data is None else 200)
        data, fault = data or b"", self.server.fault if self.path == self.server.path else ""
        if fault != "no length":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if fault == "drips":
            for byte in data:
                self.wfile.write(bytes([byte]))
                if self.server.over.wait(0.05):
                    return
        else:
            self.wfile.write(data[: len(data) // 2] if fault else data)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadServer]:
    log = SignedLog(tmp_path_factory.mktemp("hub"))
    log.sign()
    log.grow(SIZE - log.log.head().size)
    server = BadServer(log.log)
    server.key = log.key  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    log.log.close()


@pytest.mark.parametrize(
    "fault", ["cut", "no length", pytest.param("drips", marks=pytest.mark.long)]
)
@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("checkpoint", 0),
        (tile_path(0, 1), 0),
        (entries_path(0), 0),
        (entries_path(2, SIZE - 512), 512),
    ],
)
def test_what_was_proven_is_kept_and_the_rest_comes_later(
    served: BadServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    kept: int,
    fault: str,
) -> None:
    monkeypatch.setattr("hub.mirror.following._BUNDLES", 1)
    served.path, served.fault = f"/log/{path}", fault
    address = f"http://127.0.0.1:{served.server_address[1]}"
    with closing(Log.open(store(tmp_path))) as copy, Source(address, within_s=1.0) as source:
        follower = Follower(copy, source, [served.key], payloads=False)  # type: ignore[attr-defined]
        with pytest.raises(HubError) as failed:
            follower.step()
        # Half a checkpoint whose length nobody said is no note; all else is known to be cut.
        half = (path, fault) == ("checkpoint", "no length")
        assert failed.value.code == ("note-invalid" if half else "source-unavailable")
        assert copy.head().size == kept
        assert verify_store(copy, withheld=True).ok

        served.fault = ""
        assert follower.step().size == SIZE
        assert copy.head() == served.log.head()
        assert verify_store(copy, withheld=True).ok
