"""What many commands are: something is asked of a hub, and shown to people or to programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from hub.cli.connection import Connection
from hub.cli.terminal import emit, note, styled, table
from hub.cli.words import t
from hub.client import Client

__all__ = ["asked", "listed", "tabled"]

_Answer = TypeVar("_Answer")


def asked(
    connection: Connection,
    ask: Callable[[Client], _Answer],
    tell: Callable[[_Answer], None],
    *,
    json: bool,
) -> None:
    """Ask a hub; the answer is one object for programs, and told to people.

    Raises:
        Rejected, Unavailable: whatever *ask* does.
    """
    with connection.client() as client:
        answer = ask(client)
    if json:
        emit(answer)
    else:
        tell(answer)


def listed(
    found: Iterable[dict[str, Any]], show: Callable[[dict[str, Any]], None], *, json: bool
) -> None:
    """Show things as they come, each by itself; people are told if there are none."""
    none = True
    for one in found:
        none = False
        if json:
            emit(one)
        else:
            show(one)
    if none and not json:
        note(styled(t("there are none"), "dim"))


def tabled(
    found: Iterable[dict[str, Any]],
    columns: Sequence[str],
    row: Callable[[dict[str, Any]], Sequence[object]],
    *,
    json: bool,
) -> None:
    """Show things in a table, or each as a line for programs."""
    if json:
        for one in found:
            emit(one)
    else:
        table(columns, map(row, found))
