"""Which JSON Schema (2020-12) each message has in the hub's JSON form.

Made of the models, and for aid messages of the standard's tables, which say what each
type has of the common parts. What the schemas say is structure: every message that the
hub writes is valid by them; it takes a little more, such as ``null`` for what is not
there. The rules of docs/standards.md come on top.

``python -m schemas.json_schemas`` writes them into ``schemas/json``; a test sees that what
lies there is what this module makes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from schemas.cap.model import Alert
from schemas.rm.layout import Group
from schemas.rm.model import MESSAGE_TYPES
from schemas.rm.tables import MESSAGES

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["DIRECTORY", "NAMES", "json_schema", "schema_file", "schema_text"]

NAMES: Final = ("Alert", *MESSAGE_TYPES)
"""Every message that has a schema."""

DIRECTORY: Final = "json"
"""Where the files are, beside this module."""

_TEXT: Final = {
    "description": "Any text that XML can hold.",
    "type": "string",
    # Portable: the models' own pattern is in the dialect of one library.
    "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffe\\uffff]*$",
}
_TEXT_REF: Final = {"$ref": "#/$defs/Text"}

_MEANINGS: Final = {
    "addresses": "Separated by spaces; quotes hold together what has spaces.",
    "incidents": "Separated by spaces; quotes hold together what has spaces.",
    "references": "`sender,identifier,sent`, separated by spaces.",
    "polygon": "Each `lat,lon lat,lon …` in degrees, WGS 84; the last point is the first.",
    "circle": "Each `lat,lon radius` in degrees and kilometres.",
    "altitude": "In feet above mean sea level.",
    "ceiling": "In feet above mean sea level.",
    "size": "In bytes.",
}
"""What the texts of CAP hold that are more than words."""

_SHAPES: Final = ("point", "line", "polygon", "circle", "box", "xml")


def schema_file(name: str) -> str:
    """Return the name of a schema's file."""
    return f"{name}.schema.json"


def schema_text(name: str) -> str:
    """Return a schema as its file has it."""
    return json.dumps(json_schema(name), ensure_ascii=False, indent=2) + "\n"


def json_schema(name: str) -> dict[str, Any]:
    """Return the schema of one of `NAMES`."""
    model: type[BaseModel] = Alert if name == "Alert" else MESSAGE_TYPES[name]
    written = model.model_json_schema(mode="serialization")
    taken = model.model_json_schema(mode="validation")
    schema: dict[str, Any] = _cleaned(written, taken)
    if name == "Alert":
        _explain(schema)
    else:
        _narrow(schema, MESSAGES[name], schema["$defs"], {})
        schema["properties"]["MessageContentType"] = {"const": name}
        schema["$defs"]["TargetArea"]["anyOf"] = [{"required": [shape]} for shape in _SHAPES]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:caspian-hub:schema:{name}",
        "title": name,
    }
    defs = _reached(schema, {**schema.pop("$defs"), "Text": _TEXT})
    return {**head, **_ordered(schema), "$defs": {key: _ordered(defs[key]) for key in sorted(defs)}}


def _cleaned(written: Any, taken: Any) -> Any:
    """Return *written* as people want to read it, as lax as *taken* about numbers.

    The first tells that a polygon is a text, the second that a text is a time and that
    a number may stand for an amount.
    """
    if isinstance(written, list):
        return [_cleaned(one, None) for one in written]
    if not isinstance(written, dict):
        return written
    other = taken if isinstance(taken, dict) else {}
    choices = [one for one in written.get("anyOf", ()) if one != {"type": "null"}]
    if choices:
        # What is not there is left out, not null.
        (only,) = choices
        options = [one for one in other.get("anyOf", ()) if one != {"type": "null"}]
        other = options[0] if len(options) == 1 else {"anyOf": options}
        return _cleaned(only, other)
    if written.get("type") == "string":
        return _cleaned_text(written, other)
    found = {}
    for key, value in written.items():
        if key == "title" or (key == "default" and value in (None, [], "")):
            continue
        if key in {"properties", "$defs"}:
            found[key] = {
                name: _cleaned(one, other.get(key, {}).get(name, {})) for name, one in value.items()
            }
        elif key == "description":
            found[key] = value.replace("``", "`")
        else:
            found[key] = _cleaned(value, other.get(key))
    return found


def _cleaned_text(written: dict[str, Any], taken: dict[str, Any]) -> dict[str, Any]:
    if str(written.get("pattern", "")).startswith(r"\A"):
        return dict(_TEXT_REF)
    found = {
        key: value
        for key, value in written.items()
        if key != "title" and (key, value) != ("default", "")
    }
    if taken.get("format") == "date-time":
        return {**found, "format": "date-time"}
    kinds = {one.get("type") for one in taken.get("anyOf", ())}
    return {"type": ["string", "number"]} if kinds == {"string", "number"} else found


def _explain(schema: dict[str, Any]) -> None:
    for part in (schema, *schema["$defs"].values()):
        for name, value in part["properties"].items():
            if name in _MEANINGS and "$ref" not in value:
                value["description"] = _MEANINGS[name]


def _narrow(
    part: dict[str, Any], group: Group, defs: dict[str, Any], seen: dict[str, Group]
) -> None:
    """Leave in a part, and in those under it, what the type of message has, and ask for the rest.

    A part's schema serves all its places in a message: the standard's tables have the
    same in each.
    """
    known = part["properties"]
    part["properties"] = {element.tag: known[element.tag] for element in group.elements}
    needed = [element.tag for element in group.elements if element.needed]
    part.pop("required", None)
    if group.choice:
        part["oneOf"] = [{"required": [tag]} for tag in needed]
    elif needed:
        part["required"] = needed
    for element in group.elements:
        value = part["properties"][element.tag]
        if element.occurs == "+":
            value["minItems"] = 1
        if element.kind == "enum":
            value["enum"] = list(element.values)
        reference = value.get("items", value).get("$ref", "")
        if element.group is None or not reference:
            continue
        name = reference.removeprefix("#/$defs/")
        if name not in seen:
            seen[name] = element.group
            _narrow(defs[name], element.group, defs, seen)
        elif seen[name] != element.group:
            raise ValueError(f"{name} differs between its places in one message")


def _reached(schema: Any, defs: dict[str, Any]) -> dict[str, Any]:
    """Return those definitions that a schema names, or that those name in turn."""
    found: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            name = str(value.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in found:
                found[name] = defs[name]
                waiting.append(defs[name])
    return found


_ORDER: Final = ("description", "type", "properties", "required")


def _ordered(part: dict[str, Any]) -> dict[str, Any]:
    keys = [key for key in _ORDER if key in part]
    return {key: part[key] for key in [*keys, *(key for key in part if key not in keys)]}


def main() -> int:
    """Write all files."""
    place = Path(__file__).parent / DIRECTORY
    place.mkdir(exist_ok=True)
    for name in NAMES:
        (place / schema_file(name)).write_text(schema_text(name), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
