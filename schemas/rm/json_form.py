"""Reading an aid message in JSON: the standard's names, and the rules of the XML form.

An element that may repeat is an array, every other a string or object; a number may
stand for an amount. The message is brought to XML and held against the same schema,
so both forms are judged alike.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from lxml import etree
from pydantic import ValidationError

from schemas.cap.encoding import MAX_BYTES, refuse, refuse_size
from schemas.cap.json_form import NOT_XML, Number, numbered, parsed
from schemas.cap.markup import MAX_DEPTH, depth_of, refuse_breadth, refuse_depth
from schemas.cap.names import in_own_thread
from schemas.errors import Finding, Rejected
from schemas.rm.carried import Carried, TypeInfo
from schemas.rm.ciq import Address, Party
from schemas.rm.layout import NAMESPACE_RM, Element, Group, Kind, namespace_of
from schemas.rm.places import TargetArea
from schemas.rm.read import ReadAid, read_tree
from schemas.rm.structure import MAX_FINDINGS
from schemas.rm.tables import MESSAGES

__all__ = ["read_aid_json"]

_CARRIED: Final[dict[Kind, type[Carried]]] = {
    "address": Address,
    "party": Party,
    "area": TargetArea,
    "any": TypeInfo,
}


def read_aid_json(payload: bytes, *, max_bytes: int = MAX_BYTES) -> ReadAid:
    """Read an aid message in the JSON form, in UTF-8; MessageContentType says its type.

    Raises:
        Rejected: ``not-json``, ``too-large``, ``too-deep``, ``wrong-namespace``,
            ``structure-invalid`` or ``rule-broken``, with findings (without lines).
    """
    if len(payload) > max_bytes:
        refuse_size(len(payload), max_bytes)
    return in_own_thread(lambda: _read(parsed(payload)))


def _read(value: Any) -> ReadAid:
    name = value.get("MessageContentType") if isinstance(value, dict) else None
    if not isinstance(name, str) or name not in MESSAGES:
        refuse(
            "wrong-namespace",
            "XSD",
            "there is no MessageContentType of EDXL-RM 1.0",
            "Name one of its sixteen messages, or AidOfferResponse.",
        )
    space = namespace_of(name)
    root = etree.Element(f"{{{space}}}{name}", nsmap={"m": space, "rm": NAMESPACE_RM})
    faults: list[Finding] = []
    _Builder(space, faults).build(root, value, MESSAGES[name], name)
    if faults:
        _refuse(faults)
    refuse_breadth(root)
    if depth_of(root) > MAX_DEPTH:
        refuse_depth()
    return read_tree(root, lines=False)


def _fault(path: str, message: str) -> Finding:
    return Finding("XSD", "error", path, message)


def _refuse(faults: list[Finding]) -> NoReturn:
    raise Rejected(
        "structure-invalid",
        f"{faults[0].path}: {faults[0].message}",
        remedy="Use the names of EDXL-RM 1.0, and arrays where the standard has several.",
        findings=tuple(faults[:MAX_FINDINGS]),
    )


class _Builder:
    """Builds the tree of a message from its JSON, and notes what does not fit."""

    def __init__(self, space: str, faults: list[Finding]) -> None:
        self._space = space
        self._faults = faults

    def build(self, parent: etree._Element, value: dict[str, Any], group: Group, path: str) -> None:
        """Append the members of *value* to *parent* in the order of the standard."""
        inside = NAMESPACE_RM if group.common else self._space
        tags = {element.tag for element in group.elements}
        for name in value:
            if name not in tags:
                self._fault(path, f"{name[:100]!r} is not in this type of message")
        for element in group.elements:
            item = value.get(element.tag)
            if item is None:
                continue
            at = f"{path}/{element.tag}"
            tag = f"{{{inside}}}{element.tag}"
            if not element.many:
                self._append(parent, tag, element, item, at)
            elif isinstance(item, list):
                for i, one in numbered(item):
                    self._append(parent, tag, element, one, f"{at}[{i}]")
            else:
                self._fault(at, f"{element.tag} is an array")

    def _fault(self, path: str, message: str) -> None:
        self._faults.append(_fault(path, message))

    def _append(
        self, parent: etree._Element, tag: str, element: Element, item: Any, path: str
    ) -> None:
        if element.kind in _CARRIED:
            self._carry(parent, tag, _CARRIED[element.kind], item, path)
            return
        child = etree.SubElement(parent, tag)
        if element.group is not None:
            if isinstance(item, dict):
                self.build(child, item, element.group, path)
            else:
                self._fault(path, f"{element.tag} is an object")
        elif not isinstance(item, str) or (isinstance(item, Number) and element.kind != "amount"):
            self._fault(path, f"{element.tag} is a string")
        elif NOT_XML.search(item):
            self._fault(path, f"{element.tag} has a character that is not allowed in XML")
        else:
            child.text = item

    def _carry(
        self, parent: etree._Element, tag: str, model: type[Carried], item: Any, path: str
    ) -> None:
        try:
            child = model.model_validate(_plain(item)).element()
        except ValidationError as error:
            for fault in error.errors(
                include_url=False, include_input=False, include_context=False
            ):
                inner = "/".join(map(str, fault["loc"]))
                message = fault["msg"].removeprefix("Value error, ")[:300]
                self._fault("/".join(filter(None, (path, inner))), message)
            return
        child.tag = tag
        parent.append(child)


def _plain(value: Any) -> Any:
    """Return *value* with numbers in place of what they were written as."""
    if isinstance(value, Number):
        return float(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value
