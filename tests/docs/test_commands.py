"""Whatever command a page shows can be called so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli import app
from tests.docs.pages import ROOT, blocks, pages

_SHELLS = {"sh", "console", "bash"}
_INLINE = re.compile(r"`caspian ([^`]+)`")


def _lines(page: Path) -> Iterator[str]:
    """Yield the command lines of a page's shell blocks, continued lines joined."""
    for language, body in blocks(page.read_text("utf-8")):
        if language not in _SHELLS:
            continue
        for line in body.replace("\\\n", " ").splitlines():
            yield line.strip().removeprefix("$ ")


def _commands(page: Path) -> Iterator[list[str]]:
    """Yield every call of caspian, as its arguments."""
    for line in _lines(page):
        for part in re.split(r"\||&&|;|\$\(", line):
            found = re.search(r"(?:^|\s)(?:\S*/)?caspian (?=[a-z-])(.*)", part.split("  #")[0])
            if found and not part.lstrip().startswith(("#", "install", "cp", "docker build")):
                arguments = re.split(r"\s[<>]", found[1])[0].rstrip(")").rstrip("\\")
                yield shlex.split(arguments)


def _known(arguments: list[str]) -> None:
    """Parse a call as the command would, without doing it."""
    app.parse_args(arguments, print_error=False, exit_on_error=False)


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_that_is_shown_can_be_called(page: Path) -> None:
    for arguments in _commands(page):
        _known(arguments)


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_that_is_named_exists(page: Path) -> None:
    named = set(_INLINE.findall(page.read_text("utf-8")))
    for text in named:
        words = [w for w in re.split(r"\s+", text) if re.fullmatch(r"[a-z]+", w)]
        command = app
        for word in words[:2]:
            if not any(name for name in command if not name.startswith("-")):
                break  # what follows are its arguments
            assert word in list(command), text
            command = command[word]


def test_the_readme_shows_commands() -> None:
    assert len(list(_commands(ROOT / "README.md"))) >= 8


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for page in pages()
        for target in re.findall(r"(?:`|^|\$ )make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }

    assert named <= targets
