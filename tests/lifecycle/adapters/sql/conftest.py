"""A registry in a file of SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.adapters.sql.store import SqlStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(f"sqlite:///{path}")
    yield opened
    opened.close()
