"""CAP 1.2: reading, judging and writing alerts.

`read_alert` is the door: bytes in, an `Alert` with its warnings out, or one
`schemas.errors.Rejected` that says what to change. docs/standards.md lists the
rules, `schemas.cap.model` the elements.
"""

from schemas.cap.containers import open_container
from schemas.cap.facts import alert_facts
from schemas.cap.json_form import read_alert_json
from schemas.cap.layout import NAMESPACE_10, NAMESPACE_11, NAMESPACE_12
from schemas.cap.model import Alert, Area, EventCode, Geocode, Info, Parameter, Resource
from schemas.cap.profiles import Profile
from schemas.cap.read import Reading, check_alert, read_alert
from schemas.cap.write import write_alert, write_alert_json

__all__ = [
    "NAMESPACE_10",
    "NAMESPACE_11",
    "NAMESPACE_12",
    "Alert",
    "Area",
    "EventCode",
    "Geocode",
    "Info",
    "Parameter",
    "Profile",
    "Reading",
    "Resource",
    "alert_facts",
    "check_alert",
    "open_container",
    "read_alert",
    "read_alert_json",
    "write_alert",
    "write_alert_json",
]
