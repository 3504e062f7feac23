"""The logins of the demonstration, made once and kept where only their owner can read them."""

from __future__ import annotations

import json
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from hub.log.store import Log
from hub.members.credentials import Role, issue
from hub.settings import Settings

__all__ = ["Tokens", "write_private"]


class Tokens:
    """Tokens by role, agency and person, in ``tokens.json`` (mode 600) of the data directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = settings.data / "tokens.json"

    def of(self, role: Role, agency: str, person: str) -> str:
        """Return the token of a login, made when it is first asked for."""
        kept: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}
        key = f"{role}/{agency}/{person}"
        if key not in kept:
            log = Log.open(self._settings.log_url)
            try:
                kept[key] = issue(
                    log,
                    role=role,
                    agency=agency,
                    person=person,
                    expires=None,
                    now=datetime.now(UTC),
                )
            finally:
                log.close()
            write_private(self._path, json.dumps(kept, ensure_ascii=False, indent=1))
        return kept[key]

    def write_environment(self, url: str) -> None:
        """Write ``env.sh``, which gives the ``caspian`` command its settings."""
        settings = self._settings
        values = {
            "CASPIAN_URL": url,
            "CASPIAN_TOKEN": self.of("operator", "", ""),
            "CASPIAN_LOG_URL": settings.log_url,
            "CASPIAN_REDIS_URL": settings.redis_url,
            "CASPIAN_DATA": str(settings.data),
            "CASPIAN_ORIGIN": settings.origin,
            "CASPIAN_LOG_KEY": settings.log_key,
            "CASPIAN_POLICY": str(settings.policy or ""),
        }
        text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
        # The command may be installed where nothing else is looked for, as in a checkout.
        text += f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n"
        write_private(settings.data / "env.sh", text)


def write_private(path: Path, text: str) -> None:
    """Write a file, whole or not at all, that only its owner can read."""
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123  # Path.open cannot set the mode
        file.write(text)
    fresh.replace(path)
