"""``caspian redis acl``: a Redis user for each agency, that can do its work and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter
from redis.exceptions import RedisError

from hub.cli.exits import usage
from hub.cli.store import open_log
from hub.cli.terminal import note, say, styled
from hub.core.registry import History
from hub.errors import Unavailable
from hub.private_files import write_private
from hub.settings import Settings
from hub.streams.acl import apply, digests, line
from hub.streams.connect import connect

__all__ = ["app"]

app: Final = App(name="redis", help="Users of Redis for the agencies.")


@app.command
def acl(
    *,
    passwords: Annotated[
        Path | None,
        Parameter(help="Where the passwords lie, and are made; else CASPIAN_REDIS_USERS."),
    ] = None,
    output: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="Write an ACL file, mode 600.")
    ] = None,
    apply_: Annotated[
        bool, Parameter(name="--apply", negative="", help="Make the users in the hub's Redis now.")
    ] = False,
) -> None:
    """Write the users of all members: an ACL file's lines, with digests and no passwords.

    The passwords are made once, in a file for each agency that only you can read: give
    each agency its own. With --apply users of agencies that left are removed.
    """
    settings = Settings.from_environment()
    directory = passwords or settings.redis_users
    if directory is None:
        raise usage("where the passwords lie is not known", remedy="Give --passwords DIRECTORY.")
    with open_log(settings) as log:
        members = History(log.registry_entries()).latest.members
    wanted = digests(directory, members)
    if apply_:
        asyncio.run(_apply(settings, wanted))
        note(styled(f"{len(wanted)} users; their passwords are in {directory}", "dim"))
    text = "".join(f"{line(agency, digest)}\n" for agency, digest in wanted.items())
    if output is not None:
        try:
            write_private(output, text)
        except OSError as e:
            raise usage(f"{output} cannot be written: {e.strerror}", remedy="Name another.") from e
    elif not apply_:
        say(styled(text.rstrip()))


async def _apply(settings: Settings, wanted: dict[str, str]) -> None:
    redis = connect(settings.redis_address)
    try:
        await apply(redis, wanted)
    except (RedisError, OSError) as e:
        raise Unavailable("streams-unavailable", f"Redis cannot be reached: {e}") from e
    finally:
        await redis.aclose()
