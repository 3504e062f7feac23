"""Aid messages by the ids that they bear and name; `caspian rebuild` fills it for an older log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "aid",
        sa.Column("idx", _INDEX, primary_key=True, autoincrement=False),
        sa.Column("identifier", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("recalls", sa.Text, nullable=False),
    )
    for name in ("identifier", "answers", "recalls"):
        op.create_index(f"aid_by_{name}", "aid", [name])


def downgrade() -> None:
    op.drop_table("aid")
