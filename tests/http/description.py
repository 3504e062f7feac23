"""What the API says of itself (OpenAPI), made once: to make it takes half a second."""

from __future__ import annotations

from functools import cache
from typing import Any

from hub.app import build_api
from hub.settings import Settings

__all__ = ["described", "operations"]


@cache
def described() -> dict[str, Any]:
    """Return the description of an API with the usual settings."""
    return build_api(Settings()).openapi()


def operations() -> dict[str, dict[str, Any]]:
    """Return by ``GET /v1/feeds`` what it says of each operation."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
    }
