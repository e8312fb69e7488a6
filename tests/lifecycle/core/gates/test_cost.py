import pytest

from lifecycle.core.gates.cost import Budget, cost
from lifecycle.core.inspection import Cost
from lifecycle.core.verdict import Verdict

OWN, CHAMPION = Cost(1.5, 40.0), Cost(0.5, 30.0)


def test_both_are_told_beside_each_other() -> None:
    found = cost(OWN, CHAMPION, Budget())
    assert found.verdict is Verdict.PASS
    assert found.numbers["latency_ratio"] == pytest.approx(3)
    assert found.reason == "one row takes 1.5 ms and the version 40 MB; the champion 0.5 ms and 30 MB"


def test_a_small_version_takes_less_than_a_megabyte_and_not_none() -> None:
    assert cost(Cost(0.5, 0.03), None, Budget()).reason.endswith("the version less than 1 MB")


@pytest.mark.parametrize(
    ("tight", "wide", "says"),
    [
        (Budget(latency_ms=1.4), Budget(latency_ms=1.6), "the budget is 1.4 ms a row"),
        (Budget(latency_ratio=2.9), Budget(latency_ratio=3.1), "2.9 times the champion's time"),
        (Budget(memory_mb=39), Budget(memory_mb=41), "the budget is 39 MB"),
    ],
)
def test_a_budget_bounds_each(tight: Budget, wide: Budget, says: str) -> None:
    found = cost(OWN, CHAMPION, tight)
    assert found.verdict is Verdict.FAIL
    assert says in found.reason
    assert cost(OWN, CHAMPION, wide).verdict is Verdict.PASS


def test_a_first_version_has_no_ratio_to_exceed() -> None:
    assert cost(OWN, None, Budget(latency_ratio=1.0)).verdict is Verdict.PASS
