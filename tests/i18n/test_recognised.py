"""What machines are told in English is recognised, and said in the language of who reads it."""

from __future__ import annotations

from string import Formatter

import pytest

from hub.i18n import LANGUAGES, texts
from hub.i18n.recognised import Recogniser
from hub.i18n.sentences import details, findings, remedies

SAID = ("findings", "details", "remedies")


def recogniser(code: str) -> Recogniser:
    known: dict[str, str] = {}
    for domain in SAID:
        known |= texts(code, domain).by_name
    return Recogniser(known)


def fields(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


@pytest.mark.parametrize("domain", SAID)
def test_each_sentence_is_recognised_whatever_its_values_are(domain: str) -> None:
    said = recogniser("ru")
    known: dict[str, set[str]] = {}  # two sentences may differ in nothing but a value's name
    for one in SAID:
        for text, translation in texts("ru", one).by_name.items():
            values = {name: f"Q{n}" for n, name in enumerate(fields(text))}
            known.setdefault(text.format(**values), set()).add(translation.format(**values))

    for text in texts("ru", domain).by_name:
        told = text.format(**{name: f"Q{n}" for n, name in enumerate(fields(text))})
        assert said(told) in known[told], text


def test_a_value_that_is_a_sentence_is_said_in_the_language_too() -> None:
    said = recogniser("ru")

    broken = said("not well-formed XML: Premature end of data in tag a line 1, line 2, column 3")
    first = said("alert/note: an Error needs a note that explains it (R09)")

    assert broken == (
        "XML с нарушенным синтаксисом: данные обрываются в теге a, строка 1, строка 2, столбец 3"
    )
    assert first == "alert/note: в Error нужна note, которая его объясняет (R09)"


def test_what_stands_in_quotes_is_somebodys_own() -> None:
    own = "'too large' is no code of a list"

    assert recogniser("ru")(own) == "'too large' — не код из a list"


def test_values_stand_in_a_sentence_as_they_are_asked_to() -> None:
    said = recogniser("fa")("sent 3 days ago", "<{}>".format)

    assert said == "<3> روز پیش فرستاده شده"


@pytest.mark.parametrize(
    "text", ["", "nothing that is known", "the moon is not full", "x" * 5000, "{", "a: b", ": "]
)
def test_what_is_no_sentence_of_ours_is_not_recognised(text: str) -> None:
    assert recogniser("ru")(text) is None


def test_english_is_left_alone() -> None:
    assert Recogniser(texts(LANGUAGES[0], "findings").by_name)("too large") is None


def test_sentences_are_found_where_functions_hand_them_on() -> None:
    found = {text for _, text in (*findings(), *details(), *remedies())}

    assert {
        "Send the message in UTF-8.",  # to_utf8, which calls what calls `refuse`
        "latitude is within ±90 and longitude within ±180 degrees",  # a constant
        "the polygon crosses or touches itself",  # what a function returns
        "above 0",  # a value that is chosen before
        "{code} is no code of {where}; did you mean {meant}?",
        "the token is not valid",
        "Send the same again a little later.",
    } <= found
    assert not any("{path}: {message}" in text for text in found)
