"""Take the pictures in docs/screenshots: run a demonstration, and look at its console.

Needs Debian's chromium, and fonts of all six languages (fonts-noto-core). To run it once more::

    make screenshots

The pictures are made small enough to live in the repository: of each 256 colours stay, and the
nearest of them stands for the others.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import struct
import sys
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs/screenshots"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-sync", "--no-first-run"]
LARGE, SMALL, WALL = (1440, 900), (390, 844), (1920, 1080)

PAGES: tuple[tuple[str, str, tuple[str, str, str, str]], ...] = (
    # name, path; who looks and in which language: in light, in the dark, on a telephone, on a wall
    ("watch", "/console/watch", ("az-centre en", "ir-ndmo fa", "ru-mchs ru", "kz-mes kk")),
    (
        "message",
        "/console/messages/{oil}",
        ("az-centre en", "ir-ndmo fa", "kz-mes kk", "ru-mchs ru"),
    ),
    ("handover", "/console/handover", ("ru-mchs ru", "az-fhn az", "tm-emergency tk", "ir-ndmo fa")),
    ("aid", "/console/aid", ("az-centre en", "ir-ndmo fa", "tm-emergency tk", "ru-mchs ru")),
    ("compose", "/console/compose", ("az-fhn en", "tm-emergency ru", "az-fhn az", "az-fhn fa")),
    ("drafts", "/console/drafts", ("az-fhn en", "az-fhn az", "az-fhn ru", "az-fhn fa")),
    ("log", "/console/log", ("auditor en", "auditor kk", "auditor fa", "auditor ru")),
    ("search", "/console/search", ("auditor en", "auditor fa", "auditor az", "auditor tk")),
    ("replays", "/console/replays", ("auditor en", "auditor ru", "auditor fa", "auditor kk")),
    (
        "replay",
        "/console/replays/storm-drill",
        ("auditor en", "auditor fa", "auditor ru", "auditor az"),
    ),
    (
        "reports",
        "/console/reports?show=all",
        ("auditor en", "auditor az", "auditor fa", "auditor ru"),
    ),
    ("exports", "/console/exports", ("auditor ru", "auditor fa", "auditor en", "auditor tk")),
    ("witnesses", "/console/witnesses", ("auditor en", "auditor fa", "auditor kk", "auditor ru")),
    (
        "operations",
        "/console/operations",
        ("operator en", "operator az", "operator ru", "operator fa"),
    ),
    ("account", "/console/account", ("tm-emergency tk", "ru-mchs ru", "ir-ndmo fa", "az-fhn az")),
    ("sign-in", "/console/sign-in", (" az", " kk", " fa", " ru")),
)
FORMS: tuple[tuple[str, Any, tuple[int, int]], ...] = (
    ("light", "light", LARGE),
    ("dark", "dark", LARGE),
    ("phone", "light", SMALL),
    ("large", "dark", WALL),
)
SHOTS: tuple[tuple[str, str, str, str, Any, tuple[int, int]], ...] = (
    # name, path, officer of, language, scheme, size
    *(
        (f"{name}-{form}", path, *who.split(" "), scheme, size)
        for name, path, people in PAGES
        for who, (form, scheme, size) in zip(people, FORMS, strict=True)
    ),
    ("watch-exercise", "/console/watch?mode=exercise", "az-fhn", "az", "light", LARGE),
    # The wall screen is made for one size.
    ("wall-light", "/console/wall", "tm-emergency", "tk", "light", WALL),
    ("wall-dark", "/console/wall", "kz-mes", "kk", "dark", WALL),
    ("wall-phone", "/console/wall", "ir-ndmo", "fa", "dark", SMALL),
)
"""Each page in light, in the dark, on a telephone and on a screen of the wall's size."""


HIGHEST = 1600


async def written(page: Page) -> None:
    """Begin an alert from an example, and draw where it holds."""
    await page.wait_for_selector("body[data-map=shown]", state="attached")
    await page.select_option("#field-example", "oil")
    await page.click("#take-example")
    for name, value in (
        ("severity", "Severe"),
        ("urgency", "Immediate"),
        ("certainty", "Observed"),
    ):
        await page.select_option(f"#field-{name}", value)
    await page.fill("#field-info-1-areaDesc", "40.3 N, 50.4 E")
    await page.locator(".leaflet-container").first.scroll_into_view_if_needed()
    box = await page.locator(".leaflet-container").first.bounding_box()
    if box is None:
        sys.exit("there is no map to draw on")
    for x, y in ((0.55, 0.45), (0.7, 0.5), (0.62, 0.62)):
        await page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    await page.click("#draw-close")
    await page.wait_for_function("() => document.body.dataset.checked !== 'checking'")
    await page.evaluate("window.scrollTo(0, 0)")


