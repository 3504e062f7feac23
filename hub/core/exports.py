"""An export: who took what out of the log, in which form. It is itself an entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.errors import Rejected

__all__ = ["Export", "read_export"]

_LONGEST: Final = 4000


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
    search: dict[
        Literal["incident", "severity", "bbox", "touches", "text"],
        str | tuple[float, ...] | tuple[str, ...],
    ] = Field(default_factory=dict, exclude_if=lambda given: not given)
    """What its messages were searched by. Left out where they were not, as before there was any."""
    payloads: bool
    entries: int = Field(ge=0)
    """How many there are in the file."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the file's content (docs/protocol/entries.md)."""
    purpose: str = Field("", max_length=500)

    @field_validator("search")
    @classmethod
    def _short(cls, search: dict[Any, Any]) -> dict[Any, Any]:
        if len(json.dumps(search)) > _LONGEST:
            raise ValueError("a search is not so long")
        return search


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
