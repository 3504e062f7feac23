"""Finds what ``--help`` says of each command: its docstring, its options, their groups."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

__all__ = ["helps"]


def helps() -> Iterator[tuple[str, str]]:
    """Return the command and text of everything that help says in English.

    The formatter of the help is asked, as it gets all that is shown.
    """
    # The console reads catalogues, too, and knows nothing of the command line.
    app, helping = import_module("hub.cli").app, import_module("hub.cli.helping")
    text_of, paragraphs = helping.plain_text, helping.paragraphs
    found: list[tuple[str, str]] = []

    class Listening:
        where = ""

        def __call__(self, _console: Any, _options: Any, panel: Any) -> None:
            if not panel.entries:
                return
            shown = (panel.title, *(entry.description for entry in panel.entries))
            found.extend((self.where, text_of(said)) for said in shown)

        def render_usage(self, *_: Any) -> None:
            pass

        def render_description(self, _console: Any, _options: Any, said: Any) -> None:
            found.append((self.where, text_of(said)))

    listening = Listening()
    before, app.help_formatter = app.help_formatter, listening
    epilogue, app.help_epilogue = app.help_epilogue, ""
    try:
        for chain in _commands(app, []):
            listening.where = " ".join(("caspian", *chain))
            app.help_print(chain)
    finally:
        app.help_formatter, app.help_epilogue = before, epilogue
    for where, text in found:
        yield from ((where, one) for one in paragraphs(text) if one)


def _commands(app: Any, chain: list[str]) -> Iterator[list[str]]:
    yield chain
    for name in app:
        if not name.startswith("-"):
            yield from _commands(app[name], [*chain, name])
