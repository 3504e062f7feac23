"""A database that is used again is as a new one; one that is altered is not used again."""

from __future__ import annotations

from sqlalchemy import text
from stores import Stores

from hub.log.engine import open_engine
from hub.log.store import Log
from tests.log.samples import Writer, alert


def test_what_a_test_wrote_is_gone_and_who_stays_connected_is_cut_off(
    postgres_stores: Stores,
) -> None:
    with postgres_stores.one() as first:
        log = Log.open(first)
        Writer(log).begin("az-fhn").commit([alert("az-fhn", "a-1")])
        stays = log.engine.connect()

    with postgres_stores.one() as again:
        found = Log.open(again)
        head = found.head()
        found.close()

    assert again == first
    assert head.size == 0
    stays.close()
    log.close()


def test_one_that_is_altered_is_not_used_again(postgres_stores: Stores) -> None:
    with postgres_stores.one() as altered:
        engine = open_engine(altered)
        with engine.begin() as c:
            c.execute(text("ALTER TABLE entries ADD COLUMN more text"))
        engine.dispose()

    with postgres_stores.one() as another:
        pass

    assert another != altered
