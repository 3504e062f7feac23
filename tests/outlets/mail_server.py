"""A real mail server that does what a test tells it to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

__all__ = ["Mailbox", "mail_server"]


@dataclass
class Mailbox:
    """What came, and how the next ones are answered."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """What DATA is answered with, before mail is taken; ``drop`` breaks off, ``hang`` waits."""
    refused: str = ""
    """What RCPT is answered with."""
    seen: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.refused:
            return self.refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.seen += 1
        if self.answers:
            answer = self.answers.pop(0)
            if answer == "drop":
                server.transport.close()
            elif answer == "hang":
                await asyncio.sleep(3600)
            return answer
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.raw.append(envelope.content)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 kept"


@asynccontextmanager
async def mail_server(
    tls: ssl.SSLContext | None = None, *, password: str = ""
) -> AsyncIterator[Mailbox]:
    """Run a server on a free port; with *tls* it offers STARTTLS and wants nothing without."""
    mailbox = Mailbox()

    def authenticator(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> Any:
        right = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=right)

    def protocol() -> SMTP:
        return SMTP(
            mailbox,
            enable_SMTPUTF8=True,
            hostname="mail.test",
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=bool(password),
            authenticator=authenticator if password else None,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await asyncio.sleep(0)
