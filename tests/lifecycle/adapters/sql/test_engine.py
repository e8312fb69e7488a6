"""What a database's troubles look like to a caller. The data path needs none of it."""

from pathlib import Path

import pytest

from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.world import version

ENTRY = Entry("ann", "test", "m")


def test_a_file_that_is_no_database_is_refused_with_the_reason(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(LifecycleError, match="damaged: file is not a database") as refused:
        SqlStore(f"sqlite:///{path}")
    assert refused.value.code is LifecycleCode.UNAVAILABLE


def test_a_damaged_page_is_noticed_at_the_start(store: SqlStore, path: Path) -> None:
    for number in range(200):
        store.commit(ENTRY, version(number))
    store.close()
    data = bytearray(path.read_bytes())
    for page in range(4096 * 10, len(data) - 4096, 4096):
        data[page : page + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(LifecycleError, match="damaged") as refused:
        SqlStore(f"sqlite:///{path}")
    assert refused.value.code is LifecycleCode.UNAVAILABLE


def test_a_database_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="cannot be used now") as refused:
        SqlStore(f"sqlite:///{tmp_path}/missing/registry.db")
    assert refused.value.code is LifecycleCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("fault", "remedy", "message"),
    [
        ("PRAGMA max_page_count=1", "PRAGMA max_page_count=100000", "database or disk is full"),
        ("PRAGMA query_only=ON", "PRAGMA query_only=OFF", "attempt to write a readonly database"),
    ],
    ids=["disk full", "read-only"],
)
def test_while_nothing_can_be_written_reads_go_on(
    store: SqlStore, fault: str, remedy: str, message: str
) -> None:
    store.commit(ENTRY, Model("m", 1, 0.0))
    with store._reader.connect() as connection:
        connection.exec_driver_sql(fault)
    with pytest.raises(LifecycleError, match=f"cannot be used now: {message}") as refused:
        store.commit(Entry("ann", "test", "m", {"much": "x" * 100_000}), Model("m", 2, 0.0))
    assert refused.value.code is LifecycleCode.UNAVAILABLE
    assert [model.revision for model in store.models()] == [1]
    assert len(store.records()) == 1
    with store._reader.connect() as connection:
        connection.exec_driver_sql(remedy)
    store.commit(ENTRY, Model("m", 2, 0.0))
    assert [model.revision for model in store.models()] == [2]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "not a database URL"),
        ("nosuch://host/name", "not a database URL"),
        ("mysql://host/name", "needs the package"),
    ],
)
def test_a_url_that_leads_nowhere_says_what_would(url: str, message: str) -> None:
    with pytest.raises(LifecycleError, match=message) as refused:
        SqlStore(url)
    assert refused.value.code is LifecycleCode.INVALID


def test_a_server_that_is_not_there_is_unavailable_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="cannot be used now") as refused:
        SqlStore(f"postgresql://ann:secret@/registry?host={tmp_path}")
    assert refused.value.code is LifecycleCode.UNAVAILABLE
    assert "\n" not in refused.value.message
    assert "secret" not in refused.value.message
