"""Ends of a log that a person has kept: as SIZE:ROOT, or in a checkpoint's file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from hub.cli.exits import usage
from hub.cli.log_remote import End
from hub.cli.words import t
from schemas.checkpoint import Checkpoint
from schemas.errors import Rejected
from schemas.notes import read_note
from schemas.policy import Policy, read_policy

__all__ = ["read_confirmed", "read_end", "read_policy_file"]


def read_end(text: str | None) -> End | None:
    """Return the end that is meant; None where none is.

    What one kept oneself is trusted as it stands: of a checkpoint the signatures are not
    asked for here.

    Raises:
        Rejected: ``usage``; it is neither SIZE:ROOT nor the file of a checkpoint.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,18}):([0-9a-fA-F]{64})", text)
    if found is not None:
        return End(int(found[1]), bytes.fromhex(found[2]))
    remedy = t(
        "Write SIZE:ROOT as `caspian verify` prints them, the root in hexadecimal; or name the "
        "file of a checkpoint."
    )
    try:
        checkpoint = Checkpoint.of(read_note(Path(text).read_bytes()).text)
    except OSError as e:
        raise usage(t("{text} is no end of a log", text=repr(text)), remedy=remedy) from e
    except Rejected as e:
        raise usage(f"{text}: {e.detail}", remedy=remedy) from e
    return End(checkpoint.size, checkpoint.root)


def read_policy_file(file: Path) -> Policy:
    """Return the policy that a person names.

    Raises:
        Rejected: ``usage``, ``policy-invalid``, ``key-invalid``.
    """
    try:
        return read_policy(file.read_bytes())
    except OSError as e:
        raise usage(f"{file}: {e.strerror or e}", remedy=t("Name the file of a policy.")) from e


def read_confirmed(given: Iterable[str]) -> dict[str, int]:
    """Return how far feeds are confirmed, of FEED=INDEX.

    Raises:
        Rejected: ``usage``.
    """
    found = {}
    for text in given:
        feed, _, index = text.partition("=")
        if not feed or not re.fullmatch(r"-1|\d{1,18}", index):
            raise usage(
                t("{text} is not FEED=INDEX", text=repr(text)),
                remedy=t("Write az-fhn=1204; -1 for nothing."),
            )
        found[feed] = int(index)
    return found
