"""What many commands are: something is looked up, and shown to people or to programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from hub.cli.terminal import emit, note, styled, table
from hub.cli.words import t

if TYPE_CHECKING:  # a command that asks no hub has no use for its client
    from hub.cli.connection import Connection
    from hub.client import Client

__all__ = ["asked", "listed", "tabled"]

_Answer = TypeVar("_Answer")
_Thing = TypeVar("_Thing")


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
        _none()


def tabled(
    found: Iterable[_Thing],
    columns: Sequence[str],
    row: Callable[[_Thing], Sequence[object]],
    *,
    json: bool,
    record: Callable[[_Thing], Any] = lambda one: one,
) -> None:
    """Show things in a table, or each as a line for programs, to which *record* makes it.

    People are told if there are none.
    """
    if json:
        for one in found:
            emit(record(one))
    elif rows := [row(one) for one in found]:
        table(columns, rows)
    else:
        _none()


def _none() -> None:
    note(styled(t("there are none"), "dim"))
