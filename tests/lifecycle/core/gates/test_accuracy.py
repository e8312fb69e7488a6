import re

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.gates.accuracy import accuracy
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.verdict import Verdict

Labels = NDArray[np.int64]


def answers(rows: int, own_wrong: int, champion_wrong: int) -> Answers:
    """Both are wrong on rows of their own, spread evenly, the version's from the left."""
    truth = np.ones(rows, np.int64)
    own, champion = truth.copy(), truth.copy()
    own[:own_wrong] = 0
    champion[rows - champion_wrong :] = 0
    return Answers(outputs={"y": own}, beside={"y": champion}, labels=truth)


def test_evidence_of_a_loss_fails_and_of_none_passes() -> None:
    lost = accuracy("newest", answers(1_000, 40, 0))
    assert (lost.name, lost.verdict) == ("newest", Verdict.FAIL)
    assert (lost.numbers["candidate"], lost.numbers["champion"], lost.numbers["worse"]) == (0.96, 1.0, 40)
    same, gained = accuracy("newest", answers(1_000, 0, 0)), accuracy("newest", answers(1_000, 10, 60))
    assert (same.verdict, same.reason.endswith("it is no worse")) == (Verdict.PASS, True)
    assert (gained.verdict, gained.reason.endswith("it is better")) == (Verdict.PASS, True)


def test_a_difference_that_may_be_chance_waits_and_says_for_what() -> None:
    assert accuracy("newest", answers(300, 4, 2)).verdict is Verdict.INCONCLUSIVE
    found = accuracy("newest", answers(500, 0, 0))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert re.search(r"about \d+ more labels are needed", found.reason)


def test_too_few_labels_neither_pass_nor_fail_whatever_they_say() -> None:
    for wrong in (0, 99):
        found = accuracy("holdout", answers(99, wrong, 0))
        assert found.verdict is Verdict.INCONCLUSIVE
        assert "1 more labels are needed to judge at all" in found.reason


def test_no_rows_no_labels_and_no_comparable_output_say_nothing() -> None:
    text = np.array([b"a"], np.object_)
    for empty in (Answers(), Answers(outputs={"y": np.zeros(1)}, labels=text)):
        assert accuracy("accuracy", empty).verdict is Verdict.INCONCLUSIVE


def test_a_first_version_is_told_but_not_compared() -> None:
    alone = Answers(outputs={"y": np.array([1, 0])}, labels=np.array([1, 1]))
    found = accuracy("accuracy", alone)
    assert (found.verdict, found.numbers["candidate"]) == (Verdict.PASS, 0.5)


def test_equal_versions_seldom_fail_however_often_they_are_looked_at() -> None:
    rng = np.random.default_rng(5)
    failed = 0
    for _ in range(200):
        truth = np.ones(2_000, np.int64)
        own, champion = ((rng.random(2_000) > 0.1).astype(np.int64) for _ in range(2))
        looks = (
            accuracy("newest", Answers(outputs={"y": own[:n]}, beside={"y": champion[:n]}, labels=truth[:n]))
            for n in range(100, 2_001, 100)
        )
        failed += any(found.verdict is Verdict.FAIL for found in looks)
    assert failed <= 10  # 5 %; the margin of half a point leaves far fewer


def numbers(worse: float, rows: int = 4_000) -> Answers:
    """A good champion, off by 0.001 of the labels' spread, and a version off by `worse` times that."""
    rng = np.random.default_rng(7)
    truth, error = rng.normal(size=rows), np.abs(rng.normal(size=rows)) * 0.001 / 0.798
    return Answers(outputs={"y": truth + worse * error}, beside={"y": truth + error}, labels=truth)


def test_numbers_are_judged_by_the_champions_usual_error_and_not_by_how_far_labels_lie_apart() -> None:
    usual = Yardstick.of(Measure.MAE, 0.001)
    for known in (usual, None):
        worse, same = accuracy("holdout", numbers(3.0), known), accuracy("holdout", numbers(1.0), known)
        assert (worse.verdict, same.verdict) == (Verdict.FAIL, Verdict.PASS)
    told = accuracy("holdout", numbers(3.0), usual)
    assert told.numbers["scale"] == usual.scale == 0.004
    assert told.reason.endswith("it is worse by more than 2e-05")


def test_numbers_without_a_reference_need_labels_for_their_scale_too() -> None:
    found = accuracy("holdout", numbers(3.0, rows=150))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "50 more labels are needed to judge at all" in found.reason
