"""What a witness is told by whoever runs it: which logs it trusts, and how much it takes.

A TOML file, ``witness.toml`` in its directory::

    listen = "127.0.0.1:8090"
    logs = ["caspian-hub.example/log+0fcb9f1a+AT…"]

Further keys, each with its default: ``body_bytes`` (65536), the longest body; ``patience_s``
(10), how long a body may take; ``rate`` (600), requests a minute of one address, 0 for no
bound.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hub.errors import Rejected
from schemas.ed25519 import VerifierKey

__all__ = ["WitnessConfig", "key_of", "read_config", "written"]


def key_of(value: Any) -> Any:
    """Return the key that a text says, for pydantic."""
    try:
        return VerifierKey.read(value) if isinstance(value, str) else value
    except Rejected as e:
        raise ValueError(e.detail) from e


class WitnessConfig(BaseModel):
    """One witness's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    listen: str = Field("127.0.0.1:8090", pattern=r"^.+:[0-9]{1,5}$")
    """Address and port. It speaks plain HTTP: put TLS in front of it."""

    logs: tuple[Annotated[VerifierKey, BeforeValidator(key_of)], ...] = Field(min_length=1)
    """The keys of the logs that are cosigned; several of one name are of one log."""

    body_bytes: int = Field(65_536, ge=1024, le=1 << 20)
    patience_s: float = Field(10.0, gt=0, le=600)
    rate: int = Field(600, ge=0, le=1_000_000)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def trusted(self) -> Mapping[str, Sequence[VerifierKey]]:
        """The keys by the log's name."""
        found: dict[str, list[VerifierKey]] = {}
        for key in self.logs:
            found.setdefault(key.name, []).append(key)
        return found


def read_config(path: Path) -> WitnessConfig:
    """Read the file.

    Raises:
        Rejected: ``witness-unusable``; it cannot be read, or says something else.
    """
    try:
        return WitnessConfig.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as e:
        why = str(e)
        if isinstance(e, ValidationError):
            fault = e.errors(include_url=False)[0]
            why = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        raise Rejected(
            "witness-unusable", f"{path}: {why}", remedy='See docs/witness.md, "Settings".'
        ) from e


def written(listen: str, logs: Sequence[VerifierKey]) -> str:
    """Return the text of a new file."""
    keys = "".join(f'  "{key}",\n' for key in logs)
    return (
        "# What this witness is told: docs/witness.md.\n"
        f'listen = "{listen}"\n'
        "# The keys of the logs that it cosigns.\n"
        f"logs = [\n{keys}]\n"
    )