async def handed_over(page: Page) -> None:
    """Have a draft wait for a second officer, unless one does."""
    if await page.locator("[data-draft]").count():
        return
    await page.evaluate(
        """async () => {
          const { csrf } = await (await fetch("/v1/session")).json();
          const xml = await (await fetch("/v1/messages/OIL/payload")).text();
          const now = new Date().toISOString().slice(0, 19) + "-00:00";
          const body = xml
            .replace(/<identifier>[^<]*/, "<identifier>DRAFT-1")
            .replace(/<sent>[^<]*/, `<sent>${now}`)
            .replace(/<msgType>[^<]*/, "<msgType>Alert")
            .replace(/<references>[^<]*<[/]references>/, "");
          const headers = { "Caspian-Csrf": csrf, "Content-Type": "application/cap+xml" };
          await fetch("/v1/drafts", { method: "POST", headers, body });
        }""".replace("OIL", await page.evaluate("window.name"))
    )
    await page.reload()
    await page.wait_for_selector("[data-draft]", timeout=10_000)


async def searched(page: Page) -> None:
    """Search for a word."""
    await page.fill("[name=text]", "oil")
    await page.press("[name=text]", "Enter")
    await page.wait_for_selector("#found a")


async def verified(page: Page) -> None:
    """Have the browser prove the log."""
    await page.click("#verify")
    await page.wait_for_selector("body[data-verified]", state="attached")


async def replayed(page: Page) -> None:
    """Begin a replay, unless it is there, and go on by some steps."""
    await page.evaluate(
        """async () => {
          const { csrf } = await (await fetch("/v1/session")).json();
          const headers = { "Caspian-Csrf": csrf, "Content-Type": "application/json" };
          const send = (path, given) =>
            fetch(`/v1/replays${path}`, { method: "POST", headers, body: JSON.stringify(given) });
          if ((await fetch("/v1/replays/storm-drill")).ok) return;
          const kinds = ["publish", "acknowledgement"];
          await send("", { sandbox: "storm-drill", paused: true, kinds });
          await send("/storm-drill/step", { entries: 14 });
          const person = "Reza Karimi";
          await send("/storm-drill/admissions", { agency: "ir-ndmo", person });
        }"""
    )
    await page.reload()
    await page.wait_for_selector("body[data-ready]", state="attached")
    await page.wait_for_timeout(1500)


async def exported(page: Page) -> None:
    """Take a part of the log out."""
    await page.fill("[name=through]", "20")
    await page.fill("[name=purpose]", "Audit 2026-11")
    await page.press("[name=purpose]", "Enter")
    await page.wait_for_selector("body[data-made]", state="attached")


READY: dict[str, Callable[[Page], Awaitable[None]]] = {
    "compose": written,
    "drafts": handed_over,
    "log": verified,
    "search": searched,
    "replay": replayed,
    "replays": replayed,
    "exports": exported,
}
"""What is done on a page before its picture is taken."""


async def main() -> None:
    """Take all pictures, or those that are named."""
    if shutil.which(CHROMIUM) is None:
        sys.exit("there is no chromium: apt-get install chromium fonts-noto-core")
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as data:
        demo = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub.cli", "demo", "--data", data),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "CASPIAN_PORT": "0", "CASPIAN_SSE_HEARTBEAT": "2"},
        )
        try:
            url, oil = await begun(demo)
            password = json.loads((Path(data) / "accounts.json").read_text())["password"]
            await take_all(url, oil, password, wanted)
        finally:
            demo.send_signal(signal.SIGINT)
            await demo.wait()
    total = sum(path.stat().st_size for path in TARGET.glob("*.png"))
    print(f"{len(list(TARGET.glob('*.png')))} pictures, {total / 1e6:.2f} MB")


async def begun(demo: Any) -> tuple[str, str]:
    """Wait until the demonstration has played; return its address and the index of one message."""
    url = oil = ""
    async for raw in demo.stdout:
        line = raw.decode()
        if found := re.search(r"log (\d+) +Update: the slick", line):
            oil = found[1]
        if found := re.search(r"(http://[\d.:]+)/console", line):
            url = found[1]
        if "Ctrl-C" in line:
            return url, oil
    sys.exit("the demonstration ended")


