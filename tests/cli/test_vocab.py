"""``caspian vocab``: lists and terms, for people and for programs; it needs no hub."""

from __future__ import annotations

import json

import pytest

from schemas.vocab import vocabularies, vocabulary
from tests.cli.conftest import Caspian

AWAY = {"CASPIAN_URL": "http://127.0.0.1:1", "CASPIAN_LOG_URL": "sqlite:////nowhere/log.db"}


def test_every_vocabulary_is_listed_with_where_it_is_from(caspian: Caspian) -> None:
    done = caspian("vocab", "ls", env=AWAY)

    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["NAME", "VERSION", "TERMS", "SOURCE"]
    assert [line.split()[0] for line in lines] == list(vocabularies())
    for line in lines:
        assert vocabulary(line.split()[0]).source in line


def test_programs_get_one_object_a_vocabulary(caspian: Caspian) -> None:
    done = caspian("vocab", "ls", "--json")

    heads = [json.loads(line) for line in done.stdout.splitlines()]
    assert [head["name"] for head in heads] == list(vocabularies())
    assert all(head["terms"] and head["urns"] and head["licence"] for head in heads)


@pytest.mark.parametrize("name", vocabularies())
def test_every_vocabulary_is_shown_whole(caspian: Caspian, name: str) -> None:
    done = caspian("vocab", "show", name, env=AWAY)

    found = vocabulary(name)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == list(found.terms)
    assert found.source in done.stderr
    assert found.urns[0] in done.stderr


def test_programs_get_one_object_a_term_and_nothing_else(caspian: Caspian) -> None:
    done = caspian("vocab", "show", "states", "--json")

    terms = {one["code"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.stderr == ""
    assert set(terms) == {"AZ", "IR", "KZ", "RU", "TM"}
    assert terms["TM"]["labels"]["tk"] == "Türkmenistan"
    assert terms["TM"]["facts"]["alpha-3"] == "TKM"


@pytest.mark.parametrize("text", ["boom-OFF", "Offshore boom", "морские боны"])
def test_codes_and_names_are_searched_in_every_language(caspian: Caspian, text: str) -> None:
    done = caspian("vocab", "show", "resources-oil-spill", "--search", text, "--json")

    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == ["boom-offshore"]


def test_names_are_shown_in_the_language_asked_for_or_in_english(caspian: Caspian) -> None:
    done = caspian("vocab", "show", "oet", "--language", "fa")

    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "نشت نفت" in lines["OET-138"]
    assert "active shooter situation" in lines["OET-001"]


def test_no_name_turns_the_reading_direction_of_what_stands_beside_it(caspian: Caspian) -> None:
    for name in vocabularies():
        done = caspian("vocab", "show", name, "--language", "fa")

        assert not set(done.stdout) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_a_retired_code_is_told_with_what_to_use(caspian: Caspian) -> None:
    done = caspian("vocab", "show", "units", "--search", "HAR")

    assert "retired, use H18" in done.stdout


def test_a_code_without_a_name_here_is_told_to_be_one(caspian: Caspian) -> None:
    done = caspian("vocab", "show", "units", "--search", "TPR")

    assert done.returncode == 0
    assert done.stdout.startswith("TPR is a code of the list")


def test_a_search_that_finds_nothing_is_no_error(caspian: Caspian) -> None:
    done = caspian("vocab", "show", "oet", "--search", "\x1b[31mdragon")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "there are none"


def test_a_vocabulary_that_is_not_there_is_a_wrong_call(caspian: Caspian) -> None:
    near, far = caspian("vocab", "show", "unit"), caspian("vocab", "show", "\x1b[31m")

    assert (near.returncode, far.returncode) == (2, 2)
    assert near.stderr.splitlines() == [
        "error usage: unit is no vocabulary",
        "what to do: Did you mean units?",
    ]
    assert "\x1b" not in far.stderr
    assert "resources-oil-spill" in far.stderr
