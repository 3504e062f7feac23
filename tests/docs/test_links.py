"""Whatever one page says of another is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, pages


def _resolves(page: Path, link: str) -> bool:
    target, _, anchor = link.partition("#")
    path = (page.parent / target).resolve() if target else page
    if not path.exists() or not path.is_relative_to(ROOT):
        return False
    return not anchor or path.suffix != ".md" or anchor in anchors(path.read_text("utf-8"))


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in links(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        if not _resolves(page, link):
            broken.append(link)

    assert broken == []


def test_every_page_can_be_found_from_the_readme() -> None:
    start = ROOT / "README.md"
    seen, waiting = {start}, [start]
    while waiting:
        page = waiting.pop()
        for link in links(page.read_text("utf-8")):
            path = (page.parent / link.partition("#")[0]).resolve()
            if path.suffix == ".md" and path.is_file() and path not in seen:
                seen.add(path)
                waiting.append(path)

    assert set(pages()) - seen == set()


def test_the_code_names_only_pages_that_are_there() -> None:
    missing = set()
    for room in ("hub", "schemas", "consumers", "deploy"):
        for path in (ROOT / room).rglob("*"):
            if path.suffix in {".py", ".lua", ".yml", ".conf", ".service"}:
                for name in re.findall(r"docs/[a-z/0-9-]+\.md", path.read_text("utf-8")):
                    if not (ROOT / name).exists():
                        missing.add((str(path.relative_to(ROOT)), name))

    assert missing == set()
