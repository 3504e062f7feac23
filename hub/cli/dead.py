"""``caspian dead``: what the hub could not handle, and no person may overlook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from cyclopts import App

from hub.cli.connection import Connection
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, say, styled
from hub.cli.times import both
from hub.client import Client
from hub.errors import Rejected

__all__ = ["app"]

app: Final = App(name="dead", help="Look after dead letters.")


def _letters(client: Client, *, after: int = -1) -> Iterator[dict[str, Any]]:
    while True:
        page = client.dead_letters(after=after, limit=1000)
        yield from page["entries"]
        if not page["entries"]:
            return
        after = page["next"]


@app.command
def ls(
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List dead letters, oldest first."""
    with connection.client() as client:
        none = True
        for letter in _letters(client):
            none = False
            if json:
                emit(letter)
            else:
                say(
                    styled(f"{letter['index']:>7}", "bold"),
                    styled(both(datetime.fromisoformat(letter["at"])), "dim"),
                    styled(f"{letter['agency'] or 'hub':<10}"),
                    styled(f"{letter.get('stage', '')}: {letter.get('reason', '')}", "red"),
                )
    if none:
        note(styled("there are none", "dim"))


@app.command
def show(
    index: int,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show one dead letter; `caspian log show INDEX --payload` writes what came.

    Parameters
    ----------
    index: int
        Its log index, as listed.

    """
    with connection.client() as client:
        letter = next(iter(_letters(client, after=max(index, 0) - 1)), None)
    if letter is None or letter["index"] != index:
        raise Rejected(
            "entry-unknown", f"{index} is no dead letter", remedy="`caspian dead ls` lists them."
        )
    if json:
        emit(letter)
        return
    for name, value in letter.items():
        if isinstance(value, dict):
            for inner, text in value.items():
                say(styled(f"{name}.{inner}".ljust(20), "dim"), styled(text))
        else:
            say(styled(f"{name:<20}", "dim"), styled(value))


@app.command
def retry(
    index: int,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Put a dead letter into its agency's inbox again; a message is never logged twice.

    Parameters
    ----------
    index: int
        Its log index, as listed.

    """
    with connection.client() as client:
        answer = client.retry(index)
    if json:
        emit({"index": index, **answer})
    else:
        say(styled(f"{index} is in the inbox again, as {answer['inbox']}"))
