import ctypes
from pathlib import Path

import pytest

from gateway.runtime import memory


def test_what_is_allocated_is_counted() -> None:
    before = memory.allocated_bytes()
    held = ctypes.create_string_buffer(32 * 2**20)
    grown = memory.allocated_bytes() - before
    assert 31 * 2**20 < grown < 40 * 2**20
    del held


def test_without_a_budget_workers_share_half_of_the_machine() -> None:
    assert memory.budget_bytes(0, 2) == memory.machine_bytes() // 4
    assert memory.budget_bytes(100, 2) == 100 * 2**20


def test_a_container_has_no_more_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, unlimited = tmp_path / "memory.max", tmp_path / "max"
    limit.write_text("1048576\n")
    unlimited.write_text("max\n")
    monkeypatch.setattr(memory, "_CGROUP_LIMITS", (tmp_path / "absent", unlimited, limit))
    assert memory.machine_bytes() == 2**20
