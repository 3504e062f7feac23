"""Whose word counts: states' authorities, agencies' roots, keys of messages and of the log (G9).

These are records of the registry. A private key is never here: only the verifier
keys (`schemas.ed25519.VerifierKey`), as text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from schemas.ed25519 import VerifierKey

__all__ = [
    "STATE_CODE",
    "KeyChange",
    "KeyLife",
    "LogKeyChange",
    "LogKeyLife",
    "State",
    "read_key_text",
]

STATE_CODE: Final = r"^[A-Z]{2}$"


def read_key_text(value: str) -> str:
    """Check a verifier key where a record holds one; empty stands for none."""
    if value:
        VerifierKey.read(value)
    return value


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class State(_Record):
    """A member state, and the authority that speaks for it about its agencies."""

    id: str = Field(pattern=STATE_CODE)
    """ISO 3166-1 alpha-2: ``AZ``."""
    name: str = Field(min_length=1, max_length=200)
    authority: str
    """The verifier key of the state's authority. Kept off line; it signs few things."""

    @field_validator("authority")
    @classmethod
    def _is_key(cls, value: str) -> str:
        VerifierKey.read(value)
        return value


class KeyChange(_Record):
    """A key with which an agency signs messages begins or ceases to count."""

    agency: str
    key: str
    """The verifier key; no two agencies share one, and a revoked one never comes back."""
    action: Literal["add", "revoke"]
    expires: AwareDatetime | None = None
    """With ``add``: it counts for entries of the log before this moment."""
    compromised_since: int | None = Field(None, ge=0)
    """With ``revoke``: from this log index on its messages may be somebody else's."""
    reason: str = Field("", max_length=500)

    @field_validator("key")
    @classmethod
    def _is_key(cls, value: str) -> str:
        VerifierKey.read(value)
        return value


class KeyLife(_Record):
    """From which entry to which a key counts. Validity is judged at an entry's index."""

    agency: str
    since: int
    """The entry that added it; it counts for the entries after this one."""
    expires: AwareDatetime | None = None
    until: int | None = None
    """The entry that revoked it."""
    compromised_since: int | None = None

    def counts_at(self, index: int, at: datetime) -> bool:
        """Tell whether the key may sign the entry at *index*, which the log dates *at*."""
        return (
            self.since < index
            and (self.until is None or index <= self.until)
            and (self.expires is None or at < self.expires)
        )

    def suspect_at(self, index: int) -> bool:
        """Tell whether an entry that was rightly taken at *index* is doubted by now."""
        return self.compromised_since is not None and index >= self.compromised_since

    def revoked(self, index: int, compromised_since: int | None) -> KeyLife:
        """Return its life after a revocation at *index*; a later one may only doubt more."""
        doubts = [d for d in (self.compromised_since, compromised_since) if d is not None]
        return KeyLife(
            agency=self.agency,
            since=self.since,
            expires=self.expires,
            until=index if self.until is None else self.until,
            compromised_since=min(doubts, default=None),
        )


class LogKeyChange(_Record):
    """A key with which the log signs its checkpoints begins or ceases to count."""

    key: str
    """The verifier key; its name is the log's."""
    action: Literal["add", "retire"]
    reason: str = Field("", max_length=500)

    @field_validator("key")
    @classmethod
    def _is_key(cls, value: str) -> str:
        VerifierKey.read(value)
        return value


class LogKeyLife(_Record):
    """Which checkpoints a key of the log may sign: those that hold the entry that names it."""

    since: int
    """The entry that added it, or the first of the log."""
    until: int | None = None
    """The entry that retired it."""

    def signs(self, size: int) -> bool:
        """Tell whether the key may sign a checkpoint over the first *size* entries."""
        return self.since < size and (self.until is None or size <= self.until)
