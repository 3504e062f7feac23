"""What is refused at the door: in the form of all errors, with a code, and in the log (G6)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import httpx
import pytest
from structlog.testing import capture_logs

from hub.http import publishing
from hub.http.wire import LONGEST_HEAD_BYTES
from tests.hubkit import Hub, alert, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def send(hub: Hub, data: bytes, *, hang_up: bool = False) -> httpx.Response | None:
    """Send bytes as they are; return the answer, None where the connection ended without one."""
    reader, writer = await asyncio.open_connection(hub.settings.host, hub.settings.port)
    answered = b""
    try:
        writer.write(data)
        await writer.drain()
        if hang_up:
            writer.write_eof()
        async with asyncio.timeout(30):
            with suppress(ConnectionResetError):
                answered = await reader.read()
    finally:
        writer.close()
        with suppress(ConnectionResetError, BrokenPipeError):
            await writer.wait_closed()
    if not answered:
        return None
    head, _, body = answered.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = [tuple(line.split(b": ", 1)) for line in lines]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)  # type: ignore[arg-type]  # pairs


def post(hub: Hub, *lines: str, body: bytes = b"", who: str = "az-fhn") -> bytes:
    head = [
        "POST /v1/messages HTTP/1.1",
        "Host: hub",
        f"Authorization: Bearer {hub.tokens[who]}",
        *lines,
    ]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


GET = b"GET /v1/feeds HTTP/1.1\r\nHost: hub\r\n\r\n"
AMBIGUOUS: dict[str, tuple[tuple[str, ...], bytes]] = {
    "length and chunks": (("Content-Length: 4", "Transfer-Encoding: chunked"), b"0\r\n\r\n" + GET),
    "chunks and length": (("Transfer-Encoding: chunked", "Content-Length: 4"), b"0\r\n\r\n" + GET),
    "two lengths": (("Content-Length: 0", f"Content-Length: {len(GET)}"), GET),
    "a length with a sign": (("Content-Length: +4",), b"abcd"),
    "a length in words": (("Content-Length: four",), b"abcd"),
    "a length without end": ((f"Content-Length: {'9' * 30}",), b"abcd"),
    "an unknown coding": (("Transfer-Encoding: xchunked",), b"0\r\n\r\n" + GET),
    "a space before the colon": (("Transfer-Encoding : chunked",), b"0\r\n\r\n" + GET),
    "a folded header": (("X-One: 1", " 2", "Content-Length: 0"), b""),
    "a NUL in a header": (("X-One: 1\x002", "Content-Length: 0"), b""),
    "a chunk that is none": (("Transfer-Encoding: chunked",), b"zz\r\n" + GET),
    "a chunk with a sign": (("Transfer-Encoding: chunked",), b"-1\r\n" + GET),
}


@pytest.mark.parametrize("shape", AMBIGUOUS)
async def test_a_request_whose_end_could_be_read_in_two_ways_is_not_read(
    hub: Hub, shape: str
) -> None:
    """A proxy may have read it the other way: the rest would be somebody else's request."""
    lines, body = AMBIGUOUS[shape]
    before = await hub.head()

    answer = await send(hub, post(hub, *lines, body=body))

    assert answer is not None
    assert problem(answer, 400, "http-invalid")["remedy"]
    assert answer.headers["connection"] == "close"
    assert not await hub.rows("publish", after=before)


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01\x00", b"hello\r\n\r\n", b"GET /\n\n"])
async def test_what_is_no_http_is_told_and_logged(hub: Hub, data: bytes) -> None:
    before = await hub.head()

    answer = await send(hub, data)

    assert answer is not None
    problem(answer, 400, "http-invalid")
    await hub.refused("http-invalid", after=before)


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "endless"])
async def test_a_head_without_bound_does_not_fill_the_memory(hub: Hub, ended: bool) -> None:  # noqa: FBT001  # pytest passes it by name
    """From anybody: no token is asked for before the head is whole."""
    before = await hub.head()
    head = b"GET /v1/feeds HTTP/1.1\r\nX-Long: " + b"x" * (LONGEST_HEAD_BYTES + 1)

    answer = await send(hub, head + b"\r\n\r\n" * ended)

    if answer is not None:  # what was sent and not read may take the answer along
        problem(answer, 400, "http-invalid")
    await hub.refused("http-invalid", after=before)


async def test_a_head_within_the_bound_is_read(hub: Hub) -> None:
    async with hub.http("az-fhn") as http:
        answers = [
            await http.get("/v1/feeds", headers={"X-Long": "x" * (LONGEST_HEAD_BYTES - 1000)})
            for _ in range(3)  # each is counted by itself
        ]

    assert {a.status_code for a in answers} == {200}


async def test_two_tokens_are_as_good_as_none(hub: Hub) -> None:
    before = await hub.head()
    again = f"Authorization: Bearer {hub.tokens['kz-mes']}"

    answer = await send(hub, post(hub, again, "Content-Length: 0", "Connection: close"))

    assert answer is not None
    problem(answer, 401, "token-invalid")
    await hub.refused("token-invalid", after=before)


async def test_a_body_without_a_length_is_none(hub: Hub) -> None:
    answer = await send(hub, post(hub, "Connection: close"))

    assert answer is not None
    body = problem(answer, 422, "empty-payload")
    row = await asyncio.to_thread(hub.log.row, body["index"])
    assert row is not None
    assert row.entry["code"] == "empty-payload"


async def test_a_body_in_chunks_is_taken_whole(hub: Hub) -> None:
    payload = alert()
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (payload[:7], payload[7:300], payload[300:])
    )

    answer = await send(
        hub,
        post(hub, "Transfer-Encoding: chunked", "Connection: close", body=chunks + b"0\r\n\r\n"),
    )

    assert answer is not None
    assert answer.status_code == 201
    row = await asyncio.to_thread(hub.log.row, answer.json()["index"])
    assert row is not None
    assert row.payload == payload


