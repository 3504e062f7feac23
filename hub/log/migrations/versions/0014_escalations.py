"""Escalations by message and recipient, and when a ledger was last at work."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "escalations",
        sa.Column("message", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recipient", sa.String(64), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("escalations_by_idx", "escalations", ["idx"])
    _fill(op.get_bind(), table)
    op.create_table(
        "alive",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("alive")
    op.drop_table("escalations")


def _fill(c: sa.Connection, table: sa.Table) -> None:
    """Make the rows of what the log holds: it may have been at a later version before."""
    entries = sa.table(
        "entries", sa.column("idx"), sa.column("kind"), sa.column("at_us"), sa.column("body")
    )
    query = sa.select(entries).where(entries.c.kind != "publish", entries.c.kind == "escalation")
    for entry in c.execute(query.order_by(entries.c.idx)).all():
        told = json.loads(entry.body)
        at = {"idx": entry.idx, "at_us": entry.at_us}
        who = {"recipient": told["recipient"], "step": told["step"]}
        for message in told["messages"]:
            c.execute(sa.insert(table).values(message=message, **who, **at))
