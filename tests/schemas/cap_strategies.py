"""Alerts of all shapes that the model takes, and those among them that keep the rules."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from schemas.cap import Alert, Area, EventCode, Geocode, Info, Parameter, Resource
from schemas.facts import Reference


def made(model: type, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[Any]:
    """Draw the fields and construct; `st.builds` would ask for the fields' aliases too."""
    return st.fixed_dictionaries(fields).map(lambda drawn: model(**drawn))


# Each of the two is drawn as one string: a union of them would be drawn letter by letter.
_COMMON = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"
)
_AWKWARD = "\t\n\r<>&\"' ҚқəğىیΩ\u202e\u200f\U0001f30a\U0001f6a8"


def texts(max_size: int = 20, min_size: int = 0) -> st.SearchStrategy[str]:
    """Draw what XML can hold, with awkward letters among it."""
    return st.one_of(
        st.text(_COMMON, min_size=min_size, max_size=max_size),
        st.text(_AWKWARD, min_size=min_size, max_size=max_size),
        st.tuples(
            st.text(_COMMON, min_size=min_size, max_size=max_size // 2),
            st.text(_AWKWARD, max_size=max_size // 2),
        ).map("".join),
    )


TEXTS = texts()
TOKENS = st.text("abcXYZ019._-@/:әя", min_size=1, max_size=12)
ITEMS = TEXTS.map(lambda text: text.replace('"', "").strip()).filter(bool)
TIMES = st.builds(
    lambda at, minutes: at.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(datetime(2, 1, 2), datetime(9998, 12, 30)),  # noqa: DTZ001 - it gets one above
    st.integers(-14 * 60, 14 * 60),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.tuples(NUMBERS, NUMBERS)
RINGS = st.lists(POINTS, max_size=5).map(tuple)
CIRCLES = st.tuples(NUMBERS, NUMBERS, NUMBERS)
HEIGHTS = st.decimals(-10000, 100000, places=2, allow_nan=False)
HOSTS = st.sampled_from(["a", "пример", "x-1"])
URIS = st.one_of(
    st.just("https://fhn.gov.az/a?b=c&d#e"),
    st.builds("https://{}.example/{}".format, HOSTS, st.text("aя/:@?&=;,~", max_size=8)),
    st.builds("urn:{}:{}%25".format, st.just("oid"), st.text("0123.", min_size=1)),
)
REFERENCES = st.lists(
    made(Reference, sender=TOKENS, identifier=TOKENS, sent=TIMES), max_size=3
).map(tuple)
LANGUAGES = st.sampled_from(["az", "fa", "kk", "kk-Latn", "ru", "tk", "en", "en-US", "x-a1"])


def optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), strategy)


def several(strategy: st.SearchStrategy[object], least: int = 0) -> st.SearchStrategy[object]:
    return st.lists(strategy, min_size=least, max_size=least + 2).map(tuple)


def enum(model: type, field: str) -> st.SearchStrategy[object]:
    values = model.model_json_schema()["properties"][field]
    return st.sampled_from(values.get("enum") or values["items"]["enum"])


def pairs(model: type) -> st.SearchStrategy[object]:
    return several(made(model, value_name=TEXTS, value=TEXTS))


RESOURCES = made(
    Resource,
    resource_desc=TEXTS,
    mime_type=TEXTS,
    size=optional(st.integers(0, (1 << 63) - 1)),
    uri=optional(URIS),
    deref_uri=optional(TEXTS),
    digest=optional(TEXTS),
)
AREAS = made(
    Area,
    area_desc=TEXTS,
    polygon=several(RINGS),
    circle=several(CIRCLES),
    geocode=pairs(Geocode),
    altitude=optional(HEIGHTS),
    ceiling=optional(HEIGHTS),
)
_INFO: dict[str, st.SearchStrategy[object]] = {
    "language": LANGUAGES,
    "category": several(enum(Info, "category"), 1),
    "event": TEXTS,
    "response_type": several(enum(Info, "responseType")),
    "urgency": enum(Info, "urgency"),
    "severity": enum(Info, "severity"),
    "certainty": enum(Info, "certainty"),
    "audience": optional(TEXTS),
    "event_code": pairs(EventCode),
    "effective": optional(TIMES),
    "onset": optional(TIMES),
    "expires": optional(TIMES),
    "sender_name": optional(TEXTS),
    "headline": optional(TEXTS),
    "description": optional(TEXTS),
    "instruction": optional(TEXTS),
    "web": optional(URIS),
    "contact": optional(TEXTS),
    "parameter": pairs(Parameter),
}
INFOS = made(Info, **_INFO, resource=several(RESOURCES), area=several(AREAS))
_ALERT: dict[str, st.SearchStrategy[object]] = {
    "identifier": TEXTS,
    "sender": TEXTS,
    "sent": TIMES,
    "status": enum(Alert, "status"),
    "msg_type": enum(Alert, "msgType"),
    "source": optional(TEXTS),
    "scope": enum(Alert, "scope"),
    "restriction": optional(TEXTS),
    "addresses": several(ITEMS),
    "code": several(TEXTS),
    "note": optional(TEXTS),
    "references": REFERENCES,
    "incidents": several(ITEMS),
}
ALERTS = made(Alert, **_ALERT, info=several(INFOS))
"""Any alert that the model takes; most break rules."""


@st.composite
def lawful_areas(draw: st.DrawFn) -> Area:
    south, north = sorted(draw(st.lists(st.floats(-90, 90), min_size=2, max_size=2, unique=True)))
    west, east = sorted(draw(st.lists(st.floats(-90, 90), min_size=2, max_size=2, unique=True)))
    box = ((south, west), (north, west), (north, east), (south, east), (south, west))
    low, high = sorted(draw(st.lists(HEIGHTS, min_size=2, max_size=2)))
    return draw(
        made(
            Area,
            area_desc=TEXTS,
            polygon=several(st.just(box)),
            circle=several(st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 1e4))),
            geocode=pairs(Geocode),
            altitude=st.just(low),
            ceiling=optional(st.just(high)),
        )
    )


