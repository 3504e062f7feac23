"""What an outlet is: which feed goes where, and where that stands."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from hub.errors import Rejected
from schemas.entry import from_micros
from schemas.scales import KnownSeverity

__all__ = [
    "LANGUAGES",
    "PUBLIC",
    "Attempt",
    "Kind",
    "MailTarget",
    "MqttTarget",
    "Outlet",
    "State",
    "Target",
    "WebhookTarget",
    "new_id",
    "new_secret",
    "read_target",
    "shown",
    "shown_attempt",
]

PUBLIC: Final = "public"
"""Instead of a feed: every alert of status Actual and scope Public, whoever sent it."""

Kind = Literal["webhook", "mail", "mqtt"]
State = Literal["active", "paused", "failing", "disabled"]
"""*paused* by somebody; *failing*: given up after hours in vain; *disabled*: the receiver said
Gone."""

LANGUAGES: Final = ("en", "ru", "az", "kk", "tk", "fa")
Language = Literal["en", "ru", "az", "kk", "tk", "fa"]

_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_HOST: Final = re.compile(r"[A-Za-z0-9.\-_\[\]:%À-￿]{1,255}")
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)


class _Target(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WebhookTarget(_Target):
    """A receiver of webhooks (https://www.standardwebhooks.com)."""

    kind: Literal["webhook"] = "webhook"
    url: str = Field(max_length=2000)

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        return _checked_url(url, {"https": 443, "http": 80})


class MailTarget(_Target):
    """A mailbox: grave alerts at once, the rest together now and then."""

    kind: Literal["mail"] = "mail"
    address: str = Field(max_length=254)
    language: Language = "en"
    immediate: KnownSeverity = "Severe"
    """Alerts of this severity and graver ones, and Unknown, are sent at once."""
    digest_minutes: int = Field(60, ge=1, le=1440)
    """How often the rest is sent, in one mail; where there is nothing, none."""

    @field_validator("address")
    @classmethod
    def _a_mailbox(cls, address: str) -> str:
        if not _ADDRESS.fullmatch(address) or ".." in address:
            raise ValueError("not an address of mail, such as duty@fhn.example")
        return address


class MqttTarget(_Target):
    """A broker: what is in the feed stands there under topics."""

    kind: Literal["mqtt"] = "mqtt"
    url: str = Field(max_length=500)
    """``mqtts://user@broker.example:8883``; the password is the outlet's secret."""
    prefix: str = Field("caspian/a/hub", pattern=r"^[^#+\x00-\x20/]+(/[^#+\x00-\x20/]+){0,9}$")

    @field_validator("url")
    @classmethod
    def _a_broker(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.password is not None or parts.path not in {"", "/"}:
            raise ValueError("a broker's address has no password and no path")
        return _checked_url(url, {"mqtts": 8883, "mqtt": 1883}, user=True)


Target = Annotated[WebhookTarget | MailTarget | MqttTarget, Field(discriminator="kind")]
_TARGET: Final[TypeAdapter[Any]] = TypeAdapter(Target)


def _checked_url(url: str, schemes: dict[str, int], *, user: bool = False) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise ValueError(f"the address begins with {' or '.join(f'{s}://' for s in schemes)}")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or parts.fragment:
        raise ValueError("the address names no host, or has a fragment")
    if not user and (parts.username or parts.password):
        raise ValueError("an address with a password in it would be shown to others")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise ValueError("an address has no spaces")
    assert parts.port is None or parts.port > 0  # noqa: S101  # it raises ValueError if it is none
    return url


def read_target(given: Any) -> WebhookTarget | MailTarget | MqttTarget:
    """Read where an outlet goes.

    Raises:
        Rejected: ``outlet-invalid``.
    """
    try:
        target: WebhookTarget | MailTarget | MqttTarget = _TARGET.validate_python(given)
    except (ValidationError, ValueError) as e:
        found = e.errors(include_url=False, include_input=False) if hasattr(e, "errors") else ()
        detail = (
            ": ".join((".".join(map(str, found[0]["loc"])), found[0]["msg"])) if found else str(e)
        )
        raise Rejected("outlet-invalid", detail[:300], remedy="See docs/feeds.md.") from e
    return target


def new_id() -> str:
    """Return an id for an outlet: nine letters, one of the kind and eight by chance."""
    return "o" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def new_secret() -> str:
    """Return a secret to sign with, of 256 random bits, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet as the store has it."""

    id: str
    feed: str
    target: WebhookTarget | MailTarget | MqttTarget
    secret: str = field(repr=False)
    secret_before: str = field(repr=False)
    secret_before_until_us: int
    confirms: bool
    state: State
    reason: str
    through: int
    place: str
    failures: int
    failing_since_us: int | None
    next_us: int
    attempts: int
    delivered_us: int | None
    test_us: int | None
    created_us: int
    created_by: str
    version: int

    @property
    def agency(self) -> str:
        """Whose feed it is; empty of what is public."""
        return "" if self.feed == PUBLIC else self.feed.partition(".")[0]

    def secrets_at(self, now_us: int) -> tuple[str, ...]:
        """Return the secrets to sign with: two while one takes over from the other."""
        if self.secret_before and now_us < self.secret_before_until_us:
            return (self.secret, self.secret_before)
        return (self.secret,)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to bring something: a log entry, or with index -1 a test."""

    index: int
    at_us: int
    took_ms: int
    ok: bool
    status: int
    """The receiver's own number (HTTP, SMTP); 0 where it gave none."""
    detail: str
    number: int = 0


def shown(outlet: Outlet) -> dict[str, Any]:
    """Return an outlet for those who look after it: everything but its secrets."""
    return {
        "id": outlet.id,
        "feed": outlet.feed,
        "target": outlet.target.model_dump(mode="json"),
        "confirms": outlet.confirms,
        "state": outlet.state,
        "reason": outlet.reason,
        "through": outlet.through,
        "failures": outlet.failures,
        "failing_since": _at(outlet.failing_since_us),
        "next_attempt": _at(outlet.next_us or None) if outlet.failures else None,
        "delivered_at": _at(outlet.delivered_us),
        "rotating_until": _at(outlet.secret_before_until_us or None),
        "created": _at(outlet.created_us),
        "created_by": outlet.created_by,
    }


def shown_attempt(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt for those who look after its outlet."""
    return {
        "number": attempt.number,
        "index": None if attempt.index < 0 else attempt.index,
        "test": attempt.index < 0,
        "at": from_micros(attempt.at_us),
        "took_ms": attempt.took_ms,
        "ok": attempt.ok,
        "status": attempt.status,
        "detail": attempt.detail,
    }


def _at(at_us: int | None) -> datetime | None:
    return None if at_us is None else from_micros(at_us)
