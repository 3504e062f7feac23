"""Files and addresses go with an alert, and are shown so that nothing of them can act."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from hub.i18n import texts
from tests.console.browsers import Desk, desk
from tests.console.test_aid_moves import approves, hands_over
from tests.console.test_compose import content, filled, found, goes_with_keys, tabs, types, writer
from tests.hubkit import Hub

pytestmark = pytest.mark.asyncio(loop_scope="module")

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=`bad`">'
    b"<script>document.title='bad'</script></svg>"
)


def png(width: int = 40, height: int = 30) -> bytes:
    """Return a red picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    rows = (b"\0" + b"\xb0\x20\x20" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    whole = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + whole


async def attaches(at: Desk, path: Path) -> None:
    """Attach a file with the keyboard alone, but for the system's own box of files."""
    # The browser is told first that the box is ours: it needs a moment for it.
    async with at.page.expect_file_chooser() as box:
        await tabs(at.page, "#add-file")
        await at.page.keyboard.press("Enter")
    await (await box.value).set_files(path)


def resource(**given: Any) -> dict[str, Any]:
    return {"resourceDesc": "Map", "mimeType": "image/png", **given}


def carrying(body: bytes, **given: Any) -> dict[str, Any]:
    return resource(derefUri=base64.b64encode(body).decode(), **given)


async def published(hub: Hub, at: Desk, *resources: dict[str, Any]) -> int:
    """Publish an alert with these resources by another program of its agency."""
    index = await hub.publish("az-fhn", headline="With attachments")
    async with hub.http("az-fhn") as http:
        message = (await http.get(f"/v1/messages/{index}/content")).json()["message"]
        message["identifier"] += "-files"
        message["info"][0]["resource"] = list(resources)
        kind = {"Content-Type": "application/cap+json"}
        answer = await http.post("/v1/messages", content=json.dumps(message), headers=kind)
    assert answer.status_code == 201, answer.text
    await at.goes(f"/console/messages/{answer.json()['index']}")
    return int(answer.json()["index"])


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "fa"])
async def test_a_file_and_an_address_go_with_an_alert(
    hub: Hub, browser: Browser, tmp_path: Path, language: str
) -> None:
    _ = texts(language)
    picture = png()
    (tmp_path / "slick map.png").write_bytes(picture)
    name = await writer(hub, f"attaches.{language}")
    async with desk(hub, browser, name, language=language) as at:
        page = at.page
        await at.goes("/console/compose")
        await filled(at)
        await attaches(at, tmp_path / "slick map.png")
        description = "[id='field-files-1-resourceDesc']"
        await page.wait_for_selector(description)
        assert await page.input_value(description) == "slick map"
        assert await page.input_value("[id='field-files-1-mimeType']") == "image/png"
        await at.says("checked", "fine")
        assert await page.locator("#preview img.picture").count() == 1

        await tabs(page, "#add-address")
        await page.keyboard.press("Enter")
        await found(at, "files[2]/uri", _("Give the address of the attachment."))
        assert await page.is_disabled("#send")
        await types(page, "[id='field-files-2-resourceDesc']", "Drift forecast")
        await types(page, "[id='field-files-2-mimeType']", "pdf")
        await types(page, "[id='field-files-2-uri']", "forecast.pdf")
        await found(at, "files[2]/mimeType", _("A type is written as image/png."))
        await found(at, "files[2]/uri", _("The address of an attachment begins with https://."))
        await types(page, "[id='field-files-2-mimeType']", "application/pdf")
        await types(page, "[id='field-files-2-uri']", "https://fhn.example/forecast.pdf")
        await types(page, "[id='field-files-2-size']", "many")
        await found(at, "files[2]/size", _("The size is a number of bytes, and that of the file."))
        await types(page, "[id='field-files-2-size']", "20480")
        await at.says("checked", "checking")
        await at.says("checked", "fine")
        faults = (await Axe().run(page)).response["violations"]
        assert faults == [], json.dumps(faults, ensure_ascii=False)[:3000]
        index = await goes_with_keys(at)

        await at.goes(f"/console/messages/{index}")
        await at.until("() => document.querySelector('.attachments img')?.naturalWidth === 40")
        faults = (await Axe().run(page)).response["violations"]
        assert faults == [], json.dumps(faults, ensure_ascii=False)[:3000]
        link = page.locator(".attachments a")
        assert await link.get_attribute("href") == "https://fhn.example/forecast.pdf"
        assert await link.get_attribute("rel") == "noopener noreferrer"
        await tabs(page, "[data-keep='1']")
        async with page.expect_download() as kept:
            await page.keyboard.press("Enter")
        download = await kept.value
        assert download.suggested_filename == "slick_map.png"
        assert await asyncio.to_thread(Path(await download.path()).read_bytes) == picture
        assert at.faults == []
        assert [r for r in at.requests if not r.startswith((at.url, "data:", "blob:"))] == []

    [info] = (await content(hub, "ir-ndmo", index))["info"]
    first, second = info["resource"]
    assert base64.b64decode(first.pop("derefUri")) == picture
    assert first == {
        "resourceDesc": "slick map",
        "mimeType": "image/png",
        "size": len(picture),
        "uri": "slick%20map.png",
        "digest": hashlib.sha1(picture, usedforsecurity=False).hexdigest(),
    }
    assert (second["uri"], second["size"]) == ("https://fhn.example/forecast.pdf", 20480)


