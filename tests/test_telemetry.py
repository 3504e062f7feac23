from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import httpx
import pytest
import sqlalchemy
import structlog
import uvicorn
from faststream.redis import RedisBroker
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from hub.errors import Unavailable
from hub.redaction import MASK, clean, clean_text, is_secret
from hub.streams.embedded import EmbeddedServer
from hub.telemetry import (
    Metrics,
    configure_logging,
    get_logger,
    metric_docs,
    metric_names,
    process_metrics,
    serve_metrics,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Format = Literal["json", "pretty", "auto"]
NAMES = [
    "password",
    "token",
    "Authorization",
    "payload",
    "redis_password",
    "X-Api-Key",
    "setCookie",
]
secret_names = st.sampled_from(NAMES)
# Twelve characters: shorter ones stand in a timestamp by chance.
secrets = st.text(min_size=12, max_size=40)
bare_secrets = st.text("abcdefghijkXYZ0123456789_-.~+/=%$#!", min_size=12, max_size=40)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def logging_to(
    stream: io.StringIO, *, style: Format = "json", level: str = "info"
) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    configure_logging(format=style, level=level, stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
        structlog.reset_defaults()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    with logging_to(io.StringIO()) as stream:
        yield stream


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_facts(lines: io.StringIO) -> None:
    get_logger("hub.ledger").info("batch.committed", entries=12, took_ms=3.5, agency="az-fhn")

    (event,) = events(lines)
    at = datetime.fromisoformat(event.pop("timestamp"))
    assert at.utcoffset() == timedelta(0)
    assert event == {
        "event": "batch.committed",
        "level": "info",
        "logger": "hub.ledger",
        "entries": 12,
        "took_ms": 3.5,
        "agency": "az-fhn",
    }


def test_what_is_bound_to_the_task_stands_in_every_line_of_it(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(instance="ledger-1"):
        get_logger("hub").info("ledger.started")
        logging.getLogger("elsewhere").warning("something")

    assert [event["instance"] for event in events(lines)] == ["ledger-1", "ledger-1"]


def test_lines_below_the_level_are_not_written() -> None:
    with logging_to(io.StringIO(), level="warning") as stream:
        get_logger("hub").info("hidden")
        logging.getLogger("elsewhere").info("hidden")
        get_logger("hub").warning("shown")

    assert [event["event"] for event in events(stream)] == ["shown"]


def test_configuring_again_replaces_what_was_and_leaves_other_handlers_alone() -> None:
    mine = logging.NullHandler()
    logging.getLogger().addHandler(mine)
    try:
        with logging_to(io.StringIO()) as old, logging_to(io.StringIO()) as new:
            get_logger("hub").info("once")

            assert old.getvalue() == ""
            assert len(events(new)) == 1
            assert mine in logging.getLogger().handlers
    finally:
        logging.getLogger().removeHandler(mine)


@pytest.mark.parametrize(
    ("style", "stream", "is_json"),
    [
        ("auto", io.StringIO, True),
        ("auto", Terminal, False),
        ("pretty", io.StringIO, False),
        ("json", Terminal, True),
    ],
)
def test_auto_is_pretty_on_a_terminal_only(
    style: Format, stream: type[io.StringIO], *, is_json: bool
) -> None:
    with logging_to(stream(), style=style) as written:
        get_logger("hub").info("hub.started")

    assert written.getvalue().startswith("{") is is_json
    assert "hub.started" in written.getvalue()


def test_lines_go_to_standard_error_and_leave_output_to_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with logging_to(io.StringIO()):
        configure_logging(format="json", level="info")
        get_logger("hub").info("hub.started")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "hub.started"


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown level"), logging_to(io.StringIO(), level="loud"):
        pass


def test_a_traceback_shows_no_variables(lines: io.StringIO) -> None:
    hidden = "do-not-" + "show-this"

    def fail(payload: str) -> None:
        raise ValueError(f"cannot read {len(payload)} characters")

    try:
        fail(hidden)
    except ValueError:
        get_logger("hub").exception("entry.failed")

    (event,) = events(lines)
    assert "ValueError: cannot read 16 characters" in event["exception"]
    assert hidden not in lines.getvalue()


@pytest.mark.parametrize("style", ["json", "pretty"])
def test_nobody_can_forge_a_line_or_move_the_cursor(style: Format) -> None:
    with logging_to(io.StringIO(), style=style) as stream:
        get_logger("hub").info("a\nforged\x1b[2J", sender="b\rforged\n\x9b2J")

    assert len(stream.getvalue().splitlines()) == 1
    assert not set(stream.getvalue()) & {"\x1b", "\x9b", "\r"}


def test_a_traceback_for_people_keeps_its_lines() -> None:
    with logging_to(io.StringIO(), style="pretty") as stream:
        try:
            float("\x1b[2J")
        except ValueError:
            get_logger("hub").exception("entry.failed")

    assert "\nTraceback (most recent call last):\n" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_line_that_cannot_be_written_is_said_to_be_lost_without_its_facts(
    lines: io.StringIO,
) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    # pytest's own handler would raise what Python's would print.
    root = logging.getLogger()
    root.handlers = [ours for ours in root.handlers if type(ours).__name__ == "_HubHandler"]

    get_logger("hub").info("entry.read", token="tell-nobody-1", thing=Broken())

    assert events(lines) == [{"event": "log.line_lost", "logger": "hub"}]


class TestOtherPeoplesLines:
    async def test_uvicorn_writes_through_our_renderer_and_shows_no_token(
        self, lines: io.StringIO
    ) -> None:
        async def app(scope: Any, _receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body"})

        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        with listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            async with httpx.AsyncClient(timeout=10) as client:
                port = listener.getsockname()[1]
                await client.get(f"http://127.0.0.1:{port}/feed?token=tell-nobody-1&from=7")
            server.should_exit = True
            await serving

        (access,) = [event for event in events(lines) if event["logger"] == "uvicorn.access"]
        assert f"GET /feed?token={MASK}&from=7" in access["event"]
        assert "tell-nobody-1" not in lines.getvalue()
        assert "color_message" not in lines.getvalue()

    async def test_faststream_writes_through_our_renderer(
        self, lines: io.StringIO, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with EmbeddedServer(tmp_path) as valkey:
            broker = RedisBroker(valkey.url, logger=logging.getLogger("faststream.broker"))
            heard = asyncio.Event()

            @broker.subscriber("news")
            async def hear(_: str) -> None:
                heard.set()

            async with broker:
                await broker.start()
                await broker.publish("hello", "news")
                async with asyncio.timeout(10):
                    await heard.wait()

        assert {event["logger"] for event in events(lines)} == {"faststream.broker"}
        assert {event.get("channel") for event in events(lines)} >= {"news"}
        assert capsys.readouterr() == ("", "")

    def test_sqlalchemy_writes_no_statements_at_debug(self) -> None:
        engine = sqlalchemy.create_engine("sqlite://")
        with logging_to(io.StringIO(), level="debug") as stream:
            with engine.connect() as connection:
                connection.execute(sqlalchemy.text("select :it"), {"it": "tell-nobody-1"})
            engine.dispose()

        assert "tell-nobody-1" not in stream.getvalue()


class TestSecrets:
    @given(secret_names, secrets, st.sampled_from(["json", "pretty"]))
    def test_a_secret_under_its_name_is_never_rendered(
        self, name: str, secret: str, style: Format
    ) -> None:
        with logging_to(io.StringIO(), style=style) as stream:
            logger = get_logger("hub")
            logger.info("direct", **{name: secret})
            logger.info("nested", headers=[{name: secret}], more={"a": ({name: {"x": secret}},)})
            logger.info("bytes keys", fields={name.encode(): secret.encode()})
            logger.bind(**{name: secret}).warning("bound")
            logging.getLogger("elsewhere").warning("extra", extra={name: secret})

        assert_hidden(secret, stream.getvalue())

    @given(secret_names, secrets)
    def test_a_secret_in_the_repr_of_something_is_never_rendered(
        self, name: str, secret: str
    ) -> None:
        @dataclass
        class Thing:
            password: str

        with logging_to(io.StringIO()) as stream:
            get_logger("hub").info("thing.seen", thing=Thing(secret))
            get_logger("hub").info("seen %s", {name: secret})
            get_logger("hub").info("seen", text=f"{ {name: [secret]} }")
            logging.getLogger("elsewhere").warning("%r", {name: secret.encode()})

        assert_hidden(secret, stream.getvalue())

    @given(secret_names, bare_secrets, st.sampled_from(["=", ": ", ' = "', "='"]))
    def test_a_secret_in_a_sentence_is_never_rendered(
        self, name: str, secret: str, equals: str
    ) -> None:
        assert secret not in clean_text(f"refused: {name}{equals}{secret}")
        assert secret not in clean_text(f"refused\nAuthorization: Bearer {secret}\n")
        assert secret not in clean_text(f"refused Bearer {secret.replace('%', '')}").replace(
            secret, ""
        )

    @given(st.text("abcXYZ019_-.~%+=", min_size=12))
    def test_the_password_of_an_address_is_never_rendered(self, secret: str) -> None:
        for scheme in ("redis", "postgresql+psycopg", "https"):
            shown = clean_text(
                f"cannot reach {scheme}://default:{secret}@127.0.0.1:6379/0 (refused)"
            )

            assert shown == f"cannot reach {scheme}://default:{MASK}@127.0.0.1:6379/0 (refused)"

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
            max_leaves=8,
        )
    )
    def test_what_is_left_is_json_and_cleaning_it_again_changes_nothing(self, value: Any) -> None:
        cleaned = clean(value)

        assert json.loads(json.dumps(cleaned, allow_nan=False)) == cleaned
        assert clean(cleaned) == cleaned

    @pytest.mark.parametrize(
        "name", ["event", "agency", "log_index", "key_id", "payload_digest", "payload_size_bytes"]
    )
    def test_facts_are_shown(self, name: str) -> None:
        assert not is_secret(name)
        assert clean({name: "e3b0c442"}) == {name: "e3b0c442"}
        assert clean_text(f"{name}=e3b0c442 ok") == f"{name}=e3b0c442 ok"

    def test_a_private_key_is_hidden_wherever_it_stands(self) -> None:
        pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----\n"

        assert "MC4CAQ" not in clean_text(f"cannot load {pem}")

    def test_every_cookie_of_a_header_is_hidden(self) -> None:
        assert clean_text("Cookie: a=one; b=two\nHost: hub") == f"Cookie: {MASK}\nHost: hub"

    def test_values_become_plain_data(self) -> None:
        at = datetime(2026, 3, 4, tzinfo=UTC)

        cleaned = clean(
            {"at": at, "took": timedelta(seconds=2), "raw": b"\x00\x01", "id": UUID(int=1)}
        )

        assert cleaned == {
            "at": "2026-03-04T00:00:00+00:00",
            "took": 2.0,
            "raw": "<2 bytes>",
            "id": "UUID('00000000-0000-0000-0000-000000000001')",
        }

    def test_a_value_that_contains_itself_ends(self) -> None:
        endless: list[Any] = []
        endless.append(endless)

        assert "..." in json.dumps(clean(endless))

    def test_a_huge_text_keeps_its_ends(self) -> None:
        shown = clean_text("begin" + "x" * 10_000_000 + "end")

        assert len(shown) < 20_000
        assert shown.startswith("begin")
        assert shown.endswith("end")

    @pytest.mark.parametrize(
        "text", ["token" * 40_000, "password='" * 20_000, "://a:" * 40_000, "bearer " * 30_000]
    )
    def test_a_hostile_text_costs_no_more_than_its_length(self, text: str) -> None:
        # Quadratic time here would meet the test's time limit.
        assert len(clean_text(text * 5)) <= len(text * 5)


def assert_hidden(secret: str, rendered: str) -> None:
    assert secret not in rendered
    assert json.dumps(secret)[1:-1] not in rendered
    assert repr(secret)[1:-1] not in rendered
    assert json.dumps(repr(secret))[2:-2] not in rendered


class TestMetrics:
    def test_every_metric_is_there_once_under_its_documented_name(self) -> None:
        registry = CollectorRegistry()
        Metrics(registry)

        families = [
            family.name + ("_total" if family.type == "counter" else "")
            for family in registry.collect()
        ]
        assert sorted(families) == sorted(metric_names())
        assert len(set(metric_names())) == len(metric_names())
        with pytest.raises(ValueError, match="Duplicated timeseries"):
            Metrics(registry)

    def test_every_metric_is_documented_in_a_sentence(self) -> None:
        for doc in metric_docs():
            assert doc.name.startswith("caspian_")
            assert doc.help.endswith(".")
            assert doc.name.endswith("_total") == (doc.kind == "counter")

    def test_labels_are_as_documented(self) -> None:
        metrics = Metrics(CollectorRegistry())

        metrics.messages_received.labels(via="http").inc()
        metrics.entries_appended.labels(kind="alert").inc()
        metrics.refusals.labels(code="signature-invalid").inc()
        metrics.feed_entries.labels(feed="all").inc()
        metrics.feed_lag_entries.labels(feed="all").set(3)
        metrics.inbox_pending.labels(agency="az-fhn").set(1)
        metrics.claimed_entries.labels(group="intake").inc()

        assert {doc.labels for doc in metric_docs()} == {
            (), ("via",), ("kind",), ("code",), ("feed",), ("agency",), ("group",),
            ("witness",), ("witness", "status"), ("witness", "why"), ("step",), ("kind", "outcome"),
            ("kind", "state"),
        }  # fmt: skip

    def test_a_process_has_one_set(self) -> None:
        assert process_metrics() is process_metrics()
        assert b"\ncaspian_log_size " in generate_latest(REGISTRY)

    def test_the_page_is_served_on_this_machine_until_closed(self) -> None:
        registry = CollectorRegistry()
        Metrics(registry).log_size.set(42)

        endpoint = serve_metrics(0, registry)
        assert endpoint is not None
        page = httpx.get(endpoint.url, timeout=10)
        endpoint.close()

        assert endpoint.url.startswith("http://127.0.0.1:")
        assert "caspian_log_size 42.0" in page.text
        with pytest.raises(httpx.ConnectError):
            httpx.get(endpoint.url, timeout=10)

    def test_no_port_serves_nothing(self) -> None:
        assert serve_metrics(None, CollectorRegistry()) is None

    def test_a_port_in_use_is_said_to_be(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(Unavailable) as caught,
        ):
            serve_metrics(taken.getsockname()[1], CollectorRegistry())

        assert caught.value.code == "port-in-use"
