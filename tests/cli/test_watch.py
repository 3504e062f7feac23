"""``caspian unacked`` and ``caspian handover``: nothing open is missing, the gravest first."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.hub import Hub
from tests.log.samples import cap

Fresh = Callable[..., bytes]


def published(hub: Hub, severity: str) -> int:
    now = datetime.now(UTC)
    payload = cap(f"w-{uuid.uuid4().hex}", sent=now, severity=severity, headline=f"A {severity}")
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=payload)
    assert done.returncode == 0, done.stderr
    index: int = json.loads(done.stdout)["receipt"]["index"]
    return index


@pytest.fixture(scope="module")
def shift(hub: Hub) -> list[int]:
    """Publish from the mildest to the gravest, and let the officer acknowledge the middle one."""
    indexes = [published(hub, severity) for severity in ("Minor", "Moderate", "Extreme")]
    done = hub.caspian("ack", str(indexes[1]), "--note", "boats are out", who="officer")
    assert done.returncode == 0, done.stderr
    return indexes


def test_what_is_open_is_listed_with_the_gravest_first(hub: Hub, shift: list[int]) -> None:
    done = hub.caspian("unacked", "--json", who="officer")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["index"] for one in found if one["index"] in shift] == [shift[2], shift[0]]
    grave = [
        ("Extreme", "Severe", "Unknown", "Moderate", "Minor").index(o["severity"]) for o in found
    ]
    assert grave == sorted(grave)


def test_people_see_when_each_is_due(hub: Hub, shift: list[int]) -> None:
    done = hub.caspian("unacked", "ir-ndmo", who="officer")

    (line,) = [one for one in done.stdout.splitlines() if one.startswith(f"#{shift[2]} ")]
    assert "Extreme" in line
    assert "in 4 min" in line
    assert "A Extreme" in line
    assert not any(one.startswith(f"#{shift[1]} ") for one in done.stdout.splitlines())


def test_a_sender_has_nothing_to_acknowledge(hub: Hub, shift: list[int]) -> None:
    told = hub.caspian("unacked", "--json", who="az-fhn").stdout.splitlines()
    none = hub.caspian("unacked", "az-fhn.draft", who="az-fhn")

    assert not {json.loads(line)["index"] for line in told} & set(shift)
    assert none.stdout == "az-fhn.draft: everything is acknowledged\n"


def test_a_shift_is_handed_over_with_all_that_came(hub: Hub, shift: list[int]) -> None:
    done = hub.caspian("handover", "--since", "1h", "--json", who="officer")

    report = json.loads(done.stdout)
    came = {one["index"]: one for one in report["came"]}
    assert set(shift) <= set(came)
    assert {one["index"] for one in report["open"]} & set(shift) == {shift[0], shift[2]}
    (ack,) = came[shift[1]]["acknowledgements"]
    assert (ack["officer"], ack["note"]) == ("Reza Karimi", "boats are out")
    # Of what is open for minutes on a slow machine somebody has been told meanwhile.
    assert {one["recipient"] for one in report["escalated"]} <= {"ir-ndmo"}


def test_the_report_reads_well(hub: Hub, shift: list[int]) -> None:
    done = hub.caspian("handover", "--since", "1h", who="officer")

    assert done.stdout.startswith("Handover of ir-ndmo\n")
    (line,) = [
        one for one in done.stdout.split("CAME")[1].splitlines() if one.startswith(f"#{shift[1]} ")
    ]
    assert "Reza Karimi" in line
    assert "(boats are out)" in line


def test_a_shift_that_was_before_has_nothing_of_it(hub: Hub, shift: list[int]) -> None:
    assert shift
    now = datetime.now(UTC)
    begin, end = (now - timedelta(days=2)).isoformat(), (now - timedelta(days=1)).isoformat()

    done = hub.caspian("handover", "--since", begin, "--until", end, "--json", who="officer")

    report = json.loads(done.stdout)
    assert (report["came"], report["open"]) == ([], [])


@pytest.mark.parametrize(
    "wrong",
    [("--since", "17"), ("--since", "1h", "--until", "2h"), ("--since", "yesterday")],
)
def test_what_is_no_shift_is_refused(hub: Hub, wrong: tuple[str, ...]) -> None:
    done = hub.caspian("handover", *wrong, who="officer")

    assert done.returncode == 2
    assert "what to do:" in done.stderr


def test_the_bell_rings_and_a_program_gets_each_entry(hub: Hub, shift: list[int]) -> None:
    program = "sh -c 'cat >> got; echo >> got; env | grep ^CASPIAN_ >> env'"

    done = hub.caspian(
        "tail", "--since", str(shift[0]), "--limit", "3", "--kind", "alert",
        "--bell", "--exec", program, who="ir-ndmo",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\a") == 3
    lines = (hub.directory / "got").read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == shift
    told = (hub.directory / "env").read_text()
    assert f"CASPIAN_INDEX={shift[0]}" in told
    assert "CASPIAN_KIND=publish" in told
    assert "CASPIAN_TOKEN" not in told


@pytest.mark.parametrize(
    ("program", "says"),
    [("no-such-program-here", "No such file"), ("sh -c 'exit 7'", "ended with 7")],
)
def test_a_program_that_fails_is_told_of_and_stops_nothing(
    hub: Hub, shift: list[int], program: str, says: str
) -> None:
    done = hub.caspian(
        "tail", "--since", str(shift[0]), "--limit", "2", "--exec", program, who="ir-ndmo"
    )

    assert done.returncode == 0
    assert done.stderr.count(says) == 2
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("program", ["", "'open"])
def test_what_names_no_program_is_refused(hub: Hub, program: str) -> None:
    done = hub.caspian("tail", "--exec", program, who="ir-ndmo")

    assert done.returncode == 2