@pytest.mark.long
async def test_what_is_too_large_or_empty_is_refused_before_it_is_attached(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x" * (1 << 20))
    (tmp_path / "nothing.txt").write_bytes(b"")
    (tmp_path / "half.bin").write_bytes(b"y" * 500_000)
    name = await writer(hub, "attaches.much")
    async with desk(hub, browser, name) as at:
        page = at.page
        await at.goes("/console/compose")
        await filled(at)
        for file, why in (("film.mp4", "film.mp4 is too large"), ("nothing.txt", "is empty.")):
            await attaches(at, tmp_path / file)
            await at.until(
                "(why) => document.querySelector('#file-refused').textContent.includes(why)", why
            )
        assert await page.locator("[id='field-files-1-resourceDesc']").count() == 0

        await attaches(at, tmp_path / "half.bin")
        await page.wait_for_selector("[id='field-files-1-resourceDesc']")
        await at.says("checked", "fine")
        await page.select_option("#add-language", "ru")
        await page.click("#add-language + button")
        await found(at, "files", "The message is too large.")
        assert await page.is_disabled("#send")
        await page.select_option("[id='field-files-1-language']", "en")
        await at.until("() => !document.querySelector('#field-files-found').textContent")
        assert at.faults == []


async def test_nothing_that_is_attached_can_act(hub: Hub, browser: Browser) -> None:
    name = await writer(hub, "looks.at.files", "ir-ndmo")
    huge = png(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", 60_000, 60_000), 1)
    async with desk(hub, browser, name) as at:
        page = at.page
        await published(
            hub,
            at,
            carrying(SVG, mimeType="image/svg+xml", uri="../..%2Fpicture%E2%80%AE.svg"),
            carrying(b"<script>document.title='bad'</script>", mimeType="text/html", uri="a.html"),
            carrying(b"no picture at all", uri="b.png"),
            carrying(huge, uri="huge.png"),
            resource(uri="javascript:document.title='bad'"),
            resource(uri="data:text/html,bad"),
            carrying(png(), mimeType="application/pdf", uri="c.pdf"),
        )
        assert await page.locator(".attachment").count() == 7
        assert await page.locator(".attachments img").count() == 1
        assert await page.locator(".attachments a").count() == 0
        assert await page.locator(".attachments iframe, .attachments object").count() == 0
        async with page.expect_download() as kept:
            await page.click("[data-keep='1']")
        assert (await kept.value).suggested_filename == "picture_.svg"
        assert "bad" not in await page.title()
        assert at.faults == []


@pytest.mark.long
async def test_an_update_brings_the_attachments_along_and_a_cancellation_does_not(
    hub: Hub, browser: Browser
) -> None:
    name = await writer(hub, "updates.files")
    async with desk(hub, browser, name) as at:
        index = await published(hub, at, carrying(png(), uri="map.png"))
        await at.goes(f"/console/compose?update={index}")
        await at.says("checked", "fine")
        assert await at.page.input_value("[id='field-files-1-resourceDesc']") == "Map"
        second = await goes_with_keys(at)
        await at.goes(f"/console/compose?cancel={second}")
        assert await at.page.locator("[id='field-files-1-resourceDesc']").count() == 0

    [info] = (await content(hub, "ir-ndmo", second))["info"]
    [one] = info["resource"]
    assert base64.b64decode(one["derefUri"]) == png()


@pytest.mark.long
async def test_a_second_officer_sees_the_attachments_before_approving(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "map.png").write_bytes(png())
    policy = {"id": "az-files", "state": "AZ", "name": "Two officers", "approval": True}
    await hub.add_members([policy])
    first = await writer(hub, "first.files", "az-files", person="Leyla Aliyeva")
    second = await writer(hub, "second.files", "az-files", person="Orkhan Mammadov")
    async with desk(hub, browser, first) as one, desk(hub, browser, second) as two:
        await one.goes("/console/compose")
        await filled(one)
        await attaches(one, tmp_path / "map.png")
        await one.page.wait_for_selector("[id='field-files-1-resourceDesc']")
        await hands_over(one)
        await two.goes("/console/drafts")
        await two.page.wait_for_selector("#waiting .attachments img")
        index = await approves(two)
        assert one.faults + two.faults == []

    [info] = (await content(hub, "ir-ndmo", index))["info"]
    assert info["resource"][0]["uri"] == "map.png"
