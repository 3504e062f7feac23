"""What is searched for in a log, and the asking for it: of a store, a bundle, a hub."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Final

from cyclopts import Parameter

from hub.cli.exits import usage
from hub.cli.filters import read_box
from hub.cli.log_remote import HubSource
from hub.cli.log_source import BundleSource, Selection, StoreSource
from hub.cli.words import t
from hub.client import calls
from hub.core.search import RULES, Query
from hub.errors import Rejected
from hub.log.faults import Wrong
from hub.log.search import Range, judged, search
from hub.log.store import LogRow
from schemas.entry import decode, micros, rfc3339
from schemas.facts import MessageFacts
from schemas.scales import Severity

__all__ = ["Looked", "Sought", "looked", "query_of"]

_MOST: Final = 200
"""An answer of the hub holds no more."""


@dataclass(slots=True)
class Looked:
    """What came of a search: what was found, in the order asked for, and the range looked at."""

    size: int
    first: int
    end: int
    rows: list[LogRow] = field(default_factory=list)
    withheld: int = 0
    removed: int = 0
    done: bool = True
    """Whether the whole range was looked at; not where a limit was reached before."""
    tellings: dict[int, Mapping[str, Any] | None] = field(default_factory=dict)
    """By index what a hub told of a message."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Sought:
    """What a message must be, as options."""

    incident: Annotated[str, Parameter(help="Messages about this incident.", group="Search")] = ""
    severity: Annotated[
        Severity | None,
        Parameter(help="Messages at least so severe; Unknown always stays.", group="Search"),
    ] = None
    bbox: Annotated[
        str | None,
        Parameter(
            help="Messages whose areas meet SOUTH,WEST,NORTH,EAST; a point is 40.4,49.9,40.4,49.9. "
            "One without a shape stays.",
            group="Search",
            allow_leading_hyphen=True,
        ),
    ] = None
    touches: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="Messages whose areas touch a place: AZ, AZ-BA or AZ-coast. May be repeated.",
            group="Search",
        ),
    ] = ()
    text: Annotated[
        str,
        Parameter(
            help="Messages whose identifier, headlines, events, descriptions or areas hold all "
            "these words, also within a word, however they are written.",
            group="Search",
        ),
    ] = ""


def query_of(wanted: Selection, sought: Sought) -> Query:
    """Return the query that the options mean.

    Raises:
        Rejected: ``usage``.
    """
    try:
        return Query.of(
            kinds=wanted.kinds,
            agency=wanted.agency or "",
            incident=sought.incident,
            severity=sought.severity,
            bbox=read_box(sought.bbox),
            touches=sought.touches,
            text=sought.text,
        )
    except Rejected as e:
        if e.code != "filter-invalid":
            raise
        raise usage(e.detail, remedy=t("See `caspian log search --help`.")) from e


def looked(
    source: StoreSource | BundleSource | HubSource,
    wanted: Selection,
    query: Query,
    sought: Sought,
    end: int | None,
    *,
    newest: bool,
    limit: int | None,
) -> Looked:
    """Return what comes of a search; with *end* of no entry from there on.

    Raises:
        Rejected: any code of `HubSource`; ``answer-unknown``.
        Wrong: ``answer``; what a hub answered is none.
    """
    last = wanted.last if end is None else min(end - 1, end if wanted.last is None else wanted.last)
    wanted = replace(wanted, last=last)
    if isinstance(source, BundleSource):
        return _in_bundle(source, wanted, query, newest=newest, limit=limit)
    if isinstance(source, HubSource):
        return _of_hub(source, wanted, query, sought, newest=newest, limit=limit)
    found = search(
        source.log,
        query,
        Range(
            wanted.first - 1,
            None if wanted.last is None else wanted.last + 1,
            wanted.since_us,
            wanted.until_us,
        ),
        newest=newest,
        limit=limit or 1 << 62,
    )
    return Looked(
        found.size,
        found.first,
        found.end,
        list(found.rows),
        found.withheld,
        found.removed,
        found.next is None,
    )


