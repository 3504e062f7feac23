"""The project's documentation as tests read it: pages, tables, links, code blocks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(```+|~~~+)(\w*)[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[(?:[^\]]|\\\])*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def without_code(text: str) -> str:
    return _FENCE.sub("", text)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield language and content of every fenced block."""
    for found in _FENCE.finditer(text):
        yield found[2], found[3]


def links(text: str) -> Iterator[str]:
    for found in _LINK.finditer(without_code(text)):
        yield found[1] or found[2]


def anchors(text: str) -> set[str]:
    """Return the names under which a page's headings can be linked to, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(without_code(text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 1
        unique = slug
        while unique in found:
            unique, number = f"{slug}-{number}", number + 1
        found.add(unique)
    return found


def sections(text: str, level: int) -> dict[str, str]:
    """Return a page's sections of one level, by their heading."""
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return {
        head.strip(): re.split(rf"^#{{1,{level - 1}}} ", body, flags=re.MULTILINE)[0]
        if level > 1
        else body
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def rows(text: str) -> list[list[str]]:
    """Return the cells of all table rows, without heads and rules."""
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("|") or re.fullmatch(r"[|\s:-]+", line):
            continue
        if number + 1 < len(lines) and re.fullmatch(r"\|[|\s:-]+", lines[number + 1]):
            continue
        found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))])
    return found


def bare(cell: str) -> str:
    """Return a cell that is one piece of code, without its quotes; empty where it is none."""
    found = re.fullmatch(r"`([^`]+)`", cell)
    return found[1] if found else ""


@cache
def sources() -> dict[Path, ast.Module]:
    """Return every module of the product, parsed."""
    return {
        path: ast.parse(path.read_text("utf-8"))
        for room in ("hub", "schemas", "consumers")
        for path in sorted((ROOT / room).rglob("*.py"))
    }
