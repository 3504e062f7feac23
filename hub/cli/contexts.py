"""``caspian context``: the addresses of hubs, and who one is there, under names.

A file that only its owner can read: ``$XDG_CONFIG_HOME/caspian/contexts.json``
(``~/.config``), or the one that ``CASPIAN_CONTEXTS`` names. What stands on the command line
counts first, then the environment, then the context.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from hub.cli.context_file import Context, Contexts, read_contexts, write_contexts
from hub.cli.exits import usage
from hub.cli.frames import tabled
from hub.cli.options import AsJson
from hub.cli.terminal import note, say, styled
from hub.cli.words import t

__all__ = ["app"]

app: Final = App(name="context", help="Keep the addresses of hubs, and who you are there.")
_Language = Annotated[
    Literal["en", "ru", "az", "kk", "tk", "fa", ""],
    Parameter(help="In which the command line speaks there; empty: that of the environment."),
]
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@app.command
def ls(*, json: AsJson = False) -> None:
    """List the contexts; the one in use has a mark. Tokens are not shown."""
    found = read_contexts()
    all_ = (
        {
            "name": name,
            "url": one.url,
            "used": name == found.current,
            "token": one.hint,
            "language": one.language or None,
        }
        for name, one in sorted(found.contexts.items())
    )
    tabled(all_, ("", t("NAME"), t("HUB"), t("TOKEN"), t("LANGUAGE")), _row, json=json)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        "*" if one["used"] else "",
        styled(one["name"], "bold"),
        one["url"],
        one["token"],
        one["language"] or "",
    )


@app.command
def add(
    name: str,
    /,
    *,
    url: Annotated[str, Parameter(help="Where the hub is: https://hub.example.org.")],
    token: Annotated[
        str | None,
        Parameter(help="Who you are there; better left out and written to standard input."),
    ] = None,
    language: _Language = "",
) -> None:
    """Keep a hub and a token under a name, and use it from now on.

    The token is read from standard input where it is not given.

    Parameters
    ----------
    name: str
        The context's name.

    """
    if not _NAME.fullmatch(name):
        raise usage(
            t("{name} is no name", name=repr(name)),
            remedy=t("Take letters, digits, and - _ . between them."),
        )
    if token is None:
        if sys.stdin.isatty():
            note(styled(t("the token, and Enter:"), "bold"))
        token = sys.stdin.readline()
    token = token.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise usage(t("that is no token"), remedy=t("Copy it again, whole and alone: csp_…"))
    found = read_contexts()
    kept = {**found.contexts, name: Context(url, token, language)}
    write_contexts(Contexts(name, kept))
    say(styled(t("{name}: {url}, in use", name=name, url=url)))


@app.command
def use(name: str, /, *, language: _Language | None = None) -> None:
    """Use a context from now on, and speak as before there, or in another language.

    Parameters
    ----------
    name: str
        The context's name.

    """
    found = read_contexts()
    one = found.named(name)
    if language is not None:
        one = replace(one, language=language)
    write_contexts(Contexts(name, {**found.contexts, name: one}))
    say(styled(t("{name}, in use", name=name)))


@app.command
def rm(name: str, /) -> None:
    """Forget a context and its token. The token itself still works: have it revoked.

    Parameters
    ----------
    name: str
        The context's name.

    """
    found = read_contexts()
    found.named(name)
    kept = {n: one for n, one in found.contexts.items() if n != name}
    write_contexts(Contexts("" if found.current == name else found.current, kept))
    say(styled(t("{name} is forgotten", name=name)))
