"""Business metrics fail a version whose mean is worse, clear one that is not, and mind no common change."""

import numpy as np
import pytest

from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.analysis.late import Late, Numbered, Numbers
from lifecycle.core.analysis.metrics import MetricGuard, judge_metric
from lifecycle.core.verdict import Finding, Verdict

REVENUE = MetricGuard("feedback.revenue", "higher", (0.0, 100.0), 3.0)
COST = MetricGuard("feedback.cost", "lower", (0.0, 100.0), 3.0)


def judged(*steps: Numbered, guard: MetricGuard = REVENUE) -> Finding:
    return judge_metric(guard, steps, 0.01, 0.05)


def drawn(rng: np.random.Generator, rows: int, mean: float, guard: MetricGuard = REVENUE) -> Numbers:
    """Baskets: most are empty, the others are of any size up to 100."""
    values = np.where(rng.random(rows) < mean / 50, rng.uniform(0, 100, rows), 0.0)
    return Numbers(rows, float(guard.gains(values).sum()))


@pytest.mark.parametrize(
    ("guard", "mean", "verdict"),
    [
        (REVENUE, 20.0, Verdict.PASS),
        (REVENUE, 25.0, Verdict.PASS),
        (REVENUE, 14.0, Verdict.FAIL),
        (COST, 20.0, Verdict.PASS),
        (COST, 14.0, Verdict.PASS),
        (COST, 26.0, Verdict.FAIL),
    ],
)
def test_no_worse_passes_and_worse_fails(guard: MetricGuard, mean: float, verdict: Verdict) -> None:
    rng = np.random.default_rng(1)
    found = judged((drawn(rng, 15_000, mean, guard), drawn(rng, 60_000, 20.0, guard)), guard=guard)
    assert found.verdict is verdict
    assert found.numbers["champion_mean"] == pytest.approx(20.0, abs=1.0)
    assert found.numbers["canary_mean"] == pytest.approx(mean, abs=2.0)


@pytest.mark.parametrize("mean", [2.0, 20.0, 45.0])
def test_an_equal_version_is_hardly_ever_failed_however_often_one_looks(mean: float) -> None:
    failed = 0
    for seed in range(150):
        rng, ours, theirs = np.random.default_rng(seed), Numbers(), Numbers()
        for _ in range(40):
            ours, theirs = ours.merge(drawn(rng, 20, mean)), theirs.merge(drawn(rng, 80, mean))
            if judged((ours, theirs)).verdict is Verdict.FAIL:
                failed += 1
                break
    assert failed <= 4


def test_a_version_that_lacks_the_margin_is_hardly_ever_cleared() -> None:
    cleared = 0
    for seed in range(150):
        rng, ours, theirs = np.random.default_rng(seed), Numbers(), Numbers()
        for _ in range(40):
            ours, theirs = ours.merge(drawn(rng, 50, 17.0)), theirs.merge(drawn(rng, 450, 20.0))
            if judged((ours, theirs)).verdict is Verdict.PASS:
                cleared += 1
                break
    assert cleared <= 10


def test_what_changes_with_time_is_nobodys_fault() -> None:
    rng = np.random.default_rng(2)
    morning = drawn(rng, 400, 40.0), drawn(rng, 8_000, 40.0)
    evening = drawn(rng, 4_000, 10.0), drawn(rng, 4_000, 10.0)
    pooled = morning[0].merge(evening[0]), morning[1].merge(evening[1])
    assert judged(pooled).verdict is Verdict.FAIL
    assert judged(morning, evening).verdict is not Verdict.FAIL


def test_few_numbers_hold_and_say_what_is_missing() -> None:
    few, none = judged((Numbers(5, 1.0), Numbers(50, 10.0))), judged((Numbers(), Numbers(50, 10.0)))
    assert few.verdict is none.verdict is judged().verdict is Verdict.INCONCLUSIVE
    assert "more numbers are needed" in few.reason
    assert "no answer of the version has this number yet" in none.reason


def test_outliers_count_as_the_bound() -> None:
    gains = REVENUE.gains(np.array([-5.0, 50.0, 1e9]))
    assert gains.tolist() == [0.0, 0.5, 1.0]
    assert COST.gains(np.array([-5.0, 50.0, 1e9])).tolist() == [1.0, 0.5, 0.0]


def test_each_metric_of_a_plan_is_a_finding_and_takes_its_part_of_the_level() -> None:
    late = Late(metrics={"revenue": ((Numbers(4_000, 600.0), Numbers(16_000, 3_200.0)),)})
    alone = judge(Evidence(late=late), Guards(), (REVENUE,))[-1]
    beside = judge(Evidence(late=late), Guards(), (REVENUE, COST))
    assert [finding.name for finding in beside[-2:]] == ["feedback.revenue", "feedback.cost"]
    assert alone.verdict is Verdict.FAIL
    assert beside[-2].numbers["threshold"] > alone.numbers["threshold"]
