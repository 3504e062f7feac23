"""A receipt of the log in one file: an entry, the proof that it is there, how far it came.

JSON with the fields of `LogReceipt`. The entry's bytes are in it as they were hashed, so that
nothing else is needed to verify it but a policy; the payload is not.
"""

from __future__ import annotations

import base64
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.ed25519 import decode_base64
from schemas.errors import Rejected
from schemas.policy import Level
from schemas.tlog_proof import TlogProof, read_tlog_proof

__all__ = ["LogReceipt", "read_log_receipt"]


class LogReceipt(BaseModel):
    """What a hub says of one entry of its log. Worth as much as can be verified of it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    caspian_receipt: Literal[1] = 1
    """The version of this format."""
    origin: str = Field(max_length=300)
    """The log's name."""
    index: int = Field(ge=0, lt=1 << 63)
    entry: str = Field(max_length=90_000)
    """The exact bytes of the entry, in base64."""
    level: Level
    """How far the hub says the entry has come."""
    proof: str | None = Field(max_length=1 << 21)
    """A proof (`schemas.tlog_proof`); None while nothing that covers the entry is signed."""

    def body(self) -> bytes:
        """Return the bytes of the entry.

        Raises:
            Rejected: ``receipt-invalid``.
        """
        data = decode_base64(self.entry)
        if data is None:
            raise _invalid("its entry is not base64")
        return data

    def read_proof(self) -> TlogProof | None:
        """Return the proof, if there is one.

        Raises:
            Rejected: ``proof-invalid``, ``note-invalid``, ``receipt-invalid``.
        """
        if self.proof is None:
            return None
        proof = read_tlog_proof(self.proof.encode())
        if proof.index != self.index:
            raise _invalid(f"its proof is of entry {proof.index}")
        return proof

    @classmethod
    def of(
        cls, origin: str, index: int, body: bytes, level: Level, proof: TlogProof | None
    ) -> LogReceipt:
        """Return the receipt of an entry's bytes."""
        return cls(
            origin=origin,
            index=index,
            entry=base64.b64encode(body).decode(),
            level=level,
            proof=None if proof is None else str(proof),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the receipt as JSON has it."""
        return self.model_dump(mode="json")


def read_log_receipt(data: bytes) -> LogReceipt:
    """Read a receipt file.

    Raises:
        Rejected: ``receipt-invalid``.
    """
    try:
        return LogReceipt.model_validate_json(data)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise _invalid(f"{where}: {fault['msg']}" if where else fault["msg"]) from e


def _invalid(why: str) -> Rejected:
    return Rejected(
        "receipt-invalid",
        f"this is no receipt: {why}",
        remedy="Get it again: `caspian receipt get MESSAGE`.",
    )
