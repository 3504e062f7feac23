"""Mail: grave alerts at once, the rest in one mail now and then, through the operator's server."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from consumers.channel import Outcome
from hub.log.feeding import Entry
from hub.outlets.mail import digest_of, is_grave, mail_of, mail_of_test
from hub.outlets.records import Kind, MailTarget, Outlet
from hub.settings import Settings

__all__ = ["Mail"]


class Mail:
    """The channel to mailboxes."""

    kind: Final[Kind] = "mail"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._host = settings.origin.partition("/")[0]
        self._base = settings.public_url or ""
        self._tls = ssl.create_default_context(
            cafile=None if settings.webhook_ca is None else str(settings.webhook_ca)
        )

    def at_once(self, outlet: Outlet, entry: Entry) -> bool:
        """Return whether an entry is grave enough."""
        return is_grave(_target(outlet), entry)

    def digest_every(self, outlet: Outlet) -> timedelta | None:
        """Return how often the rest is sent."""
        return timedelta(minutes=_target(outlet).digest_minutes)

    async def send(self, outlet: Outlet, entry: Entry) -> Outcome:
        """Send the mail of an entry."""
        sender = self._settings.mail_from
        return await self._mail(
            outlet, mail_of(outlet, entry, sender=sender, host=self._host, base=self._base)
        )

    async def send_digest(self, outlet: Outlet, entries: Sequence[Entry]) -> Outcome:
        """Send one mail of several entries."""
        sender = self._settings.mail_from
        return await self._mail(outlet, digest_of(outlet, entries, sender=sender, host=self._host))

    async def test(self, outlet: Outlet, at_us: int) -> Outcome:
        """Send a test."""
        sender = self._settings.mail_from
        return await self._mail(outlet, mail_of_test(outlet, at_us, sender=sender, host=self._host))

    async def leave(self, outlet: str) -> None:
        """Do nothing: a connection lasts for one mail."""

    async def _mail(self, outlet: Outlet, mail: EmailMessage) -> Outcome:
        parts = urlsplit(self._settings.smtp_url)
        if not parts.hostname:
            return Outcome(ok=False, detail="CASPIAN_SMTP_URL is not set")
        encrypted = parts.scheme == "smtps"
        plain = parse_qs(parts.query).get("tls") == ["never"]
        try:
            _, said = await aiosmtplib.send(
                mail,
                recipients=[_target(outlet).address],
                hostname=parts.hostname,
                port=parts.port or (465 if encrypted else 25 if plain else 587),
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                use_tls=encrypted,
                start_tls=None if encrypted else not plain,
                tls_context=None if plain else self._tls,
                local_hostname=self._host,
                timeout=self._settings.webhook_timeout.total_seconds(),
            )
        except aiosmtplib.SMTPRecipientsRefused as e:
            first = e.recipients[0]
            return Outcome(ok=False, status=first.code, detail=_shown(first.message))
        except aiosmtplib.SMTPResponseException as e:
            return Outcome(ok=False, status=e.code, detail=_shown(e.message))
        except (aiosmtplib.SMTPException, OSError, ValueError) as e:
            return Outcome(ok=False, detail=_shown(f"{type(e).__name__}: {e}"))
        return Outcome(ok=True, status=250, detail=_shown(said))


def _shown(said: str) -> str:
    return "".join(c if c.isprintable() else " " for c in said)[:300]


def _target(outlet: Outlet) -> MailTarget:
    assert isinstance(outlet.target, MailTarget)  # noqa: S101  # of this kind all are
    return outlet.target
