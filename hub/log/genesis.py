"""The first entry of the log: which log this is, and how it is hashed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hub.core.admission import NewEntry
from hub.core.identities import State
from hub.errors import LogMoved, Rejected, Unavailable
from hub.log.store import Head, Log
from schemas.entry import decode, encode

__all__ = ["ensure_genesis", "read_roots"]


def ensure_genesis(
    log: Log,
    *,
    origin: str,
    version: str,
    now_us: int,
    roots: Sequence[State] = (),
    key: str = "",
) -> Head:
    """Begin the log where it is empty, and return its end.

    The entry says the log's name (*origin*), the *version* of the hub that began it,
    and the names of the hash and of the tree; the version of the entry format is
    ``v``, as in every entry. It also names the *roots*: the states and their authorities,
    whose signatures every later change of the registry must bear. Without them the hub's
    operator alone decides who is a member, and the log shows that. *key* is the verifier key
    with which the log signs its checkpoints; one can also be announced later. Idempotent, and safe
    when several processes begin at once: the commit of one of them stands, and the others
    find it.

    Raises:
        Unavailable: ``log-foreign``, the store holds a log of another name;
            ``log-unavailable``.
    """
    head = log.head()
    if head.size == 0:
        facts: dict[str, Any] = {
            "origin": origin,
            "version": version,
            "hash": "SHA-256",
            "tree": "RFC 6962",
        }
        if roots:
            facts["roots"] = [state.model_dump(mode="json") for state in roots]
        if key:
            facts["key"] = key
        entry = NewEntry("genesis", now_us, "", encode("genesis", now_us, "", facts))
        try:
            return log.append([entry], expect=head)
        except LogMoved:
            head = log.head()
    _check_origin(log, origin)
    return head


def _check_origin(log: Log, origin: str) -> None:
    first = log.row(0)
    try:
        entry = decode(first.body) if first is not None else {}
    except ValueError:
        entry = {}
    if entry.get("kind") != "genesis":
        raise Unavailable(
            "log-foreign",
            "the store does not begin with the first entry of a log",
            remedy="Run `caspian verify`; restore the store from a backup or a bundle.",
        )
    if entry.get("origin") != origin:
        raise Unavailable(
            "log-foreign",
            f"the store holds the log {entry.get('origin')!r}, not {origin!r}",
            remedy="Set CASPIAN_ORIGIN to the log's own name, or CASPIAN_LOG_URL to another store.",
        )


def read_roots(path: Path) -> list[State]:
    """Read the states that a log begins with (CASPIAN_ROOTS).

    Raises:
        Unavailable: ``settings-invalid``; the file cannot be read, or says something else.
    """
    try:
        return TypeAdapter(list[State]).validate_json(path.read_bytes())
    except (OSError, ValueError, Rejected) as e:
        why = e.errors(include_url=False)[0]["msg"] if isinstance(e, ValidationError) else str(e)
        raise Unavailable(
            "settings-invalid", f"CASPIAN_ROOTS: {path}: {why}", remedy="See docs/settings.md."
        ) from e
