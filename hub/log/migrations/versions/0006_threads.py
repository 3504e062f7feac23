"""Messages by what they refer to and by incident, filled from the messages that are there.

Were it left to the next rebuild, an alert that was cancelled before would show as active.
"""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LOT = 1000
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_CHANNELS = {"Actual": "actual", "System": "system", "Draft": "draft"}


def upgrade() -> None:
    refs = op.create_table(
        "refs",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("agency", sa.String(64), primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    incidents = op.create_table(
        "incidents",
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("incident", sa.Text, primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("incidents_by_idx", "incidents", ["channel", "idx"])
    _fill(op.get_bind(), refs, incidents)


def downgrade() -> None:
    op.drop_table("incidents")
    op.drop_table("refs")


def _fill(c: sa.Connection, refs: sa.Table, incidents: sa.Table) -> None:
    # As the code of this version reads facts; that of a later one may read them otherwise.
    messages = sa.table("messages", sa.column("idx"), sa.column("agency"), sa.column("facts"))
    after = -1
    while True:
        query = sa.select(messages).where(messages.c.idx > after).order_by(messages.c.idx)
        rows = c.execute(query.limit(_LOT)).all()
        if not rows:
            return
        after = rows[-1].idx
        read = [(row, json.loads(row.facts)) for row in rows]
        named = [
            {"target": target, "agency": row.agency, "idx": row.idx}
            for row, facts in read
            for target in _targets(facts)
        ]
        about = [
            {"channel": channel, "incident": incident, "idx": row.idx}
            for row, facts in read
            for channel in [_CHANNELS.get(facts.get("status", "Actual"), "exercise")]
            for incident in _incidents(facts)
        ]
        for table, found in ((refs, named), (incidents, about)):
            if found:
                c.execute(sa.insert(table), found)


def _targets(facts: dict[str, Any]) -> Iterable[str]:
    names = [(r["sender"], r["identifier"]) for r in facts.get("references", ())]
    return dict.fromkeys(
        f"{sender}\x1f{identifier}"
        for sender, identifier in names
        if not _UNWRITABLE.search(sender + identifier)
        and len((sender + identifier).encode()) <= 1000
    )


def _incidents(facts: dict[str, Any]) -> Iterable[str]:
    written = (facts.get("aid") or facts).get("incidents", ())[:50]
    return dict.fromkeys(filter(None, map(_name, written)))


def _name(incident: str) -> str:
    name = " ".join(incident.split()).upper()
    data = name.encode("utf-8", "surrogatepass")
    if len(data) > 500 or _UNWRITABLE.search(name):
        return f"sha256:{sha256(data).hexdigest()}"
    return name
