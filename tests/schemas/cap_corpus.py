"""The messages of real agencies and the official schemas, where they lie beside this checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from schemas.cap import NAMESPACE_11, NAMESPACE_12, read_alert
from schemas.errors import Rejected

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

SHARED = Path(__file__).resolve().parents[3] / "shared"
CORPUS = SHARED / "corpus" / "cap"
SCHEMAS = {
    NAMESPACE_12: SHARED / "standards" / "cap" / "CAP-v1.2.xsd",
    NAMESPACE_11: SHARED / "standards" / "cap" / "cap11.xsd",
}
WHY_NOT = "the corpus of real messages is not beside this checkout"


def corpus_files() -> list[ParameterSet]:
    """Return every file of the corpus as a test parameter, or one that is skipped."""
    if not CORPUS.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason=WHY_NOT))]
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    return [pytest.param(path, id=str(path.relative_to(CORPUS))) for path in files]


def taken_files() -> list[ParameterSet]:
    """Return the files of the corpus that the reader takes."""
    return [p for p in corpus_files() if p.values[0] is None or is_taken(p.values[0].read_bytes())]


def is_taken(data: bytes) -> bool:
    try:
        read_alert(data)
    except Rejected:
        return False
    return True


@cache
def official_schema(namespace: str) -> etree.XMLSchema:
    """Compile the schema that the standard publishes."""
    if not SCHEMAS[namespace].is_file():
        pytest.skip("the official CAP schemas are not beside this checkout")
    return etree.XMLSchema(etree.parse(SCHEMAS[namespace]))


def official_verdict(data: bytes) -> bool:
    """Tell whether the official schema takes a document that is an alert."""
    root = etree.fromstring(data)
    return official_schema(etree.QName(root).namespace).validate(root)
