"""``caspian aid``: what is asked for in an incident, who gives it, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from cyclopts import App, Parameter
from rich.text import Text

from hub.cli.connection import Connection
from hub.cli.entries import marks
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, say, styled, table
from hub.cli.words import t, told

__all__ = ["app"]

app: Final = App(name="aid", help="Show what is asked for, promised and missing.")

_STAGES: Final = {
    "asked": told("ASKED"),
    "offered": told("OFFERED"),
    "accepted": told("ACCEPTED"),
    "committed": told("COMMITTED"),
    "under_way": told("UNDER WAY"),
    "on_site": told("ON SITE"),
    "released": told("RELEASED"),
}


@app.command
def board(
    *,
    incident: Annotated[str, Parameter(help="Only this incident, by its IncidentID.")] = "",
    state: Annotated[str, Parameter(help="Only what this state gives: KZ.")] = "",
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show the aid board by incidents; #12 is the log index of a message behind a figure."""
    with connection.client() as client:
        found = client.aid_board(incident=incident, state=state.upper())["incidents"]
    if json:
        for one in found:
            emit(one)
        return
    if not found:
        note(styled(t("no aid messages are about that"), "dim"))
    for number, one in enumerate(found):
        if number:
            say()
        say(marks(one["status"]) + styled(one["incident"], "bold"))
        rows = [row for line in one["lines"] for row in _rows(line)]
        table((t("RESOURCE"), t("UNIT"), t("STATE"), *map(t, _STAGES.values()), t("GAP")), rows)


def _rows(line: Mapping[str, Any]) -> Iterator[list[str | Text]]:
    """Yield the line of all states, and one for each state that gives."""
    missing = Decimal(line["gap"]["amount"]) > 0
    gap = styled(_figure(line["gap"]), "bold red" if missing else "green")
    yield [
        styled(line["name"] or line["type"], "bold"),
        styled(line["unit"] or "-"),
        t("all"),
        *(_figure(line[stage]) for stage in _STAGES),
        gap if line["asked"]["messages"] else "-",
    ]
    for state, figures in line["states"].items():
        shown = (_figure(figures[s]) if s in figures else "-" for s in _STAGES)
        yield ["", "", state, *shown, ""]


def _figure(figure: Mapping[str, Any]) -> str:
    """Return a figure and the messages behind it."""
    if not figure["messages"]:
        return "-"
    amount = Decimal(figure["amount"])
    words = list(figure.get("words", ()))
    said = "; ".join(words + ([f"{amount:,f}"] if amount or not words else []))
    return f"{said} {' '.join(f'#{index}' for index in figure['messages'])}"
