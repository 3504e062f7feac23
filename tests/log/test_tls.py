"""The line to PostgreSQL: with TLS the server must be who the settings say."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.errors import Unavailable
from hub.log.store import Log
from tests.http.certificates import made
from tests.log.postgres_server import PostgresMissing, postgres_server
from tests.log.samples import Writer

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""PostgreSQL's protocol, "SSL Session Encryption"."""


class Front(socketserver.ThreadingTCPServer):
    """TLS before a server that was built without, as PostgreSQL itself negotiates it."""

    daemon_threads = True

    def __init__(self, inner: Path, certificate: str, key: str) -> None:
        self.inner = inner
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: Front

    def handle(self) -> None:
        if self.request.recv(8, socket.MSG_WAITALL) != _SSL_REQUEST:
            return  # it did not ask for TLS
        self.request.sendall(b"S")
        try:
            outer = self.server.context.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        with socket.socket(socket.AF_UNIX) as inner, outer:
            inner.connect(str(self.server.inner / ".s.PGSQL.5432"))
            back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
            back.start()
            _pump(outer, inner)
            back.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """Run a server behind TLS; give the port, and the certificate that it shows."""
    certificate, key = made("postgres").write(tmp_path_factory.mktemp("tls"), "server")
    try:
        with postgres_server() as url:
            home = Path(parse_qs(urlsplit(url).query)["host"][0])
            with Front(home, certificate, key) as front:
                thread = threading.Thread(target=front.serve_forever, daemon=True)
                thread.start()
                yield front.server_address[1], certificate
                front.shutdown()
                thread.join()
    except PostgresMissing as e:
        pytest.skip(str(e))


def url(port: int, mode: str, root: str) -> str:
    return f"postgresql://postgres@localhost:{port}/postgres?sslmode={mode}&sslrootcert={root}"


def test_the_log_works_over_tls_with_a_server_that_is_known(front: tuple[int, str]) -> None:
    log = Log.open(url(front[0], "verify-full", front[1]))
    Writer(log).begin("az-fhn")

    assert log.head().size == 2
    log.close()


def test_a_server_that_nobody_vouches_for_is_not_believed(
    front: tuple[int, str], tmp_path: Path
) -> None:
    other, _ = made("postgres").write(tmp_path, "other")
    with pytest.raises(Unavailable) as caught:
        Log.open(url(front[0], "verify-full", other))

    assert caught.value.code == "log-unavailable"
