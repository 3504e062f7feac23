"""What a message says is found however it is written, in the letters of all six languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cap import read_alert, write_alert_json
from schemas.errors import Rejected
from schemas.texts import hold, may_hold, texts_of, words_of
from tests.examples import examples
from tests.log.samples import cap


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("Oil on the WATER", "oil water"),
        ("İSMAYILLI yanğını", "ismayıllı YANĞINI"),
        ("ısınma", "ISINMA"),
        ("Нефть у Апшерона, берёза", "НЕФТЬ береза"),
        ("Мұнай төгілді ӨРТ", "МҰНАЙ өрт"),
        ("Ýangyn ŇÖWÜT", "ýangyn ňöwüt"),
        ("نشت نفت می\u200cشود در كيش", "میشود کیش"),
        ("سال ۱۴۰۵ و ٢٠٢٦", "1405 2026"),
        ("آتش\u0650", "اتش"),
        ("\ufe8e\ufefb", "الا"),
        ("cafe\u0301", "caf\u00e9"),
    ],
)
def test_words_are_found_in_the_letters_of_every_language(written: str, sought: str) -> None:
    assert hold((written,), words_of(sought))


def test_all_words_must_be_there_and_parts_of_words_are_enough() -> None:
    assert hold(("Storm surge", "Baku"), words_of("bak SUR"))
    assert not hold(("Storm surge",), words_of("storm baku"))
    assert words_of("  ") == ()


@examples(50)
@given(headline=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1))
def test_what_is_said_can_be_found_by_the_bytes_too(headline: str) -> None:
    """Else a search that looks at the bytes first would pass over it."""
    payload = cap("i-1", headline=f"a {headline} b")
    try:
        texts = texts_of("application/cap+xml", payload)
        as_json = write_alert_json(read_alert(payload).alert)
    except Rejected:
        return
    for word in words_of(headline):
        assert hold(texts, [word])
        assert may_hold(payload, [word])
        assert may_hold(as_json, [word])


def test_what_is_searched_is_what_a_message_says_and_not_its_markup() -> None:
    payload = cap("id-7", headline="A & B")

    texts = texts_of("application/cap+xml", payload)

    assert texts == ("id-7", "A & B", "Oil spill", "Crude oil drifts north", "Absheron")
    assert not hold(texts, ["areadesc"])
    assert not may_hold(payload.replace(b"&amp;", b"and"), ["nowhere"])
    assert may_hold(payload, ["nowhere"])
