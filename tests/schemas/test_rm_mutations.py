"""Damaged in any way, an aid message gets the verdict that the official schema gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from lxml import etree
from rm_cases import ANSWER, OFFER, REQUEST
from rm_official import STANDARD, message_of, official_faults, our_verdict
from rm_samples import full_message

from schemas.rm import MESSAGE_TYPES, read_aid, write_aid
from schemas.rm.draft import CARRIED
from schemas.rm.layout import NAMESPACE_HUB, NAMESPACE_MSG, NAMESPACE_RM
from schemas.rm.others import GML
from schemas.rm.structure import element_path, locate, structure_findings
from schemas.rm.tables import MESSAGES, TAGS
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable

XSI = "http://www.w3.org/2001/XMLSchema-instance"
NAMES = sorted({*TAGS.values(), "Point", "pos", "radius", "IncidentId", "where"})
TEXTS = [
    *("", " ", "x", "Sender", " Sender", "Accept", "Cancel", "BeginAvailable", "Route", "Owner"),
    *("RequestResource", "2026-11-23T14:00:00Z", "2026-11-23T14:00:00", "2026-11-23", "24:00:00"),
    *("2026-11-23T24:00:00+04:00", " 2026-11-23T14:00:00.5-00:00 ", "2026-13-23T14:00:00+04:00"),
    *("1", "-1", "1.5", ".5", "1e3", "NaN", "INF", "-INF", "+1", "1 000", "٣", "--1", "1 2 3 4"),
    *("urn:x:y", "a b", "%", "http://[", "#a#b", "ü", "40.1 50.2", "40.1,50.2", "90 1e400"),
]
ATTRIBUTES = [
    ("a", "1"),
    ("srsName", "urn:ogc:def:crs:EPSG::4326"),
    ("uom", "m"),
    ("numArc", "2"),
    (f"{{{GML}}}id", "i1"),
    (f"{{{XSI}}}nil", "true"),
    (f"{{{XSI}}}schemaLocation", "urn:x file:///x"),
    ("{http://www.w3.org/XML/1998/namespace}lang", "en"),
]
CIQ = frozenset({"Address", "AdditionalContactInformation"})
"""What is in these is OASIS CIQ's, and for the hub whatever it is."""


def pick(root: etree._Element, data: st.DataObject) -> etree._Element:
    elements = [
        e
        for e in root.iter(etree.Element)
        if CIQ.isdisjoint(etree.QName(a).localname for a in (e, *e.iterancestors()))
    ]
    return elements[data.draw(st.integers(0, len(elements) - 1))]


def drop(root: etree._Element, data: st.DataObject) -> None:
    element = pick(root, data)
    if (parent := element.getparent()) is not None:
        parent.remove(element)


def double(root: etree._Element, data: st.DataObject) -> None:
    element = pick(root, data)
    if element is not root:
        element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))


def move(root: etree._Element, data: st.DataObject) -> None:
    element, other = pick(root, data), pick(root, data)
    if element is not root and element not in list(other.iterancestors()) and element is not other:
        other.insert(data.draw(st.integers(0, len(other))), element)


def swap(root: etree._Element, data: st.DataObject) -> None:
    element = pick(root, data)
    after = element.getnext()
    if after is not None:
        element.addprevious(after)


def rename(root: etree._Element, data: st.DataObject) -> None:
    element = pick(root, data)
    name = etree.QName(element)
    namespaces = [name.namespace] * 3 + [NAMESPACE_MSG, NAMESPACE_RM, NAMESPACE_HUB, GML, "urn:x"]
    namespace = data.draw(st.sampled_from(namespaces))
    if element is not root:
        element.tag = etree.QName(namespace, data.draw(st.sampled_from([name.localname, *NAMES])))


def garble(root: etree._Element, data: st.DataObject) -> None:
    pick(root, data).text = data.draw(st.sampled_from(TEXTS))


def follow(root: etree._Element, data: st.DataObject) -> None:
    pick(root, data).tail = data.draw(st.sampled_from(["x", " ", "\n", "\u00a0"]))


def attribute(root: etree._Element, data: st.DataObject) -> None:
    pick(root, data).set(*data.draw(st.sampled_from(ATTRIBUTES)))


MUTATIONS: list[Callable[[etree._Element, st.DataObject], None]] = [
    *(drop, drop, double, move, swap, rename, garble, garble, garble, follow, attribute),
]


@pytest.mark.parametrize("name", STANDARD)
def test_a_message_with_everything_in_it_is_valid(name: str) -> None:
    written = write_aid(full_message(name))

    assert official_faults(written) == []
    assert our_verdict(written) is True


def test_the_schema_of_an_offers_answer_is_that_of_a_requests_answer_but_for_its_name() -> None:
    ours = write_aid(full_message("AidOfferResponse"))

    assert our_verdict(ours) is True
    assert b"PrecedingMessageID" in ours
    assert structure_findings(etree.fromstring(ANSWER.encode())) == ()


def damaged_verdicts_agree(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(STANDARD))
    root = etree.fromstring(write_aid(full_message(name)))
    for mutate in data.draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3)):
        mutate(root, data)
        note(mutate.__name__)
    damaged = etree.tostring(root, encoding="UTF-8", with_tail=False)
    note(damaged.decode())

    faults = official_faults(damaged)

    assert our_verdict(damaged) == (not faults), faults
    message = message_of(damaged)
    if message is not None:
        assert read_aid(write_aid(message)).message == message


@given(st.data())
@examples(90, suppress_health_check=list(HealthCheck))
def test_a_damaged_message_gets_the_official_schemas_verdict(data: st.DataObject) -> None:
    damaged_verdicts_agree(data)


@pytest.mark.soak
@given(st.data())
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_damaged_messages_get_the_official_schemas_verdict(data: st.DataObject) -> None:
    damaged_verdicts_agree(data)


@pytest.mark.parametrize("base", [OFFER, REQUEST, ANSWER])
@given(st.data())
@examples(30, suppress_health_check=list(HealthCheck))
def test_a_damaged_message_that_is_taken_comes_back_equal(base: str, data: st.DataObject) -> None:
    root = etree.fromstring(base.encode())
    data.draw(st.sampled_from([swap, garble, garble, attribute, double]))(root, data)

    message = message_of(etree.tostring(root, encoding="UTF-8", with_tail=False))
    assume(message is not None)
    assert message is not None

    model = MESSAGE_TYPES[message.message_content_type]
    assert read_aid(write_aid(message)).message == message
    assert model.model_validate(message.model_dump()) == message


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_every_element_is_found_again_by_its_path(name: str) -> None:
    root = etree.fromstring(write_aid(full_message(name)))
    carried = {e.tag for g in MESSAGES.values() for e in g.elements if e.kind in CARRIED}
    own = [e for e in root.iter() if etree.QName(e).localname in TAGS.values()]

    assert [locate(root, element_path(e)) for e in own] == own
    assert carried.isdisjoint(etree.QName(e).localname for e in root)
