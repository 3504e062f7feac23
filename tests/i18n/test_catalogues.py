"""What the hub says is there in six languages, whole, and says the same."""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from hub.i18n import LANGUAGES, texts
from hub.i18n.catalogue import read_catalogue
from hub.i18n.collect import collected, refreshed
from hub.i18n.texts import DOMAINS, file_of

CATALOGUES = [(code, domain) for domain in DOMAINS for code in LANGUAGES[1:]]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_no_text_is_missing_in_any_language_and_none_is_idle(code: str, domain: str) -> None:
    """``make texts`` brings the catalogues up to date; then translate what is empty."""
    said = texts(code, domain).forms
    names = {f"{one.context}\x04" if one.context else one.text for one in collected(domain)}

    assert names - set(said) == set(), "missing"
    assert set(said) - names == set(), "said by nobody"


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_every_form_of_a_translation_has_the_fields_of_its_text(code: str, domain: str) -> None:
    for message in refreshed(code, domain):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if not message.id or domain == "errors":
            continue
        for form in forms:
            assert fields(str(form)) == fields(ids[-1]), message.id


NAMES = re.compile(
    r"(?<!`)`[^`]+`(?!`)|--[a-z-]*[a-z]|CASPIAN_[A-Z_]+|docs/[a-z/]+\.md|/v1/[a-z/-]+|SIZE:ROOT"
)
"""What is the same in all languages: one has to type it, or look for it."""


@pytest.mark.parametrize(
    ("code", "domain"), [one for one in CATALOGUES if one[1] not in {"", "cli", "errors"}]
)
def test_a_translation_has_the_commands_options_and_pages_of_its_text(
    code: str, domain: str
) -> None:
    for text, forms in texts(code, domain).forms.items():
        for form in forms:
            assert set(NAMES.findall(text)) <= set(NAMES.findall(form)), text


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_a_catalogue_is_read_as_others_read_it(code: str, domain: str) -> None:
    path = file_of(code, domain)
    with path.open("rb") as file:
        theirs = read_po(file, locale=code)
    ours = read_catalogue(path.read_text("utf-8"))

    for message in theirs:
        if message.id:
            name = message.id[0] if isinstance(message.id, tuple) else message.id
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            assert ours.said[f"{message.context}\x04" if message.context else name] == forms
    assert len(ours.said) == len(theirs)


def test_numbers_have_the_forms_of_their_language() -> None:
    def count(code: str, number: int) -> str:
        return texts(code).many("{count} message", "{count} messages", number)

    assert [count("en", n) for n in (0, 1, 2)] == ["0 messages", "1 message", "2 messages"]
    assert [count("ru", n) for n in (1, 2, 5, 11, 21)] == [
        "1 сообщение",
        "2 сообщения",
        "5 сообщений",
        "11 сообщений",
        "21 сообщение",
    ]
    assert count("fa", 7) == "7 پیام"


def test_what_a_translator_doubts_or_left_empty_is_said_in_english() -> None:
    found = read_catalogue(
        '#, fuzzy\nmsgid "a"\nmsgstr "b"\n\nmsgid "c"\nmsgstr ""\n\n'
        'msgctxt "x"\nmsgid "d \\"q\\"\\n"\n"e"\nmsgstr "f"\n\n#~ msgid "old"\n#~ msgstr "alt"\n'
    )

    assert dict(found.said) == {"x\x04": ("f",)}


def test_there_is_no_other_language_or_domain() -> None:
    with pytest.raises(KeyError):
        texts("de")
    with pytest.raises(KeyError):
        texts("ru", "nothing")


def test_every_text_of_the_command_line_gets_its_fields() -> None:
    """A field without its value would be found by whoever runs into that very error."""
    for path in Path(str(files("hub.cli"))).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in {"t", "many"}:
                continue
            given = {keyword.arg for keyword in node.keywords}
            said = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
            if not said or None in given:
                continue
            wanted = set().union(*map(fields, said))
            assert given == wanted - ({"count"} - given), (path.name, node.lineno, said)
