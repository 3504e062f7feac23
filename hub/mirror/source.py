"""The log as somebody serves it, a hub or another mirror; nothing that comes is believed here.

Every answer is bounded in size and in time, and nothing is followed elsewhere.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any, Final, Self

import httpx

from hub.core.tiles import WIDTH, entries_path, tile_path
from hub.errors import Unavailable

__all__ = ["Source"]

_LONGEST_NOTE: Final = 1 << 20
_LONGEST_BUNDLE: Final = WIDTH * (2 + 65_535)
_LONGEST_PAGE: Final = 64 << 20
_PAGE: Final = 100


class Source:
    """Where a mirror copies from."""

    def __init__(
        self, url: str, *, token: str = "", payload_token: str = "", within_s: float = 30.0
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._payload_token = payload_token or token
        self._within_s = within_s
        self._http = httpx.Client(follow_redirects=False, timeout=within_s)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._http.close()

    def checkpoint(self) -> bytes:
        """Return the newest checkpoint, as it is served.

        Raises:
            Unavailable: ``source-unavailable``.
        """
        return self._get("/log/checkpoint", _LONGEST_NOTE)

    def tile(self, level: int, number: int, width: int = WIDTH) -> bytes:
        """Return a tile of that width.

        Raises:
            Unavailable: ``source-unavailable``: it is not served, or is not of that length.
        """
        path = f"/log/{tile_path(level, number, width)}"
        found = self._get(path, 32 * WIDTH)
        if len(found) != 32 * width:
            raise _away(f"{path} has {len(found)} bytes, not {32 * width}")
        return found

    def entries(self, number: int, width: int = WIDTH) -> list[bytes]:
        """Return the entries of a bundle.

        Raises:
            Unavailable: ``source-unavailable``: it is not served, or was cut.
        """
        path = f"/log/{entries_path(number, width)}"
        data, found, at = self._get(path, _LONGEST_BUNDLE), list[bytes](), 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            if len(entry) != length or at + 2 > len(data):
                raise _away(f"{path} was cut")
            found.append(entry)
            at += 2 + length
        if len(found) != width:
            raise _away(f"{path} holds {len(found)} entries, not {width}")
        return found

    def payloads(self, first: int, last: int) -> Iterator[tuple[int, bytes, str]]:
        """Yield index, bytes and type of the payloads from *first* to *last* that one may read.

        Raises:
            Unavailable: ``source-unavailable``.
        """
        after = first - 1
        while after < last:
            path = f"/v1/log/entries?after={after}&limit={min(_PAGE, last - after)}"
            page = self._json(path)
            rows = page.get("entries")
            if not isinstance(rows, list) or not rows:
                return
            for row in rows:
                try:
                    index, payload = int(row["index"]), row.get("payload")
                    data = None if payload is None else base64.b64decode(payload, validate=True)
                    kind = str(row.get("payload_type") or "")
                except (KeyError, TypeError, ValueError, AttributeError) as e:
                    raise _away(f"{path} is no page of entries") from e
                if index <= after or index > last:
                    return
                after = index
                if data is not None:
                    yield index, data, kind

    def _json(self, path: str) -> dict[str, Any]:
        try:
            found = json.loads(self._get(path, _LONGEST_PAGE, token=self._payload_token))
        except ValueError as e:
            raise _away(f"{path} is no JSON") from e
        if not isinstance(found, dict):
            raise _away(f"{path} is no JSON object")
        return found

    def _get(self, path: str, longest: int, *, token: str | None = None) -> bytes:
        headers = {"Accept-Encoding": "gzip"}
        if bearer := self._token if token is None else token:
            headers["Authorization"] = f"Bearer {bearer}"
        deadline = time.monotonic() + self._within_s
        found = bytearray()
        try:
            with self._http.stream("GET", self._url + path, headers=headers) as answer:
                for (
                    part
                ) in answer.iter_raw():  # as it comes: a drip would not fill a chunk in hours
                    found += part
                    if len(found) > longest:
                        raise _away(f"{path} is longer than {longest} bytes")
                    if time.monotonic() > deadline:
                        raise _away(f"{path} did not come within {self._within_s:g} s")
                if answer.status_code != 200:
                    shown = bytes(found[:300]).decode("utf-8", "replace")
                    raise _away(f"{path}: status {answer.status_code}: {shown}")
                packed = answer.headers.get("content-encoding", "") == "gzip"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as e:
            raise _away(f"{path}: {type(e).__name__}: {e}") from e
        return _unpacked(bytes(found), longest, path) if packed else bytes(found)


def _unpacked(data: bytes, longest: int, path: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, longest + 1)
    except zlib.error as e:
        raise _away(f"{path} cannot be unpacked") from e
    if len(found) > longest or not unpacker.eof:
        raise _away(f"{path} is longer than {longest} bytes, or was cut")
    return found


def _away(detail: str) -> Unavailable:
    return Unavailable(
        "source-unavailable",
        f"the log cannot be copied now: {detail}"[:500],
        remedy="It is tried again. If it lasts: see that the address and the tokens are right.",
        retry_after_s=5,
    )