@st.composite
def lawful_resources(draw: st.DrawFn) -> Resource:
    content = draw(st.binary(max_size=30))
    carried = bool(content) and draw(st.booleans())
    return Resource(
        resource_desc=draw(TEXTS),
        mime_type="application/octet-stream",
        size=len(content) if carried else draw(optional(st.integers(0, 10**6))),
        uri=draw(URIS),
        deref_uri=b64encode(content).decode() if carried else None,
        digest=hashlib.sha1(content).hexdigest() if carried else draw(optional(TOKENS)),
    )


_BEFORE_INFO = made(Alert, **_ALERT)
_LAWFUL_INFOS = several(
    made(Info, **_INFO, area=several(lawful_areas()), resource=several(lawful_resources())), 1
)


@st.composite
def lawful_alerts(draw: st.DrawFn) -> Alert:
    """Alerts that the reader takes, warnings and all."""
    alert = draw(_BEFORE_INFO)
    sent = draw(TIMES)
    after = sent + timedelta(seconds=1)
    infos = tuple(
        info.model_copy(
            update={
                "effective": info.effective and sent,
                "onset": info.onset and sent,
                "expires": info.expires and after,
            }
        )
        for info in draw(_LAWFUL_INFOS)
    )
    reference = Reference(sender="a@b", identifier="before", sent=sent)
    return alert.model_copy(
        update={
            "identifier": draw(TOKENS),
            "sender": draw(TOKENS),
            "sent": sent,
            "restriction": "all" if alert.scope == "Restricted" else None,
            "addresses": alert.addresses or ("a b", "c"),
            "references": (reference,),
            "info": infos,
        }
    )
