"""``caspian vocab``: the code lists that messages use, to look a code up without a hub."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli.exits import usage
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, say, styled, table
from hub.cli.words import joined, t
from schemas.vocab import Term, Vocabulary, vocabularies, vocabulary

__all__ = ["app"]

app: Final = App(name="vocab", help="Look up the codes that messages use, without a hub.")


@app.command
def ls(*, json: AsJson = False) -> None:
    """List the vocabularies, each with its version and where it is from."""
    every = [vocabulary(name) for name in vocabularies()]
    if json:
        for one in every:
            emit(_head(one))
        return
    table(
        (t("NAME"), t("VERSION"), t("TERMS"), t("SOURCE")),
        (
            (styled(one.name, "bold"), one.version, len(one.terms) + len(one.others), one.source)
            for one in every
        ),
    )


@app.command
def show(
    name: str,
    /,
    *,
    search: Annotated[
        str | None, Parameter(help="Only codes and names, in any language, that hold this text.")
    ] = None,
    language: Annotated[
        str, Parameter(help="The language of the names; where there is none, English.")
    ] = "en",
    json: AsJson = False,
) -> None:
    """Show a vocabulary's terms; of a term that belongs under another, under which.

    Parameters
    ----------
    name: str
        Its name, as `caspian vocab ls` shows it.

    """
    found = _named(name)
    terms = [term for term in found.terms.values() if search is None or _holds(term, search)]
    if json:
        for term in terms:
            emit(_object(term))
        return
    note(styled(f"{found.title}, {found.version}: {', '.join(found.urns)}", "bold"))
    note(
        styled(
            t("Source: {source}. Licence: {licence}.", source=found.source, licence=found.licence),
            "dim",
        )
    )
    if terms:
        table(
            (t("CODE"), t("NAME"), t("UNDER"), t("MORE")), (_row(term, language) for term in terms)
        )
    elif search is not None and search.strip() in found.others:
        say(
            styled(search.strip(), "bold"), styled(t("is a code of the list; its name is not here"))
        )
    else:
        note(styled(t("there are none"), "dim"))


def _named(name: str) -> Vocabulary:
    try:
        return vocabulary(name)
    except KeyError:
        names = vocabularies()
        near = get_close_matches(name[:64], names, n=1)
        raise usage(
            t("{name} is no vocabulary", name=name),
            remedy=t("Did you mean {near}?", near=near[0])
            if near
            else t("There are {names}.", names=", ".join(names)),
        ) from None


def _holds(term: Term, text: str) -> bool:
    wanted = text.strip().casefold()
    return any(wanted in one.casefold() for one in (term.code, *term.labels.values()))


def _row(term: Term, language: str) -> tuple[object, ...]:
    gone = term.deprecated is not None
    return (
        styled(term.code, "dim" if gone else "bold"),
        styled(term.label(language), "dim" if gone else ""),
        term.parent or "",
        joined("; ", _more(term)),
    )


def _more(term: Term) -> Iterator[str]:
    if term.deprecated is not None:
        yield t("retired, use {code}", code=term.deprecated)
    for name, value in term.facts.items():
        yield f"{name} {value}"


def _head(one: Vocabulary) -> dict[str, Any]:
    return {
        "name": one.name,
        "urns": one.urns,
        "title": one.title,
        "version": one.version,
        "source": one.source,
        "licence": one.licence,
        "whole": one.whole,
        "terms": len(one.terms),
        "others": len(one.others),
    }


def _object(term: Term) -> dict[str, Any]:
    return {
        "code": term.code,
        "labels": dict(term.labels),
        "parent": term.parent,
        "deprecated": term.deprecated,
        "facts": dict(term.facts),
    }
