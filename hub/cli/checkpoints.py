"""The signed ends of a log, wherever it is read from."""

from __future__ import annotations

from hub.cli.log_remote import HubSource
from hub.cli.log_source import StoreSource
from hub.client import calls
from hub.errors import Rejected
from hub.log.levels import Levels, best_note, read_policy_file
from hub.settings import Settings
from schemas.policy import Level

__all__ = ["best_checkpoint", "checkpoint_of"]


def checkpoint_of(source: StoreSource | HubSource, level: Level = "signed") -> bytes:
    """Return the newest checkpoint of a level with its cosignatures; empty where there is none."""
    if isinstance(source, StoreSource):
        policy = read_policy_file(Settings.from_environment().policy)
        return (Levels(source.log, policy).newest(level) or "").encode()
    try:
        return source.client.call(calls.checkpoint(level))
    except Rejected as e:
        if e.code != "checkpoint-none":
            raise
        return b""


def best_checkpoint(source: StoreSource | HubSource, covering: int) -> str:
    """Return the newest checkpoint of the highest level that covers so many entries, else the best.

    Empty where there is none.
    """
    return best_note(lambda level: checkpoint_of(source, level).decode(), covering)
