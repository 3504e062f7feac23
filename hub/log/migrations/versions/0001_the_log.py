"""The log: entries, payloads, head; the projections beside it; credentials."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INDEX = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _idx() -> sa.Column[int]:
    return sa.Column("idx", _INDEX, primary_key=True, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "entries",
        _idx(),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "entries_by_kind",
        "entries",
        ["kind", "idx"],
        sqlite_where=sa.text("kind <> 'publish'"),
        postgresql_where=sa.text("kind <> 'publish'"),
    )
    op.create_table(
        "payloads",
        _idx(),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "messages",
        _idx(),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("warnings", sa.Text, nullable=False),
    )
    op.create_index("messages_by_id", "messages", ["id", "agency"], unique=True)
    op.create_index("messages_by_identity", "messages", ["identity"], unique=True)
    op.create_table(
        "acknowledgements",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("identifier", sa.Text, primary_key=True),
        sa.Column("agency", sa.String(64), primary_key=True),
        sa.Column("officer", sa.Text, primary_key=True),
        sa.Column("of", sa.String(64), primary_key=True),
        sa.Column("sent_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.String(128), nullable=False),
    )
    op.create_index("acknowledgements_by_idx", "acknowledgements", ["idx"])
    op.create_table(
        "deliveries",
        sa.Column("feed", sa.String(80), primary_key=True),
        sa.Column("through", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "chains",
        sa.Column("agency", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
    )
    op.create_table(
        "inputs",
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "credentials",
        sa.Column("prefix", sa.String(16), primary_key=True),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=True),
        sa.Column("revoked_us", sa.BigInteger, nullable=True),
    )


def downgrade() -> None:
    for table in (
        "credentials",
        "inputs",
        "chains",
        "deliveries",
        "acknowledgements",
        "messages",
        "head",
        "payloads",
        "entries",
    ):
        op.drop_table(table)
