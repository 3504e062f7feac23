"""The certificates that count for XML signatures inside alerts (CASPIAN_CAP_TRUST)."""

from __future__ import annotations

from pathlib import Path

from cryptography.x509 import Certificate

from hub.errors import Unavailable
from schemas.cap.signature import read_certificates

__all__ = ["trusted_certificates"]


def trusted_certificates(directory: Path | None) -> list[Certificate]:
    """Return the certificates of all ``*.pem`` files in a directory; none where it is None.

    Raises:
        Unavailable: ``settings-invalid``; it is no directory, or a file in it is no such file.
    """
    found: list[Certificate] = []
    if directory is None:
        return found
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix == ".pem")
    except OSError as e:
        raise _invalid(f"{directory}: {e.strerror}") from e
    for path in files:
        try:
            found += read_certificates(path.read_bytes())
        except (OSError, ValueError) as e:
            raise _invalid(f"{path}: {e}") from e
    return found


def _invalid(why: str) -> Unavailable:
    return Unavailable(
        "settings-invalid", f"CASPIAN_CAP_TRUST: {why}", remedy="See docs/settings.md."
    )
