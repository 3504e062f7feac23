"""What pages are made of: their shells, what they may load, texts in six languages, dates."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from babel import Locale

from hub.console.pages import PAGES
from hub.console.routes import CSP, LANGUAGE_COOKIE
from hub.console.static_files import digest, static_files
from hub.i18n import LANGUAGES, chosen, date_forms, language, texts, written
from hub.i18n.collect import collected, script_texts
from tests.hubkit import Hub

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Markup(HTMLParser):
    """All elements of a page, and the text of those that could be scripts or styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside = ""
        self.within: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, _tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside and data.strip():
            self.within.append(data)


def address(path: str) -> str:
    return path.replace("{name}", "7")


async def test_pages_may_load_what_is_the_hubs_and_nothing_that_stands_in_them(hub: Hub) -> None:
    async with hub.http() as http:
        for page in PAGES:
            answer = await http.get(address(page.path))
            assert answer.status_code == 200, page.path
            policy = answer.headers["content-security-policy"]
            assert policy == CSP
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            markup = Markup(answer.text)
            assert markup.within == []
            for tag, attributes in markup.elements:
                assert not any(name.startswith("on") or name == "style" for name in attributes), tag
                for name in ("src", "href"):
                    assert (attributes.get(name) or "/").startswith(("/", "#")), attributes


async def test_everything_that_a_shell_names_is_there_and_is_kept_for_ever(hub: Hub) -> None:
    async with hub.http() as http:
        named = {
            value
            for page in PAGES
            for _, attributes in Markup((await http.get(address(page.path))).text).elements
            for value in (attributes.get("src"), attributes.get("href"))
            if value and value.startswith("/console/static/")
        }
        for path in named:
            answer = await http.get(path)
            assert answer.status_code == 200, path
            assert "immutable" in answer.headers["cache-control"]
        old = await http.get(f"/console/static/0000/{next(iter(static_files()))}")
        missing = await http.get(f"/console/static/{digest()}/../../app.py")
        root = await http.get("/")

    assert len(named) >= len(PAGES)
    assert old.headers["cache-control"] == "no-store"
    assert missing.status_code == 404
    assert root.headers["location"] == "/console/watch"


async def test_scripts_import_only_what_there_is() -> None:
    files = static_files()
    for name, file in files.items():
        if not name.endswith(".js") or name.startswith(
            ("leaflet/", "texts/", "findings/", "details/")
        ):
            continue
        text = file.body.decode()
        for wanted in re.findall(r'(?:from|import\()\s*"\./([^"]+)"', text):
            assert wanted in files, (name, wanted)
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, (name, word)


async def test_a_shell_is_in_the_language_that_was_chosen_else_in_one_that_is_accepted(
    hub: Hub,
) -> None:
    async with hub.http() as http:
        for code in LANGUAGES:
            page = await http.get("/console/sign-in", headers={"Accept-Language": f"{code};q=0.9"})
            [(_, root)] = [one for one in Markup(page.text).elements if one[0] == "html"]
            assert (root["lang"], root["dir"]) == (code, "rtl" if code == "fa" else "ltr")
            assert texts(code)("Password") in page.text
        cookie = {"Cookie": f"{LANGUAGE_COOKIE}=kk", "Accept-Language": "ru"}
        page = await http.get("/console/sign-in", headers=cookie)

    assert 'lang="kk"' in page.text


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "en"),
        ("de, fr;q=0.5", "en"),
        ("de, kk-KZ;q=0.4, ru;q=0.8", "ru"),
        ("fa-IR", "fa"),
        ("fa;q=0, tk", "tk"),
        ("ru;q=nonsense, az", "az"),
    ],
)
async def test_accepted_languages_are_ranked(accept: str, expected: str) -> None:
    assert chosen("", "xx", accept=accept) == expected


async def test_scripts_get_all_the_texts_that_they_say() -> None:
    assert set(script_texts()) <= {said.text for said in collected()}
    assert {"Acknowledge", "Overdue by {span}"} <= set(script_texts())


async def test_languages_name_themselves() -> None:
    assert [language(code).name for code in LANGUAGES][1] == "русский"
    with pytest.raises(KeyError):
        language("de")
    with pytest.raises(KeyError):
        texts("de")


async def test_dates_are_those_of_cldr_and_persian_ones_of_the_persian_calendar() -> None:
    moment = datetime(2026, 11, 26, 10, 5, tzinfo=UTC)

    assert written(moment, "en", UTC) == "Nov 26, 2026, 10:05"
    assert written(moment, "ru", UTC, long=True) == "26 ноября 2026\u202fг., 10:05"
    assert written(moment, "az", UTC) == "26 noy 2026 10:05"
    assert "۵ آذر ۱۴۰۵" in written(moment, "fa", UTC)
    for code in LANGUAGES:
        assert len(date_forms(code).months) == 12
        assert date_forms(code).days == tuple(
            Locale.parse(code).days["format"]["abbreviated"][n] for n in range(7)
        )


async def test_browsers_write_dates_as_the_server_does(hub: Hub, browser: Any) -> None:
    """Chromium knows no Azerbaijani and no Kazakh dates of its own."""
    chance = random.Random(12)
    moments = [
        datetime(1990, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(40_000_000))
        for _ in range(300)
    ]
    moments += [datetime(y, 3, d, 12, tzinfo=UTC) for y in range(2020, 2034) for d in range(18, 24)]
    context = await browser.new_context(timezone_id="UTC")
    try:
        page = await context.new_page()
        for code in LANGUAGES:
            await context.add_cookies([{"name": LANGUAGE_COOKIE, "value": code, "url": hub.url}])
            await page.goto(f"{hub.url}/console/sign-in")
            for long in (False, True):
                found = await page.evaluate(
                    """async ([base, moments, long]) => {
                      const { written } = await import(`${base}/dates.js`);
                      return moments.map((moment) => written(moment, { long }));
                    }""",
                    [f"/console/static/{digest()}", [m.isoformat() for m in moments], long],
                )
                assert found == [written(m, code, UTC, long=long) for m in moments]
    finally:
        await context.close()
