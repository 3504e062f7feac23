"""Accounts of persons, their recovery codes and sessions, and failed attempts to sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("state", sa.String(2), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("totp", sa.LargeBinary, nullable=True),
        sa.Column("totp_step", sa.BigInteger, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("disabled_us", sa.BigInteger, nullable=True),
    )
    op.create_index(
        "accounts_by_subject",
        "accounts",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=sa.text("subject <> ''"),
        postgresql_where=sa.text("subject <> ''"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("of", sa.LargeBinary, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("attempts_by_of", "attempts", ["of"])
    op.create_index("attempts_by_at", "attempts", ["at_us"])
    op.create_table(
        "sessions",
        sa.Column("handle", sa.String(16), primary_key=True),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger, nullable=True),
    )
    op.create_index("sessions_by_account", "sessions", ["account", "created_us"])
    op.create_index("sessions_by_created", "sessions", ["created_us"])


def downgrade() -> None:
    for table in ("sessions", "attempts", "recovery_codes", "accounts"):
        op.drop_table(table)
