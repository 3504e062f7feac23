"""Tokens have scopes, may be of a state, and tell when they were last used."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("state", sa.String(2), nullable=False, server_default=""),
        sa.Column("scopes", sa.Text, nullable=False, server_default=""),
        sa.Column("kind", sa.String(16), nullable=False, server_default="token"),
        sa.Column("used_us", sa.BigInteger, nullable=True),
    ):
        op.add_column("credentials", column)
    # The state of what was made before is that of its agency, as it is from now on.
    op.execute(
        "UPDATE credentials SET state = upper(substr(agency, 1, 2)) WHERE role <> 'operator'"
    )


def downgrade() -> None:
    for name in ("used_us", "kind", "scopes", "state"):
        op.drop_column("credentials", name)
