"""``caspian dead``: what the hub could not handle, and no person may overlook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from cyclopts import App

from hub.cli.connection import Connection
from hub.cli.frames import asked, listed
from hub.cli.options import AsJson
from hub.cli.terminal import column, emit, say, styled
from hub.cli.times import both
from hub.cli.words import t
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
        listed(_letters(client), _tell, json=json)


def _tell(letter: dict[str, Any]) -> None:
    say(
        styled(f"{letter['index']:>7}", "bold"),
        styled(both(datetime.fromisoformat(letter["at"])), "dim"),
        column(letter["agency"] or t("hub"), 10),
        styled(f"{letter.get('stage', '')}: {letter.get('reason', '')}", "red"),
    )


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
            "entry-unknown",
            t("{index} is no dead letter", index=index),
            remedy=t("`caspian dead ls` lists them."),
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

    def tell(answer: dict[str, Any]) -> None:
        again = t("{index} is in the inbox again, as {id}", index=index, id=answer["inbox"])
        say(styled(again))

    asked(connection, lambda client: {"index": index, **client.retry(index)}, tell, json=json)
