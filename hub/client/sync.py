"""The client of a hub for code that is not asynchronous: the asynchronous one, waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from hub.client.aio import AsyncClient
from hub.client.calls import Call
from hub.client.outbox import Outbox
from hub.client.signed import SignedPublisher
from hub.client.signers import Signer
from schemas.receipt import Receipt

__all__ = ["Client"]

T = TypeVar("T")


class Client:
    """A hub, over HTTP; see `AsyncClient` for what every call promises and raises.

    Use it as a context manager, from any number of threads. An event loop in a thread of
    its own does the work, so there is one implementation of everything.
    """

    def __init__(
        self, url: str, token: str, *, within: timedelta = timedelta(seconds=30), **options: Any
    ) -> None:
        self._make: Callable[[], AsyncClient] = lambda: AsyncClient(
            url, token, within=within, **options
        )
        self._loop: AbstractContextManager[BlockingPortal] | None = None

    def __enter__(self) -> Self:
        self._loop = start_blocking_portal()
        self._portal = self._loop.__enter__()
        self._client: AsyncClient = self._portal.call(self._begin)
        return self

    def __exit__(
        self,
        type_: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._loop is not None  # noqa: S101  # entered before it is left
        try:
            self._portal.call(self._client.close)
        finally:
            self._loop.__exit__(type_, error, traceback)

    async def _begin(self) -> AsyncClient:
        return self._make()

    def _do(self, step: Callable[[], Awaitable[T]]) -> T:
        return self._portal.call(step)

    def call(self, call: Call[T]) -> T:
        """Make a call, again and again while the hub is away."""
        return self._do(lambda: self._client.call(call))

    def publish(
        self, payload: bytes, *, message_id: str | None = None, content_type: str | None = None
    ) -> Receipt:
        """Publish a message; return once it is durable in the log."""
        return self._do(
            lambda: self._client.publish(payload, message_id=message_id, content_type=content_type)
        )

    def publish_signed(
        self, payload: bytes, *, outbox: Outbox, signer: Signer, message_id: str = ""
    ) -> Receipt:
        """Sign a message and publish it, after what was signed before (`SignedPublisher`)."""
        publisher = SignedPublisher(outbox, signer, self._client.send_signed)
        return self._do(lambda: publisher.publish(payload, message_id=message_id))

    def redact(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Have a payload removed by law: ``agency``, ``message`` (its index), ``grounds``."""
        return self._do(lambda: self._client.redact(record))

    def registry(self) -> dict[str, Any]:
        """Return the registry as it is."""
        return self._do(self._client.registry)

    def chain(self, agency: str) -> dict[str, Any]:
        """Return where an agency's count of what it signed stands: ``seq`` and ``head``."""
        return self._do(lambda: self._client.chain(agency))

    def submit(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """Submit a signed change of the registry; return where the log has it: ``index``."""
        return self._do(lambda: self._client.submit(statement))

    def acknowledge(self, name: str, *, note: str = "", officer: str = "") -> Receipt:
        """Acknowledge a message by its id or log index."""
        return self._do(lambda: self._client.acknowledge(name, note=note, officer=officer))

    def message(self, name: str) -> dict[str, Any]:
        """Return a message's facts and its life with every recipient."""
        return self._do(lambda: self._client.message(name))

    def payload(self, name: str) -> bytes:
        """Return a message exactly as it was sent."""
        return self._do(lambda: self._client.payload(name))

    def proof(self, name: str) -> bytes:
        """Return the proof that a message is in the log, as C2SP tlog-proof writes it."""
        return self._do(lambda: self._client.proof(name))

    def log_receipt(self, name: str) -> dict[str, Any]:
        """Return the receipt of a message (`schemas.log_receipt`), to keep."""
        return self._do(lambda: self._client.log_receipt(name))

    def thread(self, name: str) -> dict[str, Any]:
        """Return the messages that belong together with one, and where each of them stands."""
        return self._do(lambda: self._client.thread(name))

    def incidents(
        self, *, channel: str = "actual", before: int | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """Return a page of incidents, newest first, and in ``next`` what to go on *before*."""
        return self._do(lambda: self._client.incidents(channel=channel, before=before, limit=limit))

    def incident(
        self, name: str, *, channel: str = "actual", after: int = -1, limit: int = 100
    ) -> dict[str, Any]:
        """Return messages about an incident, in the order of the log."""
        return self._do(
            lambda: self._client.incident(name, channel=channel, after=after, limit=limit)
        )

    def feeds(self) -> list[dict[str, Any]]:
        """Return the feeds that one may read."""
        return self._do(self._client.feeds)

    def read(
        self,
        feed: str,
        *,
        after: int = -1,
        limit: int = 100,
        wait: timedelta = timedelta(0),
        wanted: Mapping[str, Any] | None = None,
        sandbox: str = "",
    ) -> dict[str, Any]:
        """Return a page of a feed: ``entries``, and ``next`` to go on from."""
        return self._do(
            lambda: self._client.read(
                feed, after=after, limit=limit, wait=wait, wanted=wanted, sandbox=sandbox
            )
        )

    def follow(
        self,
        feed: str,
        *,
        after: int | None = None,
        wanted: Mapping[str, Any] | None = None,
        sandbox: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Follow a feed for ever: each entry once, in order, through every break of the line."""
        entries = self._client.follow(feed, after=after, wanted=wanted, sandbox=sandbox)
        try:
            while True:
                yield self._do(entries.__anext__)
        finally:
            self._do(entries.aclose)

    def confirm(self, feed: str, through: int) -> None:
        """Confirm that a feed arrived through a log index."""
        self._do(lambda: self._client.confirm(feed, through))

    def head(self) -> dict[str, Any]:
        """Return the end of the log: origin, size, root, time."""
        return self._do(self._client.head)

    def entries(
        self,
        *,
        after: int = -1,
        limit: int = 1000,
        kinds: tuple[str, ...] = (),
        agency: str | None = None,
    ) -> dict[str, Any]:
        """Return a page of the log: ``entries``, and ``next`` to go on from."""
        return self._do(
            lambda: self._client.entries(after=after, limit=limit, kinds=kinds, agency=agency)
        )

    def watch(self, feed: str, **wanted: Any) -> dict[str, Any]:
        """Return what a watch over a main feed has to know; *wanted* as docs/protocol/http.md."""
        return self._do(lambda: self._client.watch(feed, **wanted))

    def escalations(self, *, after: int = -1, limit: int = 100) -> dict[str, Any]:
        """Return what was not acknowledged in time: ``escalations`` and ``next``."""
        return self._do(lambda: self._client.escalations(after=after, limit=limit))

    def aid_board(self, *, incident: str = "", state: str = "") -> dict[str, Any]:
        """Return the aid board: ``incidents``, of one incident or one state that gives."""
        return self._do(lambda: self._client.aid_board(incident=incident, state=state))

    def members(self) -> dict[str, Any]:
        """Return the members and subscriptions."""
        return self._do(self._client.members)

    def add_member(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Add or change a member."""
        return self._do(lambda: self._client.add_member(record))

    def add_subscription(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Add or change a subscription."""
        return self._do(lambda: self._client.add_subscription(record))

    def dead_letters(self, *, after: int = -1, limit: int = 100) -> dict[str, Any]:
        """Return a page of dead letters."""
        return self._do(lambda: self._client.dead_letters(after=after, limit=limit))

    def retry(self, index: int) -> dict[str, Any]:
        """Try a dead letter again."""
        return self._do(lambda: self._client.retry(index))
