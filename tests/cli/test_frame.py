"""The command as a whole: help, wrong calls, exit codes, and what it imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub.cli import main
from hub.cli.exits import exit_code, worst
from hub.errors import Rejected, Unavailable
from tests.cli.conftest import Caspian

COMMANDS = [
    "ack",
    "backup",
    "completion",
    "consumers",
    "convert",
    "dead",
    "dead ls",
    "dead retry",
    "dead show",
    "demo",
    "doctor",
    "log",
    "log export",
    "log ls",
    "log migrate",
    "log remove-sandbox",
    "log replay",
    "log show",
    "log tiles",
    "log verify",
    "members",
    "members add",
    "members ls",
    "members show",
    "publish",
    "rebuild",
    "restore",
    "serve",
    "show",
    "subs",
    "subs add",
    "subs ls",
    "tail",
    "template",
    "tokens",
    "tokens add",
    "tokens ls",
    "tokens revoke",
    "validate",
    "verify",
    "vocab",
    "vocab ls",
    "vocab show",
]


def test_help_names_every_command_and_the_exit_codes(caspian: Caspian) -> None:
    done = caspian("--help")

    assert done.returncode == 0
    for command in {c.partition(" ")[0] for c in COMMANDS}:
        assert f" {command} " in done.stdout
    assert "3 unavailable" in done.stdout


def test_without_a_command_the_help_is_shown(caspian: Caspian) -> None:
    assert caspian().stdout == caspian("--help").stdout


def test_every_command_explains_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: as many of their own would take most of a minute."""
    monkeypatch.setenv("CASPIAN_LANGUAGE", "en")
    for command in COMMANDS:
        assert main([*command.split(), "--help"]) == 0

        said = capsys.readouterr()
        assert f"Usage: caspian {command}" in said.out
        assert said.err == ""


def test_help_imports_nothing_heavy() -> None:
    heavy = {"fastapi", "faststream", "httpx", "lxml", "pydantic", "redis", "shapely", "sqlalchemy"}
    program = (
        "import sys; from hub.cli import main; main(['--help']);"
        f"print(sorted(set(sys.modules) & {heavy!r}), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stderr.decode().strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("--nope",),
        ("log", "nope"),
        ("log", "ls", "--nope"),
        ("log", "show"),
        ("log", "show", "x"),
        ("log", "ls", "--from"),
        ("tokens", "add", "tsar"),
        ("completion", "cmd.exe"),
    ],
)
def test_a_wrong_call_is_told_in_one_block(caspian: Caspian, arguments: tuple[str, ...]) -> None:
    done = caspian(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith("error usage: ")
    assert second.startswith("what to do: See `caspian")


def test_the_version_is_told(caspian: Caspian) -> None:
    assert caspian("--version").stdout.strip()[0].isdigit()


def test_a_wrong_setting_is_told_by_its_name(caspian: Caspian) -> None:
    done = caspian("log", "ls", env={"CASPIAN_PORT": "many"})

    assert done.returncode == 2
    assert "error settings-invalid: CASPIAN_PORT" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_reader_that_goes_away_is_no_error(environment: dict[str, str], form: str) -> None:
    shell = f"{sys.executable} -m hub.cli log ls --from 0 {form} | true"

    done = subprocess.run(
        ["bash", "-c", shell + "; exit ${PIPESTATUS[0]}"],
        capture_output=True,
        env=environment,
        check=False,
    )

    assert done.stderr == b""
    assert done.returncode in {0, 141}


def test_completion_knows_commands_and_options(caspian: Caspian) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = caspian("completion", shell)

        assert done.returncode == 0
        assert "replay" in done.stdout
        assert "no-payloads" in done.stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Rejected("usage", "x"), 2),
        (Unavailable("settings-invalid", "x"), 2),
        (Unavailable("streams-unavailable", "x"), 3),
        (Rejected("token-missing", "x"), 4),
        (Rejected("token-invalid", "x"), 4),
        (Rejected("token-expired", "x"), 4),
        (Rejected("not-allowed", "x"), 4),
        (Rejected("not-xml", "x"), 5),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: Rejected | Unavailable, code: int) -> None:
    assert exit_code(error) == code


def test_of_several_failures_the_one_to_mend_first_is_told() -> None:
    assert worst(0, 5) == 5
    assert worst(3, 5) == 3
    assert worst(4, 2) == 4
