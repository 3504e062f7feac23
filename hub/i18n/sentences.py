"""Finds the sentences that findings and errors are told in, for the catalogues to have them.

On the wire, in the log and in JSON they are English for ever: what is hashed does not change
with its reader. Where people read them they are recognised (`hub.i18n.recognised`): nothing is
marked where it is said, and what is collected here is all that there is to translate.

A sentence is what a *sayer* gets: ``Finding``, ``case.found``, ``Rejected``, ``Unavailable``, and
every function that hands on to one of them what it was given. Where an f-string has a value, the
sentence has its ``{name}``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from hub.i18n.of_libraries import CALLED_WRONGLY, FOUND
from schemas.remedies import REMEDIES

__all__ = ["details", "findings", "remedies"]

_Given = Mapping[int | str, str]
"""By an argument's place or name, what it is: a finding, a detail or a remedy; or a code."""

_SAYERS: Final[dict[str, _Given]] = {
    "found": {-1: "finding"},
    "Finding": {3: "finding"},
    "ValueError": {0: "finding"},
    "Misplaced": {0: "finding"},
    "_Found": {1: "finding"},
    "append": {0: "loss"},
    "Rejected": {0: "code", 1: "detail", "remedy": "remedy"},
    "Unavailable": {0: "code", 1: "detail", "remedy": "remedy"},
    "__init__": {"remedy": "remedy"},
    "Wrong": {2: "detail"},
    "Fault": {2: "detail"},
    "wrong": {2: "detail"},
}
_TOLD: Final = frozenset({"finding", "detail", "remedy", "loss"})
_ANSWERS: Final = frozenset({"objection", "_judged_ring", "_why_not"})
"""Functions that return a finding for others to say."""

_RULES: Final = (
    *(f"schemas/{part}/" for part in ("cap", "polrep", "rm", "vocab")),
    "schemas/judgement.py",
    "schemas/one_reading.py",
    "hub/core/advice.py",
    "hub/core/exports.py",
    "hub/core/holds.py",
    "hub/core/registry.py",
    "hub/members/certificates.py",
    "hub/members/sign_on.py",
    "hub/outlets/records.py",
    "hub/settings.py",
)
"""Where findings are made, and what is wrong in a record or a setting."""
_SPEAKING: Final = ("hub/cli/searching.py", "hub/cli/search_proofs.py", "hub/cli/log_verify.py")
"""Of the command line: what finds faults of a log, as `hub.log` does."""
_REFUSE: Final = "schemas/cap/encoding.py"
"""Where the function `refuse` is, which several modules hand on to."""
_OTHERWISE: Final = ("hub/cli/", "hub/console/", "hub/i18n/")
"""What speaks to people, and marks its texts itself."""


def findings() -> Iterator[tuple[str, str]]:
    """Return the file and text of each sentence that a rule says, or a parser."""
    yield from (("libxml2, expat, pydantic", text) for text in FOUND)
    for one in _sentences():
        if one.what in {"finding", "loss"} and (one.path.startswith(_RULES) or one.path in _RULES):
            yield one.path, one.text


def details() -> Iterator[tuple[str, str]]:
    """Return the file and text of each detail of an error, and of each fault of a log."""
    known = {text for _, text in findings()}
    yield from (("cyclopts", text) for text in CALLED_WRONGLY)
    for one in _sentences():
        if one.what == "detail" and one.text not in known:
            yield one.path, one.text


def remedies() -> Iterator[tuple[str, str]]:
    """Return the file and text of what to do about each rule, and about each error."""
    yield from (("schemas/remedies.py", text) for text in REMEDIES.values())
    yield from ((one.path, one.text) for one in _sentences() if one.what == "remedy")


