"""Finds every text that the code says, and brings the catalogues up to date: ``make texts``.

Texts stand in templates as ``_("…")``, in pages' scripts as ``t("…")``, in Python as ``_("…")``
or ``told("…")`` where they are only named.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_dir
from babel.messages.pofile import read_po, write_po

from hub.i18n.languages import LANGUAGES
from hub.i18n.texts import LOCALE

__all__ = ["collected", "main", "refreshed", "script_texts"]

_METHODS: Final = [
    ("**/console/templates/**.html", "jinja2.ext:babel_extract"),
    ("**/console/static/**.js", "javascript"),
    ("**.py", "python"),
]
_KEYWORDS: Final[dict[str, Any]] = {"_": None, "t": None, "told": None}
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


def collected() -> dict[str, list[str]]:
    """Return every text, and the files that say it."""
    found: dict[str, list[str]] = {}
    for path, text in _found():
        where = found.setdefault(text, [])
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


def _found() -> Iterator[tuple[str, str]]:
    root = Path(str(files("hub")))
    for name, _line, text, _comments, _context in extract_from_dir(
        root, method_map=_METHODS, keywords=_KEYWORDS, options_map={}, strip_comment_tags=True
    ):
        if isinstance(text, str) and text:
            yield f"hub/{name}", text


def refreshed(code: str) -> Catalog:
    """Return a language's catalogue with every text that there is, and no other."""
    path = Path(str(LOCALE / f"{code}.po"))
    with path.open("rb") as file:
        known = {m.id: m.string for m in read_po(file, locale=code)}
    catalogue = Catalog(
        locale=code,
        project="Caspian Hub",
        fuzzy=False,
        header_comment="# Texts of Caspian Hub. docs/languages.md says who has reviewed them.",
    )
    for text, where in collected().items():
        catalogue.add(text, known.get(text, ""), locations=[(path, 0) for path in where])
    return catalogue


def main() -> None:
    """Write all catalogues anew; say what is missing."""
    for code in LANGUAGES[1:]:
        catalogue = refreshed(code)
        path = Path(str(LOCALE / f"{code}.po"))
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
        missing = [m.id for m in catalogue if m.id and not m.string]
        sys.stdout.write(f"{code}: {len(catalogue)} texts, {len(missing)} missing\n")


if __name__ == "__main__":
    main()
