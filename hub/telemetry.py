"""What the hub says about itself: log lines and metrics, each defined in this one place.

Every line goes to standard error through one renderer, whoever wrote it: our
own events and those of uvicorn, FastStream, SQLAlchemy. Two libraries must be
told to leave their own handlers out:

- ``uvicorn.Config(..., log_config=None)``
- ``RedisBroker(..., logger=logging.getLogger("faststream.broker"))``

Metrics belong to a registry that whoever wires a process makes or names;
importing this module registers nothing.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO, cast

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import start_http_server as start_metrics_server

from hub.errors import Unavailable
from hub.redaction import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = [
    "MetricDoc",
    "Metrics",
    "MetricsEndpoint",
    "configure_logging",
    "get_logger",
    "metric_docs",
    "metric_names",
    "process_metrics",
    "serve_metrics",
]

_OTHERS = ("uvicorn", "uvicorn.access", "uvicorn.error", "faststream", "faststream.access.redis")
# Below WARNING these write every statement with its values, or every URL.
_TALKATIVE = ("sqlalchemy", "alembic", "httpx", "httpcore")
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_OF_MANY_LINES = ("exception", "stack")


class _HubHandler(logging.StreamHandler[TextIO]):
    """Ours, so that configuring again replaces it and touches no other."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a line was lost. Python's own report would print the facts, secrets and all."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f'{{"event": "log.line_lost", "logger": "{record.name}"}}\n')


def configure_logging(
    *,
    format: Literal["json", "pretty", "auto"],  # noqa: A002 - the setting's name
    level: str,
    stream: TextIO | None = None,
) -> None:
    """Send all log lines to *stream* (standard error), at *level* and above.

    ``json`` writes one object a line: ``timestamp`` (UTC, ISO 8601), ``level``,
    ``logger``, ``event``, and the facts. ``pretty`` is for people; ``auto`` is
    pretty on a terminal. Calling it again replaces what it did before.
    """
    stream = stream or sys.stderr
    pretty = format == "pretty" or (format == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _HubHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # A traceback without the values of variables: those hold payloads.
                structlog.processors.format_exc_info,
                _redact,
                *(_for_people(stream) if pretty else [structlog.processors.JSONRenderer()]),
            ],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _HubHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _OTHERS:
        other = logging.getLogger(name)
        other.handlers.clear()
        other.propagate = True
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger *name*; it may be made before :func:`configure_logging`."""
    return structlog.stdlib.get_logger(name)


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Stand last before the renderer, so that nothing added on the way escapes it."""
    event.pop("color_message", None)  # uvicorn's second copy of the text
    return cast("EventDict", clean(event))


