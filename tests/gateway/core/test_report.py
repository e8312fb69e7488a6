import pytest

from gateway.core.report import WorkerReport


@pytest.mark.parametrize(
    ("worker", "place"),
    [
        ("worker-3-991", ("", "worker-3")),
        ("db-7-1f2e/worker-3-991", ("db-7-1f2e", "worker-3")),
        ("local", ("", "local")),
    ],
)
def test_a_place_outlives_the_workers_process(worker: str, place: tuple[str, str]) -> None:
    assert WorkerReport(worker, 1).place == place
