"""The messages of the demonstration: templates whose braces are filled when they are sent.

``{run}`` tells one run from another, ``{sent}`` is now, ``{sent:NAME}`` when the message
NAME was sent, ``{soon}`` in six hours, ``{expires}`` tomorrow. No native speaker has
reviewed the texts in Azerbaijani, Kazakh, Turkmen, Persian and Russian.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final

__all__ = ["fill", "template"]

_HERE: Final = files("hub.demo.scenario")
_HOLE: Final = re.compile(r"\{(run|sent|soon|expires)(?::([a-z0-9-]+))?\}")


def template(name: str) -> str:
    """Return a message as it was written."""
    return (_HERE / f"{name}.xml").read_text("utf-8")


def fill(text: str, *, run: str, now: datetime, sent: Mapping[str, str]) -> tuple[bytes, str]:
    """Return a message ready to send, and the time that it says it was sent."""
    stamp = _stamp(now)

    def value(hole: re.Match[str]) -> str:
        name, other = hole.groups()
        if other:
            return sent[other]
        return {
            "run": run,
            "sent": stamp,
            "soon": _stamp(now + timedelta(hours=6)),
            "expires": _stamp(now + timedelta(days=1)),
        }[name]

    return _HOLE.sub(value, text).encode(), stamp


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S-00:00")  # CAP 1.2, 3.3.2: so it writes UTC
