"""``caspian escalations``: what was not acknowledged in time, and who was told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import Parameter

from hub.cli.connection import Connection
from hub.cli.entries import marks
from hub.cli.options import AsJson
from hub.cli.terminal import emit, say, styled, table
from hub.cli.times import both
from hub.cli.words import t, told

__all__ = ["escalations"]

_PAGE = 1000
_TOLD = {
    1: told("second contact"),
    2: told("state authority"),
    3: told("hub's operator and sender"),
}


def escalations(
    *,
    after: Annotated[int, Parameter(help="Only those after this log index.")] = -1,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show who had not acknowledged what in time, and who was told, oldest first.

    An agency sees what it should have acknowledged itself, and what it sent.
    """
    found = []
    with connection.client() as client:
        while True:
            page = client.escalations(after=after, limit=_PAGE)
            found += page["escalations"]
            if len(page["escalations"]) < _PAGE:
                break
            after = page["next"]
    if json:
        for one in found:
            emit(one)
        return
    if not found:
        say(styled(t("everything was acknowledged in time"), "green"))
        return
    table(
        (t("LOGGED"), t("NOT ACKNOWLEDGED BY"), t("TOLD"), t("MESSAGES"), t("OF")),
        (
            (
                both(datetime.fromisoformat(one["at"])),
                marks(one["status"]) + styled(one["recipient"], "bold"),
                _whom(one["step"]),
                " ".join(f"#{index}" for index in one["messages"]),
                one["of"],
            )
            for one in found
        ),
    )


def _whom(step: int) -> str:
    known = _TOLD.get(step)
    return t(known) if known else str(step)
