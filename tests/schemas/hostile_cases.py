"""The worst that fits under the limit on size, for each parser, so that time and memory show.

Each place for a text is filled to the limit with what makes a careless pattern go back
and forth; elements, attributes, names, references and points are repeated as often as fits.
`bench/hostile.py` measures them, test_hostile.py holds them to bounds.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from schemas.cap import NAMESPACE_12, open_container, read_alert, read_alert_json, write_alert_json
from schemas.checkpoint import read_checkpoint
from schemas.dsse import read_signatures
from schemas.ed25519 import VerifierKey
from schemas.entry import decode
from schemas.header import read_header
from schemas.judgement import judge
from schemas.notes import read_note
from schemas.polrep import read_polrep
from schemas.rm import read_aid, read_aid_json, write_aid, write_aid_json
from schemas.vocab import glide

__all__ = ["CASES", "PARSERS", "Hostile"]

MESSAGE = 1 << 20
CONTAINER = 1 << 23
REPORT = 1 << 16
FILLERS = [
    *(" ", "a", "0", "-", "é", "1,1 ", "a a", "&lt;b ", "&amp;amp;", "http://a/", "a/a;", "a@a,"),
    *('" ', "&#38;", "%41", "A=", "2026-", "<!---->", "<?a?>", "<![CDATA[a]]>"),
]

XML = f"""<alert xmlns="{NAMESPACE_12}"><identifier>1</identifier><sender>a</sender>
<sent>2026-11-23T14:00:00+04:00</sent><status>Actual</status><msgType>Update</msgType>
<source>a</source><scope>Restricted</scope><restriction>a</restriction><addresses>a</addresses>
<code>a</code><note>a</note><references>a,b,2026-11-23T14:00:00+04:00</references>
<incidents>a</incidents><info><language>en</language><category>Met</category><event>a</event>
<responseType>Avoid</responseType><urgency>Past</urgency><severity>Minor</severity>
<certainty>Likely</certainty><audience>a</audience>
<eventCode><valueName>OET:v1.2</valueName><value>OET-189</value></eventCode>
<effective>2026-11-23T14:00:00+04:00</effective><senderName>a</senderName><headline>a</headline>
<description>a</description><instruction>b</instruction><web>http://a</web><contact>a</contact>
<parameter><valueName>a</valueName><value>a</value></parameter><resource>
<resourceDesc>a</resourceDesc><mimeType>a/a</mimeType><size>1</size><uri>http://a</uri>
<derefUri>YQ==</derefUri><digest>86f7e437faa5a7fce15d1ddcb9eaeaea377667b8</digest></resource><area><areaDesc>a</areaDesc>
<polygon>1,1 2,2 1,2 1,1</polygon><circle>1,1 1</circle>
<geocode><valueName>a</valueName><value>a</value></geocode><altitude>1</altitude>
<ceiling>2</ceiling></area></info></alert>"""


@dataclass(frozen=True, slots=True)
class Hostile:
    """Something for a parser to choke on."""

    parser: str
    attack: str
    make: Callable[[int], bytes]
    """Makes at most so many bytes of it."""
    limit: int = MESSAGE

    def __str__(self) -> str:
        return f"{self.parser}: {self.attack}"


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


# The public key of RFC 8032, 7.1, test 1.
KEY = VerifierKey(
    "a", bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
)

PARSERS: dict[str, Callable[[bytes], object]] = {
    "CAP XML": read_alert,
    "CAP JSON": read_alert_json,
    "EDXL-RM XML": read_aid,
    "EDXL-RM JSON": read_aid_json,
    "container": open_container,
    "any document": judge,
    "POLREP": read_polrep,
    "header": _text(read_header),
    "signatures": _text(read_signatures),
    "key": _text(VerifierKey.read),
    "entry": decode,
    "note": read_note,
    "checkpoint": lambda data: read_checkpoint(data, "a", (KEY,)),
    "GLIDE": _text(glide),
}


def filled(before: str, filler: str, after: str, limit: int) -> bytes:
    """Repeat *filler* between the two as often as fits."""
    many = max(1, (limit - len((before + after).encode())) // len(filler.encode()))
    return (before + filler * many + after).encode()


def _texts(document: str, parser: str) -> Iterator[Hostile]:
    """Fill each element that has a text, with each filler."""
    for found in re.finditer(r"<([\w:]+)[^<>]*>([^<>]*[^<>\s][^<>]*)</", document):
        before, after = document[: found.start(2)], document[found.end(2) :]
        for filler in FILLERS:
            yield Hostile(
                parser,
                f"{found[1]} of {filler!r}",
                lambda limit, b=before, f=filler, a=after: filled(b, f, a, limit),  # type: ignore[misc]
            )


def _parts(document: str, parser: str) -> Iterator[Hostile]:
    """Repeat each element, attribute, namespace, name and level as often as fits."""
    first = document.index(">", document.index("xmlns")) if "xmlns" in document else 0
    for name in sorted(set(re.findall(r"<([A-Za-z:]+)[^<>]*>", document))):
        whole = re.search(rf"<{name}[ >].*?</{name}>", document, re.DOTALL)
        if whole is not None and whole.start() > 0:
            before, after = document[: whole.start()], document[whole.start() :]
            yield Hostile(
                parser,
                f"many {name}",
                lambda limit, b=before, w=whole[0], a=after: filled(b, w, a, limit),  # type: ignore[misc]
            )
    head, tail = document[:first], document[first:]
    for attack, filler in (
        ("a long attribute", None),
        ("a long comment", None),
        ("many attributes", ' a%d=""'),
        ("many namespaces", ' xmlns:a%d="urn:a"'),
        ("many names", "<a%d/>"),
        ("deep nesting", "<a>"),
        ("many open tags", "<"),
        ("a DOCTYPE", "<!ENTITY a%d 'a'>"),
    ):
        yield Hostile(
            parser,
            attack,
            lambda limit, n=attack, f=filler: _broken(n, f, head, tail, limit),  # type: ignore[misc]
        )


def _broken(attack: str, filler: str | None, head: str, tail: str, limit: int) -> bytes:
    if attack == "a long attribute":
        return filled(f'{head} a="', "a", f'"{tail}', limit)
    if attack == "a long comment":
        return filled(f"{head}><!--", "-a", f"-->{tail[1:]}", limit)
    assert filler is not None
    size = max(400, limit - len((head + tail).encode()) - 60)
    many = "".join(filler % n for n in range(size // (len(filler) + 4))) if "%d" in filler else ""
    many = many[:size] or filler * (size // len(filler))
    many = many[: many.rindex(filler[-1]) + 1]
    if filler.startswith(" "):
        return f"{head}{many}{tail}".encode()
    if attack == "a DOCTYPE":
        return f"<!DOCTYPE a [{many}]>{head}{tail}".encode()
    return f"{head}>{many}{tail[1:]}".encode()


def _json(value: object, parser: str) -> Iterator[Hostile]:
    text = json.dumps(value)
    for found in re.finditer(r'"[^"]+": ("(?!")[^"]*")', text):
        before, after = text[: found.start(1) + 1], text[found.end(1) - 1 :]
        for filler in (" ", "a", "1,1 ", "0", "\\u0000", "\\\\", "a,b,2026-11-23T14:00:00+04:00 "):
            yield Hostile(
                parser,
                f"{found[0][:24]} of {filler!r}",
                lambda limit, b=before, f=filler, a=after: filled(b, f, a, limit),  # type: ignore[misc]
            )
    for attack, before, filler, after in (
        ("deep lists", "{", '"a":[', ""),
        ("deep objects", "", '{"a":', ""),
        ("many lists", '{"info": [', "[],", "[]]}"),
        ("many objects", '{"info": [', "{},", "{}]}"),
        ("a long number", '{"identifier": 1', "0", "}"),
        ("a long exponent", '{"identifier": 1e', "9", "}"),
        ("many members", '{"identifier": 1', ', "b": 1', "}"),
    ):
        yield Hostile(
            parser,
            attack,
            lambda limit, b=before, f=filler, a=after: filled(b, f, a, limit),  # type: ignore[misc]
        )


def _containers() -> Iterator[Hostile]:
    bare = XML.replace("\n", " ")
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content>'
    end = "</content></entry></feed>"
    again = "</content></entry><entry><content>"
    de = (
        '<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><contentObject>'
        "<nonXMLContent><contentData>"
    )
    encoded = base64.b64encode(bare.encode()).decode()
    de_end = "</contentData></nonXMLContent></contentObject></EDXLDistribution>"
    for attack, before, filler, after in (
        ("many alerts", atom, bare + again, end),
        ("many alerts as text", atom, escape(bare) + again, end),
        ("many small alerts", atom, f'<alert xmlns="{NAMESPACE_12}"/>{again}', end),
        ("many alerts without end tag", atom, f'<alert xmlns="{NAMESPACE_12}">', end),
        ("many contents", atom, again, end),
        ("a long text", atom, "&lt;alert ", end),
        ("many base64", de, encoded + de_end[:14] + de[-13:], de_end),
        ("long base64", de, "AAAA", de_end),
        ("deep nesting", "", "<a>", ""),
        ("many prefixes", "<a>", '<a xmlns:b="urn:a"><b:c/></a>', "</a>"),
        ("white space", "", " ", "<a/>"),
    ):
        for parser in ("container", "any document"):
            yield Hostile(
                parser,
                attack,
                lambda limit, b=before, f=filler, a=after: filled(b, f, a, limit),  # type: ignore[misc]
                CONTAINER,
            )


def _lines() -> Iterator[Hostile]:
    head = "POLREP\nFROM: a\nTO: b\n181100Z JUN 2026\nAZ/X/1\n"
    for filler in (
        "a",
        " ",
        "\n",
        "1. a\n",
        "2. 1N 1E ",
        "40-21N 049-52E ",
        "EXERCISE ",
        "FROM: a\n",
    ):
        yield Hostile(
            "POLREP",
            f"{filler!r}",
            lambda limit, f=filler: filled(head, f, "", limit),  # type: ignore[misc]
            REPORT,
        )
        yield Hostile(
            "POLREP",
            f"a field of {filler!r}",
            lambda limit, f=filler: filled(f"{head}2. ", f, "", limit),  # type: ignore[misc]
            REPORT,
        )
    for parser in ("header", "signatures", "key", "entry", "note", "checkpoint", "GLIDE"):
        for filler in ("a", " ", "\n", "[", '{"a":', "0", "\u2014 a a\n", "+", "AAAA", "a\n\n"):
            yield Hostile(
                parser,
                f"{filler!r}",
                lambda limit, f=filler: filled("", f, "", limit),  # type: ignore[misc]
            )


def _all() -> Iterator[Hostile]:
    from rm_cases import OFFER  # noqa: PLC0415 - only this needs the whole file

    aid = read_aid(OFFER.encode()).message
    written = write_aid(aid).decode()
    alert = read_alert(XML.encode()).alert
    yield from _texts(XML, "CAP XML")
    yield from _parts(XML, "CAP XML")
    yield from _json(json.loads(write_alert_json(alert)), "CAP JSON")
    yield from _texts(written, "EDXL-RM XML")
    yield from _parts(written, "EDXL-RM XML")
    yield from _json(json.loads(write_aid_json(aid)), "EDXL-RM JSON")
    yield from _containers()
    yield from _lines()


CASES: list[Hostile] = list(_all())
