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

__all__ = ["RULES", "apply", "digests", "line", "password_of", "rules"]

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
    return {
        agency: sha256(password_of(directory, agency).encode()).hexdigest()
        for agency in sorted(agencies)
    }


async def apply(redis: Redis, wanted: Mapping[str, str]) -> None:
    """Make the users of Redis those that are *wanted* (agency → digest), the hub's own aside.

    A user named like an agency that is not wanted is removed, and its connections end.
    Where the server keeps its users in a file they are saved there.
    """
    client: Any = redis
    known = [name.decode() for name in await client.execute_command("ACL", "USERS")]
    pipe = client.pipeline(transaction=True)
    for agency, digest in wanted.items():
        pipe.execute_command("ACL", "SETUSER", agency, "reset", "on", f"#{digest}", *rules(agency))
    gone = [n for n in known if re.fullmatch(AGENCY_ID, n) and n not in wanted]
    if gone:
        pipe.execute_command("ACL", "DELUSER", *gone)
    await pipe.execute()
    with suppress(ResponseError):  # it has no file for its users
        await client.execute_command("ACL", "SAVE")