@dataclass(frozen=True, slots=True)
class _Sentence:
    path: str
    what: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class _Function:
    """A function with what it calls, and what its names stand for."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    calls: tuple[tuple[str, ast.Call], ...]
    names: Mapping[str, list[ast.expr]]
    answers: tuple[ast.expr, ...]


@cache
def _sentences() -> tuple[_Sentence, ...]:
    root = Path(str(files("hub"))).parent
    refuse = _functions((root / _REFUSE).read_text("utf-8"))
    shared = {**_SAYERS, "refuse": _handing(refuse, _SAYERS)["refuse"]}
    found: dict[_Sentence, None] = {}
    for file in (one for top in ("schemas", "hub") for one in sorted((root / top).rglob("*.py"))):
        path = str(file.relative_to(root))
        if path.startswith(_OTHERWISE) and path not in _SPEAKING:
            continue
        functions = _functions(file.read_text("utf-8"))
        sayers = dict(shared)
        for _ in range(2):  # who hands on to one that hands on
            sayers |= _handing(functions, sayers)
        found |= dict.fromkeys(_of(path, functions, sayers))
    return tuple(found)


def _functions(source: str) -> tuple[_Function, ...]:
    tree = ast.parse(source)
    whole = _assigned(tree.body)
    functions = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = list(ast.walk(node))
            calls = tuple((_called(one), one) for one in inside if isinstance(one, ast.Call))
            answers = tuple(
                one.value for one in inside if isinstance(one, ast.Return) and one.value is not None
            )
            functions.append(_Function(node, calls, whole | _assigned(inside), answers))
    return tuple(functions)


def _called(call: ast.Call) -> str:
    name = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
    losses = getattr(getattr(call.func, "value", None), "id", "") == "losses"
    return "" if name == "append" and not losses else name


def _handing(
    functions: Sequence[_Function], sayers: Mapping[str, _Given]
) -> dict[str, dict[int | str, str]]:
    """Return the functions that hand on what they are given, and what that is."""
    found: dict[str, dict[int | str, str]] = {}
    for function in functions:
        given: dict[int | str, str] = {}
        arguments = function.node.args
        places = [one.arg for one in arguments.args if one.arg not in {"self", "cls"}]
        named = {one.arg for one in arguments.kwonlyargs}
        for what, node in _said(function, sayers):
            if isinstance(node, ast.Name) and node.id in places:
                given |= {places.index(node.id): what, node.id: what}
            elif isinstance(node, ast.Name) and node.id in named:
                given[node.id] = what
            elif isinstance(node, ast.JoinedStr | ast.IfExp):
                inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                for name in inside & set(places):
                    given |= {places.index(name): what, name: what}
            elif isinstance(node, ast.Constant) and what == "code":
                given["code"] = str(node.value)
        if function.node.name not in _SAYERS and set(given.values()) & _TOLD:
            found[function.node.name] = given
    return found


def _said(function: _Function, sayers: Mapping[str, _Given]) -> Iterator[tuple[str, ast.expr]]:
    for name, call in function.calls:
        yield from _told(call, sayers.get(name, {}))


def _told(call: ast.Call, says: _Given) -> Iterator[tuple[str, ast.expr]]:
    for place, node in enumerate(call.args):
        last = place == len(call.args) - 1
        what = says.get(place) or (says.get(-1) if last else None)
        if what:
            yield what, node
    for keyword in call.keywords:
        what = says.get(keyword.arg or "")
        if what in _TOLD:
            yield what, keyword.value


def _of(
    path: str, functions: Sequence[_Function], sayers: Mapping[str, _Given]
) -> Iterator[_Sentence]:
    for function in functions:
        if function.node.name in _ANSWERS:
            for value in function.answers:
                last = value.elts[-1] if isinstance(value, ast.Tuple) else value
                yield from (
                    _Sentence(path, "finding", "", one) for one in _texts(last, function.names)
                )
        for name, call in function.calls:
            says = sayers.get(name, {})
            told = list(_told(call, says))
            codes = [n.value for what, n in told if what == "code" and isinstance(n, ast.Constant)]
            code = str(codes[0]) if codes else says.get("code", "")
            for what, node in told:
                if what in _TOLD:
                    texts = _texts(node, function.names)
                    yield from (_Sentence(path, what, code, one) for one in texts)


def _assigned(nodes: Sequence[ast.AST]) -> dict[str, list[ast.expr]]:
    """Return what names were made to stand for; a name may have been several things."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def _texts(node: ast.expr, names: Mapping[str, list[ast.expr]]) -> Iterator[str]:
    """Return what an expression may say; nothing of what was said elsewhere."""
    match node:
        case ast.Constant(value=str(text)) if _WORDS.search(text):
            yield _escaped(text.strip())
        case ast.JoinedStr(values=parts):
            template = _template(node)
            if (
                " " in template.strip()
                and len(re.findall("[A-Za-z]", re.sub(r"{.*?}", "", template))) > 2
            ):
                yield template.strip()
            for part in parts:
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(part.value, names)
        case ast.IfExp(body=one, orelse=other):
            yield from (*_texts(one, names), *_texts(other, names))
        case ast.BoolOp(values=several):
            yield from (text for one in several for text in _texts(one, names))
        case ast.Name(id=name):
            rest = {other: value for other, value in names.items() if other != name}
            yield from (text for one in names.get(name, ()) for text in _texts(one, rest))
        case _:
            pass


_WORDS: Final = re.compile(r"[a-z].* |[A-Za-z] .*[a-z]|^(?:geocodes|altitudes)$")
"""What is a sentence, and no code or name."""


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _template(node: ast.JoinedStr) -> str:
    made, used = "", set[str]()
    for part in node.values:
        if isinstance(part, ast.Constant):
            made += _escaped(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            name = _name(part.value)
            while name in used:
                name += "_"
            used.add(name)
            made += f"{{{name}}}"
    return made


def _name(node: ast.expr) -> str:
    """Return a name for the value of an expression, out of it."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Subscript(value=inner, slice=ast.Constant(value=str(name))):
            return name if name.isidentifier() else _name(inner)
        case ast.Subscript(value=inner) | ast.Await(value=inner) | ast.BinOp(left=inner):
            return _name(inner)
        case ast.Call(args=[first, *_]):
            return _name(first)
        case ast.Call(func=inner):
            return _name(inner)
        case ast.BoolOp(values=[first, *_]):
            return _name(first)
        case _:
            return "value"
