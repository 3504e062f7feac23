"""Damaged in any way, a real message gets the verdict that the official schema gives it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from cap_corpus import CORPUS, WHY_NOT, is_taken, official_verdict
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from lxml import etree

from schemas.cap import NAMESPACE_11, NAMESPACE_12, Alert, read_alert, write_alert
from schemas.cap.layout import ALERT, NAMESPACE_DSIG, Group
from schemas.errors import Rejected
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def tags(group: Group) -> list[str]:
    inner = [tag for e in group.elements if e.group is not None for tag in tags(e.group)]
    return [e.tag for e in group.elements] + inner


NAMES = [*sorted({*tags(ALERT), "alert"}), "reference", "Info"]
TEXTS = [
    *("", " ", "x", "Actual", "Alert", " Alert", "Public", "Met", "None", "AllClear", "Past"),
    *("Extreme", "Likely", "Observed", "Immediate", "en-US", "en_US", " az ", "i-x", "abcdefghi"),
    *("2026-11-23T14:00:00+04:00", "2026-11-23T14:00:00Z", "2026-11-23T14:00:00", "2026-11-23"),
    *("2026-11-23T24:00:00+04:00", "2026-11-23T14:00:00.5+04:00", "2026-13-23T14:00:00+04:00"),
    *(" 2026-11-23T14:00:00-00:00 ", "2026-11-23T14:00:00+14:01", "2026-11-23T14:00:00,04:00"),
    *("1", "-1", "+0", "1.5", ".5", "1e3", "NaN", "INF", "1 000", "٣", "9" * 40, "--1"),
    *("http://x", "a b", "%", "http://[::1]", "http://[", "#a#b", "ü", ":", "1:2", "//", "<>"),
]
ATTRIBUTES = [
    ("a", "1"),
    (f"{{{XSI}}}nil", "true"),
    (f"{{{XSI}}}nil", "false"),
    (f"{{{XSI}}}type", "x"),
    (f"{{{XSI}}}schemaLocation", "urn:x file:///x"),
    (f"{{{XSI}}}noNamespaceSchemaLocation", "x"),
    (f"{{{XSI}}}other", "x"),
    ("{http://www.w3.org/XML/1998/namespace}lang", "en"),
]


@cache
def samples() -> list[bytes]:
    if not CORPUS.is_dir():
        pytest.skip(WHY_NOT)
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    contents = [path.read_bytes() for path in files if path.stat().st_size < 10_000]
    return sorted({data for data in contents if is_taken(data)})


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
    namespaces = [name.namespace] * 4 + [NAMESPACE_11, NAMESPACE_12, NAMESPACE_DSIG, "urn:x"]
    namespace = data.draw(st.sampled_from(namespaces))
    if element is not root:
        element.tag = etree.QName(namespace, data.draw(st.sampled_from([name.localname, *NAMES])))


def garble(root: etree._Element, data: st.DataObject) -> None:
    pick(root, data).text = data.draw(st.sampled_from(TEXTS))


def follow(root: etree._Element, data: st.DataObject) -> None:
    pick(root, data).tail = data.draw(st.sampled_from(["x", " ", "\n", "\u00a0"]))


def attribute(root: etree._Element, data: st.DataObject) -> None:
    pick(root, data).set(*data.draw(st.sampled_from(ATTRIBUTES)))


def interrupt(root: etree._Element, data: st.DataObject) -> None:
    element = pick(root, data)
    node = data.draw(st.sampled_from([etree.Comment("x"), etree.ProcessingInstruction("p", "x")]))
    node.tail = data.draw(st.sampled_from(["", "t"]))
    element.insert(data.draw(st.integers(0, len(element))), node)


def sign(root: etree._Element, data: st.DataObject) -> None:
    within = data.draw(st.sampled_from(["", "<x a='1'/>", "<value xmlns='%s'><b/></value>", "t"]))
    within = within.replace("%s", etree.QName(root).namespace or "")
    namespace = data.draw(st.sampled_from([NAMESPACE_DSIG, NAMESPACE_DSIG, "urn:x"]))
    element = etree.fromstring(f"<Signature xmlns='{namespace}'>{within}</Signature>")
    root.insert(data.draw(st.sampled_from([len(root), len(root), 0])), element)


MUTATIONS: list[Callable[[etree._Element, st.DataObject], None]] = [
    *(drop, double, move, swap, rename, garble, garble, follow, attribute, interrupt, sign),
]


def pick(root: etree._Element, data: st.DataObject) -> etree._Element:
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    return elements[data.draw(st.integers(0, len(elements) - 1))]


def our_verdict(data: bytes) -> bool | str:
    try:
        read_alert(data)
    except Rejected as refusal:
        verdicts = {"structure-invalid": False, "rule-broken": True}
        return verdicts.get(refusal.code, refusal.code)
    return True


@given(st.data())
@examples(250, suppress_health_check=list(HealthCheck))
def test_a_damaged_message_gets_the_official_schemas_verdict(data: st.DataObject) -> None:
    damaged_verdicts_agree(data)


@pytest.mark.soak
@given(st.data())
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_damaged_messages_get_the_official_schemas_verdict(data: st.DataObject) -> None:
    damaged_verdicts_agree(data)


def damaged_verdicts_agree(data: st.DataObject) -> None:
    root = etree.fromstring(data.draw(st.sampled_from(samples())))
    for mutate in data.draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3)):
        mutate(root, data)
        note(mutate.__name__)
    damaged = etree.tostring(root, encoding="UTF-8", with_tail=False)
    assume(etree.QName(root).localname == "alert")

    assert our_verdict(damaged) == official_verdict(damaged)
    if is_taken(damaged):
        alert = read_alert(damaged).alert
        assert Alert.model_validate(alert.model_dump()) == alert
        assert read_alert(write_alert(alert)).alert == alert
