"""docs/protocol/http.md has every route of the API, and none that there is not."""

from __future__ import annotations

import re

from hub.members.roles import ROLES, SCOPES
from tests.docs.pages import bare, rows, sections, text_of
from tests.http.description import described, operations


def _routes() -> set[str]:
    return set(operations())


def _documented() -> dict[str, str]:
    found = sections(text_of("docs/protocol/http.md"), 3)
    return {bare(head): body for head, body in found.items()}


def test_every_route_is_documented_and_no_other() -> None:
    assert set(_documented()) == _routes()


def test_query_parameters_are_documented() -> None:
    page = text_of("docs/protocol/http.md")
    filters = {bare(row[0]) for row in rows(sections(page, 2)["Filters"])}
    schema = described()
    for name, body in _documented().items():
        method, path = name.split(" ")
        for parameter in schema["paths"][path][method.lower()].get("parameters", ()):
            if parameter["in"] == "query" and parameter["name"] not in filters:
                assert re.search(rf"\b{parameter['name']}\b", body), (name, parameter["name"])


def test_every_role_and_scope_is_documented() -> None:
    who = sections(text_of("docs/protocol/http.md"), 2)["Who asks"]

    assert {bare(row[0]) for row in rows(who)} == {*ROLES, *SCOPES}
