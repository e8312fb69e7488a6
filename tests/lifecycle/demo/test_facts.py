"""What the demo counts is what it tells."""

import math

from lifecycle.demo.facts import Facts, Second


def second(at: float, sent: int = 10, failed: int = 0, unseen: int = 4, right: int = 3) -> Second:
    return Second(at, sent, failed, {1: sent - failed}, {1: 0}, unseen, right, {"HTTP: refused": failed})


def test_a_line_of_the_callers_becomes_a_second() -> None:
    line = {"at": 5.0, "sent": 2, "failed": 0, "served": {"3": 2}, "invalid": {"3": 1}}
    read = Second.of({**line, "unseen": 1, "unseen_right": 0, "reasons": {}})
    assert (read.served, read.invalid) == ({3: 2}, {3: 1})


def test_accuracy_is_of_unseen_scans_in_the_span() -> None:
    facts = Facts(0.0, [second(1, right=4), second(2, right=2), second(3, right=0)])
    assert facts.accuracy(1, 3) == 6 / 8
    assert math.isnan(facts.accuracy(10))


def test_failures_and_their_reasons_add_up() -> None:
    facts = Facts(0.0, [second(1, failed=1), second(2, failed=2)])
    assert (facts.sent, facts.failed) == (20, 3)
    assert facts.reasons.most_common(1) == [("HTTP: refused", 3)]
