"""What a mirror is told: which log, where it is served, with what tokens. ``mirror.toml``.

::

    url = "https://hub.example.org"
    logs = ["caspian-hub.example/log+0fcb9f1a+AT…"]
    token_file = "token"

Further keys: ``payload_token_file``, the token of an auditor of the state, for payloads (none:
they are withheld); ``listen`` (127.0.0.1:8091); ``every_s`` (1), how often it looks;
``policy``, a file whose witnesses' cosignatures are kept. Files lie beside it unless their
paths are absolute.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hub.errors import Rejected
from hub.witness.config import key_of
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey
from schemas.policy import read_policy

__all__ = ["MIRROR", "STORE", "WITNESS", "MirrorConfig", "read_mirror"]

MIRROR = "mirror.toml"
STORE = "log.db"
WITNESS = "witness"


class MirrorConfig(BaseModel):
    """One mirror's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    url: str = Field(pattern=r"^https?://[^\s]+$")
    logs: tuple[Annotated[VerifierKey, BeforeValidator(key_of)], ...] = Field(min_length=1)
    token_file: Path | None = None
    payload_token_file: Path | None = None
    listen: str = Field("127.0.0.1:8091", pattern=r"^.+:[0-9]{1,5}$")
    every_s: float = Field(1.0, ge=0.05, le=3600)
    within_s: float = Field(30.0, gt=0, le=600)
    policy: Path | None = None
    directory: Path = Path()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def secret(self, file: Path | None) -> str:
        """Return a token.

        Raises:
            Rejected: ``mirror-unusable``.
        """
        if file is None:
            return ""
        try:
            return (self.directory / file).read_text("utf-8").strip()
        except (OSError, ValueError) as e:
            raise _unusable(f"{self.directory / file}: {e}") from e

    @property
    def witnesses(self) -> tuple[CosignerKey, ...]:
        """Whose cosignatures are kept.

        Raises:
            Rejected: ``mirror-unusable``.
        """
        if self.policy is None:
            return ()
        try:
            found = read_policy((self.directory / self.policy).read_bytes())
        except (OSError, Rejected) as e:
            raise _unusable(f"{self.directory / self.policy}: {e}") from e
        return tuple(one.key for one in found.witnesses.values())

    @property
    def store(self) -> str:
        """The address of the copy."""
        return f"sqlite:///{(self.directory / STORE).absolute()}"


def read_mirror(directory: Path) -> MirrorConfig:
    """Read a mirror's settings.

    Raises:
        Rejected: ``mirror-unusable``.
    """
    path = directory / MIRROR
    try:
        record = tomllib.loads(path.read_text("utf-8"))
        return MirrorConfig.model_validate({**record, "directory": directory})
    except (OSError, ValueError) as e:
        why = str(e)
        if isinstance(e, ValidationError):
            fault = e.errors(include_url=False)[0]
            why = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        raise _unusable(f"{path}: {why}") from e


def _unusable(detail: str) -> Rejected:
    remedy = 'Name what `caspian mirror init` made; see docs/witness.md, "Mirrors".'
    return Rejected("mirror-unusable", detail, remedy=remedy)
