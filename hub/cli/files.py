"""Files that a person names, read whole and within bounds; ``-`` is standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from hub.cli.exits import usage
from hub.cli.terminal import note, styled
from hub.cli.words import t
from hub.errors import Rejected
from schemas.one_reading import read_once

__all__ = ["LARGEST", "read_input", "read_record"]

LARGEST: Final = 16 << 20
"""In bytes; no hub takes more (CASPIAN_MAX_PAYLOAD_BYTES)."""


def read_input(name: str) -> bytes:
    """Return what *name* holds; a device that never ends is not read for ever.

    Raises:
        Rejected: ``usage``, it cannot be read; ``empty-payload``; ``too-large``.
    """
    try:
        if name == "-":
            if sys.stdin.isatty():
                note(styled(t("reading from the keyboard; Ctrl-D ends it"), "dim"))
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LARGEST + 1)
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise usage(
            t("{name} cannot be read: {why}", name=name, why=reason),
            remedy=t("Name a file that you may read, or -."),
        ) from e
    if not data.strip():
        raise Rejected(
            "empty-payload",
            t("{name} is empty", name=name),
            remedy=t("Send a CAP or EDXL-RM message."),
        )
    if len(data) > LARGEST:
        raise Rejected(
            "too-large",
            t("{name} has more than {size} bytes", name=name, size=LARGEST),
            remedy=t("Send large resources by reference (CAP `uri`), not inside the message."),
        )
    return data


def read_record(name: str) -> dict[str, Any]:
    """Return the JSON object that *name* holds.

    Raises:
        Rejected: ``usage``; it cannot be read, or is no object.
    """
    remedy = t("Write one JSON object, as `--json` shows it.")
    try:
        found = read_once(read_input(name).decode("utf-8-sig"))
    except (ValueError, RecursionError) as e:
        raise usage(t("{name} is no JSON: {why}", name=name, why=e), remedy=remedy) from e
    if not isinstance(found, dict):
        raise usage(t("{name} is no JSON object", name=name), remedy=remedy)
    return found
