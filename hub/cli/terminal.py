"""How things are shown: data on standard output, words for people on standard error.

What others have written may hold anything. Whatever of it reaches a terminal goes
through `safe`: no text can move the cursor, change colours, turn the reading
direction of what stands beside it, or be taken for markup. Words of ours (`hub.cli.words`) are in
the reader's language; where that is read from right to left, everything else stands apart from it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import StringIO
from typing import Any, Final, Protocol, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from hub.cli.harmless import DANGEROUS, ISOLATED, apart, safe
from hub.cli.words import Words, found, is_rtl, meaning, t, translated
from hub.errors import HubError, Rejected

__all__ = [
    "Told",
    "column",
    "emit",
    "fields",
    "note",
    "progress",
    "report",
    "safe",
    "say",
    "styled",
    "table",
    "verbatim",
]

_NOT_A_TERMINAL: Final = 10_000
"""Columns for output into a file or a pipe: nothing is folded or cut there."""
_WITHOUT: Final = dict.fromkeys(map(ord, ISOLATED))


def styled(value: object, style: str = "") -> Text:
    """Return *value* made safe, in a style of rich; never read as markup."""
    if isinstance(value, Words):
        return Text(value, style=style)
    return Text(apart(safe(value)) if is_rtl() else safe(value), style=style)


def verbatim(value: object) -> Text:
    """Return *value*, made safe, to be copied from the terminal: nothing stands around it."""
    return Text(safe(value))


def emit(value: Any) -> None:
    """Write one JSON object as one line of standard output, safe for a terminal too."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    # Outside of strings JSON has none of these, and inside \uXXXX means the same.
    line = DANGEROUS.sub(lambda m: f"\\u{ord(m[0]):04x}", line)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(*parts: RenderableType) -> None:
    """Write to standard output; texts in a row become one line."""
    _write(sys.stdout, parts)


def note(*parts: RenderableType) -> None:
    """Write to standard error: what people should know and programs should not read."""
    _write(sys.stderr, parts)


def column(value: object, width: int, style: str = "") -> Text:
    """Return *value* as `styled` does, with blanks up to so many columns of the terminal."""
    text = styled(value, style)
    text.pad_right(max(0, width - text.cell_len))
    return text


def fields(rows: Iterable[tuple[object, object]], *, width: int, indent: int = 0) -> None:
    """Write names and values, each pair a line; the values stand beneath each other."""
    rows = list(rows)
    width = max(width, max((styled(name).cell_len for name, _ in rows), default=0))
    for name, value in rows:
        title = Text(" " * indent) + column(name, width, "dim")
        say(title, value if isinstance(value, Text) else styled(value))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table to standard output; cells that are not `Text` are made safe here."""
    grid = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(_cell(column), overflow="fold")
    for row in rows:
        grid.add_row(*map(_cell, row))
    _write(sys.stdout, (grid,))


def _cell(value: object) -> Text:
    """Return a cell; where words run from right to left, columns still keep their places."""
    if isinstance(value, Words) and is_rtl():
        return Text(apart(value))
    return value if isinstance(value, Text) else styled(value)


def report(error: HubError) -> None:
    """Write the one block that tells of an error: what it is, where, and what to do.

    Where what is particular is not known in the reader's language it stands as the hub said it,
    and before it what the code means.
    """
    detail, remedy = translated(error.detail), translated(error.remedy)
    known = None if isinstance(detail, Words) else meaning(error.code)
    note(
        styled(t("error {code}:", code=error.code), "bold red"),
        styled(known[0] if known else detail),
    )
    if known and detail:
        note(Text("  ") + styled(detail))
    for finding in error.findings if isinstance(error, Rejected) else ():
        where = t("line {number}", number=finding.line) if finding.line is not None else ""
        places = [part for part in (where, finding.rule, finding.path) if part]
        colour = "red" if finding.severity == "error" else "yellow"
        note(styled("  " + "  ".join(places) + ":", colour), styled(found(finding.message)))
    known = None if isinstance(remedy, Words) else meaning(error.code)
    if known or remedy:
        note(styled(t("what to do:"), "bold"), styled(known[1] if known else remedy))
    if known and remedy:
        note(Text("  ") + styled(remedy))


class Told(Protocol):
    """What a long run calls to say how far it is."""

    def __call__(self, done: int, total: int | None = None, /) -> None:
        """Say how many are done, and of how many if that has changed."""


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Told]:
    """Show how far a long run has come, on standard error and only on a terminal."""
    console = _console_of(sys.stderr)
    if not console.is_terminal:
        yield lambda _done, _total=None, /: None
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task(safe(what), total=total)

        def told(done: int, total: int | None = None, /) -> None:
            bar.update(task, completed=done, total=total)

        yield told


def _write(stream: TextIO, parts: Sequence[RenderableType]) -> None:
    text = _rendered(stream, parts)
    stream.write("".join(line.rstrip() + "\n" for line in text.splitlines()))
    stream.flush()


def _rendered(stream: TextIO, parts: Sequence[RenderableType]) -> str:
    """Render for a stream without writing: a broken pipe is then the caller's to see."""
    real = _console_of(stream)
    buffer = StringIO()
    console = Console(
        file=buffer,
        width=real.width if real.is_terminal else _NOT_A_TERMINAL,
        force_terminal=real.is_terminal,
        color_system=real.color_system,  # type: ignore[arg-type]  # rich's own names
        no_color=real.no_color,
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(*parts, soft_wrap=not any(isinstance(part, Table | Tree) for part in parts))
    text = buffer.getvalue()
    # A file or a pipe is not where they would be seen to work.
    return text if real.is_terminal else text.translate(_WITHOUT)


@cache
def _console_of(stream: TextIO) -> Console:
    # A dumb terminal, NO_COLOR and FORCE_COLOR are understood by rich.
    return Console(file=stream, markup=False, highlight=False, emoji=False)
