"""What the operator did at the store, until the ledger has it in the log."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("actions")
