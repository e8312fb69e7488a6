"""Schemas follow one another. That a real registry is upgraded is shown in `tests/contract/test_store.py`."""

import pytest
from sqlalchemy import create_engine, inspect, text

from lifecycle.adapters.sql.schema import CURRENT, STEPS, prepare
from lifecycle.errors import LifecycleError


def test_every_schema_but_the_newest_has_a_step() -> None:
    assert len(STEPS) + 1 == CURRENT
    assert all(STEPS)


def test_preparing_twice_changes_nothing() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        prepare(connection)
        before = inspect(connection).get_table_names()
        prepare(connection)
        assert connection.execute(text("SELECT number FROM schema")).scalars().all() == [CURRENT]
        assert inspect(connection).get_table_names() == before
    engine.dispose()


def test_a_newer_schema_is_not_touched() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE schema (number INTEGER)"))
        connection.execute(text("INSERT INTO schema VALUES (99)"))
        with pytest.raises(LifecycleError, match="upgrade it"):
            prepare(connection)
        assert inspect(connection).get_table_names() == ["schema"]
    engine.dispose()
