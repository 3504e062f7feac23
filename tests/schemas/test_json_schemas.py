"""JSON Schemas: they are those of the models, and what the hub writes is valid by them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cap_corpus import taken_files
from cap_strategies import lawful_alerts
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rm_samples import full_message
from rm_strategies import lawful_messages, messages

import schemas
from schemas.cap import Alert, read_alert, write_alert_json
from schemas.json_schemas import DIRECTORY, NAMES, json_schema, schema_file, schema_text
from schemas.rm import MESSAGE_TYPES, write_aid_json
from tests.examples import examples

FILES = Path(schemas.__path__[0]) / DIRECTORY


@cache
def validator(name: str) -> Any:
    return Draft202012Validator(json_schema(name))


def faults(name: str, data: bytes | dict[str, Any]) -> list[str]:
    value = json.loads(data) if isinstance(data, bytes) else data
    return [f"{fault.json_path}: {fault.message}" for fault in validator(name).iter_errors(value)]


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_what_the_models_say(name: str) -> None:
    there = (FILES / schema_file(name)).read_text("utf-8")

    assert there == schema_text(name), "write them anew: make schemas"


def test_there_are_no_other_files() -> None:
    assert {path.name for path in FILES.iterdir()} == {schema_file(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_schema_with_a_name_of_its_own(name: str) -> None:
    schema = json_schema(name)

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:caspian-hub:schema:{name}"
    text = json.dumps(schema)
    named = {part for part in schema["$defs"] if f'"#/$defs/{part}"' in text}
    assert named == set(schema["$defs"])
    assert "\\\\A" not in text, "a pattern in the dialect of one library"


@examples(15)
@given(lawful_alerts())
def test_every_alert_that_is_written_is_valid(alert: Alert) -> None:
    assert faults("Alert", write_alert_json(alert)) == []


@pytest.mark.parametrize("path", taken_files())
def test_real_alerts_are_valid(path: Path) -> None:
    assert faults("Alert", write_alert_json(read_alert(path.read_bytes()).alert)) == []


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_a_message_with_everything_is_valid_by_the_schema_of_its_type_alone(name: str) -> None:
    written = write_aid_json(full_message(name))

    assert faults(name, written) == []
    value = json.loads(written)
    assert [other for other in MESSAGE_TYPES if validator(other).is_valid(value)] == [name]


@pytest.mark.parametrize("name", MESSAGE_TYPES)
@examples(3)  # of each of seventeen types
@given(data=st.data())
def test_every_aid_message_that_is_written_is_valid(name: str, data: st.DataObject) -> None:
    message = data.draw(st.one_of(messages(name), lawful_messages(name)))

    assert faults(name, write_aid_json(message)) == []


ALERT = {
    "identifier": "s-1",
    "sender": "a@b",
    "sent": "2026-11-23T08:00:00-00:00",
    "status": "Test",
    "msgType": "Alert",
    "scope": "Public",
    "info": [
        {
            "category": ["Met"],
            "event": "سیل",
            "urgency": "Past",
            "severity": "Minor",
            "certainty": "Unlikely",
            "area": [{"areaDesc": "گیلان", "altitude": 12.5, "polygon": ["1,2 3,4 5,6 1,2"]}],
        }
    ],
}


def test_what_is_asked_for_is_there() -> None:
    assert faults("Alert", ALERT) == []


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": None},
        {"identifier": 1},
        {"identifier": "a\u0000"},
        {"status": "Real"},
        {"msgtype": "Alert"},
        {"code": "one"},
        {"info": {}},
        {"info": [{}]},
        {"info": [{**ALERT["info"][0], "category": []}]},  # type: ignore[dict-item,index]
        {"info": [{**ALERT["info"][0], "language": "in words"}]},  # type: ignore[dict-item,index]
        {"info": [{**ALERT["info"][0], "area": [{"areaDesc": "x", "polygon": [[1, 2]]}]}]},  # type: ignore[dict-item,index]
    ],
)
def test_what_the_standard_does_not_have_is_not_valid(change: dict[str, Any]) -> None:
    assert faults("Alert", {**ALERT, **change}) != []


def test_what_a_type_of_message_does_not_have_is_not_valid() -> None:
    message = json.loads(write_aid_json(full_message("RequestResource")))

    assert faults("RequestResource", {**message, "PrecedingMessageID": "x"}) != []
    message["ResourceInformation"][0]["ScheduleInformation"][0]["ScheduleType"] = "BeginAvailable"
    assert faults("RequestResource", message) != []
