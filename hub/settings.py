"""All settings of the hub: one frozen object, read from the environment when a process starts.

Every setting is an environment variable ``CASPIAN_`` + its name in capitals. A
secret may instead be a file: ``CASPIAN_REDIS_URL_FILE=/run/secrets/redis_url``.
docs/settings.md lists them all; an unlisted one fails a test.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from hub.errors import Unavailable

__all__ = ["PREFIX", "Settings"]

PREFIX = "CASPIAN_"


def _seconds(value: Any) -> Any:
    if isinstance(value, str):
        return timedelta(seconds=float(value))
    return value


Seconds = Annotated[timedelta, BeforeValidator(_seconds)]
"""A number of seconds, fractions allowed."""


@cache
def _networks(written: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one) for one in written.replace(",", " ").split())


class Settings(BaseModel):
    """The hub's settings. Each has a default that suits one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    redis_url: str = Field("redis://127.0.0.1:6379/0", repr=False)
    """Redis >= 7 or Valkey, ``redis://`` or ``rediss://`` (TLS). Wrong: nothing becomes ready."""

    redis_ca: Path | None = None
    """With ``rediss://``: the certificates (PEM) that vouch for the server. None: the system's."""

    redis_certificate: Path | None = None
    """With ``rediss://``: the hub's own certificate (PEM), where the server asks for one."""

    redis_key: Path | None = None
    """The private key of that certificate (PEM)."""

    redis_users: Path | None = None
    """Where the passwords of the agencies' Redis users lie, a file for each. None: agencies have
    no users of their own there, or somebody else makes them."""

    log_url: str = Field("sqlite:///.caspian/log.db", repr=False)
    """The log's store: ``sqlite:///file`` or ``postgresql://user:password@host/database``."""

    origin: str = Field("caspian-hub.example/log", pattern=r"^[^\s+]{1,200}$")
    """The log's name in its first entry; it can never change afterwards."""

    roots: Path | None = None
    """A JSON file with the states and their authorities' keys that a new log begins with. None:
    nobody signs changes of the registry, and the hub's operator makes them."""

    log_key: str = ""
    """The file of the key with which the log signs its checkpoints; while it is changed several,
    with colons between, and each signs. The hub makes the first. Empty: nothing is signed."""

    policy: Path | None = None
    """Which witnesses count for the log, and how many are enough (C2SP tlog-policy). None:
    nothing is ever shown as witnessed."""

    checkpoint_interval: Seconds = timedelta(milliseconds=200)
    """How often the end of the log is signed, while there is something new."""

    witness_timeout: Seconds = timedelta(seconds=10)
    """How long one witness may take to answer. Too short: a slow line counts as a failure."""

    host: str = "127.0.0.1"
    """Address the API listens on. The API speaks plain HTTP: put TLS in front of it."""

    port: int = Field(8080, ge=0, le=65535)
    """Port the API listens on."""

    instance: str = Field("0", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """Names this process among its equals. Two processes of one job need two names."""

    batch: int = Field(512, ge=1, le=10_000)
    """The most entries that are read, and committed, at once. Larger: more memory, same order."""

    claim_idle: Seconds = timedelta(seconds=30)
    """How long an entry may lie with one consumer before another claims it. Too short: work is
    done twice (harmless, but slow). Too long: a crash on another machine delays its messages."""

    max_deliveries: int = Field(5, ge=2, le=100)
    """How often an entry is tried before it becomes a dead letter."""

    receipt_timeout: Seconds = timedelta(seconds=15)
    """How long the API waits for the receipt of a message before it answers 503."""

    max_payload_bytes: int = Field(1 << 20, ge=1024, le=16 << 20)
    """The largest payload taken (rule R01)."""

    cap_trust: Path | None = None
    """A directory of certificates (``*.pem``) that count for XML signatures inside alerts. None:
    such a signature may hold, and is never trusted."""

    future_tolerance: Seconds = timedelta(minutes=10)
    """How far ahead of the hub's clock a message's ``sent`` may be (rule H7)."""

    feed_retention: Seconds = timedelta(days=7)
    """How long entries stay in the Redis feeds. Older ones come from the log; only a system that
    reads a feed with XREADGROUP and was away for longer must catch up over HTTP."""

    payload_retention: float | None = Field(None, ge=1, le=36_500)
    """After how many days payloads go, unless held or in force; what they were stays provable.
    None: they are kept for ever. Too short: nobody can read any more what was warned of."""

    receipt_retention: Seconds = timedelta(days=2)
    """How long receipts stay on the receipt streams."""

    delivery_interval: Seconds = timedelta(seconds=1)
    """How often confirmed deliveries are collected into one log entry."""

    sse_queue: int = Field(1000, ge=10, le=100_000)
    """How many entries wait for one slow reader before it is dropped; it resumes by id."""

    sse_heartbeat: Seconds = timedelta(seconds=10)
    """How often an idle event stream carries a comment, so that a dead line is noticed."""

    api_grace: Seconds = Field(timedelta(seconds=3), ge=timedelta(0), le=timedelta(seconds=60))
    """How long the API, told to end, waits for requests under way. Event streams end at once. Too
    short: uploads are broken off and sent again; too long: a restart takes as long."""

    public_url: str | None = Field(None, pattern=r"^https?://[^\s/?#@]+$")
    """How people reach the hub, ``https://hub.example.org``. Wrong: browsers cannot sign in."""

    trusted_proxies: str = ""
    """Addresses or networks, separated by spaces, whose word on who asks is believed
    (``X-Forwarded-For``, ``X-Forwarded-Proto``). Too wide: anybody can claim any address."""

    client_certificates: bool = False
    """Whether the trusted proxies tell of client certificates in ``Client-Cert`` (RFC 9440), and
    take away what clients write there. True where they do not: anybody can be any agency."""

    sign_on: Path | None = None
    """A TOML file with the states' own sign-ons (OpenID Connect): docs/access.md. None: nobody
    signs in but with a password of the hub's own."""

    session_idle: Seconds = timedelta(hours=1)
    """How long after its last use a session ends; an open event stream is use."""

    session_lifetime: Seconds = timedelta(hours=12)
    """How long after its beginning a session ends in any case: a shift."""

    agency_rate: int = Field(6_000, ge=0, le=10_000_000)
    """Requests a minute of one agency, or of an account of none; a minute's worth may come at
    once. 0: no bound. Each API process counts for itself."""

    address_rate: int = Field(12_000, ge=0, le=10_000_000)
    """The same for one address (of IPv6 a /64), before it is known who asks."""

    agency_streams: int = Field(200, ge=1, le=100_000)
    """How many event streams one agency, or account of none, may hold open at once."""

    silent_after: Seconds = timedelta(hours=1)
    """How long an agency may neither send nor confirm nor ask for anything before it counts as
    silent. Too short: alarms for agencies that are well. Too long: one that is cut off is
    missed."""
    public_feeds: bool = False
    """Whether public alerts in force (status Actual, scope Public) are shown without a token."""

    public_rate: int = Field(120, ge=0, le=10_000_000)
    """Requests a minute of one address for what wants no token. 0: no bound."""

    webhook_allow: str = ""
    """Inner networks, separated by spaces, that outlets may reach, also in the clear. Too wide:
    whoever registers an outlet can have the hub ask what only it can reach."""

    webhook_ca: Path | None = None
    """Certificates (PEM) that vouch for receivers and brokers. None: the system's."""

    webhook_timeout: Seconds = timedelta(seconds=15)
    """How long a receiver, a broker or the mail server may take for one message."""

    smtp_url: str = Field("", repr=False, pattern=r"^(smtps?://[^\s]+)?$")
    """The mail server: ``smtp://user:password@host:587`` (STARTTLS), ``smtps://…`` (TLS from the
    beginning), ``smtp://host:25?tls=never``. Empty: the hub sends no mail."""

    mail_from: str = Field("Caspian Hub <hub@localhost>", pattern=r"^[^\r\n]{3,200}$")
    """Whom mail comes from."""

    outlet_retry: Seconds = timedelta(seconds=5)
    """How long an outlet waits after its first failure; it doubles, up to an hour."""

    outlet_patience: Seconds = timedelta(hours=24)
    """How long an outlet is tried in vain before it is given up, and a person told."""

    metrics_port: int | None = Field(None, ge=1, le=65535)
    """Where a consumer process shows its metrics, on 127.0.0.1. None: nowhere."""

    log_format: Literal["json", "pretty", "auto"] = "auto"
    """How the processes write what they do: JSON lines, or pretty for people at a terminal."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least grave event that is written."""

    data: Path = Path(".caspian")
    """Where the demonstration keeps its files."""

    @model_validator(mode="after")
    def _related(self) -> Self:
        if self.claim_idle <= timedelta(0) or self.receipt_timeout <= timedelta(0):
            raise ValueError("claim_idle and receipt_timeout must be longer than nothing")
        if not timedelta(milliseconds=10) <= self.checkpoint_interval <= timedelta(hours=1):
            raise ValueError("checkpoint_interval is between 0.01 and 3600 seconds")
        if not timedelta(0) < self.witness_timeout <= timedelta(minutes=10):
            raise ValueError("witness_timeout is over 0, and at most 600 seconds")
        if self.feed_retention < timedelta(minutes=1):
            raise ValueError("feed_retention under a minute would empty feeds before they are read")
        if not timedelta(minutes=5) <= self.session_idle <= self.session_lifetime:
            raise ValueError("session_idle is at least 5 minutes, and at most session_lifetime")
        if not self.redis_url.startswith("rediss://") and (
            self.redis_ca or self.redis_certificate or self.redis_key
        ):
            raise ValueError("redis_ca, redis_certificate and redis_key need a rediss:// redis_url")
        if (self.redis_certificate is None) != (self.redis_key is None):
            raise ValueError("redis_certificate and redis_key go together")
        if self.webhook_timeout <= timedelta(0) or self.outlet_retry <= timedelta(0):
            raise ValueError("webhook_timeout and outlet_retry must be longer than nothing")
        if self.client_certificates and not self.proxies:
            raise ValueError("client_certificates needs trusted_proxies")
        return self

    @model_validator(mode="after")
    def _kept_long_enough(self) -> Self:
        days = self.payload_retention
        if days is not None and timedelta(days=days) < self.feed_retention:
            raise ValueError("payload_retention is at least feed_retention: feeds hold payloads")
        return self

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The trusted proxies as networks."""
        return _networks(self.trusted_proxies)

    @property
    def log_keys(self) -> tuple[Path, ...]:
        """The files of the log's keys; none where nothing is signed."""
        return tuple(Path(one) for one in self.log_key.split(os.pathsep) if one)

    @property
    def inner_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The inner networks that outlets may reach."""
        return _networks(self.webhook_allow)

    @property
    def redis_address(self) -> str:
        """The address of Redis with all that its TLS needs, as redis-py reads it; never log it."""
        given = {
            "ssl_ca_certs": self.redis_ca,
            "ssl_certfile": self.redis_certificate,
            "ssl_keyfile": self.redis_key,
        }
        query = urlencode({name: str(path) for name, path in given.items() if path})
        if not query:
            return self.redis_url
        return f"{self.redis_url}{'&' if '?' in self.redis_url else '?'}{query}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
        """Read the settings; what is *given* by the caller wins over the environment.

        Raises:
            Unavailable: ``settings-invalid``, naming the variable and what is wrong with it.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for name in cls.model_fields:
            key = PREFIX + name.upper()
            if path := environ.get(key + "_FILE"):
                try:
                    values[name] = Path(path).read_text(encoding="utf-8").strip()
                except OSError as e:
                    raise Unavailable(
                        "settings-invalid", f"{key}_FILE: {e}", remedy="Correct the path."
                    ) from e
            elif (value := environ.get(key)) is not None and value != "":
                values[name] = value
        try:
            return cls.model_validate({**values, **given})
        except ValidationError as e:
            fault = e.errors(include_url=False, include_input=False)[0]
            where = PREFIX + str(fault["loc"][0]).upper() if fault["loc"] else "settings"
            raise Unavailable(
                "settings-invalid",
                f"{where}: {fault['msg']}",
                remedy="See docs/settings.md.",
            ) from e

    def to_environment(self) -> dict[str, str]:
        """Return the environment from which a child process reads the same settings."""
        found = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, timedelta):
                value = value.total_seconds()
            # Empty is as good as unset, and hides what the child would inherit.
            found[PREFIX + name.upper()] = "" if value is None else str(value)
        return found
