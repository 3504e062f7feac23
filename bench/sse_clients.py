"""Many readers of one event stream in one process: raw sockets and epoll, nothing in between.

    python bench/sse_clients.py HOST PORT PATH TOKEN CLIENTS MESSAGES

Says ``ready`` once every stream is open, and at the end, as JSON, when each event came to each.
"""

from __future__ import annotations

import json
import re
import resource
import select
import socket
import sys
import time

_ID = re.compile(rb"(?:^|\n)id: (\d+)\r?\n")
_PATIENCE_S = 60.0


def opened(host: str, port: int, path: str, token: str) -> tuple[socket.socket, bytes]:
    """Open a stream; return once its head has come, with what came after it."""
    line = socket.create_connection((host, port), 60)
    line.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += line.recv(4096)
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(head.decode())
    line.setblocking(False)  # noqa: FBT003 - the name is the standard library's
    return line, head.partition(b"\r\n\r\n")[2]


def main() -> None:
    """Read until each client has so many events, or for a minute without any."""
    host, port, path, token, clients, messages = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    lines = [opened(host, int(port), path, token) for _ in range(int(clients))]
    poll = select.epoll()
    by_number = {line.fileno(): line for line, _ in lines}
    tails = {line.fileno(): text for line, text in lines}
    # The first event only says where the stream stands; it may have come with the head.
    last = {n: max((int(i) for i in _ID.findall(text)), default=-1) for n, text in tails.items()}
    count = dict.fromkeys(by_number, 0)
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    print("ready", flush=True)
    came: dict[int, list[float]] = {}
    left, quiet_since, lost = len(lines), time.monotonic(), 0
    while left and time.monotonic() - quiet_since < _PATIENCE_S:
        for number, _ in poll.poll(1.0, 4096):
            try:
                data = by_number[number].recv(1 << 18)
            except BlockingIOError:
                continue
            now = time.time()
            if not data:
                poll.unregister(number)
                left, lost = left - 1, lost + 1
                continue
            text = tails[number] + data
            tails[number] = text[-64:]
            for found in _ID.finditer(text):
                index = int(found[1])
                if index > last[number]:
                    if last[number] >= 0:
                        came.setdefault(index, []).append(now)
                        count[number] += 1
                        left -= count[number] == int(messages)
                        quiet_since = time.monotonic()
                    last[number] = index
    print(json.dumps({"came": came, "lost": lost}), flush=True)


if __name__ == "__main__":
    main()