async def take_all(url: str, oil: str, password: str, wanted: set[str]) -> None:
    """Take the pictures."""
    TARGET.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        painter = await (await browser.new_context()).new_page()
        for name, path, agency, language, scheme, size in SHOTS:
            if wanted and name not in wanted:
                continue
            page = await entered(browser, url, agency, password, language, scheme, size)
            await page.goto(url + path.format(oil=oil))
            await page.evaluate("(oil) => { window.name = oil; }", oil)
            await page.wait_for_selector("body[data-ready]", state="attached")
            if "watch" in path or "wall" in path:
                await page.wait_for_selector("body[data-map]", state="attached")
                await page.wait_for_selector("body[data-link=live]", state="attached")
                if await page.locator("#arm").count():
                    await page.click("#arm")
                    await page.mouse.move(0, 0)
            if ready := READY.get(name.partition("-")[0]):
                await ready(page)
            await page.wait_for_timeout(600)
            whole = "watch" not in path and "wall" not in path
            high = await page.evaluate("document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": size[0], "height": min(high, HIGHEST)}
            picture = await page.screenshot(full_page=whole, clip=clip if whole else None)
            (TARGET / f"{name}.png").write_bytes(await smaller(painter, picture))
            await page.context.close()
            print(name)
        await browser.close()


async def entered(
    browser: Browser,
    url: str,
    agency: str,
    password: str,
    language: str,
    scheme: Any,
    size: tuple[int, int],
) -> Page:
    """Return a page of somebody who has signed in, or of nobody."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        timezone_id="Asia/Baku",
        locale="en-GB",
        has_touch=size == SMALL,
    )
    await context.add_cookies([{"name": "caspian-language", "value": language, "url": url}])
    page = await context.new_page()
    if agency:
        await page.goto(f"{url}/console/sign-in")
        await page.wait_for_selector("body[data-ready]", state="attached")
        account = agency if agency in {"auditor", "operator"} else f"officer.{agency}"
        await page.fill("[name=name]", account)
        await page.fill("[name=password]", password)
        await page.press("[name=password]", "Enter")
        await page.wait_for_url("**/console/watch*")
    return page


async def smaller(painter: Page, picture: bytes) -> bytes:
    """Return a picture with at most 256 colours; the browser itself reads it."""
    width, height, pixels = await painter.evaluate(
        """async (data) => {
          const bitmap = await createImageBitmap(await (await fetch(data)).blob());
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
          const context = canvas.getContext("2d");
          context.drawImage(bitmap, 0, 0);
          const { data: bytes } = context.getImageData(0, 0, bitmap.width, bitmap.height);
          let text = "";
          for (let i = 0; i < bytes.length; i += 32768)
            text += String.fromCharCode(...bytes.subarray(i, i + 32768));
          return [bitmap.width, bitmap.height, btoa(text)];
        }""",
        f"data:image/png;base64,{base64.b64encode(picture).decode()}",
    )
    rgb = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(-1, 4)[:, :3].astype(np.int32)
    keys = rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]
    found, where, count = np.unique(keys, return_inverse=True, return_counts=True)
    palette = chosen(found, count)
    nearest = np.argmin(distances(found, palette), axis=1)
    indexed = nearest[where].astype(np.uint8).reshape(height, width)
    rows = np.hstack([np.zeros((height, 1), np.uint8), indexed])
    colours = np.stack([palette >> 16, palette >> 8 & 255, palette & 255], axis=1).astype(np.uint8)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", colours.tobytes())
        + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9))
        + chunk(b"IEND", b"")
    )


def chosen(found: Any, count: Any) -> Any:
    """Return 256 colours: half of them the most frequent, the others those that differ most."""
    order = np.argsort(-count)
    palette = [int(colour) for colour in found[order[:128]]]
    seen = found[order][count[order] >= 12]
    left = distances(seen, np.array(palette)).min(axis=1)
    while len(palette) < 256 and left.max() > 0:
        palette.append(int(seen[left.argmax()]))
        left = np.minimum(left, distances(seen, np.array(palette[-1:]))[:, 0])
    return np.array(palette)


def distances(found: Any, palette: Any) -> Any:
    """Return how far each colour is from each of the palette."""
    total = np.zeros((len(found), len(palette)), np.int32)
    for shift in (16, 8, 0):
        total += ((found >> shift & 255)[:, None] - (palette >> shift & 255)[None, :]) ** 2
    return total


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG (ISO/IEC 15948, section 5.3)."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


if __name__ == "__main__":
    asyncio.run(main())
