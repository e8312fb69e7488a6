"""What was seen, as JSON."""

from gateway.core.report import WorkerReport
from lifecycle.api.observations import LedgerOut, RecordOut, WorkerOut
from lifecycle.commands.audit import Audit
from lifecycle.core.ledger import Head, Problem, seal


def test_a_worker_lists_its_versions_in_order() -> None:
    report = WorkerReport("w", 3, frozenset({("b", 1), ("a", 2), ("a", 1)}), frozenset({("c", 9)}), 1.0)
    shown = WorkerOut.of(report).model_dump()
    assert [(v["model"], v["version"]) for v in shown["loaded"]] == [("a", 1), ("a", 2), ("b", 1)]
    assert shown["failed"] == [{"model": "c", "version": 9}]


def test_a_record_keeps_all_that_its_hash_covers() -> None:
    record = seal(Head(), 1.5, "ann", "kind", "m", {"deep": {"list": [1, None]}})
    assert RecordOut.of(record).model_dump() == record.as_json()


def test_a_problem_is_a_reason() -> None:
    whole = LedgerOut.of(Audit(3, Head(3, "ab"), None))
    broken = LedgerOut.of(Audit(3, Head(3, "ab"), Problem(2, "record 2 was altered")))
    assert (whole.ok, whole.reason, whole.seq) == (True, "", 3)
    assert (broken.ok, broken.reason) == (False, "record 2 was altered")