def _for_people(stream: TextIO) -> Sequence[Processor]:
    return [
        _without_controls,
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _without_controls(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep what others sent from moving the cursor, or forging a line, where people read."""
    for key, value in event.items():
        if isinstance(value, str):
            lines = value.split("\n") if key in _OF_MANY_LINES else [value]
            event[key] = "\n".join(line.translate(_CONTROLS) for line in lines)
    return event


@dataclass(frozen=True, slots=True)
class MetricDoc:
    """What docs/metrics.md says of one metric."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str


class Metrics:
    """The hub's metrics on one registry. A second set on the same registry is refused.

    Times are in seconds. Labels have few values: members, feeds, groups, the
    codes of docs/errors.md.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.docs: list[MetricDoc] = []
        self.messages_received = self._counter(
            "caspian_messages_received_total",
            "Messages that came, by the door they came through.",
            "via",
        )
        self.entries_appended = self._counter(
            "caspian_entries_appended_total", "Entries committed to the log, by kind.", "kind"
        )
        self.escalations = self._counter(
            "caspian_escalations_total",
            "Messages that a recipient had not acknowledged in time, by the step taken.",
            "step",
        )
        self.payloads_removed = self._counter(
            "caspian_payloads_removed_total",
            "Payloads removed, by what removed them: retirement (by age) or redaction (by law).",
            "kind",
        )
        self.silent = self._gauge(
            "caspian_agency_silent",
            "1: the agency was not heard for CASPIAN_SILENT_AFTER.",
            "agency",
        )
        self.refusals = self._counter(
            "caspian_refusals_total", "Messages refused, by reason code.", "code"
        )
        self.receipt_seconds = self._histogram(
            "caspian_receipt_seconds",
            "Time from the arrival of a message to its receipt, when it is durable.",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.ledger_batch_entries = self._histogram(
            "caspian_ledger_batch_entries",
            "Entries committed to the log together.",
            (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192),
        )
        self.ledger_commit_seconds = self._histogram(
            "caspian_ledger_commit_seconds",
            "Time of one commit to the log's store, whatever its size.",
            (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
        )
        self.feed_entries = self._counter(
            "caspian_feed_entries_total", "Entries written to a feed.", "feed"
        )
        self.feed_lag_entries = self._gauge(
            "caspian_feed_lag_entries",
            "Entries of the log that the feed's writer has not yet looked at.",
            "feed",
        )
        self.inbox_pending = self._gauge(
            "caspian_inbox_pending",
            "Entries of an agency's inbox that were read and not yet acknowledged.",
            "agency",
        )
        self.dead_letters = self._counter(
            "caspian_dead_letters_total", "Entries given up and put where a person sees them."
        )
        self.claimed_entries = self._counter(
            "caspian_claimed_entries_total",
            "Entries taken over from a consumer that abandoned them.",
            "group",
        )
        self.sign_ins = self._counter(
            "caspian_sign_ins_total", "Attempts to sign in: ok, or a code.", "code"
        )
        self.throttled = self._counter(
            "caspian_throttled_total", "Requests turned away as too many, by code.", "code"
        )
        self.sse_clients = self._gauge(
            "caspian_sse_clients", "Clients that follow a feed over SSE now."
        )
        self.sse_dropped = self._counter(
            "caspian_sse_dropped_total", "SSE clients dropped because they read too slowly."
        )
        self.outlets = self._gauge(
            "caspian_outlets", "Outlets that this process serves, by state.", "kind", "state"
        )
        self.outlet_attempts = self._counter(
            "caspian_outlet_attempts_total",
            "Attempts to bring something to another system: ok or failed.",
            "kind",
            "outcome",
        )
        self.log_size = self._gauge("caspian_log_size", "Entries in the log.")
        self.checkpoints = self._counter(
            "caspian_checkpoints_total", "Checkpoints that were signed and kept."
        )
        self.checkpoint_size = self._gauge(
            "caspian_checkpoint_size", "Entries that the newest checkpoint covers."
        )
        self.checkpoint_refused = self._gauge(
            "caspian_checkpoint_refused",
            "1 while the signer finds that the store contradicts what was signed, else 0.",
        )
        self.witness_answers = self._counter(
            "caspian_witness_answers_total",
            "Checkpoints that a witness was asked to cosign, by the status it answered.",
            "witness",
            "status",
        )
        self.witness_evidence = self._gauge(
            "caspian_witness_forks",
            "Proofs that a log showed two histories, which a witness holds.",
            "witness",
        )
        self.feeder_size = self._gauge(
            "caspian_feeder_cosigned_size",
            "Entries that the newest checkpoint which a witness cosigned covers.",
            "witness",
        )
        self.feeder_lag = self._gauge(
            "caspian_feeder_lag_entries",
            "Entries that are signed by the log and not yet cosigned by a witness.",
            "witness",
        )
        self.feeder_failures = self._counter(
            "caspian_feeder_failures_total",
            "Checkpoints that a witness did not cosign, by why.",
            "witness",
            "why",
        )
        self.feeder_contradictions = self._counter(
            "caspian_feeder_contradictions_total",
            "Times that a witness and the log contradicted each other: ahead, behind, refused.",
            "witness",
            "why",
        )
        self.mirror_size = self._gauge(
            "caspian_mirror_size", "Entries of the log that a mirror holds and has proven."
        )
        self.mirror_failures = self._counter(
            "caspian_mirror_failures_total", "Times that a mirror could not go on, by code.", "code"
        )
        self.mirror_forks = self._gauge(
            "caspian_mirror_forks",
            "Checkpoints that contradict what a mirror holds, both signed by the log.",
        )
        self.redis_rebuilds = self._counter(
            "caspian_redis_rebuilds_total", "Times that streams were made again from the log."
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        self.docs.append(MetricDoc(name, "counter", labels, text))
        return Counter(name, text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        self.docs.append(MetricDoc(name, "gauge", labels, text))
        return Gauge(name, text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float]) -> Histogram:
        self.docs.append(MetricDoc(name, "histogram", (), text))
        return Histogram(name, text, buckets=buckets, registry=self._registry)


@functools.cache
def process_metrics() -> Metrics:
    """Return this process's own metrics, the same each time, on prometheus's ``REGISTRY``."""
    return Metrics(REGISTRY)


def metric_docs() -> tuple[MetricDoc, ...]:
    """Return every metric the hub has, in the order of the documentation."""
    return tuple(Metrics(CollectorRegistry()).docs)


def metric_names() -> tuple[str, ...]:
    """Return the name of every metric the hub has."""
    return tuple(doc.name for doc in metric_docs())


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    """A page of metrics that is being served at *url* until :meth:`close`."""

    url: str
    _server: WSGIServer
    _thread: Thread

    def close(self) -> None:
        """Stop serving and give back the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def serve_metrics(
    port: int | None, registry: CollectorRegistry = REGISTRY, *, host: str = "127.0.0.1"
) -> MetricsEndpoint | None:
    """Serve *registry* for Prometheus from a thread, for processes that have no API.

    Nothing is served where *port* is None; port 0 takes any that is free. The
    page has no password: it listens on this machine alone unless told otherwise.

    Raises:
        Unavailable: the port is taken.

    """
    if port is None:
        return None
    try:
        server, thread = start_metrics_server(port, addr=host, registry=registry)
    except OSError as error:
        raise Unavailable(
            "port-in-use",
            f"metrics cannot be served on {host}:{port}: {error.strerror}",
            remedy="Stop the other process, or choose another port.",
        ) from error
    return MetricsEndpoint(f"http://{host}:{server.server_port}/metrics", server, thread)
