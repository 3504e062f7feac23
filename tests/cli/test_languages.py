"""The command line speaks the language of who reads it, and programs read the same in all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from cyclopts.help import HelpEntry, HelpPanel
from rich.cells import cell_len
from rich.console import Console

from hub.cli import terminal, words
from hub.cli.harmless import ISOLATED
from hub.cli.verify_report import show_fault
from hub.errors import Rejected
from hub.i18n import LANGUAGES, texts
from hub.log.faults import Fault, agency
from schemas.remedies import remedy_of
from tests.cli.conftest import Caspian
from tests.cli.hub import Hub
from tests.cli.test_terminal import on_a_terminal
from tests.log.samples import cap

FEED = "ir-ndmo.exercise"
OTHERS = [
    pytest.param(code, marks=[] if code in {"ru", "fa"} else pytest.mark.long)
    for code in LANGUAGES[1:]
]
"""One of each direction each time."""
END = "\x04"
"""Stands behind a context in a catalogue."""
_POSIX = ("LC_ALL", "LC_MESSAGES", "LANG", "CASPIAN_LANGUAGE", "CASPIAN_CONTEXT")


def said(code: str, text: str, /, **values: object) -> str:
    """Return a text of the command line in a language."""
    return texts(code, "cli")(text, **values)


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[pytest.MonkeyPatch]:
    """Give an environment that says nothing of a language."""
    for name in _POSIX:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CASPIAN_CONTEXTS", f"{tmp_path}/contexts.json")
    words.spoken.cache_clear()
    yield monkeypatch
    words.spoken.cache_clear()


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ru_RU", "LC_MESSAGES": "kk_KZ.utf8@x"}, "kk"),
        ({"LANG": "ru_RU", "LC_ALL": "C"}, "en"),
        ({"LANG": "ru_RU", "LC_ALL": ""}, "ru"),
        ({"LC_ALL": "ru_RU.UTF-8", "CASPIAN_LANGUAGE": "fa"}, "fa"),
        ({"LC_ALL": "ru_RU.UTF-8", "CASPIAN_LANGUAGE": "xx"}, "en"),
        ({"CASPIAN_LANGUAGE": "TK"}, "tk"),
    ],
)
def test_the_language_is_that_of_the_environment(
    spoken: pytest.MonkeyPatch, environment: dict[str, str], language: str
) -> None:
    for name, value in environment.items():
        spoken.setenv(name, value)

    assert words.spoken() == language


def test_what_an_output_cannot_write_is_said_in_english(spoken: pytest.MonkeyPatch) -> None:
    spoken.setenv("CASPIAN_LANGUAGE", "ru")
    spoken.setattr(sys, "stdout", TextIOWrapper(BytesIO(), "ascii"))

    assert words.spoken() == "en"


def test_a_context_has_a_language(caspian: Caspian) -> None:
    here = {"CASPIAN_LANGUAGE": "", "LC_ALL": "C.UTF-8"}
    added = ("context", "add", "baku", "--url", "http://127.0.0.1:9", "--token", "csp_x_y")

    caspian(*added, "--language", "ru")
    russian = caspian("context", "use", "baku", env=here).stdout
    caspian("context", "use", "baku", "--language", "kk")
    kazakh = caspian("context", "use", "baku", env=here).stdout
    persian = caspian("context", "use", "baku", env={**here, "CASPIAN_LANGUAGE": "fa"}).stdout

    for code, text in (("ru", russian), ("kk", kazakh), ("fa", persian)):
        assert text == said(code, "{name}, in use", name="baku") + "\n"


@pytest.fixture
def alert(hub: Hub) -> int:
    """Give the number of the one exercise that is to be acknowledged."""
    for line in hub.caspian("unacked", FEED, "--json", who="officer").stdout.splitlines():
        hub.caspian("ack", str(json.loads(line)["index"]), who="officer")
    payload = cap(
        f"l-{uuid.uuid4().hex}", sent=datetime.now(UTC), severity="Severe", status="Exercise"
    )
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=payload)
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["receipt"]["index"])


@pytest.mark.parametrize("code", OTHERS)
def test_what_is_open_is_told_and_acknowledged_in_the_language(
    hub: Hub, alert: int, code: str
) -> None:
    opened = hub.caspian("unacked", FEED, who="officer", CASPIAN_LANGUAGE=code).stdout
    done = hub.caspian("ack", str(alert), who="officer", CASPIAN_LANGUAGE=code).stdout
    again = hub.caspian("ack", str(alert), who="officer", CASPIAN_LANGUAGE=code).stdout
    after = hub.caspian("unacked", FEED, who="officer", CASPIAN_LANGUAGE=code).stdout
    shown = hub.caspian("show", str(alert), who="officer", CASPIAN_LANGUAGE=code).stdout
    report = hub.caspian("handover", FEED, who="officer", CASPIAN_LANGUAGE=code).stdout

    assert said(code, "SEVERITY") in opened
    assert said(code, "acknowledged:") in done
    assert said(code, "was acknowledged before:") in again
    assert said(code, "{feed}: everything is acknowledged", feed=FEED) in after
    assert f"[EXERCISE · {said(code, 'Exercise').upper()}]" in shown
    assert said(code, "nobody is asked to acknowledge it") not in shown
    assert f"{said(code, 'severity')} " in shown
    assert said(code, "Severe") in shown
    assert said(code, "Handover of {feed}", feed=FEED) in report
    assert ("۱۴۰" in shown) == (code == "fa"), "the Persian calendar, for Persians alone"
    for text in (opened, done, again, after, shown, report):
        assert not any(mark in text for mark in ISOLATED), "no terminal"
        assert "\\u206" not in text


@pytest.mark.parametrize("code", OTHERS)
def test_programs_read_the_same_in_all_languages(hub: Hub, alert: int, code: str) -> None:
    def read(language: str, *arguments: str) -> str:
        done = hub.caspian(*arguments, "--json", who="officer", CASPIAN_LANGUAGE=language)
        return re.sub(r'"(until|since)":"[^"]*"', "", done.stdout)

    for call in (("show", str(alert)), ("thread", str(alert)), ("handover", "ir-ndmo.exercise")):
        assert read(code, *call) == read("en", *call) != ""


@pytest.mark.parametrize("code", OTHERS)
def test_the_help_names_what_each_command_is_for(environment: dict[str, str], code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "--help"],
        capture_output=True,
        env={**environment, "CASPIAN_LANGUAGE": code, "COLUMNS": "300"},
        check=True,
    )

    text = done.stdout.decode()
    assert said(code, "For agencies") in text
    assert said(code, "Follow a feed as it is written.") in text


@pytest.mark.usefixtures("log")
def test_persian_on_a_terminal_keeps_directions_apart_and_columns_in_place(
    environment: dict[str, str],
) -> None:
    given = {**environment, "CASPIAN_LANGUAGE": "fa", "COLUMNS": "300"}

    lines = on_a_terminal(["log", "ls", "--from", "0"], given).splitlines()
    plain = on_a_terminal(["log", "ls", "--from", "0"], {**given, "NO_COLOR": "1"})

    for line in lines:
        assert line.count(ISOLATED[0]) == line.count(ISOLATED[1]) > 0
        assert "\\u206" not in line.replace("\\u202e", "")
    assert "\x1b[3" not in plain


def test_columns_of_a_persian_table_are_as_wide_as_what_is_seen(
    spoken: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoken.setenv("CASPIAN_LANGUAGE", "fa")

    terminal.table((words.t("STATE"), "ID"), [(words.t("Draft"), "a"), ("az-fhn", "b")])

    ends = [cell_len(line[: line.rindex(" ") + 1]) for line in capsys.readouterr().out.splitlines()]
    assert ends == [cell_len(said("fa", "Draft")) + 2] * 3


@pytest.mark.parametrize("code", OTHERS)
def test_a_command_that_is_called_wrongly_is_told_so(caspian: Caspian, code: str) -> None:
    done = caspian("tail", "--limit", "0", env={"CASPIAN_LANGUAGE": code})

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"{said(code, 'error {code}:', code='usage')} {said(code, '--limit is at least 1')}",
        f"{said(code, 'what to do:')} {said(code, 'Leave it out to follow for ever.')}",
    ]


@pytest.mark.parametrize("code", OTHERS)
def test_an_error_says_what_its_code_means_and_beside_it_what_is_particular(
    caspian: Caspian, tmp_path: Path, code: str
) -> None:
    (tmp_path / "bad.xml").write_text("<alert>")
    done = caspian("validate", "bad.xml", "empty.xml", env={"CASPIAN_LANGUAGE": code})
    away = caspian("log", "ls", env={"CASPIAN_LANGUAGE": code})

    assert done.returncode == 2
    assert said(code, "not valid") in done.stdout
    assert said(code, "what to do:") in done.stdout
    assert away.returncode == 3
    first, *rest = away.stderr.splitlines()
    assert first.startswith(said(code, "error {code}:", code="log-missing"))
    assert "log.db" in away.stderr
    assert rest


@pytest.mark.parametrize("code", OTHERS)
def test_the_help_of_a_command_is_in_the_language(caspian: Caspian, code: str) -> None:
    wide = {"CASPIAN_LANGUAGE": code, "COLUMNS": "300"}
    helped = texts(code, "help")

    single = caspian("ack", "--help", env=wide).stdout
    group = caspian("log", "--help", env=wide).stdout
    long = caspian("redis", "acl", "--help", env=wide).stdout

    assert said(code, "Usage: {usage}", usage="caspian ack [OPTIONS] NAME") in single
    assert said(code, "Acknowledge a message in your name.") in single
    assert f"--note STR     {helped('What you have to say to the sender.')}" in single
    assert helped("Arguments") in single
    assert said(code, "[required]") in single
    assert helped("Take the log out into a file.") in group
    assert "CASPIAN_REDIS_URL" in long.replace("\n", " ")
    for text in (single, group, long):
        assert not any(mark in text for mark in ISOLATED), "no terminal"
        assert "Display this message" not in text


def test_help_in_persian_keeps_directions_apart_on_a_terminal(
    spoken: pytest.MonkeyPatch,
) -> None:
    spoken.setenv("CASPIAN_LANGUAGE", "fa")
    from hub.cli import helping  # noqa: PLC0415 - English needs none of it

    def shown(*, terminal: bool) -> str:
        out = StringIO()
        console = Console(file=out, width=60, force_terminal=terminal, color_system=None)
        helped = helping.TranslatedHelp()
        helped.render_usage(console, console.options, "caspian ack NAME")
        helped.render_description(
            console, console.options, "The language of the names; where there is none, English."
        )
        entry = HelpEntry(positive_names=("--to",), description="The file.", choices=("a", "b"))
        panel = HelpPanel(format="parameter", title="Parameters", entries=[entry])
        helped(console, console.options, panel)
        return out.getvalue()

    there = shown(terminal=True)
    plain = shown(terminal=False)

    for text in (
        said("fa", "Usage: {usage}", usage=f"{ISOLATED[0]}caspian ack NAME{ISOLATED[1]}"),
    ):
        assert f"{ISOLATED[0]}{text}{ISOLATED[1]}" in there
    assert f"{ISOLATED[0]}{texts('fa', 'help')('The file.')} " in there
    assert not any(mark in plain for mark in ISOLATED)
    assert texts("fa", "help")("Parameters") in plain


@pytest.mark.parametrize("code", OTHERS)
def test_a_fault_of_a_log_and_whose_doing_it_is_are_told_in_the_language(
    spoken: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    spoken.setenv("CASPIAN_LANGUAGE", code)
    fault = Fault(7, "answer", "it was answered twice", agency("az-fhn"))

    show_fault(fault)
    told = capsys.readouterr().out
    show_fault(fault, json=True)
    to_programs = json.loads(capsys.readouterr().out)

    assert texts(code, "details")("it was answered twice") in told
    assert said(code, "the agency {name}", name="az-fhn") in told
    assert to_programs["fault"]["detail"] == "it was answered twice"
    assert to_programs["fault"]["culprit"] == "agency az-fhn"


@pytest.mark.parametrize("code", OTHERS)
def test_what_cyclopts_says_of_a_wrong_call_is_told_in_the_language(
    caspian: Caspian, code: str
) -> None:
    done = caspian("ack", "--nothing", env={"CASPIAN_LANGUAGE": code})

    what = texts(code, "details")("Unknown option: {option}.", option="--nothing")
    assert what in "".join(c for c in done.stderr if c not in ISOLATED)


@pytest.mark.parametrize("code", OTHERS)
def test_what_a_hub_refuses_is_told_in_the_language(hub: Hub, code: str) -> None:
    done = hub.caspian("show", "999999", who="officer", CASPIAN_LANGUAGE=code)

    what = texts(code, "details")("there is no message {name}", name="999999")
    assert done.stderr.splitlines()[0] == (
        f"{said(code, 'error {code}:', code='unknown-message')} {what}"
    )


@pytest.mark.parametrize("code", OTHERS)
def test_what_the_catalogues_do_not_know_stands_beside_what_the_code_means(
    spoken: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    spoken.setenv("CASPIAN_LANGUAGE", code)
    meant = texts(code, "errors").by_name

    terminal.report(Rejected("unknown-message", "of a later hub", remedy="Do as it says."))

    assert capsys.readouterr().err.splitlines() == [
        f"{said(code, 'error {code}:', code='unknown-message')} {meant['unknown-message' + END]}",
        "  of a later hub",
        f"{said(code, 'what to do:')} {meant['unknown-message remedy' + END]}",
        "  Do as it says.",
    ]


@pytest.mark.parametrize("code", OTHERS)
def test_findings_and_their_remedies_are_told_in_the_language_and_in_english_to_programs(
    caspian: Caspian, tmp_path: Path, code: str
) -> None:
    bad = cap("l-1").replace(b"<scope>Public</scope>", b"<scope>Private</scope>")
    (tmp_path / "bad.xml").write_bytes(bad)

    def read(language: str, *options: str) -> str:
        return caspian("validate", "bad.xml", *options, env={"CASPIAN_LANGUAGE": language}).stdout

    assert texts(code, "findings")("scope Private needs addresses") in read(code)
    assert texts(code, "remedies")(remedy_of("R07")) in read(code)
    assert read(code, "--json") == read("en", "--json") != ""
    assert "scope Private needs addresses" in read("en")


@pytest.mark.parametrize(
    ("code", "told"), [("en", "a library's own"), ("ru", "по-английски: a library's own")]
)
def test_what_a_parser_says_is_quoted(spoken: pytest.MonkeyPatch, code: str, told: str) -> None:
    spoken.setenv("CASPIAN_LANGUAGE", code)

    assert words.found("a library's own") == told


def test_values_in_a_sentence_stand_apart_where_one_reads_from_right_to_left(
    spoken: pytest.MonkeyPatch,
) -> None:
    spoken.setenv("CASPIAN_LANGUAGE", "fa")

    told = words.translated("there is no message \x1b[31mred")

    assert told == f"پیام {ISOLATED[0]}\\x1b[31mred{ISOLATED[1]} نیست"
    assert words.plain(told) == "there is no message \x1b[31mred"


@pytest.mark.parametrize("code", OTHERS)
def test_what_is_looked_at_is_told_in_the_language_and_the_same_to_programs(
    caspian: Caspian, code: str
) -> None:
    def read(language: str, *options: str) -> str:
        return caspian("doctor", *options, env={"CASPIAN_LANGUAGE": language}).stdout

    assert said(code, "what to do:") in read(code)
    assert said(code, "settings") in read(code)
    english, other = (
        [json.loads(line) for line in read(language, "--json").splitlines()]
        for language in ("en", code)
    )
    assert [(c["check"], c["remedy"]) for c in other] == [
        (c["check"], c["remedy"]) for c in english
    ]
