"""What the clients ask of a hub and how they read its answers, without any I/O."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx

from hub.client.outbox import Signed
from hub.errors import Finding, HubError, Rejected, Unavailable
from schemas.receipt import Receipt

__all__ = [
    "GAVE_UP",
    "Backoff",
    "Call",
    "acknowledge",
    "act_on_outlet",
    "act_on_replay",
    "add_outlet",
    "admit_to_replay",
    "aid_board",
    "begin_replay",
    "chain",
    "confirm",
    "dead_letters",
    "end_replay",
    "entries",
    "events",
    "export",
    "feeds",
    "head",
    "hold",
    "holds",
    "incident",
    "incidents",
    "levels",
    "log_receipt",
    "members",
    "message",
    "outlet",
    "outlets",
    "payload",
    "post_member",
    "post_statement",
    "post_subscription",
    "proof",
    "publish",
    "read",
    "read_answer",
    "read_error",
    "redact",
    "registry",
    "release",
    "remove_outlet",
    "replay",
    "replays",
    "retry_dead_letter",
    "search",
    "send_signed",
    "thread",
    "tile",
    "withdraw_from_replay",
]

T = TypeVar("T")

GAVE_UP: Final = "hub-unreachable"
"""The code of a hub that does not answer at all."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and how its answer is read. Every call may be made again."""

    method: str
    path: str
    answer: Callable[[httpx.Response], T]
    content: bytes | None = None
    json: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    patience: timedelta = timedelta(seconds=30)
    """How long the hub may take to answer."""


class Backoff:
    """How long to wait before the next try: doubling from 0.1 s to 5 s, with jitter."""

    def __init__(self, within: timedelta) -> None:
        self._left_s = within.total_seconds()
        self._next_s = 0.1

    def wait_s(self, error: Unavailable | None = None) -> float | None:
        """Return the seconds to wait, None when time is up."""
        if self._left_s <= 0:
            return None
        wait = min(self._next_s, 5.0) * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, keeps no secret
        if error is not None:
            wait = max(wait, min(error.retry_after_s, self._left_s) * random.uniform(0.5, 1.0))  # noqa: S311  # as above
        self._next_s *= 2
        self._left_s -= wait
        return wait

    def reset(self, within: timedelta) -> None:
        """Begin anew, after something worked."""
        self._left_s, self._next_s = within.total_seconds(), 0.1


def read_answer(call: Call[T], response: httpx.Response) -> T:
    """Return what a successful response says.

    Raises:
        Unavailable: ``unexpected-answer``; something between here and the hub answered.
    """
    try:
        return call.answer(response)
    except (ValueError, KeyError, TypeError) as e:
        kind = response.headers.get("content-type", "nothing that says its type")
        raise Unavailable(
            "unexpected-answer", f"{kind} from {response.url.path}, which no hub answers there"
        ) from e


def read_error(response: httpx.Response) -> HubError:
    """Return the error that a response reports, whoever made it."""
    try:
        body = response.json()
        code, detail = str(body["code"]), str(body["detail"])
    except (ValueError, KeyError, TypeError):
        code, body = "unexpected-answer", {}
        detail = f"{response.status_code} {response.reason_phrase} from {response.url.path}"
    remedy = str(body.get("remedy", ""))
    if response.status_code >= 500 or response.status_code == 429:
        after = response.headers.get("retry-after", "1")
        return Unavailable(
            code, detail, remedy=remedy, retry_after_s=int(after) if after.isdigit() else 1
        )
    try:
        findings = tuple(Finding(**f) for f in body.get("findings", ()))
    except TypeError:  # of a hub of another version, or of no hub
        findings = ()
    counted = body.get("counted") is True
    return Rejected(code, detail, remedy=remedy, findings=findings, counted=counted)


def publish(payload: bytes, *, message_id: str | None, content_type: str | None) -> Call[Receipt]:
    """Publish a message."""
    headers = {"Content-Type": content_type or "application/octet-stream"}
    if message_id:
        headers["Caspian-Message-Id"] = message_id
    return Call("POST", "/v1/messages", _receipt, content=payload, headers=headers)


def send_signed(message: Signed) -> Call[Receipt]:
    """Publish a message that its agency signed."""
    headers = {
        "Content-Type": message.payload_type,
        "Caspian-Header": base64.b64encode(message.header.encode()).decode(),
        "Caspian-Signature": message.signature,
        "Caspian-Key": message.key,
    }
    return Call("POST", "/v1/messages", _receipt, content=message.payload, headers=headers)


def registry() -> Call[dict[str, Any]]:
    """Ask for the registry as it is."""
    return Call("GET", "/v1/registry", _object)


