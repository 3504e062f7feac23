"""No text of others can do anything to a terminal but stand in it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from contextlib import redirect_stdout
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cli import terminal
from hub.cli.terminal import safe, styled


@given(st.text(st.characters()))
def test_nothing_that_is_safe_holds_a_control_character(text: str) -> None:
    for char in safe(text):
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(char) not in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Xəzər dənizi", "هشدار\u200c دریا", "Мұнай төгілуі", "Ýangyn", "1\u200e2", "😀"]
)
def test_the_letters_of_the_languages_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


def test_one_value_is_one_line() -> None:
    assert safe("a\nb\tc\x1b[2J") == "a\\x0ab\\x09c\\x1b[2J"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_lines_are_one_safe_line_and_say_the_same(text: str) -> None:
    program_output = _emitted({"text": text})

    assert program_output.endswith("\n")
    assert safe(program_output[:-1]) == program_output[:-1]
    assert json.loads(program_output) == {"text": text}


def _emitted(value: object) -> str:
    with redirect_stdout(StringIO()) as out:
        terminal.emit(value)
    return out.getvalue()


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    assert styled("[bold]x[/bold] :warning:").plain == "[bold]x[/bold] :warning:"


def on_a_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """Return what a command writes to its terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "hub.cli", *arguments],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment,
    ) as process:
        os.close(its)
        written = bytearray()
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            written += piece
        process.wait(60)
    os.close(ours)
    return written.decode()


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("arguments", [["ls", "--from", "0"], ["show", "5"], ["show", "6"]])
def test_a_terminal_gets_colours_of_ours_and_nothing_of_theirs(
    arguments: list[str], environment: dict[str, str]
) -> None:
    written = on_a_terminal(["log", *arguments], {**environment, "COLUMNS": "200"})

    plain = _without_our_colours(written)
    assert plain != written
    assert safe(plain.replace("\r\n", "")) == plain.replace("\r\n", "")


@pytest.mark.usefixtures("log")
def test_no_color_is_honoured(environment: dict[str, str]) -> None:
    written = on_a_terminal(["log", "ls", "--from", "0"], {**environment, "NO_COLOR": "1"})

    assert "\x1b[3" not in written
    assert "\x1b[4" not in written


@pytest.mark.usefixtures("log")
def test_a_payload_cannot_reach_a_terminal_as_it_is(environment: dict[str, str]) -> None:
    written = on_a_terminal(["log", "show", "5", "--payload"], environment)

    assert "\x9b" not in written
    assert "\\x9b2J" in written


def _without_our_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
