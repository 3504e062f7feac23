"""Every parser reads or refuses whatever it gets, in time and memory that grow with its size."""

from __future__ import annotations

import json
import resource
from contextlib import suppress
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import pytest
from cap_cases import BASE
from hostile_cases import CASES, KEY, PARSERS, XML, Hostile
from hypothesis import given
from hypothesis import strategies as st
from polrep_cases import BASE as REPORT
from rm_cases import OFFER

from schemas.cap import read_alert, write_alert_json
from schemas.dsse import write_signatures
from schemas.entry import encode
from schemas.errors import Rejected
from schemas.header import header_text
from schemas.rm import read_aid, write_aid_json
from tests.examples import examples

PLAIN = {"entry": ValueError, "GLIDE": ValueError}
"""What these say of a text that is none; they are no doors that a sender knocks at."""

SHARE = 1 / 64
"""Of its limit each case is tried with in each run; `make soak` tries it whole."""


def parsed(parser: str, data: bytes) -> None:
    """Parse; anything but a result or a refusal is a fault."""
    with suppress(PLAIN.get(parser, Rejected)):
        PARSERS[parser](data)


@pytest.mark.parametrize("parser", PARSERS)
def test_what_is_hostile_is_read_or_refused(parser: str) -> None:
    cases = [case for case in CASES if case.parser == parser]
    assert cases

    for case in cases:
        parsed(parser, case.make(int(case.limit * SHARE)))


WORST = [
    case
    for case in CASES
    if str(case)
    in {
        "CAP XML: polygon of '1,1 '",
        "CAP XML: headline of '&lt;b '",
        "CAP XML: references of '2026-'",
        "CAP XML: many info",
        "CAP XML: many attributes",
        "CAP XML: many names",
        "CAP XML: deep nesting",
        "CAP XML: a DOCTYPE",
        "CAP JSON: many lists",
        "CAP JSON: deep objects",
        "EDXL-RM XML: many m:ResourceInformation",
        "EDXL-RM XML: many attributes",
        "EDXL-RM XML: rm:ValueListURN of 'a'",
        "container: many small alerts",
        "POLREP: a field of '40-21N 049-52E '",
        "entry: '['",
        "note: '\u2014 a a\\n'",
    }
]


def within_bounds(cases: list[Hostile]) -> None:
    """Parse each at its limit; the system ends this process where it takes too much."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = used + (768 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for case in cases:
        data = case.make(case.limit)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        # Ten times what it takes: time that grows with the square would be a thousand times.
        end = int(spent.ru_utime + spent.ru_stime) + 20
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
        parsed(case.parser, data)


def bounded(cases: list[Hostile]) -> int | None:
    child = get_context("fork").Process(target=within_bounds, args=(cases,))
    child.start()
    child.join()
    return child.exitcode


linux = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="only Linux tells the memory in use"
)


@pytest.mark.long
@linux
def test_the_worst_that_fits_under_the_limit_takes_bounded_time_and_memory() -> None:
    assert len(WORST) >= 17

    assert bounded(WORST) == 0


@linux
@pytest.mark.soak
@pytest.mark.parametrize("parser", PARSERS)
def test_all_that_fits_under_the_limit_takes_bounded_time_and_memory(parser: str) -> None:
    assert bounded([case for case in CASES if case.parser == parser]) == 0


@cache
def samples(parser: str) -> list[bytes]:
    """Return what the parser takes, to be damaged."""
    alert, aid = read_alert(BASE.encode()).alert, read_aid(OFFER.encode()).message
    feed = (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><content>{XML}</content></entry></feed>'
    )
    header = header_text(
        message_id="019364f0-0000-7000-8000-000000000000", agency="az-fhn", seq=1, prev="",
        type_="alert", created="2026-11-23T14:00:00+00:00", expires=None, audience=("members",),
        payload_type="application/cap+xml", payload_sha256="0" * 64, payload_size=1,
    )  # fmt: skip
    signatures = json.dumps(write_signatures(((KEY, bytes(64)),)))
    note = f"a\n1\n{'A' * 43}=\n\n\u2014 a {'A' * 92}\n"
    found = {
        "CAP XML": [BASE.encode(), BASE.partition("?>")[2].encode("utf-16")],
        "CAP JSON": [write_alert_json(alert)],
        "EDXL-RM XML": [OFFER.encode()],
        "EDXL-RM JSON": [write_aid_json(aid)],
        "container": [feed.encode()],
        "POLREP": [REPORT.encode()],
        "header": [header.encode()],
        "signatures": [signatures.encode()],
        "key": [str(KEY).encode()],
        "entry": [encode("genesis", 0, "", {"origin": "a"})],
        "note": [note.encode()],
        "checkpoint": [note.encode()],
        "GLIDE": [b"AC-2026-000001-AZE"],
    }
    found["any document"] = [one for several in found.values() for one in several]
    return found[parser]


JUNK = st.one_of(
    st.binary(max_size=4),
    st.sampled_from(
        [b"<", b"&", b"\0", b"]]>", b"<!--", b"[" * 2000, b'"', b"\n\n", b"\xff", b"-"]
    ),
    st.sampled_from([b"1e999", b"9" * 5000, b"\\ud800", "\u2028٣".encode(), b"{}", b"null", b","]),
)


@pytest.mark.parametrize("parser", PARSERS)
@examples(40)
@given(data=st.data())
def test_what_is_damaged_is_read_or_refused(parser: str, data: st.DataObject) -> None:
    base = data.draw(st.sampled_from(samples(parser)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(base)), min_size=2, max_size=4)))
    damaged = b"".join(data.draw(JUNK) + base[a:b] for a, b in pairwise(cuts))

    parsed(parser, base[: cuts[0]] + damaged + data.draw(st.sampled_from([b"", base[cuts[-1] :]])))


@pytest.mark.parametrize("parser", sorted(PARSERS.keys() - {"key", "note", "checkpoint"}))
def test_what_is_damaged_was_good(parser: str) -> None:
    for sample in samples(parser):
        PARSERS[parser](sample)
