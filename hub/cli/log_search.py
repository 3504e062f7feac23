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
from hub.cli.terminal import emit, note, progress, say, styled
from hub.cli.trusted import read_policy_file
from hub.cli.verify_report import fault_object, show_fault
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
        raise usage("--limit is at least 1", remedy="Leave it out to find all.")
    if prove and bundle is not None:
        raise usage(
            "a bundle's entries are searched themselves: there is no answer to prove",
            remedy="Verify the bundle: `caspian verify --bundle`.",
        )
    if policy is not None and not prove:
        raise usage("--policy is for --prove", remedy="Add --prove.")
    trusted = None if policy is None else read_policy_file(policy)
    wanted = select(from_, to, kinds, agency)
    sought = replace(sought, text=" ".join((*words, sought.text)).strip())
    query = query_of(wanted, sought)
    known: Known | None = None
    proven: Proven | None = None
    with (
        open_source(bundle, connection, store, part=True) as source,
        progress("searching", None) as tell,
    ):
        try:
            known = known_end(source, trusted) if prove else None
            end = None if known is None else known.size
            found = looked(source, wanted, query, sought, end, newest=newest, limit=limit)
            if known is not None:
                proven = proven_of(source, found, wanted, query, known, newest=newest, tell=tell)
        except Wrong as wrong:
            if json:
                emit({"ok": False, "fault": fault_object(wrong.fault)})
            else:
                show_fault(wrong.fault)
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
        looked_at = f"entries {found.first} to {found.end - 1} of {found.size} were looked at"
    else:
        looked_at = f"no entry of {found.size} is of the time and range that were asked for"
    note(styled(f"{len(found.rows)} found; {looked_at}", "bold"))
    if not found.done:
        note(styled("there was more to look at: --limit was reached", "yellow"))
    if part:
        note(
            styled("the bundle is itself a selection: what is not in it was not searched", "yellow")
        )
    if found.withheld:
        note(styled(f"{found.withheld} of them are not yours to read: not searched", "yellow"))
    if found.removed:
        gone = f"the text of {found.removed} messages is not there (withheld or removed): "
        note(styled(f"{gone}not searched", "yellow"))
    if known is None or proven is None:
        return
    say(
        styled("PROVEN", "bold green"),
        styled(f"these {proven.entries} entries are all of the range, and the answer is theirs"),
    )
    if proven.unread:
        note(styled(f"{proven.unread} were proven by their hash, without being read", "yellow"))
    if known.level:
        by = ", ".join(known.witnesses) or "nobody"
        say(styled(f"level   {known.level}; cosigned by {by}"))
    else:
        note(styled("nobody's signature was asked for: name whom you trust with --policy", "dim"))
    note(styled(f"keep it: caspian verify --earlier {known.size}:{known.root.hex()}", "dim"))
