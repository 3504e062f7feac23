"""How a command reaches a hub: where it is, who asks, and how long to wait for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx
from cyclopts import Parameter
from pydantic import ValidationError

from hub.cli.context_file import Context, read_contexts
from hub.cli.exits import usage
from hub.cli.words import t
from hub.client import AsyncClient, Client
from hub.errors import Rejected, Unavailable

__all__ = ["Connection", "understood"]

_DEFAULT: Final = "http://127.0.0.1:8080"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Connection:
    """Options of every command that asks a hub."""

    url: Annotated[
        str | None,
        Parameter(help=f"Where the hub is; CASPIAN_URL, else {_DEFAULT}.", group="Connection"),
    ] = None
    token: Annotated[
        str | None,
        Parameter(
            help="Who asks; better in CASPIAN_TOKEN or a file named by CASPIAN_TOKEN_FILE: "
            "what stands on a command line, others on this machine can read.",
            group="Connection",
        ),
    ] = None
    context: Annotated[
        str | None,
        Parameter(
            help="The hub and token that you keep under this name (`caspian context`); "
            "CASPIAN_CONTEXT, else the one in use.",
            group="Connection",
        ),
    ] = None
    patience: Annotated[
        float,
        Parameter(
            name="--within", help="Seconds to try again while the hub is away.", group="Connection"
        ),
    ] = 10.0

    @property
    def address(self) -> str:
        """Where the hub is.

        Raises:
            Rejected: ``usage``; it is no address of the web.
        """
        kept = self._kept()
        given = self.url or (None if self.context else os.environ.get("CASPIAN_URL"))
        url = given or (kept.url if kept else _DEFAULT)
        try:
            parsed = urlsplit(url)
            httpx.URL(url)
            usable = parsed.scheme in {"http", "https"} and bool(parsed.hostname)
        except (ValueError, httpx.InvalidURL):
            usable = False
        if not usable:
            raise usage(
                t("{url} is no address of a hub", url=repr(url)),
                remedy=t("Write https://hub.example."),
            )
        return url

    def _kept(self) -> Context | None:
        """Return the context that counts; None where there is none.

        Raises:
            Rejected: ``usage``; it was named and is not there.
        """
        found = read_contexts()
        name = self.context or os.environ.get("CASPIAN_CONTEXT") or found.current
        return found.named(name) if name else None

    @property
    def within(self) -> timedelta:
        """How long to try again while the hub is away."""
        return timedelta(seconds=max(0.0, min(self.patience, 1e6)))

    def bearer(self) -> str:
        """Return the token.

        Raises:
            Rejected: ``token-missing``, ``token-invalid``, or ``usage`` where the file that
                should hold it cannot be read.
        """
        kept = self._kept()
        around = "" if self.context else os.environ.get("CASPIAN_TOKEN") or _from_file()
        token = self.token or around
        if not token and kept is not None and self.address == kept.url:
            token = kept.token  # never to another hub than it is of
        if not token:
            raise Rejected(
                "token-missing",
                t("there is no token"),
                remedy=t(
                    "Set CASPIAN_TOKEN or CASPIAN_TOKEN_FILE, or keep one with `caspian context "
                    "add`; the hub's operator issues it."
                ),
            )
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise Rejected(
                "token-invalid",
                t("the token holds what no token has"),
                remedy=t("Copy it again, whole and alone: csp_…"),
            )
        return token

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Open a client for as long as the context is open.

        Raises:
            Rejected, Unavailable: of `bearer`, `address` and every call.
        """
        address = self.address
        with (
            understood(address),
            Client(address, self.bearer(), within=self.within) as client,
        ):
            yield client

    def asynchronous(self) -> AsyncClient:
        """Return an asynchronous client; the caller closes it."""
        return AsyncClient(self.address, self.bearer(), within=self.within)


@contextmanager
def understood(address: str) -> Iterator[None]:
    """Tell of an answer that no hub gives in the words of the hub.

    Raises:
        Unavailable: ``unexpected-answer``; something else lives at *address*.
    """
    try:
        yield
    except (ValidationError, httpx.HTTPError, UnicodeDecodeError, json.JSONDecodeError) as e:
        raise Unavailable(
            "unexpected-answer",
            t(
                "{address} answers, but not as a hub does ({why})",
                address=address,
                why=type(e).__name__,
            ),
            remedy=t("See that CASPIAN_URL is the hub's address, and nothing stands between."),
        ) from e


def _from_file() -> str:
    path = os.environ.get("CASPIAN_TOKEN_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise usage(
            t("CASPIAN_TOKEN_FILE: {why}", why=e),
            remedy=t("Correct the path, or set CASPIAN_TOKEN."),
        ) from e
