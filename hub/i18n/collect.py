"""Finds every text that the code says, and brings the catalogues up to date: ``make texts``.

Texts stand in templates as ``_("…")``, in pages' scripts as ``t("…")``, in Python as ``_("…")``
or ``t("…")``, ``many("…", "…", count)`` where a number decides between forms, and ``told("…")``
where they are only named. What errors mean, and ask for, stands in docs/errors.md; what rules and
errors say in particular is found by `hub.i18n.sentences`, help by `hub.i18n.helps`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_dir
from babel.messages.pofile import read_po, write_po

from hub.i18n.helps import helps
from hub.i18n.languages import LANGUAGES
from hub.i18n.sentences import details, findings, remedies
from hub.i18n.texts import DOMAINS, file_of

__all__ = ["Said", "collected", "main", "refreshed", "script_texts"]

_METHODS: Final[dict[str, list[tuple[str, str]]]] = {
    "": [
        ("console/templates/**.html", "jinja2.ext:babel_extract"),
        ("console/static/**.js", "javascript"),
        ("cli/**.py", "ignore"),
        ("**.py", "python"),
    ],
    "cli": [("cli/**.py", "python")],
}
_KEYWORDS: Final[dict[str, Any]] = {"_": None, "t": None, "told": None, "many": (1, 2)}
_ERRORS: Final = Path("docs", "errors.md")
_ROW: Final = re.compile(r"^\| `([^`]+)` \|[^|]*\|[^|]*\| (.+) \| (.+) \|$", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_WIDTH: Final = 100
_IDLE: Final = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Report-Msgid',
    '"Last-Translator',
    '"Language-Team',
    '"Project-Id',
    '"Generated-By',
)


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """A text that is said somewhere."""

    text: str
    more: str = ""
    """Of several things, where a number decides."""
    context: str = ""

    @property
    def name(self) -> str | tuple[str, str]:
        """What a catalogue knows it by, beside its context."""
        return (self.text, self.more) if self.more else self.text


@cache
def collected(domain: str = "") -> Mapping[Said, list[str]]:
    """Return every text of a domain, and the files that say it; they are looked for once."""
    found: dict[Said, list[str]] = {}
    for path, said in _OTHERS[domain]() if domain in _OTHERS else _found(domain):
        where = found.setdefault(said, [])
        if path not in where:
            where.append(path)
    return dict(sorted(found.items()))


@cache
def script_texts() -> tuple[str, ...]:
    """Return the texts that pages' scripts say, for a page to have them in its language."""
    found = set()
    for one in (files("hub.console") / "static").iterdir():
        if one.name.endswith(".js"):
            found |= {
                text
                for _, text, _, _ in extract(
                    "javascript", BytesIO(one.read_bytes()), keywords=_KEYWORDS
                )
                if isinstance(text, str)
            }
    return tuple(sorted(found))


def _found(domain: str) -> Iterator[tuple[str, Said]]:
    root = Path(str(files("hub")))
    for name, _line, text, _comments, _context in extract_from_dir(
        root,
        method_map=_METHODS[domain],
        keywords=_KEYWORDS,
        options_map={},
        strip_comment_tags=True,
    ):
        if isinstance(text, tuple):
            yield f"hub/{name}", Said(*text)
        elif text:
            yield f"hub/{name}", Said(text)


def _of_errors() -> Iterator[tuple[str, Said]]:
    text = Path(str(files("hub"))).parent.joinpath(_ERRORS).read_text("utf-8")
    for code, meaning, remedy in _ROW.findall(_LINK.sub(r"\1", text)):
        yield str(_ERRORS), Said(meaning, context=code)
        yield str(_ERRORS), Said(remedy, context=f"{code} remedy")


def _told(sentences: Callable[[], Iterator[tuple[str, str]]]) -> Iterator[tuple[str, Said]]:
    return ((where, Said(text)) for where, text in sentences())


def _of_helps() -> Iterator[tuple[str, Said]]:
    """Return what help says, but for what the whole command's own help has translated already."""
    known = {said.text for said in collected("cli")}
    yield from ((where, said) for where, said in _told(helps) if said.text not in known)


_OTHERS: Final[dict[str, Callable[[], Iterator[tuple[str, Said]]]]] = {
    "errors": _of_errors,
    "findings": partial(_told, findings),
    "details": partial(_told, details),
    "remedies": partial(_told, remedies),
    "help": _of_helps,
}
"""The domains whose texts are not marked where they are said."""


def refreshed(code: str, domain: str = "") -> Catalog:
    """Return a language's catalogue with every text that there is, and no other."""
    path = file_of(code, domain)
    known: dict[tuple[Any, Any], Any] = {}
    if path.exists():
        with path.open("rb") as file:
            known = {(m.id, m.context): m.string for m in read_po(file, locale=code)}
    catalogue = Catalog(
        locale=code,
        project="Caspian Hub",
        fuzzy=False,
        header_comment="# Texts of Caspian Hub. docs/languages.md says who has reviewed them.",
    )
    for said, where in collected(domain).items():
        context = said.context or None
        catalogue.add(
            said.name,
            known.get((said.name, context), ""),
            locations=[(path, 0) for path in where],
            context=context,
        )
    return catalogue


def main() -> None:
    """Write all catalogues anew; say what is missing."""
    os.environ["CASPIAN_LANGUAGE"] = "en"  # in which help is written, and is to be found
    for domain in DOMAINS:
        for code in LANGUAGES[1:]:
            _write(refreshed(code, domain), file_of(code, domain))


def _write(catalogue: Catalog, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file,
            catalogue,
            width=_WIDTH,
            omit_header=False,
            sort_output=True,
            include_lineno=False,
        )
    # The dates in the header would change with every run; the rest of it says nothing.
    kept = [
        line
        for line in path.read_text("utf-8").splitlines(keepends=True)
        if not line.startswith(_IDLE)
    ]
    path.write_text("".join(kept), "utf-8")
    missing = [m.id for m in catalogue if m.id and not all(_forms(m.string))]
    sys.stdout.write(
        f"{path.name} of {path.parent.name}: {len(catalogue)} texts, {len(missing)} missing\n"
    )


def _forms(string: Any) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string or ())


if __name__ == "__main__":
    main()
