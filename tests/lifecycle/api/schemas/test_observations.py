"""What was seen, as JSON."""

from gateway.core.placement import Placement
from gateway.core.report import MemoryUse, WorkerReport
from lifecycle.api.schemas.observations import WorkerOut


def test_a_worker_counts_what_it_has_in_memory_and_names_what_it_cannot_load() -> None:
    failed = {("c", 9): "gone", ("b", 1): "torn"}
    memory = MemoryUse({Placement.POOL: 3}, held_bytes=7, budget_bytes=9)
    shown = WorkerOut.of(WorkerReport("w", 3, frozenset(), failed, memory, 1.0), lambda _: True).model_dump()
    assert (shown["loaded"], shown["held_bytes"], shown["budget_bytes"]) == (3, 7, 9)
    assert shown["failed"] == [
        {"model": "b", "version": 1, "reason": "torn"},
        {"model": "c", "version": 9, "reason": "gone"},
    ]


def test_a_caller_is_told_of_the_models_it_may_see() -> None:
    failed = {("eu-spam", 2): "it does not load", ("us-spam", 1): "no room"}
    report = WorkerReport("w", 3, frozenset(), failed, MemoryUse(), 1.0)
    shown = WorkerOut.of(report, lambda name: name.startswith("eu-"))
    assert [each.model for each in shown.failed] == ["eu-spam"]
