"""Slots are owned by one process at a time, and freed by its death."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.serve.slots import claim

HOLD = """
import sys, pathlib
from gateway.serve.slots import claim
slot = claim(pathlib.Path(sys.argv[1]), "worker", 2)
print(slot.number, flush=True)
sys.stdin.read()
"""


def test_slots_are_given_out_once(tmp_path: Path) -> None:
    first, second = claim(tmp_path, "worker", 2), claim(tmp_path, "worker", 2)
    assert {first.number, second.number} == {0, 1}
    with pytest.raises(GatewayError, match="all 2 worker slots"):
        claim(tmp_path, "worker", 2)
    first.release()
    again = claim(tmp_path, "worker", 2)
    assert again.number == first.number
    another_kind = claim(tmp_path, "replica", 2)
    assert another_kind.number == 0
    for slot in (again, second, another_kind):
        slot.release()


def test_a_killed_process_frees_its_slot(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "0\n"
        other = claim(tmp_path, "worker", 2)
        assert other.number == 1
        holder.kill()
    freed = claim(tmp_path, "worker", 2)
    assert freed.number == 0
    freed.release()
    other.release()
