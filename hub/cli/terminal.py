"""How things are shown: data on standard output, words for people on standard error.

What others have written may hold anything. Whatever of it reaches a terminal goes
through `safe`: no text can move the cursor, change colours, turn the reading
direction of what stands beside it, or be taken for markup.
"""

from __future__ import annotations

import json
import re
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

from hub.errors import HubError, Rejected

__all__ = [
    "Told",
    "emit",
    "note",
    "progress",
    "report",
    "safe",
    "say",
    "styled",
    "table",
]

_DANGEROUS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences begin with one of these
    "\u2028\u2029"  # line ends that are not seen as such
    "\u202a-\u202e\u2066-\u2069"  # overrides and isolates of direction; \u200e and \u200f stay
    "\ud800-\udfff]"  # halves of characters, which cannot be written at all
)
_NOT_A_TERMINAL: Final = 10_000
"""Columns for output into a file or a pipe: nothing is folded or cut there."""


def safe(value: object) -> str:
    r"""Return *value* as text that does nothing to a terminal but stand in it.

    Control characters are written out (``\x1b``), also line ends: one value is one line.
    """
    return _DANGEROUS.sub(lambda m: _written_out(m[0]), str(value))


def _written_out(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def styled(value: object, style: str = "") -> Text:
    """Return *value* made safe, in a style of rich; never read as markup."""
    return Text(safe(value), style=style)


def emit(value: Any) -> None:
    """Write one JSON object as one line of standard output, safe for a terminal too."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    # Outside of strings JSON has none of these, and inside \uXXXX means the same.
    line = _DANGEROUS.sub(lambda m: f"\\u{ord(m[0]):04x}", line)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(*parts: RenderableType) -> None:
    """Write to standard output; texts in a row become one line."""
    _write(sys.stdout, parts)


def note(*parts: RenderableType) -> None:
    """Write to standard error: what people should know and programs should not read."""
    _write(sys.stderr, parts)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table to standard output; cells that are not `Text` are made safe here."""
    grid = Table(*columns, box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in grid.columns:
        column.overflow = "fold"
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else styled(cell) for cell in row))
    _write(sys.stdout, (grid,))


def report(error: HubError) -> None:
    """Write the one block that tells of an error: what it is, where, and what to do."""
    note(styled(f"error {error.code}:", "bold red"), styled(error.detail))
    for finding in error.findings if isinstance(error, Rejected) else ():
        where = f"line {finding.line}" if finding.line is not None else ""
        places = [part for part in (where, finding.rule, finding.path) if part]
        colour = "red" if finding.severity == "error" else "yellow"
        note(styled("  " + "  ".join(places) + ":", colour), styled(finding.message))
    if error.remedy:
        note(styled("what to do:", "bold"), styled(error.remedy))


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
    return buffer.getvalue()


@cache
def _console_of(stream: TextIO) -> Console:
    # A dumb terminal, NO_COLOR and FORCE_COLOR are understood by rich.
    return Console(file=stream, markup=False, highlight=False, emoji=False)
