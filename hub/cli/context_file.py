"""The file of contexts: hubs and tokens under names, for their owner's eyes alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.cli.exits import usage
from hub.cli.words import t

__all__ = ["Context", "Contexts", "read_contexts", "write_contexts"]


@dataclass(frozen=True, slots=True)
class Context:
    """A hub, and who one is there."""

    url: str
    token: str
    language: str = ""
    """In which the command line speaks; empty: that of the environment."""

    @property
    def hint(self) -> str:
        """As much of the token as finds it in a list: its prefix."""
        parts = self.token.split("_", 2)
        return f"{parts[0]}_{parts[1]}_…" if len(parts) == 3 else "…"


@dataclass(frozen=True, slots=True)
class Contexts:
    """All contexts, and which is in use; empty: none."""

    current: str
    contexts: Mapping[str, Context]

    def named(self, name: str) -> Context:
        """Return the context of a name.

        Raises:
            Rejected: ``usage``; there is none.
        """
        if name not in self.contexts:
            known = ", ".join(sorted(self.contexts)) or t("none")
            raise usage(
                t("there is no context {name}", name=repr(name)),
                remedy=t("There are: {known}.", known=known),
            )
        return self.contexts[name]


def _path() -> Path:
    if given := os.environ.get("CASPIAN_CONTEXTS"):
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "caspian" / "contexts.json"


def read_contexts() -> Contexts:
    """Return the contexts; none where there is no file.

    Raises:
        Rejected: ``usage``; the file cannot be read, or others can read it.
    """
    path = _path()
    try:
        if path.stat().st_mode & 0o077:
            raise usage(t("others can read {path}", path=path), remedy=f"chmod 600 {path}")
        found = json.loads(path.read_text("utf-8"))
        contexts = {
            str(name): Context(str(one["url"]), str(one["token"]), str(one.get("language", "")))
            for name, one in found["contexts"].items()
        }
        return Contexts(str(found["current"]), contexts)
    except FileNotFoundError:
        return Contexts("", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise usage(
            t("{name} cannot be read: {why}", name=path, why=repr(e)),
            remedy=t("Remove it, and add your contexts again."),
        ) from e


def write_contexts(contexts: Contexts) -> None:
    """Write the contexts; a crash leaves the old file or the new one.

    Raises:
        Rejected: ``usage``; the file cannot be written.
    """
    from hub.private_files import make_private, write_private  # noqa: PLC0415 - most only read

    path = _path()
    written = {
        name: {"url": c.url, "token": c.token} | ({"language": c.language} if c.language else {})
        for name, c in contexts.contexts.items()
    }
    text = json.dumps({"current": contexts.current, "contexts": written}, indent=2)
    try:
        if not path.parent.exists():
            make_private(path.parent)
        write_private(path, text + "\n")
    except OSError as e:
        raise usage(
            t("{file} cannot be written: {why}", file=path, why=e),
            remedy=t("Set CASPIAN_CONTEXTS."),
        ) from e
