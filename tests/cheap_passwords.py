"""Passwords that cost nothing to compare, for tests that are about something else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hub.members import passwords

__all__ = ["cheap_passwords"]

_COSTS = "$argon2id$v=19$m=64,t=1,p=1$"


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Hash with 64 KiB in one pass; what the real costs are `tests.members` shows."""
    nobodys = _COSTS + passwords._NOBODYS.removeprefix(passwords._COSTS)
    with patch.multiple(
        passwords, _OPERATIONS=1, _MEMORY_BYTES=64 << 10, _COSTS=_COSTS, _NOBODYS=nobodys
    ):
        yield
