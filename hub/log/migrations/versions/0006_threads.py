"""Messages by what they refer to and by incident; `caspian rebuild` fills it for an older log."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refs",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("agency", sa.String(64), primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incidents",
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("incident", sa.Text, primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("incidents_by_idx", "incidents", ["channel", "idx"])


def downgrade() -> None:
    op.drop_table("incidents")
    op.drop_table("refs")
