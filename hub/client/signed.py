"""Publish what an agency signs: one after the other, in the order of its count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from hub.client.outbox import Outbox, Signed
from hub.client.signers import Signer
from hub.errors import Rejected
from schemas.receipt import Receipt

__all__ = ["SignedPublisher"]

_ASTRAY: Final = frozenset({"sequence-gap", "sequence-fork"})
"""The log's count is another than ours: a person must look which of them is right."""


class SignedPublisher:
    """Signs, keeps and sends messages; what a crash left without an answer goes first."""

    def __init__(
        self, outbox: Outbox, signer: Signer, send: Callable[[Signed], Awaitable[Receipt]]
    ) -> None:
        """*send* takes a message to the hub: `AsyncClient.send_signed`, for one."""
        self._outbox = outbox
        self._signer = signer
        self._send = send
        self._turn = asyncio.Lock()

    async def publish(self, payload: bytes, *, message_id: str = "") -> Receipt:
        """Publish a message and return its receipt; the same payload again is safe.

        Raises:
            Rejected: the refusal. Where it is not *counted*, a key or credential does not
                count, and the number was given back. ``sequence-…``: `caspian keys chain`.
            Unavailable: no answer; it is kept, and sent first the next time.
        """
        async with self._turn:
            asked = await asyncio.to_thread(
                self._outbox.sign,
                payload,
                self._signer,
                now=datetime.now(UTC),
                message_id=message_id,
            )
            for earlier in await asyncio.to_thread(self._outbox.waiting):
                if earlier.seq < asked.seq:
                    await self._earlier(earlier)
            return await self._one(asked)

    async def _earlier(self, message: Signed) -> None:
        """Send again what got no answer; a refusal of it is not this caller's."""
        try:
            await self._one(message)
        except Rejected as e:
            if not e.counted:
                raise

    async def _one(self, message: Signed) -> Receipt:
        try:
            receipt = await self._send(message)
        except Rejected as e:
            if e.counted:
                await asyncio.to_thread(self._outbox.answered, message.seq, receipt=False)
            elif e.code not in _ASTRAY:
                await asyncio.to_thread(self._outbox.take_back, message.seq)
            raise
        await asyncio.to_thread(self._outbox.answered, message.seq, receipt=True)
        return receipt
