"""Late labels fail a version that is wrong more often, and clear one that is not."""

import numpy as np
import pytest

from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.analysis.labels import judge_labels
from lifecycle.core.analysis.late import Labelled
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.verdict import Finding, Verdict


def judged(canary: Labelled, champion: Labelled, margin: float = 0.05) -> Finding | None:
    return judge_labels(((canary, champion),), margin, 0.01, 0.05)


def drawn(rng: np.random.Generator, rows: int, wrong: float) -> Labelled:
    return Labelled(rows, int(rng.binomial(rows, wrong)))


@pytest.mark.parametrize(("wrong", "verdict"), [(0.1, Verdict.PASS), (0.2, Verdict.FAIL)])
def test_equal_passes_and_worse_fails(wrong: float, verdict: Verdict) -> None:
    rng = np.random.default_rng(1)
    found = judged(drawn(rng, 2_000, wrong), drawn(rng, 8_000, 0.1))
    assert found is not None
    assert found.verdict is verdict


def test_an_equal_version_is_hardly_ever_failed_however_often_one_looks() -> None:
    failed = 0
    for seed in range(200):
        rng, ours, theirs = np.random.default_rng(seed), [0, 0], [0, 0]
        for _ in range(40):
            for side, rows in ((ours, 20), (theirs, 80)):
                side[0] += rows
                side[1] += int(rng.binomial(rows, 0.1))
            found = judged(Labelled(*ours), Labelled(*theirs))
            if found is not None and found.verdict is Verdict.FAIL:
                failed += 1
                break
    assert failed <= 4


@pytest.mark.parametrize("usual", [0.02, 0.1, 0.3])
def test_a_version_that_lacks_the_margin_is_hardly_ever_cleared(usual: float) -> None:
    cleared = 0
    for seed in range(100):
        rng, ours, theirs = np.random.default_rng(seed), [0, 0], [0, 0]
        for _ in range(10):
            for side, rows, wrong in ((ours, 200, usual + 0.05), (theirs, 800, usual)):
                side[0] += rows
                side[1] += int(rng.binomial(rows, wrong))
            found = judged(Labelled(*ours), Labelled(*theirs))
            if found is not None and found.verdict is Verdict.PASS:
                cleared += 1
                break
    assert cleared <= 8


def test_a_version_that_is_often_wrong_but_no_worse_is_cleared() -> None:
    found = judged(Labelled(4_000, 1_200), Labelled(16_000, 4_800))
    assert found is not None
    assert found.verdict is Verdict.PASS


def test_an_hour_that_is_harder_for_both_fails_no_equal_version() -> None:
    """Most of the canary's answers are from the later step, when everybody was wrong more often."""
    easy, hard = (Labelled(1_000, 50), Labelled(9_000, 450)), Labelled(5_000, 1_000)
    found = judge_labels((easy, (hard, hard)), 0.05, 0.01, 0.05)
    assert found is not None
    assert found.verdict is not Verdict.FAIL
    worse = judge_labels((easy, (Labelled(5_000, 1_500), hard)), 0.05, 0.01, 0.05)
    assert worse is not None
    assert worse.verdict is Verdict.FAIL


def test_few_labels_hold_and_say_how_many_are_missing() -> None:
    few = judged(Labelled(20, 2), Labelled(80, 8))
    none = judged(Labelled(), Labelled(80, 8))
    assert few is not None
    assert none is not None
    assert few.verdict is none.verdict is Verdict.INCONCLUSIVE
    assert "more labels are needed" in few.reason
    assert "no answer of the version has a label yet" in none.reason


def test_a_plan_that_does_not_ask_is_only_told() -> None:
    assert judged(Labelled(), Labelled(), margin=1) is None
    told = judged(Labelled(100, 90), Labelled(100, 1), margin=1)
    assert told is not None
    assert (told.verdict, "90.000%" in told.reason) == (Verdict.PASS, True)


def test_only_a_plan_that_asks_is_judged_by_labels() -> None:
    assert judge(Evidence(), Guards(label_margin=0.02))[-1].name == "labels"
    assert judge(Evidence(), Guards())[-1].name == "outputs"
    with pytest.raises(ValueError, match="label_margin"):
        Guards(label_margin=0.0)


def errors(rng: np.random.Generator, rows: int, usual: float) -> Labelled:
    """Labels of normal errors whose mean is so many times the champion's."""
    off = np.abs(rng.normal(size=rows)) * usual * 20.0 * 1.2533
    return Labelled(rows, float(PRICES.losses(off).sum()))


PRICES = Yardstick.of(Measure.MAE, 20.0)


def followed(seed: int, usual: float, looks: int = 40, rows: int = 50) -> Finding:
    """A rollout at a fifth of the labels, until it is decided."""
    rng, ours, theirs = np.random.default_rng(seed), Labelled(), Labelled()
    found = None
    for _ in range(looks):
        ours, theirs = ours.merge(errors(rng, rows, usual)), theirs.merge(errors(rng, 4 * rows, 1.0))
        found = judge_labels(((ours, theirs),), 0.05, 0.01, 0.05, yardstick=PRICES)
        if found is not None and found.verdict is not Verdict.INCONCLUSIVE:
            break
    assert found is not None
    return found


def test_a_version_whose_numbers_are_further_off_fails_and_its_errors_are_told_in_their_unit() -> None:
    found = followed(0, 1.6)
    assert found.verdict is Verdict.FAIL
    assert "mean error: canary 3" in found.reason
    assert found.numbers["scale"] == 80.0
    assert sum(followed(seed, 1.6).verdict is Verdict.FAIL for seed in range(20)) == 20


def test_a_version_whose_numbers_are_as_good_is_cleared_and_hardly_ever_failed() -> None:
    verdicts = [followed(seed, 1.0, looks=100).verdict for seed in range(60)]
    assert verdicts.count(Verdict.FAIL) == 0
    assert verdicts.count(Verdict.PASS) == 60


def test_a_version_whose_numbers_lack_the_margin_is_hardly_ever_cleared() -> None:
    assert sum(followed(seed, 1.21).verdict is Verdict.PASS for seed in range(60)) <= 3
