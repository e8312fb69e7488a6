import pytest

from gateway.core.report import WorkerReport


@pytest.mark.parametrize(("worker", "slot"), [("worker-3-991", "worker-3"), ("local", "local")])
def test_a_slot_outlives_the_workers_process(worker: str, slot: str) -> None:
    assert WorkerReport(worker, 1).slot == slot
