"""``caspian log search``: what is searched for, and the proof that nothing was left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hub.cli.connection import Connection
from hub.cli.entries import as_json, line
from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.log_remote import open_source
from hub.cli.log_source import BundleSource, select
from hub.cli.options import AsJson, ByAgency, From, FromBundle, FromStore, Kinds, To
from hub.cli.search_proofs import Known, known_end, proven_of
from hub.cli.searching import Looked, Sought, looked, query_of
from hub.cli.terminal import emit, fields, note, progress, say, styled, verbatim
from hub.cli.terms import term
from hub.cli.trusted import read_policy_file
from hub.cli.verify_report import show_fault
from hub.cli.words import joined, many, t
from hub.core.merkle import leaf_hash
from hub.core.search import told
from hub.log.faults import Wrong
from hub.log.search_proof import Proven

__all__ = ["search"]


def search(
    *words: str,
    from_: From = None,
    to: To = None,
    kinds: Kinds = (),
    agency: ByAgency = None,
    sought: Sought = Sought(),  # noqa: B008 - frozen, and made of the options
    newest: Annotated[bool, Parameter(negative="", help="The newest first.")] = False,
    limit: Annotated[int | None, Parameter(help="Stop when so many are found.")] = None,
    prove: Annotated[
        bool,
        Parameter(
            negative="",
            help="Fetch every entry of the range, or its leaf hash, verify that they are all, and "
            "search them here: an answer that leaves out, invents or alters something is seen.",
        ),
    ] = False,
    policy: Annotated[
        Path | None,
        Parameter(
            help="With --prove: whose word counts (C2SP tlog-policy); the checkpoint must be "
            "signed and cosigned by it."
        ),
    ] = None,
    bundle: FromBundle = None,
    store: FromStore = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> int:
    """Search the log: all that is given must hold; exit 5 where an answer was not the truth.

    Says which entries were looked at, and how many of them are not yours to read: nothing of
    those is searched.

    Parameters
    ----------
    words: str
        The same as --text.

    """
    if limit is not None and limit < 1:
        raise usage(t("--limit is at least 1"), remedy=t("Leave it out to find all."))
    if prove and bundle is not None:
        raise usage(
            t("a bundle's entries are searched themselves: there is no answer to prove"),
            remedy=t("Verify the bundle: `caspian verify --bundle`."),
        )
    if policy is not None and not prove:
        raise usage(t("--policy is for --prove"), remedy=t("Add --prove."))
    trusted = None if policy is None else read_policy_file(policy)
    wanted = select(from_, to, kinds, agency)
    sought = replace(sought, text=" ".join((*words, sought.text)).strip())
    query = query_of(wanted, sought)
    known: Known | None = None
    proven: Proven | None = None
    with (
        open_source(bundle, connection, store, part=True) as source,
        progress(t("searching"), None) as tell,
    ):
        try:
            known = known_end(source, trusted) if prove else None
            end = None if known is None else known.size
            found = looked(source, wanted, query, sought, end, newest=newest, limit=limit)
            if known is not None:
                proven = proven_of(source, found, wanted, query, known, newest=newest, tell=tell)
        except Wrong as wrong:
            show_fault(wrong.fault, json=json)
            return REFUSED
        part = isinstance(source, BundleSource) and source.bundle.header.filtered
    if json:
        _emit(found, known, proven)
    else:
        _say(found, known, proven, part=part)
    return DONE


def _emit(found: Looked, known: Known | None, proven: Proven | None) -> None:
    for row in found.rows:
        message = None if row.facts is None else told(row.facts)
        emit({**as_json(row), "leaf": leaf_hash(row.body).hex(), "message": message})
    summary: dict[str, Any] = {
        "ok": True,
        "found": len(found.rows),
        "first": found.first,
        "end": found.end,
        "size": found.size,
        "withheld": found.withheld,
        "removed": found.removed,
        "done": found.done,
        "proven": None,
    }
    if known is not None and proven is not None:
        summary["proven"] = {
            "size": known.size,
            "root": known.root.hex(),
            "level": known.level,
            "witnesses": list(known.witnesses),
            "entries": proven.entries,
            "unread": proven.unread,
            "untold": proven.untold,
        }
    emit(summary)


def _say(found: Looked, known: Known | None, proven: Proven | None, *, part: bool) -> None:
    for row in found.rows:
        say(line(row))
    if found.first < found.end:
        looked_at = t(
            "entries {first} to {last} of {size} were looked at",
            first=found.first,
            last=found.end - 1,
            size=found.size,
        )
    else:
        looked_at = t(
            "no entry of {size} is of the time and range that were asked for", size=found.size
        )
    count = many("{count} found", "{count} found", len(found.rows))
    note(styled(joined("; ", (count, looked_at)), "bold"))
    if not found.done:
        note(styled(t("there was more to look at: --limit was reached"), "yellow"))
    if part:
        note(
            styled(
                t("the bundle is itself a selection: what is not in it was not searched"), "yellow"
            )
        )
    if found.withheld:
        note(
            styled(
                t(
                    "{withheld} of them are not yours to read: not searched",
                    withheld=found.withheld,
                ),
                "yellow",
            )
        )
    if found.removed:
        gone = many(
            "the text of {count} message is not there (withheld or removed): not searched",
            "the text of {count} messages is not there (withheld or removed): not searched",
            found.removed,
        )
        note(styled(gone, "yellow"))
    if known is None or proven is None:
        return
    say(
        styled(t("PROVEN"), "bold green"),
        styled(
            t(
                "these {entries} entries are all of the range, and the answer is theirs",
                entries=proven.entries,
            )
        ),
    )
    if proven.unread:
        note(
            styled(
                t("{unread} were proven by their hash, without being read", unread=proven.unread),
                "yellow",
            )
        )
    if known.level:
        by = ", ".join(known.witnesses) or t("nobody")
        said = t("{level}; cosigned by {witnesses}", level=term(known.level), witnesses=by)
        fields([(t("level"), said)], width=7)
    else:
        note(
            styled(t("nobody's signature was asked for: name whom you trust with --policy"), "dim")
        )
    again = f"caspian verify --earlier {known.size}:{known.root.hex()}"
    note(styled(t("keep it:"), "dim"), verbatim(again))
