"""``caspian redis acl``: a Redis user for each agency, that can do its work and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter
from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError

from hub.cli.exits import usage
from hub.cli.raw import write_raw
from hub.cli.store import open_log
from hub.cli.terminal import note, styled
from hub.cli.words import many, t
from hub.core.registry import History
from hub.errors import Unavailable
from hub.private_files import write_private
from hub.settings import Settings
from hub.streams.acl import HUB, apply, digest_of, digests, file, own_line, password_of
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
    """Write an ACL file: a user for each member and the hub's own, digests and no passwords.

    Nobody gets in without a name: the user `default` is off. The hub's own user is the one
    that CASPIAN_REDIS_URL names; where it names none, `hub`, with a password made here.
    The passwords are made once, in a file for each agency that only you can read: give
    each agency its own. With --apply the agencies' users are made in the running Redis,
    those of agencies that left are removed, and no other user is touched.
    """
    settings = Settings.from_environment()
    directory = passwords or settings.redis_users
    if directory is None:
        raise usage(
            t("where the passwords lie is not known"), remedy=t("Give --passwords DIRECTORY.")
        )
    with open_log(settings) as log:
        members = History(log.registry_entries()).latest.members
    wanted = digests(directory, members)
    if apply_:
        unsaved = asyncio.run(_apply(settings, wanted))
        note(
            styled(
                many(
                    "{count} user; the password is in {directory}",
                    "{count} users; their passwords are in {directory}",
                    len(wanted),
                    directory=directory,
                ),
                "dim",
            )
        )
        if unsaved:
            note(
                styled(
                    t("Redis could not save them, and forgets them: {unsaved}", unsaved=unsaved),
                    "yellow",
                )
            )
        if output is None:
            return
    text = file(_own(settings, directory), wanted)
    if output is not None:
        try:
            write_private(output, text)
        except OSError as e:
            raise usage(
                t("{file} cannot be written: {why}", file=output, why=e.strerror),
                remedy=t("Name another."),
            ) from e
    else:
        write_raw(text.encode())


def _own(settings: Settings, directory: Path) -> str:
    """Return the line of the hub's own user: the one that it comes as, or one made for it."""
    given = parse_url(settings.redis_url)
    name, password = given.get("username"), given.get("password")
    if name and password and name != "default":
        return own_line(name, digest_of(password))
    kept = directory / HUB
    made = own_line(HUB, digest_of(password_of(directory, HUB)))
    note(
        styled(
            t(
                "the hub's own user is {user}: put it and its password, which is in {file}, "
                "into CASPIAN_REDIS_URL before Redis takes this file",
                user=HUB,
                file=kept,
            ),
            "yellow",
        )
    )
    return made


async def _apply(settings: Settings, wanted: dict[str, str]) -> str:
    redis = connect(settings.redis_address)
    try:
        return await apply(redis, wanted)
    except (RedisError, OSError) as e:
        raise Unavailable("streams-unavailable", t("Redis cannot be reached: {why}", why=e)) from e
    finally:
        await redis.aclose()
