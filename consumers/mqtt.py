"""Brokers: publish a notification of each message of a feed, QoS 1, over a connection that stays.

What the broker has acknowledged is taken. Notifications are not retained; one of an alert that
expires goes with it, so that who comes back late is not told of what has ended.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from consumers.channel import Outcome
from hub.log.feeding import Entry
from hub.outlets.guard import Forbidden, Guard
from hub.outlets.notifications import Notification, notification_of, notification_of_test
from hub.outlets.records import Kind, MqttTarget, Outlet
from hub.settings import Settings
from schemas.entry import rfc3339

__all__ = ["Mqtt"]

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class _Named(ssl.SSLContext):
    """Holds a certificate against the name, where the connection goes to an address."""

    name = ""
    wrapped: ssl.SSLSocket | None = None

    def wrap_socket(self, *args: Any, **options: Any) -> Any:
        """Wrap a socket, and remember it: who gives up a handshake does not close it."""
        self.wrapped = super().wrap_socket(*args, **{**options, "server_hostname": self.name})
        return self.wrapped


class _Client(aiomqtt.Client):
    """A client that hears what a broker says of a publication: it may take it and drop it."""

    refused = ""

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any
    ) -> None:
        self.refused = str(reason_code) if reason_code.is_failure else ""
        super()._on_publish(client, userdata, mid, reason_code, properties)


class Mqtt:
    """The channel to brokers; to each outlet's its own connection."""

    kind: Final[Kind] = "mqtt"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._guard = Guard(settings.inner_networks)
        self._base = settings.public_url or f"http://{settings.host}:{settings.port}"
        self._clients: dict[str, _Client] = {}

    def at_once(self, _outlet: Outlet, entry: Entry) -> bool:
        """Return whether an entry tells of a message: of others no notification is made."""
        return entry[1][b"kind"] in {b"publish", b"redaction"}

    def digest_every(self, _outlet: Outlet) -> timedelta | None:
        """Return None: there is no rest."""
        return None

    async def send(self, outlet: Outlet, entry: Entry) -> Outcome:
        """Publish the notification of an entry."""
        notification = notification_of(
            outlet,
            entry,
            origin=self._settings.origin,
            base=self._base,
            public=self._settings.public_feeds,
        )
        if notification is None:
            return Outcome(ok=True)
        return await self._publish(outlet, notification)

    async def send_digest(self, outlet: Outlet, entries: Sequence[Entry]) -> Outcome:
        """Do nothing: there is no rest."""
        raise NotImplementedError

    async def test(self, outlet: Outlet, at_us: int) -> Outcome:
        """Publish a test."""
        return await self._publish(
            outlet, notification_of_test(outlet, rfc3339(at_us), base=self._base)
        )

    async def leave(self, outlet: str) -> None:
        """Close the connection to an outlet's broker."""
        client = self._clients.pop(outlet, None)
        if client is not None:
            try:
                async with asyncio.timeout(2):
                    await client.__aexit__(None, None, None)
            except (aiomqtt.MqttError, TimeoutError, OSError):
                return

    async def _publish(self, outlet: Outlet, notification: Notification) -> Outcome:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = "application/geo+json"
        if notification.expires is not None:
            left_s = int(notification.expires.timestamp() - time.time())
            properties.MessageExpiryInterval = max(1, min(left_s, 2**31))
        try:
            client = await self._client(outlet)
            client.refused = ""
            await client.publish(
                notification.topic, notification.body, qos=1, properties=properties
            )
        except Forbidden as e:
            return Outcome(ok=False, detail=f"not connected: {e}")
        except (aiomqtt.MqttError, OSError, ValueError, asyncio.CancelledError) as e:
            await self.leave(outlet.id)
            if isinstance(e, asyncio.CancelledError):
                raise
            return Outcome(ok=False, detail=f"{type(e).__name__}: {e}"[:300])
        if client.refused:
            return Outcome(ok=False, detail=f"the broker refused it: {client.refused}"[:300])
        return Outcome(ok=True)

    async def _client(self, outlet: Outlet) -> _Client:
        if outlet.id not in self._clients:
            client = await self._connected(outlet)
            self._clients[outlet.id] = client
        return self._clients[outlet.id]

    async def _connected(self, outlet: Outlet) -> _Client:
        assert isinstance(outlet.target, MqttTarget)  # noqa: S101  # of this kind all are
        parts = urlsplit(outlet.target.url)
        encrypted = parts.scheme == "mqtts"
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        address = (await self._guard.addresses_of(host, port, encrypted=encrypted))[0]
        tls = self._tls(host) if encrypted else None
        client = _Client(
            address,
            port,
            username=unquote(parts.username) if parts.username else None,
            password=outlet.secret or None,
            identifier=f"caspian-{outlet.id}",
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=self._settings.webhook_timeout.total_seconds(),
            tls_context=tls,
            keepalive=30,
        )
        try:
            await client.__aenter__()
        except BaseException:
            if tls is not None and tls.wrapped is not None:
                tls.wrapped.close()
            raise
        return client

    def _tls(self, host: str) -> _Named:
        context = _Named(ssl.PROTOCOL_TLS_CLIENT)
        context.name = host
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._settings.webhook_ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(self._settings.webhook_ca)
        return context