def redact(record: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Remove a payload by law."""
    return Call("POST", "/v1/redactions", _object, json=dict(record))


def chain(agency: str) -> Call[dict[str, Any]]:
    """Ask where an agency's count of what it signed stands."""
    return Call("GET", f"/v1/members/{_part(agency)}/chain", _object)


def post_statement(statement: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Submit a signed change of the registry."""
    return Call("POST", "/v1/statements", _object, json=dict(statement))


def acknowledge(name: str, *, note: str, officer: str) -> Call[Receipt]:
    """Acknowledge a message."""
    body = {"note": note, "officer": officer}
    return Call("POST", f"/v1/messages/{_part(name)}/acknowledgements", _receipt, json=body)


def message(name: str) -> Call[dict[str, Any]]:
    """Ask for the life of a message."""
    return Call("GET", f"/v1/messages/{_part(name)}", _object)


def payload(name: str) -> Call[bytes]:
    """Ask for a message as it was sent."""
    return Call("GET", f"/v1/messages/{_part(name)}/payload", lambda r: r.content)


def proof(name: str) -> Call[bytes]:
    """Ask for the proof that a message is in the log."""
    return Call("GET", f"/v1/messages/{_part(name)}/proof", lambda r: r.content)


def log_receipt(name: str) -> Call[dict[str, Any]]:
    """Ask for the receipt of a message, with its proof."""
    return Call("GET", f"/v1/messages/{_part(name)}/receipt", _object)


def thread(name: str) -> Call[dict[str, Any]]:
    """Ask for the thread of a message."""
    return Call("GET", f"/v1/messages/{_part(name)}/thread", _object)


def incidents(*, channel: str, before: int | None, limit: int) -> Call[dict[str, Any]]:
    """Ask for incidents, newest first."""
    params: dict[str, Any] = {"channel": channel, "limit": limit}
    if before is not None:
        params["before"] = before
    return Call("GET", "/v1/incidents", _object, params=params)


def incident(name: str, *, channel: str, after: int, limit: int) -> Call[dict[str, Any]]:
    """Ask for the messages about an incident."""
    params = {"channel": channel, "after": after, "limit": limit}
    return Call("GET", f"/v1/incidents/{_part(name)}", _object, params=params)


def escalations(*, after: int, limit: int) -> Call[dict[str, Any]]:
    """Return the call that asks what was not acknowledged in time."""
    return Call("GET", "/v1/escalations", _object, params={"after": after, "limit": limit})


def report_of_acknowledgements(*, wanted: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Ask who acknowledged late, or not at all; *wanted* as docs/protocol/http.md."""
    params = {k: v for k, v in wanted.items() if v != ""}
    return Call("GET", "/v1/reports/acknowledgements", _object, params=params)


def aid_board(*, incident: str, state: str) -> Call[dict[str, Any]]:
    """Ask for the aid board."""
    params = {"incident": incident, "state": state}
    return Call("GET", "/v1/aid/board", _object, params={k: v for k, v in params.items() if v})


def feeds() -> Call[list[dict[str, Any]]]:
    """Ask which feeds one may read."""
    return Call("GET", "/v1/feeds", lambda r: list(r.json()["feeds"]))


def read(
    feed: str, *, after: int, limit: int, wait: timedelta, wanted: Mapping[str, Any], sandbox: str
) -> Call[dict[str, Any]]:
    """Ask for a page of a feed."""
    params = {"after": after, "limit": limit, "wait": wait.total_seconds(), **wanted}
    if sandbox:
        params["sandbox"] = sandbox
    return Call(
        "GET",
        f"/v1/feeds/{_part(feed)}",
        _object,
        params=params,
        patience=wait + timedelta(seconds=30),
    )


def watch(feed: str, *, wanted: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Ask what a watch over a main feed has to know."""
    return Call("GET", f"/v1/feeds/{_part(feed)}/watch", _object, params=dict(wanted))


def events(feed: str, *, after: int | None, wanted: Mapping[str, Any], sandbox: str) -> Call[None]:
    """Follow a feed; the answer is an event stream."""
    params = dict(wanted)
    if sandbox:
        params["sandbox"] = sandbox
    headers = {} if after is None or after < 0 else {"Last-Event-ID": str(after)}
    if after is not None and after < 0:
        params["after"] = after
    return Call(
        "GET",
        f"/v1/feeds/{_part(feed)}/events",
        lambda _: None,
        params=params,
        headers=headers,
        # The hub sends a comment every ten seconds: three missed ones are a dead line.
        patience=timedelta(seconds=30),
    )


def confirm(feed: str, through: int) -> Call[None]:
    """Confirm a feed through a log index."""
    return Call(
        "POST", f"/v1/feeds/{_part(feed)}/confirmations", lambda _: None, json={"through": through}
    )


def head() -> Call[dict[str, Any]]:
    """Ask for the end of the log."""
    return Call("GET", "/v1/log", _object)


def entries(
    *, after: int, limit: int, kinds: tuple[str, ...], agency: str | None
) -> Call[dict[str, Any]]:
    """Ask for entries of the log."""
    params: dict[str, Any] = {"after": after, "limit": limit}
    if kinds:
        params["kind"] = list(kinds)
    if agency:
        params["agency"] = agency
    return Call("GET", "/v1/log/entries", _object, params=params)


def search(params: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Ask for a page of a search of the log; *params* as docs/protocol/http.md has them."""
    given = {name: one for name, one in params.items() if one not in (None, "", [], ())}
    return Call("GET", "/v1/log/search", _object, params=given)


def holds() -> Call[dict[str, Any]]:
    """Ask for the legal holds."""
    return Call("GET", "/v1/holds", _object)


def hold(record: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Hold a message or an incident."""
    return Call("POST", "/v1/holds", _object, json=dict(record))


def release(index: int, reason: str) -> Call[dict[str, Any]]:
    """End a hold."""
    return Call("POST", f"/v1/holds/{index}/release", _object, json={"reason": reason})


def export(record: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Say that the log was exported."""
    return Call("POST", "/v1/exports", _object, json=dict(record))


def checkpoint(level: str = "signed") -> Call[bytes]:
    """Ask for the newest checkpoint of a level."""
    params = {} if level == "signed" else {"level": level}
    return Call("GET", "/log/checkpoint", lambda r: r.content, params=params)


def levels() -> Call[dict[str, Any]]:
    """Ask how far the log's end has come, and by which policy."""
    return Call("GET", "/v1/log/levels", _object)


def tile(path: str) -> Call[bytes]:
    """Ask for a tile of the log's tree."""
    return Call("GET", f"/log/{path}", lambda r: r.content)


def members() -> Call[dict[str, Any]]:
    """Ask for the members and subscriptions."""
    return Call("GET", "/v1/members", _object)


def post_member(record: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Add or change a member."""
    return Call("POST", "/v1/members", _object, json=dict(record))


def post_subscription(record: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Add or change a subscription."""
    return Call("POST", "/v1/subscriptions", _object, json=dict(record))


def dead_letters(*, after: int, limit: int) -> Call[dict[str, Any]]:
    """Ask for dead letters."""
    return Call("GET", "/v1/dead-letters", _object, params={"after": after, "limit": limit})


def retry_dead_letter(index: int) -> Call[dict[str, Any]]:
    """Try a dead letter again."""
    return Call("POST", f"/v1/dead-letters/{index}/retry", _object)


def outlets() -> Call[dict[str, Any]]:
    """Ask for the outlets that one looks after."""
    return Call("GET", "/v1/outlets", _object)


def outlet(name: str, *, limit: int) -> Call[dict[str, Any]]:
    """Ask where an outlet stands, and for its latest attempts."""
    return Call("GET", f"/v1/outlets/{_part(name)}", _object, params={"limit": limit})


def add_outlet(record: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Make an outlet. Made again it is another one."""
    return Call("POST", "/v1/outlets", _object, json=dict(record))


def act_on_outlet(name: str, action: str, *, after: int | None = None) -> Call[dict[str, Any]]:
    """Pause, resume, test, redeliver or rotate."""
    body = None if after is None else {"after": after}
    return Call("POST", f"/v1/outlets/{_part(name)}/{action}", _object, json=body)


def remove_outlet(name: str) -> Call[None]:
    """Remove an outlet."""
    return Call("DELETE", f"/v1/outlets/{_part(name)}", lambda _: None)


def replays() -> Call[dict[str, Any]]:
    """Ask for the replays that one steers, or was admitted to."""
    return Call("GET", "/v1/replays", _object)


def replay(name: str) -> Call[dict[str, Any]]:
    """Ask how far a replay is."""
    return Call("GET", f"/v1/replays/{_part(name)}", _object)


def begin_replay(record: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Begin a replay. Begun again its name is in use."""
    return Call("POST", "/v1/replays", _object, json=dict(record))


def act_on_replay(
    name: str, action: str, record: Mapping[str, Any] | None = None
) -> Call[dict[str, Any]]:
    """Step, pause, resume or change the speed."""
    body = None if record is None else dict(record)
    return Call("POST", f"/v1/replays/{_part(name)}/{action}", _object, json=body)


def admit_to_replay(name: str, agency: str, person: str) -> Call[dict[str, Any]]:
    """Let somebody read a replay."""
    given = {"agency": agency, "person": person}
    return Call("POST", f"/v1/replays/{_part(name)}/admissions", _object, json=given)


def withdraw_from_replay(name: str, agency: str, person: str) -> Call[dict[str, Any]]:
    """Take an admission back."""
    params = {"agency": agency, "person": person}
    return Call("DELETE", f"/v1/replays/{_part(name)}/admissions", _object, params=params)


def end_replay(name: str) -> Call[None]:
    """End a replay, and remove its sandbox."""
    return Call("DELETE", f"/v1/replays/{_part(name)}", lambda _: None)


def _receipt(response: httpx.Response) -> Receipt:
    return Receipt.model_validate_json(response.content)


def _object(response: httpx.Response) -> dict[str, Any]:
    found = response.json()
    if not isinstance(found, dict):
        raise Unavailable("unexpected-answer", f"no object from {response.url.path}")
    return found


def _part(text: str) -> str:
    return quote(text, safe="")
