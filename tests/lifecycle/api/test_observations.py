"""What was seen, as JSON."""

from gateway.core.report import WorkerReport
from lifecycle.api.observations import WorkerOut


def test_a_worker_lists_its_versions_in_order() -> None:
    report = WorkerReport("w", 3, frozenset({("b", 1), ("a", 2), ("a", 1)}), frozenset({("c", 9)}), 1.0)
    shown = WorkerOut.of(report).model_dump()
    assert [(v["model"], v["version"]) for v in shown["loaded"]] == [("a", 1), ("a", 2), ("b", 1)]
    assert shown["failed"] == [{"model": "c", "version": 9}]
