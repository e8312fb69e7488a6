"""A real server that is frozen with all its processes, and one that is only slow."""

import time

import pytest
from sqlalchemy import text

from lifecycle.adapters.sql.engine import open_engine
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.contract.stored import ENTRY, MODEL, refusal
from tests.postgres import Postgres


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.adapters.sql.silence.ANSWER_S", 0.2)


def found_again(store: SqlStore) -> list[Model]:
    while True:
        try:
            return store.models()
        except LifecycleError:
            time.sleep(0.1)


def test_a_frozen_server_is_given_up_and_found_again(postgres: Postgres) -> None:
    store = SqlStore(postgres.database())
    store.commit(ENTRY, MODEL)
    with postgres.frozen():
        for _ in range(3):
            assert refusal(store.models) is LifecycleCode.UNAVAILABLE
        with pytest.raises(LifecycleError, match="cannot be used now: the server does not answer"):
            store.commit(Entry("ann", "test", "m"))
    assert found_again(store) == [MODEL]
    store.commit(Entry("ann", "test", "m"))
    assert len(store.records()) == 2
    store.close()


def test_a_new_connection_to_a_frozen_server_is_given_up_too(postgres: Postgres) -> None:
    url = postgres.database()
    with postgres.frozen():
        assert refusal(lambda: SqlStore(url)) is LifecycleCode.UNAVAILABLE
    SqlStore(url).close()


def test_a_statement_that_is_only_slow_is_waited_for(postgres: Postgres) -> None:
    engine = open_engine(postgres.database())
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 7 FROM pg_sleep(1)")).scalar() == 7
    engine.dispose()
