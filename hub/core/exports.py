"""An export: who took what out of the log, in which form. It is itself an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import Rejected

__all__ = ["Export", "read_export"]


class Export(BaseModel):
    """What was taken out, and the digest by which the file is known again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["bundle", "csv", "parquet"]
    first: int = Field(ge=0)
    through: int = Field(ge=-1)
    """Log indexes; both belong to it."""
    kinds: tuple[str, ...] = Field((), max_length=50)
    """Only these kinds; empty: all."""
    agency: str = Field("", max_length=64)
    """Only what this agency did; empty: everybody."""
    payloads: bool
    entries: int = Field(ge=0)
    """How many there are in the file."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the file's content (docs/protocol/entries.md)."""
    purpose: str = Field("", max_length=500)


def read_export(body: Mapping[str, Any]) -> Export:
    """Return the record of a proposal.

    Raises:
        Rejected: ``export-invalid``.
    """
    try:
        return Export.model_validate(body["export"])
    except (ValidationError, KeyError) as e:
        raise Rejected(
            "export-invalid", str(e).splitlines()[0][:200], remedy="See docs/protocol/http.md."
        ) from e
