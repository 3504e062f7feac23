"""``caspian context``: hubs and tokens under names, for their owner's eyes alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Caspian
from tests.cli.hub import Hub


@pytest.fixture
def bare(hub: Hub, caspian: Caspian, tmp_path: Path) -> Caspian:
    """Give the command with a context for the hub, and nothing else that says where it is."""
    done = caspian("context", "add", "baku", "--url", hub.url, stdin=hub.tokens["officer"] + "\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"baku: {hub.url}, in use\n"
    assert (tmp_path / ".config/caspian/contexts.json").stat().st_mode & 0o777 == 0o600
    return caspian


def test_a_context_says_where_the_hub_is_and_who_asks(bare: Caspian) -> None:
    done = bare("unacked", "--json")

    assert done.returncode == 0, done.stderr


def test_tokens_are_never_shown(bare: Caspian, hub: Hub) -> None:
    token = hub.tokens["officer"]

    shown = [bare("context", "ls").stdout, bare("context", "ls", "--json").stdout]

    assert all(token.split("_", 2)[2] not in text for text in shown)
    assert all(token.split("_", 2)[1] in text for text in shown)
    assert json.loads(shown[1])["used"] is True


def test_another_context_is_used_by_name_or_from_now_on(bare: Caspian) -> None:
    bare("context", "add", "away", "--url", "http://127.0.0.1:9", "--token", "csp_x_y")

    assert bare("unacked", "--within", "0").returncode == 3
    assert bare("unacked", "--context", "baku").returncode == 0
    assert bare("unacked", env={"CASPIAN_CONTEXT": "baku"}).returncode == 0
    assert bare("context", "use", "baku").returncode == 0
    assert bare("unacked").returncode == 0


def test_the_environment_and_the_command_line_come_before(bare: Caspian, hub: Hub) -> None:
    other = {"CASPIAN_TOKEN": hub.tokens["operator"]}

    assert bare("dead", "ls", env=other).returncode == 0
    assert bare("unacked", "--token", "csp_wrong_one").returncode == 4
    named = bare("unacked", "--context", "baku", env={"CASPIAN_TOKEN": "csp_wrong_one"})
    assert named.returncode == 0


def test_a_token_goes_to_no_other_hub(bare: Caspian) -> None:
    done = bare("unacked", "--within", "0", env={"CASPIAN_URL": "http://127.0.0.1:9"})

    assert done.returncode == 4
    assert "there is no token" in done.stderr


def test_what_is_forgotten_is_gone(bare: Caspian, tmp_path: Path, hub: Hub) -> None:
    assert bare("context", "rm", "baku").returncode == 0

    kept = (tmp_path / ".config/caspian/contexts.json").read_text()
    assert hub.tokens["officer"] not in kept
    assert bare("context", "ls", "--json").stdout == ""


@pytest.mark.parametrize(
    "call",
    [
        ("context", "use", "nowhere"),
        ("context", "rm", "nowhere"),
        ("unacked", "--context", "nowhere"),
        ("context", "add", "a name", "--url", "http://x", "--token", "t"),
        ("context", "add", "a", "--url", "http://x", "--token", "t t"),
    ],
)
def test_what_cannot_be_is_refused(caspian: Caspian, call: tuple[str, ...]) -> None:
    done = caspian(*call)

    assert done.returncode == 2
    assert "what to do:" in done.stderr


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"current": "", "contexts": {"a": 1}}'])
def test_a_damaged_file_says_what_to_do(caspian: Caspian, tmp_path: Path, content: str) -> None:
    path = tmp_path / "contexts"
    path.write_text(content)
    path.chmod(0o600)

    done = caspian("context", "ls", env={"CASPIAN_CONTEXTS": str(path)})

    assert done.returncode == 2
    assert "Remove it" in done.stderr


def test_a_file_that_others_can_read_is_refused(caspian: Caspian, tmp_path: Path) -> None:
    path = tmp_path / "contexts"
    path.write_text('{"current": "", "contexts": {}}')
    path.chmod(0o644)

    done = caspian("context", "ls", env={"CASPIAN_CONTEXTS": str(path)})

    assert done.returncode == 2
    assert "chmod 600" in done.stderr
