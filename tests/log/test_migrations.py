"""The tables are made by migrations, up and down, and are those that the code means."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from aid_samples import request
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from samples import Writer, alert, named
from sqlalchemy import Engine, inspect
from test_projections import busy, projected

from hub.errors import Unavailable
from hub.log import engine as engine_module
from hub.log.engine import migrate, open_engine
from hub.log.projections import rebuild
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.tables import ACCESS, METADATA, OUTGOING, PROJECTIONS, SIGNED
from hub.log.verify import verify_store


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def run(engine: Engine, direction: str, revision: str) -> None:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(engine_module.__file__).parent / "migrations")
    )
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a store without tables, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    url: str = request.getfixturevalue("postgres_store_url")
    return url


def test_migrations_make_the_tables_that_the_code_means(store_url: str) -> None:
    engine = open_engine(store_url)

    migrate(engine)

    assert differences(engine) == []
    assert tables(engine) == {*METADATA.tables, "alembic_version"}
    engine.dispose()


def test_indexes_are_those_that_the_code_means(store_url: str) -> None:
    engine = open_engine(store_url)
    migrate(engine)

    for table in METADATA.tables.values():
        found = {
            (i["name"], tuple(i["column_names"]), bool(i["unique"]))
            for i in inspect(engine).get_indexes(table.name)
        }
        meant = {(i.name, tuple(c.name for c in i.columns), i.unique) for i in table.indexes}
        assert found == meant
    engine.dispose()


def test_every_step_down_is_a_step_up_again(store_url: str) -> None:
    engine = open_engine(store_url)
    migrate(engine)

    run(engine, "downgrade", "base")
    assert tables(engine) == {"alembic_version"}
    migrate(engine)

    assert differences(engine) == []
    engine.dispose()


def test_a_log_from_before_there_were_threads_has_them_after_the_upgrade(store_url: str) -> None:
    log = Log.open(store_url)
    long = f"{named('a')} {named('x' * 2000, 'a', 'b', 'b')}"
    status = ["Actual", "Exercise", "System", "Test", "Draft"]
    batch = [
        *(
            alert("az-fhn", f"m-{n}", incidents=f'"oil  {n % 3}" x', status=s)
            for n, s in enumerate(status)
        ),
        alert("az-fhn", "u", msg_type="Update", references=long, incidents="Ә" * 600),
        request("ir-ndmo", "REQ", incident="ac-1"),
        alert("ir-ndmo", "i", incidents=" ".join(f"n{n}" for n in range(60))),
    ]
    Writer(log).begin("az-fhn", "ir-ndmo").commit(batch)
    before = projected(log)
    assert before["refs"]
    assert before["incidents"]
    run(log.engine, "downgrade", "0005")
    log.close()

    again = Log.open(store_url)

    assert projected(again) == before
    again.close()


def test_a_log_outlives_every_step_down_and_up(store_url: str) -> None:
    log = Log.open(store_url)
    busy(log)
    head, entries = log.head(), [(r.body, r.payload) for r in scan(log)]
    run(log.engine, "downgrade", "0001")
    log.close()

    again = Log.open(store_url)

    assert again.head() == head
    assert [(r.body, r.payload) for r in scan(again)] == entries
    rebuild(again)
    assert verify_store(again).fault is None
    again.close()


def test_opening_again_changes_nothing(store_url: str) -> None:
    log = Log.open(store_url)
    Writer(log).begin("az-fhn").commit([alert("az-fhn", "a-1")])
    head = log.head()
    log.close()

    again = Log.open(store_url)

    assert again.head() == head
    assert verify_store(again).ok
    again.close()


def test_many_processes_may_open_a_new_store_at_once(store_url: str) -> None:
    start, failed = threading.Barrier(5), list[BaseException]()

    def opening() -> None:
        start.wait()
        try:
            Log.open(store_url).close()
        except BaseException as e:
            failed.append(e)
            raise

    threads = [threading.Thread(target=opening) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failed
    engine = open_engine(store_url)
    assert differences(engine) == []
    engine.dispose()


def test_a_store_of_a_newer_hub_is_refused_and_left_alone(store_url: str) -> None:
    engine = open_engine(store_url)
    migrate(engine)
    with engine.connect().execution_options(write=True) as c, c.begin():
        c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Unavailable) as refused:
        Log.open(store_url)

    assert refused.value.code == "log-too-new"
    assert "9999" in refused.value.detail
    assert tables(engine) == {*METADATA.tables, "alembic_version"}
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half the tables would be there, and the next start would stumble over them."""
    engine = open_engine(store_url)
    upgrade = command.upgrade

    def fails_at_the_end(config: Config, revision: str) -> None:
        upgrade(config, revision)
        config.attributes["connection"].exec_driver_sql("SELECT * FROM nowhere")

    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", fails_at_the_end)
        with pytest.raises(Unavailable) as failed:
            migrate(engine)
        assert failed.value.code == "log-unavailable"

    assert tables(engine) == set()
    migrate(engine)
    assert differences(engine) == []
    engine.dispose()


def test_every_table_is_the_log_a_projection_what_was_signed_or_about_access() -> None:
    others = {t.name for t in (*PROJECTIONS, *ACCESS, *SIGNED, *OUTGOING)}

    assert others | {"entries", "payloads", "head", "alive"} == set(METADATA.tables)
