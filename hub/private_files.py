"""Files and directories that only their owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["make_private", "sync_directory", "write_private"]


def make_private(directory: Path) -> None:
    """Make a directory of mode 700, or make it so.

    Raises:
        OSError: it cannot be made.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write *text* into a file of mode 600; a crash leaves the old file or the new one.

    When it returns the new one survives a power cut.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_directory(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def sync_directory(directory: Path) -> None:
    """Return once the names in a directory are on the disk.

    Raises:
        OSError: they cannot be written.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
