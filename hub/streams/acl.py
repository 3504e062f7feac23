"""One Redis user for each agency: it writes its inbox, reads its answers and feeds, nothing else.

Passwords lie in a directory, a file of mode 600 for each agency; Redis gets only their
SHA-256. 256 random bits need no slow hash.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from hub.core.registry import AGENCY_ID
from hub.errors import Unavailable
from hub.private_files import make_private, write_private
from hub.streams import keys

__all__ = [
    "DEFAULT_OFF",
    "HUB",
    "RULES",
    "apply",
    "digest_of",
    "digests",
    "file",
    "is_agency",
    "line",
    "own_line",
    "password_of",
    "rules",
]

HUB: Final = "hub"
"""The hub's own user; no agency's id is of this form."""

DEFAULT_OFF: Final = "user default off resetpass resetkeys resetchannels -@all"
"""The line that lets nobody in without a name. A file of users without one for ``default``
leaves it as Redis made it: on, without a password, and with every right."""

_ON_FEEDS: Final = "+xread +xrange +xreadgroup +xack +xpending +xclaim +xautoclaim +xinfo|stream"
RULES: Final = (
    "resetkeys",
    "resetchannels",
    "-@all",
    "+ping",
    "+hello",
    "+client|setinfo",
    "(%W~{inbox} -@all +xadd)",
    "(%R~{receipts} -@all +xread +xrange +xinfo|stream)",
    f"(~{{feed}} ~{{feed}}.* -@all {_ON_FEEDS})",
)
"""What an agency's user may; docs/protocol/streams.md shows the same."""


def rules(agency: str) -> tuple[str, ...]:
    """Return what the user of an agency may; no character of an id is special in a pattern."""
    names = {
        "inbox": keys.inbox(agency),
        "receipts": keys.receipts(agency),
        "feed": keys.feed(agency),
    }
    return tuple(rule.format(**names) for rule in RULES)


def line(agency: str, digest: str) -> str:
    """Return the line of an ACL file that makes an agency's user."""
    return f"user {agency} on #{digest} {' '.join(rules(agency))}"


def own_line(name: str, digest: str) -> str:
    """Return the line of an ACL file that makes the hub's own user, who may do everything."""
    return f"user {name} on #{digest} ~* &* +@all"


def file(own: str, wanted: Mapping[str, str]) -> str:
    """Return a whole ACL file: nobody without a name, the hub's *own* line, and the agencies."""
    lines = [DEFAULT_OFF, own, *(line(agency, digest) for agency, digest in wanted.items())]
    return "".join(f"{one}\n" for one in lines)


def is_agency(user: str) -> bool:
    """Tell whether a user is named as agencies are: such users are the hub's to keep."""
    return re.fullmatch(AGENCY_ID, user) is not None


def digest_of(password: str) -> str:
    """Return what Redis keeps of a password: its SHA-256, hexadecimal."""
    return sha256(password.encode()).hexdigest()


def password_of(directory: Path, agency: str) -> str:
    """Return the password of an agency's user, made now if there is none yet.

    Raises:
        Unavailable: ``directory-unusable``.
    """
    path = directory / agency
    try:
        with suppress(FileNotFoundError):
            if kept := path.read_text("ascii").strip():
                return kept
        make_private(directory)
        fresh = secrets.token_urlsafe(32)
        write_private(path, fresh + "\n")
    except OSError as e:
        raise Unavailable(
            "directory-unusable",
            f"{path}: {e.strerror}",
            remedy="Make room, or name a directory that this user may write.",
        ) from e
    return fresh


def digests(directory: Path, agencies: Iterable[str]) -> dict[str, str]:
    """Return for each agency the SHA-256 of its password, hexadecimal.

    Raises:
        Unavailable: ``directory-unusable``.
    """
    return {agency: digest_of(password_of(directory, agency)) for agency in sorted(agencies)}


async def apply(redis: Redis, wanted: Mapping[str, str]) -> str:
    """Make the users of Redis those that are *wanted* (agency → digest), the hub's own aside.

    A user named like an agency that is not wanted is removed, and its connections end; so do
    those of an agency whose password is another now. Where the server keeps its users in a
    file they are saved there; returned is why they could not be, or nothing. What was not
    saved is gone, or back, when the server starts again.
    """
    client: Any = redis
    own = (await client.execute_command("ACL", "WHOAMI")).decode()
    known = {}
    for told in await client.execute_command("ACL", "LIST"):
        _, name, rest = told.decode().split(" ", 2)
        known[name] = rest.split()
    pipe = client.pipeline(transaction=True)
    for agency, digest in wanted.items():
        pipe.execute_command("ACL", "SETUSER", agency, "reset", "on", f"#{digest}", *rules(agency))
    if gone := [name for name in known if is_agency(name) and name not in {own, *wanted}]:
        pipe.execute_command("ACL", "DELUSER", *gone)
    for agency, digest in wanted.items():
        # A connection outlives the password that opened it.
        if agency in known and f"#{digest}" not in known[agency]:
            pipe.execute_command("CLIENT", "KILL", "USER", agency)
    await pipe.execute()
    try:
        await client.execute_command("ACL", "SAVE")
    except ResponseError as e:
        return "" if "not configured to use an ACL file" in str(e) else str(e)
    return ""