@pytest.mark.parametrize("how", ["Content-Length: 5000", "Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_arrive_is_not_waited_for(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(publishing, "_PATIENCE_S", 0.05)
    before = await hub.head()

    answer = await send(hub, post(hub, how, body=b"5\r\n<aler\r\n"))

    assert answer is not None
    assert problem(answer, 408, "body-too-slow")["remedy"]
    assert answer.headers["connection"] == "close"
    await hub.refused("body-too-slow", agency="az-fhn", after=before)


async def test_a_body_in_chunks_without_end_is_not_kept(hub: Hub) -> None:
    """It names no length, so nothing but counting can tell."""
    before = await hub.head()
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"

    answer = await send(
        hub, post(hub, "Transfer-Encoding: chunked", body=chunk * 160 + b"0\r\n\r\n", who="tm-msfs")
    )

    assert answer is not None
    problem(answer, 413, "too-large")
    await hub.refused("too-large", agency="tm-msfs", after=before)


async def test_who_hangs_up_within_a_body_has_sent_nothing(hub: Hub) -> None:
    before = await hub.head()
    payload = alert()

    answer = await send(
        hub, post(hub, f"Content-Length: {len(payload) + 1}", body=payload), hang_up=True
    )

    assert answer is None
    after = await hub.publish()
    assert [r.index for r in await hub.rows("publish", after=before)] == [after]


@pytest.mark.parametrize(
    ("path", "who", "body", "status", "code"),
    [
        ("/v1/messages/0/acknowledgements", "officer", {"note": 7}, 422, "request-invalid"),
        ("/v1/messages/0/acknowledgements", "officer", {"officer": "X"}, 403, "not-allowed"),
        ("/v1/feeds/ir-ndmo/confirmations", "ir-ndmo", {}, 422, "request-invalid"),
        ("/v1/feeds/az-fhn/confirmations", "ir-ndmo", {"through": 1}, 404, "feed-unknown"),
        ("/v1/feeds/ir-ndmo/confirmations", "ir-ndmo", {"through": 1 << 40}, 422, "cursor-invalid"),
        ("/v1/members", "ir-ndmo", {}, 403, "not-allowed"),
        ("/v1/members", "operator", {"id": "ZZ"}, 422, "member-invalid"),
        ("/v1/subscriptions", "operator", {"agency": "az-fhn"}, 422, "subscription-invalid"),
        (
            "/v1/subscriptions",
            "operator",
            {"agency": "zz-none", "name": "n"},
            403,
            "unknown-agency",
        ),
        ("/v1/dead-letters/0/retry", "operator", None, 404, "entry-unknown"),
    ],
)
async def test_what_is_refused_by_any_route_is_in_the_log(
    hub: Hub, path: str, who: str, body: object, status: int, code: str
) -> None:
    before = await hub.head()

    async with hub.http(who) as http:
        answer = await http.post(path, json=body)

    detail = problem(answer, status, code)["detail"]
    refusal = await hub.refused(code, after=before)
    assert refusal["detail"] == detail[:300]
    (row,) = [r for r in await hub.rows("refusal", after=before) if r.entry["code"] == code]
    assert row.agency == {"officer": "ir-ndmo", "operator": ""}.get(who, who)


async def test_reading_what_is_not_there_is_answered_and_not_logged(hub: Hub) -> None:
    """Nothing came in; a reader who looks around would fill the log."""
    async with hub.http("az-fhn") as http:
        problem(await http.get("/v1/feeds/kz-mes"), 404, "feed-unknown")
        problem(await http.get("/v1/messages/nothing"), 404, "unknown-message")
        before = await hub.head()
        problem(await http.post("/v1/messages/0/acknowledgements", json=[]), 422, "request-invalid")

    await hub.refused("request-invalid", after=before)
    codes = {r.entry["code"] for r in await hub.rows("refusal", agency="az-fhn")}
    assert not codes & {"feed-unknown", "unknown-message"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "route-unknown"),
        ("GET", "/docs/", 404, "route-unknown"),
        ("GET", "/v1/feeds/", 404, "route-unknown"),
        ("GET", "/v1//feeds", 404, "route-unknown"),
        ("DELETE", "/v1/messages/1", 405, "method-not-allowed"),
        ("OPTIONS", "/v1/messages", 405, "method-not-allowed"),
        ("TRACE", "/v1/messages", 405, "method-not-allowed"),
    ],
)
async def test_where_there_is_no_route_the_answer_has_the_form_of_all_errors(
    hub: Hub, method: str, path: str, status: int, code: str
) -> None:
    async with hub.http("auditor") as http:
        # As it is written: httpx would tidy the path.
        request = http.build_request(method, "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = await http.send(request)

    assert "location" not in answer.headers
    problem(answer, status, code)


async def test_every_answer_carries_the_safe_headers(hub: Hub) -> None:
    async with hub.http("az-fhn") as http:
        answers = [
            await http.get("/healthz"),
            await http.get("/v1/feeds"),
            await http.get("/v1/nothing"),
            await http.post("/v1/messages", content=b"<a/>"),
        ]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


async def test_a_fault_of_the_hub_is_told_without_its_inside(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr("hub.http.messages.recipients", broken)
    index = await hub.publish()
    with capture_logs():  # or the line would be painted in colours, for seconds
        async with hub.http("az-fhn") as http:
            answer = await http.get(f"/v1/messages/{index}")

    body = problem(answer, 500, "internal")
    assert "secret" not in json.dumps(body)
    assert body["remedy"]
