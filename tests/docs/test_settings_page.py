"""docs/settings.md has every setting with its default, and none that there is not."""

from __future__ import annotations

import re

import pytest

from hub.errors import Unavailable
from hub.settings import PREFIX, Settings
from tests.docs.pages import ROOT, bare, pages, rows, text_of


def _documented() -> dict[str, list[str]]:
    return {bare(row[0]): row for row in rows(text_of("docs/settings.md"))}


def test_every_setting_is_documented_with_its_default() -> None:
    defaults = Settings().to_environment()
    expected = {
        PREFIX + name.upper(): "none" if value is None else defaults[PREFIX + name.upper()]
        for name, value in Settings()
    }

    assert {name: bare(row[1]) or row[1] for name, row in _documented().items()} == expected


def test_every_row_says_its_unit_and_what_it_sets() -> None:
    for name, row in _documented().items():
        assert len(row) == 5, name
        assert row[2], name
        assert row[3].endswith("."), name


@pytest.mark.parametrize(
    "given",
    [
        {"REDIS_CA": "ca.pem"},
        {"REDIS_CERTIFICATE": "c.pem", "REDIS_KEY": "k.pem"},
        {"REDIS_URL": "rediss://h/0", "REDIS_CERTIFICATE": "c.pem"},
        {"REDIS_URL": "rediss://h/0", "REDIS_KEY": "k.pem"},
    ],
)
def test_files_for_tls_that_nothing_would_use_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(Unavailable) as caught:
        Settings.from_environment({PREFIX + name: value for name, value in given.items()})

    assert caught.value.code == "settings-invalid"


def test_an_unset_setting_hides_what_a_child_would_inherit() -> None:
    inherited = {f"{PREFIX}REDIS_CA": "ca.pem", f"{PREFIX}REDIS_URL": "rediss://elsewhere/0"}

    assert Settings.from_environment({**inherited, **Settings().to_environment()}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("CASPIAN_MAX_DELIVERIES", "1"), ("CASPIAN_FEED_RETENTION", "59"), ("CASPIAN_BATCH", "0")],
)
def test_a_value_out_of_its_bounds_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Unavailable) as caught:
        Settings.from_environment({name: value})

    assert caught.value.code == "settings-invalid"


def test_every_variable_that_a_page_names_is_a_setting() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {name + "_FILE" for name in known}
    # Read by the command line, by the compose file, and by the benchmark of nobody else.
    known |= {"CASPIAN_TOKEN", "CASPIAN_PASSPHRASE", "CASPIAN_URL", "CASPIAN_PUBLISHED_PORT"}
    known |= {"CASPIAN_CONTEXT", "CASPIAN_CONTEXTS", "CASPIAN_INDEX", "CASPIAN_KIND"}
    known |= {"CASPIAN_PERSON", "CASPIAN_LANGUAGE"}
    unknown = {
        (str(page.relative_to(ROOT)), name)
        for page in pages()
        for name in re.findall(r"CASPIAN_[A-Z_]+[A-Z]", page.read_text("utf-8"))
        if name not in known
    }

    assert unknown == set()
