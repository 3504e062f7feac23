"""Pollution reports of every kind, for properties."""

from __future__ import annotations

import calendar
from typing import Any

from hypothesis import strategies as st

from schemas.polrep import Moment, Polfac, Polinf, Polrep, Polwarn, Serial

PHRASES = st.sampled_from(
    ["CRUDE OIL 300 TONNES", "40-21.5N 049-52E", "2 TUGS; 2000 M BOOM", "POSITION: SEE 2", "1. NO",
     "EXERCISE", "ACKNOWLEDGE: AT ONCE", "81", "181100Z JUN", "FROM: X TO: Y", "NOT YET FUEL OIL",
     "PART II (POLINF)", "BT", "=", ": :", "REMARKS", "Бакинский порт", "نشت نفت"]
)  # fmt: skip
LINES = st.one_of(
    PHRASES,
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        max_size=40,
    )
    .map(lambda text: " ".join(text.split()))
    .filter(bool),
)


@st.composite
def moments(draw: st.DrawFn, *, utc: bool = False) -> Moment:
    month = draw(st.none() | st.integers(1, 12))
    year = None if month is None else draw(st.none() | st.integers(1950, 2900))
    last = 31 if month is None else calendar.monthrange(year or 2000, month)[1]
    return Moment(
        day=draw(st.integers(1, last)),
        hour=draw(st.integers(0, 23)),
        minute=draw(st.integers(0, 59)),
        offset_minutes=0 if utc else draw(st.none() | st.sampled_from([0, 210, 240, -90])),
        month=month,
        year=year,
    )


def _part(model: type[Any], moment: st.SearchStrategy[Moment], texts: Any) -> Any:
    return st.fixed_dictionaries(
        {},
        optional={
            key: moment if key == "date_time" else texts(key) for key in model.model_fields
        },
    ).filter(bool).map(lambda values: model(**values))  # fmt: skip


_PLACES = st.sampled_from(
    ["OFF BAKU", "40-21N 049-52E", "40.1N 50E", "40-20N 050-00E 40-25N 050-00E 40-25N 050-10E",
     "40-21N 049-52E RADIUS 2 NM", "40-21N 049-52E, 41-00N 050-00E"]
)  # fmt: skip


def _text(key: str) -> st.SearchStrategy[str]:
    return (
        _PLACES.filter(lambda text: "50E" not in text or "-" in text)
        if key == "position"
        else LINES
    )


@st.composite
def reports(draw: st.DrawFn, *, utc: bool = False) -> Polrep:
    moment = moments(utc=utc)
    names = LINES.map(lambda text: " ".join(text.replace(",", " ").replace(";", " ").split()))
    serial = st.builds(
        Serial,
        state=st.sampled_from(["AZ", "KZ", "FRG"]),
        incident=LINES.map(lambda text: " ".join(text.replace("/", " ").split())).filter(bool),
        number=st.integers(1, 9999),
        final=st.booleans(),
    )
    parts = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "polwarn": _part(Polwarn, moment, _text),
                "polinf": _part(Polinf, moment, _text),
                "polfac": _part(Polfac, moment, _text),
            },
        ).filter(bool)
    )
    return Polrep(
        urgent=draw(st.booleans()),
        exercise=draw(st.booleans()),
        sender=draw(LINES),
        recipients=tuple(draw(st.lists(names.filter(bool), max_size=3))),
        sent=draw(moment),
        identification=draw(st.none() | LINES),
        serial=draw(serial),
        answers=draw(st.none() | serial),
        **parts,
    )
