"""How ``--help`` of a command speaks the reader's language: each text is translated as it is shown.

The texts stand where the commands do, in English, as docstrings and beside their options:
`hub.i18n.helps` finds them. In English nothing of this is used, nor imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel
from cyclopts.help.specs import DescriptionColumn, get_default_parameter_columns
from rich.text import Text

from hub.cli.harmless import ISOLATED
from hub.cli.words import is_rtl, spoken, t
from hub.i18n import texts

if TYPE_CHECKING:
    from cyclopts.help.specs import ColumnSpec
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

__all__ = ["TranslatedHelp", "paragraphs", "plain_text"]


class TranslatedHelp(DefaultFormatter):
    """Writes the help of a command in the reader's language."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Write one panel: commands, arguments or options with what they are."""
        title = Text(_translated(plain_text(panel.title)))
        formatter = DefaultFormatter(column_specs=_columns)
        formatter(console, options, evolve(panel, title=title))

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """Write how the command is called."""
        del options
        if usage:
            text = Text(t("Usage: {usage}", usage=plain_text(usage)), style="bold")
            console.print(_shown(text))
            console.print()

    def render_description(self, console: Console, options: ConsoleOptions, said: Any) -> None:
        """Write what the command does."""
        del options
        if text := plain_text(said):
            console.print(_shown(Text(_translated(text))))
            console.print()


def plain_text(said: Any) -> str:
    """Return the text of what Cyclopts holds as a text, in whichever form."""
    said = getattr(said, "primary_renderable", said)
    return str(getattr(said, "plain", said) or "").strip() if said else ""


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, each in one line: what a catalogue knows them by."""
    return [" ".join(one.split()) for one in text.split("\n\n")]


def _translated(text: str) -> str:
    """Return a text in the language, as it is where it has been translated already."""
    helped, said = texts(spoken(), "help").by_name, texts(spoken(), "cli").by_name
    return "\n\n".join(helped.get(one) or said.get(one) or one for one in paragraphs(text))


def _columns(
    console: Console, options: ConsoleOptions, entries: list[HelpEntry]
) -> tuple[ColumnSpec, ...]:
    columns = get_default_parameter_columns(console, options, entries)
    return tuple(
        evolve(one, renderer=_described) if one is DescriptionColumn else one for one in columns
    )


_DETAIL: Final = "cyclopts.default"
_WITHOUT: Final = dict.fromkeys(map(ord, ISOLATED))


def _described(entry: HelpEntry) -> RenderableType:
    """Return what an option or command is, and behind it what can be given."""
    parts = [Text(_translated(plain_text(entry.description)))]
    if entry.choices:
        parts.append(Text(t("[choices: {choices}]", choices=", ".join(entry.choices)), _DETAIL))
    if entry.default is not None:
        parts.append(Text(t("[default: {value}]", value=entry.default), _DETAIL))
    if entry.required:
        parts.append(Text(t("[required]"), "cyclopts.required"))
    return _shown(Text(" ").join(part for part in parts if part.plain))


def _shown(text: Text) -> RenderableType:
    return _Apart(text) if is_rtl() else text


class _Apart:
    """A text each line of which has its own reading direction, whatever stands beside it.

    In a file or a pipe it has none: there it would not be seen to work.
    """

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not console.is_terminal:
            yield Text(self._text.plain.translate(_WITHOUT))
            return
        for line in self._text.wrap(console, options.max_width):
            line.rstrip()
            yield Text.assemble(ISOLATED[0], line, ISOLATED[1]) if line.plain else line
