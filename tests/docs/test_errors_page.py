"""docs/errors.md has every code that is raised, and none that is not."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache

from hub.errors import Rejected, Unavailable
from hub.http.problems import status_of
from tests.docs.pages import bare, rows, sections, sources, text_of

_CODE = re.compile(r"[a-z][a-z0-9]*([-.][a-z0-9]+)*")
_WHO = {"sender", "operator", "time"}


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


@cache
def _nodes() -> list[ast.AST]:
    return [node for tree in sources().values() for node in ast.walk(tree)]


def _calls(function: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


def _carriers() -> dict[str, tuple[int, str]]:
    """Return who raises with a code it is given: which argument that is, and the branch."""
    found = {"Rejected": (0, "Rejected"), "Unavailable": (0, "Unavailable")}
    functions = [
        (function.name, [argument.arg for argument in function.args.args], _calls(function))
        for function in _nodes()
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for _ in range(3):  # one that calls one that calls one
        for name, names, calls in functions:
            for call in calls:
                place, branch = found.get(_name(call), (99, ""))
                if len(call.args) > place:
                    given = call.args[place]
                    if isinstance(given, ast.Name) and given.id in names:
                        found[name] = (names.index(given.id), branch)
    return found


@cache
def _raised() -> dict[str, set[str]]:
    """Every code in the product, with the branches it is raised in."""
    found: dict[str, set[str]] = defaultdict(set)
    carriers = _carriers()
    for node in _nodes():
        if isinstance(node, ast.Call):
            place, branch = carriers.get(_name(node), (99, ""))
            if len(node.args) > place:
                given = node.args[place]
                for one in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                    if isinstance(one, ast.Constant) and _CODE.fullmatch(str(one.value)):
                        found[str(one.value)].add(branch)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if (
                    isinstance(key, ast.Constant)
                    and key.value == "code"
                    and isinstance(value, ast.Constant)
                ):
                    found[str(value.value)].add("")
    # These reach their exception by another way than a text in its call.
    found["log-moved"].add("Unavailable")
    found["route-unknown"].add("Rejected")
    found["method-not-allowed"].add("Rejected")
    return dict(found)


def _documented() -> dict[str, list[str]]:
    table = rows(text_of("docs/errors.md"))
    codes = [bare(row[0]) for row in table]

    assert len(set(codes)) == len(codes), "a code stands twice"
    return dict(zip(codes, table, strict=True))


def test_every_code_that_is_raised_is_documented_and_no_other() -> None:
    documented, raised = set(_documented()), set(_raised())

    assert raised - documented == set(), "raised, and not in docs/errors.md"
    assert documented - raised == set(), "in docs/errors.md, and never raised"


def test_every_row_says_who_must_act_and_what_to_do() -> None:
    for code, (_, _, who, meaning, remedy) in _documented().items():
        assert who in _WHO, code
        assert meaning.endswith("."), code
        assert remedy.endswith("."), code


def test_the_status_is_the_one_that_the_api_gives() -> None:
    raised = _raised()
    for code, row in _documented().items():
        if row[1] in {"", "500"}:
            continue
        possible = {
            str(status_of((Unavailable if branch == "Unavailable" else Rejected)(code, "")))
            for branch in raised[code]
        }

        assert row[1] in possible, code


def test_codes_of_the_command_line_alone_have_no_status() -> None:
    local = sections(text_of("docs/errors.md"), 2)["Starting, and the command line"]

    assert all(row[1] == "" for row in rows(local))
