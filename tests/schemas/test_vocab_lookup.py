"""How a list and a code are found, and what a GLIDE number is."""

from __future__ import annotations

import re
import string
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocab import (
    Glide,
    Term,
    glide,
    is_known,
    term,
    vocabularies,
    vocabulary,
    vocabulary_of,
)

OIL = "urn:caspian:resource:oil-spill"
REC20 = "urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20"


def test_a_known_code_is_known_and_one_beside_the_list_is_not() -> None:
    assert is_known(OIL, "boom-offshore") is True
    assert is_known(OIL, "boom-ofshore") is False
    assert is_known(OIL, "BOOM-OFFSHORE") is False
    assert is_known(OIL, "") is False


def test_of_a_list_that_is_not_ours_nothing_is_said() -> None:
    assert is_known("urn:nobody:knows", "boom-offshore") is None
    assert is_known("", "") is None


def test_of_an_excerpt_what_is_missing_may_be_right() -> None:
    assert is_known("ISO 3166-1", "KZ") is True
    assert is_known("ISO 3166-1", "GE") is None


def test_units_without_an_entry_are_known_too() -> None:
    assert "TPR" not in vocabulary("units").terms
    assert is_known(REC20, "TPR") is True
    assert is_known(REC20, "metres") is False


def test_the_first_parts_of_a_urn_may_be_in_capitals_but_not_its_rest() -> None:
    assert is_known("URN:Caspian:resource:oil-spill", "skimmer") is True
    assert is_known("urn:caspian:RESOURCE:oil-spill", "skimmer") is None


def test_every_name_of_a_list_leads_to_it() -> None:
    for name in vocabularies():
        for urn in vocabulary(name).urns:
            assert vocabulary_of(urn) is vocabulary(name)


def test_a_term_is_found_by_its_code() -> None:
    found = term("oet", "OET-138")

    assert found is not None
    assert (found.label(), found.label("az"), found.label("fa")) == (
        "oil spill",
        "neft sızması",
        "نشت نفت",
    )
    assert term("oet", "OET-999") is None


def test_a_vocabulary_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        vocabulary("nothing")
    with pytest.raises(KeyError):
        term("nothing", "x")


def test_a_vocabulary_cannot_be_changed() -> None:
    found = vocabulary("states")

    with pytest.raises(AttributeError):
        found.title = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.terms["XX"] = found.terms["AZ"]  # type: ignore[index]
    with pytest.raises(TypeError):
        found.terms["AZ"].labels["en"] = "x"  # type: ignore[index]


def test_nothing_is_read_before_it_is_asked_for() -> None:
    code = (
        "import schemas.vocab as v; from schemas.vocab.shelf import vocabulary as f;"
        "assert f.cache_info().currsize == 0;"
        "v.is_known('OET:v1.2', 'OET-138'); assert f.cache_info().currsize == 1"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("written", "language", "label"),
    [
        ({"en": "a", "az": "b"}, "az", "b"),
        ({"en": "a", "az": "b"}, "az-Cyrl", "b"),
        ({"en": "a", "kk-Latn": "b"}, "kk", "b"),
        ({"en": "a", "kk-Latn": "b", "kk": "c"}, "kk-Cyrl", "c"),
        ({"ru": "b", "en": "a"}, "tk", "a"),
        ({"ru-Latn": "b"}, "tk", "b"),
        ({"en": "a", "ru": "b"}, "RU", "b"),
    ],
)
def test_a_label_is_in_the_language_or_the_nearest_there_is(
    written: dict[str, str], language: str, label: str
) -> None:
    assert Term("X", written).label(language) == label


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("resources-oil-spill", "boom-ofshore", "boom-offshore"),
        ("resources-oil-spill", " Skimmer ", "skimmer"),
        ("units", "mtr", "MTR"),
        ("units", "KG", "KGM"),
        ("oet", "OET138", "OET-138"),
        ("oet", "quite another thing", None),
        ("units", "K" * 65, None),
        ("units", "", None),
    ],
)
def test_what_was_meant_is_offered_if_it_is_near(
    name: str, written: str, meant: str | None
) -> None:
    assert vocabulary(name).nearest(written) == meant


@given(st.sampled_from(vocabularies()), st.text(max_size=80))
def test_what_is_offered_is_always_in_use(name: str, written: str) -> None:
    found = vocabulary(name).nearest(written)

    assert found is None or vocabulary(name).terms[found].deprecated is None


glides = st.builds(
    Glide,
    st.sampled_from(sorted(vocabulary("glide").terms)),
    st.integers(1, 9999),
    st.integers(1, 999_999),
    st.text(string.ascii_uppercase, min_size=3, max_size=3),
)


@given(glides)
def test_a_glide_number_reads_back_as_it_was_written(number: Glide) -> None:
    text = str(number)

    assert re.fullmatch(r"[A-Z]{2}-[0-9]{4}-[0-9]{6}-[A-Z]{3}", text)
    assert glide(text) == number


@given(st.text() | st.from_regex(r"[A-Z]{2}-\d{4}-\d{6}-[A-Z]{3}", fullmatch=True))
def test_whatever_is_read_is_written_again_and_all_else_is_refused(text: str) -> None:
    with suppress(ValueError):
        assert str(glide(text)) == text


@given(glides, st.integers(0, 17), st.characters())
def test_one_other_character_is_another_number_or_none(
    number: Glide, place: int, other: str
) -> None:
    text = str(number)
    changed = text[:place] + other + text[place + 1 :]

    if changed == text:
        assert glide(changed) == number
        return
    with suppress(ValueError):
        assert glide(changed) != number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "form XX-YYYY"),
        ("EQ-2001-000033", "form XX-YYYY"),
        ("EQ-2001-000033-IND-1", "form XX-YYYY"),
        ("eq-2001-000033-IND", "two capital letters"),
        ("EQ-201-000033-IND", "four digits"),
        ("EQ-２００１-000033-IND", "four digits"),
        ("EQ-2001-33-IND", "six digits"),
        ("EQ-2001-000033-IN", "alpha-3"),
        ("EQ-2001-000033-IND\n", "alpha-3"),
        ("EQ-0000-000033-IND", "begin at 1"),
        ("EQ-2001-000000-IND", "begin at 1"),
        ("OS-2026-000001-AZE", "OS is no hazard"),
    ],
)
def test_what_is_no_glide_number_is_told_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        glide(text)


def test_an_oil_spill_is_a_technological_disaster_and_old_hazards_are_read() -> None:
    assert glide("AC-2026-000001-AZE") == Glide("AC", 2026, 1, "AZE")
    assert glide("WV-2004-000147-LKA").hazard == "WV"
