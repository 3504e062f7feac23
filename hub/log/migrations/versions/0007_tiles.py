"""The tree of the log in tiles, made of the entries that are there."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LOT = 4096
_WIDTH = 256


def upgrade() -> None:
    tiles = op.create_table(
        "tiles",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind(), tiles)


def downgrade() -> None:
    op.drop_table("tiles")


class _Tiles:
    """As this version makes them; the code of a later one may make them otherwise."""

    def __init__(self, c: sa.Connection, table: sa.Table) -> None:
        self.c, self.table = c, table
        self.rows: list[list[bytes]] = [[]]
        self.numbers = [0]

    def add(self, level: int, node: bytes) -> None:
        if level == len(self.rows):
            self.rows.append([])
            self.numbers.append(0)
        self.rows[level].append(node)
        if len(self.rows[level]) < _WIDTH:
            return
        self.write(level)
        row, self.rows[level] = self.rows[level], []
        self.numbers[level] += 1
        while len(row) > 1:
            row = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
        self.add(level + 1, row[0])

    def write(self, level: int) -> None:
        hashes = b"".join(self.rows[level])
        values = {"level": level, "number": self.numbers[level], "hashes": hashes}
        self.c.execute(sa.insert(self.table), values)


def _fill(c: sa.Connection, table: sa.Table) -> None:
    tiles = _Tiles(c, table)
    entries = sa.table("entries", sa.column("idx"), sa.column("body"))
    after = -1
    while True:
        query = sa.select(entries).where(entries.c.idx > after).order_by(entries.c.idx)
        found = c.execute(query.limit(_LOT)).all()
        if not found:
            break
        after = found[-1].idx
        for entry in found:
            tiles.add(0, sha256(b"\x00" + entry.body).digest())
    for level, row in enumerate(tiles.rows):
        if row:
            tiles.write(level)