def _in_bundle(
    source: BundleSource, wanted: Selection, query: Query, *, newest: bool, limit: int | None
) -> Looked:
    header = source.bundle.header
    end = header.through + 1 if wanted.last is None else min(header.through, wanted.last) + 1
    first = min(max(header.first, wanted.first), end)
    found = Looked(header.size, first, end)
    for row in source.rows(replace(wanted, kinds=(), agency=None)):
        fits = judged(row, query)
        if fits:
            found.rows.append(row)
        found.removed += fits is None
    if newest:
        found.rows.reverse()
    found.rows = found.rows[:limit]
    return found


def _of_hub(
    source: HubSource,
    wanted: Selection,
    query: Query,
    sought: Sought,
    *,
    newest: bool,
    limit: int | None,
) -> Looked:
    given: dict[str, Any] = {
        "text": sought.text,
        "kind": list(query.kinds),
        "agency": query.agency,
        "incident": sought.incident,
        "severity": sought.severity,
        "bbox": sought.bbox,
        "touches": list(sought.touches),
        "since": None if wanted.since_us is None else rfc3339(wanted.since_us),
        "until": None if wanted.until_us is None else rfc3339(wanted.until_us),
        "after": wanted.first - 1,
        "before": None if wanted.last is None else wanted.last + 1,
        "newest": "true" if newest else None,
    }
    found: Looked | None = None
    while found is None or not found.done:
        left = _MOST if limit is None else limit - (0 if found is None else len(found.rows))
        page = source.client.call(calls.search({**given, "limit": min(_MOST, left)}))
        if page["rules"] != RULES:
            raise Rejected(
                "answer-unknown",
                t(
                    "the hub searches by other rules ({rules}) than this program ({own})",
                    rules=page["rules"],
                    own=RULES,
                ),
                remedy=t("Use the hub's version of this program, or search a bundle or a mirror."),
            )
        found = _joined(found, page, newest=newest)
        found.done = page["next"] is None
        if len(found.rows) == limit:
            break
        # What follows must be of the same log, however much it grows meanwhile.
        if given["before"] is None:
            given["before"] = found.size
        given["before" if newest else "after"] = page["next"]
    return found


def _joined(found: Looked | None, page: Mapping[str, Any], *, newest: bool) -> Looked:
    first, end = page["first"], page["end"]
    if found is None:
        found = Looked(page["size"], first, end)
    elif (end if newest else first) != (at := found.first if newest else found.end):
        raise Wrong(at, "answer", f"the answer has a gap: it went on with {first} to {end}")
    found.first, found.end = min(found.first, first), max(found.end, end)
    for record in page["entries"]:
        found.rows.append(_row(record))
        found.tellings[record["index"]] = record["message"]
    found.withheld += page["withheld"]
    found.removed += page["removed"]
    return found


def _row(record: Mapping[str, Any]) -> LogRow:
    """Return an entry that a hub found, with what it told of a message as its facts.

    Raises:
        Wrong: ``answer``; it is no entry.
    """
    index = int(record["index"])
    try:
        body = base64.b64decode(record["entry"], validate=True)
        entry = decode(body)
        at = datetime.fromisoformat(entry["at"])
        facts = None
        if (told_ := record["message"]) is not None:
            facts = MessageFacts(
                kind=told_["kind"],
                sender=told_["sender"],
                identifier=told_["identifier"],
                sent=at,
                status=told_["status"],
                msg_type=told_["type"],
                severity=told_["severity"],
                headline=told_["headline"],
                incidents=told_["incidents"],
            )
        return LogRow(
            index,
            micros(at),
            entry["kind"],
            entry["agency"],
            body,
            facts=facts,
        )
    except (KeyError, TypeError, ValueError) as e:
        raise Wrong(index, "answer", f"this is no entry: {e!r}") from e
