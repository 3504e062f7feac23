"""What a message says in words, folded so that how it is written makes no difference to a search.

Folding takes away what people type differently and read alike, in the letters of all six
languages: capitals (also dotted and dotless i), presentation forms and widths (NFKC),
ё and е, Arabic and Persian yeh, kaf and alef, digits of all scripts, vowel marks,
joiners, and marks of direction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from schemas import cap, rm
from schemas.cap import Alert

__all__ = ["folded", "hold", "may_hold", "texts_of", "words_of"]

_MOST_WORDS: Final = 20
_ANY_SIZE: Final = 1 << 30
_MARKUP: Final = re.compile(rb'&|<!|\\|\0|encoding\s*=\s*["\'](?![Uu][Tt][Ff]-?8)')
"""Where one of these stands, the bytes may spell a text otherwise than it reads."""


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    same = {"ı": "i", "ё": "е", "ي": "ی", "ى": "ی", "ئ": "ی", "ك": "ک", "ؤ": "و", "ة": "ه"}
    same |= dict.fromkeys("آأإٱ", "ا")
    table |= {ord(one): other for one, other in same.items()}
    for zero in (0x0660, 0x06F0):
        table |= {zero + n: str(n) for n in range(10)}
    gone = [0x00AD, 0x0307, 0x0640, 0x0670, 0xFEFF, *range(0x064B, 0x0656), *range(0x200B, 0x2010)]
    gone += [*range(0x202A, 0x202F), *range(0x2060, 0x206A)]
    table |= dict.fromkeys(gone)
    return table


_TABLE: Final = _table()


def folded(text: str) -> str:
    """Return a text as it is compared: the same however it is written.

    A part of a text, between spaces, folds as it does in the whole.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold().translate(_TABLE)


def words_of(text: str) -> tuple[str, ...]:
    """Return the first 20 words to search for, folded, each once."""
    return tuple(dict.fromkeys(folded(text).split()))[:_MOST_WORDS]


def hold(texts: Sequence[str], words: Sequence[str]) -> bool:
    """Tell whether each of some folded words stands somewhere in the texts, also within a word."""
    whole = folded("\n".join(texts))
    return all(word in whole for word in words)


def may_hold(payload: bytes, words: Sequence[str]) -> bool:
    """Tell by the bytes alone whether a payload can hold all these folded words.

    False is certain; of True one knows when the message has been read.
    """
    if _MARKUP.search(payload):
        return True
    try:
        whole = folded(payload.decode())
    except UnicodeDecodeError:
        return True
    return all(word in whole for word in words)


def texts_of(payload_type: str, payload: bytes) -> tuple[str, ...]:
    """Return what of a message is searched: identifier, headlines, events, descriptions, areas.

    CAP 1.2, 3.2.2 and 3.2.4; of an aid message (EDXL-RM 1.0, 3.2, 3.4) its description, and
    what it says of incident, resources and places.

    Raises:
        Rejected: it cannot be read.
    """
    if payload_type == "application/cap+json":
        return _alert(cap.read_alert_json(payload, max_bytes=_ANY_SIZE).alert)
    if payload_type == "application/edxl-rm+json":
        return tuple(_aid(rm.read_aid_json(payload, max_bytes=_ANY_SIZE).message))
    if payload_type == "application/edxl-rm+xml":
        return tuple(_aid(rm.read_aid(payload, max_bytes=_ANY_SIZE).message))
    return _alert(cap.read_alert(payload, max_bytes=_ANY_SIZE).alert)


def _alert(alert: Alert) -> tuple[str, ...]:
    found = [alert.identifier]
    for info in alert.info:
        found += [info.headline or "", info.event, info.description or ""]
        found += [area.area_desc for area in info.area]
    return tuple(filter(None, found))


def _aid(message: rm.AidMessage) -> Iterator[str]:
    found = [message.message_id, message.message_description]
    found += [one.incident_description for one in message.incident_information]
    for item in message.resource_information:
        if item.resource is not None:
            found += [item.resource.name, item.resource.description]
        found += [s.location.location_description for s in item.schedule_information if s.location]
    yield from filter(None, found)
