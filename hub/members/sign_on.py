"""The states' own sign-ons (OpenID Connect): where they are, and what the hub is to them.

One TOML file, named by ``CASPIAN_SIGN_ON``, with a table for each state::

    [IR]
    name = "NDMO"
    issuer = "https://login.ndmo.example"
    client_id = "caspian-hub"
    client_secret_file = "/run/secrets/sign_on_ir"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.errors import Unavailable

__all__ = ["SignOn", "origin_of", "read"]

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class SignOn(BaseModel):
    """One state's sign-on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: str = Field(pattern=r"^[A-Z]{2}$")
    issuer: str
    """As its tokens have it in ``iss``, to the letter."""
    client_id: str = Field(min_length=1)
    client_secret_file: Path | None = None
    """Holds the client's secret; without it the hub is a public client, with PKCE alone."""
    name: str = ""
    """What people call it; the state's code where it is left out."""
    claim: str = Field("sub", min_length=1)
    """Which claim names the person. Another than ``sub`` may come to name somebody else one day."""
    scopes: str = "openid"
    also: tuple[str, ...] = ()
    """Other origins that its metadata may name: ``https://keys.ndmo.example``. Nothing else
    is ever asked."""
    ca_file: Path | None = None
    """Authorities that its TLS is verified by; the machine's own where it is left out."""

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        for url in (self.issuer, *self.also):
            parts = urlsplit(url)
            plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
            if not (parts.scheme == "https" or plain) or not parts.hostname or parts.username:
                raise ValueError(f"{url} is no https address")
            if parts.query or parts.fragment:
                raise ValueError(f"{url} has more than an address")
        return self

    @property
    def origins(self) -> frozenset[str]:
        """The origins that may be asked."""
        return frozenset(origin_of(url) for url in (self.issuer, *self.also))

    def secret(self) -> str:
        """Return the client's secret, read anew, so that it can be changed while the hub runs.

        Raises:
            Unavailable: ``settings-invalid``.
        """
        if self.client_secret_file is None:
            return ""
        try:
            return self.client_secret_file.read_text(encoding="utf-8").strip()
        except OSError as e:
            raise Unavailable(
                "settings-invalid", f"the sign-on of {self.state}: {e}", remedy="Correct the path."
            ) from e


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, as they are compared."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def read(path: Path | None) -> dict[str, SignOn]:
    """Return the states' sign-ons; none where there is no file.

    Raises:
        Unavailable: ``settings-invalid``.
    """
    if path is None:
        return {}
    try:
        tables: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            state: SignOn.model_validate({**table, "state": state})
            for state, table in tables.items()
        }
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        detail = f"{path}: {where}: {fault['msg']}"
    except (OSError, ValueError, TypeError) as e:
        detail = f"{path}: {e}"
    raise Unavailable(
        "settings-invalid", f"CASPIAN_SIGN_ON: {detail}", remedy="See docs/access.md."
    )
