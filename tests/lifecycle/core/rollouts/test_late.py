"""Whatever came for a rollout counts once, in its step, however long ago and through restarts."""

from dataclasses import replace

import numpy as np

from lifecycle.core.analysis.late import Labelled, Late, Numbers
from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.numbers import Series
from lifecycle.core.performance.reference import Reference
from lifecycle.core.performance.standing import Answers, Arrived
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.rollouts.late import UNSETTLED_S, count, unsettled
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Rollout

DAY_S = 86_400.0
BEGAN = 1_000.0
GUARD = MetricGuard("feedback.revenue", "higher", (0.0, 10.0), 1.0)
ROLLOUT = Rollout(
    *("r", "m", 2, 1, replace(preset("quick"), guard=(GUARD,)), 0.0, "ann"),
    canary_first_at=BEGAN,
    splits_at=(BEGAN, BEGAN + DAY_S / 2),
)
CLASSES = Reference.of_classes(1_000, 100)


def day(measure: Measure = Measure.ACCURACY, rows: int = 4_000, seed: int = 0) -> dict[int, Answers]:
    """Answers over a day by version, whose labels come up to six hours later."""
    found = {}
    for version in (1, 2):
        rng = np.random.default_rng((seed, version))
        at = BEGAN + rng.random(rows) * DAY_S
        order = np.argsort(came := at + rng.random(rows) * 6 * 3_600)
        off = (rng.random(rows) < 0.1).astype(np.float64) if measure is Measure.ACCURACY else rng.random(rows)
        drawn = rng.random(rows) < 0.95
        found[version] = Answers(at[order], came[order], Errors(measure, off), drawn, np.sort(at))
    return found


def seen(answers: dict[int, Answers], since: float, now: float) -> Arrived:
    """What a look reads: labels that came since a time and up to now."""
    read = {}
    for version, own in answers.items():
        kept = (own.came >= since) & (own.came <= now)
        errors = Errors(own.errors.measure, own.errors.rows[kept])
        read[version] = Answers(own.at[kept], own.came[kept], errors, own.drawn[kept], own.made_at)
    made = {
        version: own.made_at[(own.made_at >= since) & (own.made_at <= now)]
        for version, own in answers.items()
    }
    revenue = {version: Series(own.at, own.came, own.errors.rows * 10) for version, own in read.items()}
    return Arrived(read, {"revenue": revenue}, made)


def followed(answers: dict[int, Answers], reference: Reference | None, every_s: float) -> Rollout:
    """Looked at until all labels are there; what is kept goes through JSON, as over a restart."""
    rollout = ROLLOUT
    for now in np.arange(BEGAN, BEGAN + 2 * DAY_S, every_s).tolist():
        late = count(rollout, seen(answers, min(now - 3_600, unsettled(rollout)), now), reference, now)
        kept = Late.from_json(late.as_json())
        assert kept == late
        rollout = replace(rollout, evidence=replace(rollout.evidence, late=kept))
    return rollout


def test_labels_that_come_hours_late_over_a_day_all_count_in_their_step() -> None:
    answers = day()
    late = followed(answers, CLASSES, 1_700.0).evidence.late
    middle = BEGAN + DAY_S / 2
    for side, version in ((0, 2), (1, 1)):
        own = answers[version]
        for step, mine in enumerate((own.at < middle, own.at >= middle)):
            losses = own.errors.rows[own.drawn & mine]
            assert late.labels[step][side] == Labelled(len(losses), float(losses.sum()))
            gains = own.errors.rows[mine]
            assert late.metrics["revenue"][step][side] == Numbers(len(gains), float(gains.sum()))
    assert late.kept == 8_000


def test_how_often_one_looks_changes_nothing() -> None:
    seldom, often = (followed(day(rows=500), CLASSES, every_s).evidence.late for every_s in (40_000.0, 300.0))
    assert (seldom.labels, seldom.kept) == (often.labels, often.kept)


def test_a_look_reads_no_more_than_what_came_since_the_last_ones() -> None:
    rollout = followed(day(), CLASSES, 300.0)
    assert BEGAN + 2 * DAY_S - unsettled(rollout) <= UNSETTLED_S + 300.0


def test_a_label_that_came_before_its_prediction_was_known_counts_all_the_same() -> None:
    at, came, wrong = np.array([BEGAN + 5]), np.array([BEGAN + 6]), Errors(Measure.ACCURACY, np.ones(1))
    own = Answers(at, came, wrong, np.ones(1, np.bool_), at)
    first = count(ROLLOUT, Arrived(), CLASSES, BEGAN + 10)
    rollout = replace(ROLLOUT, evidence=replace(ROLLOUT.evidence, late=first))
    late = count(rollout, Arrived({2: own}), CLASSES, BEGAN + 20)
    assert late.labels[0] == (Labelled(1, 1.0), Labelled())


def test_numbers_without_a_reference_are_measured_by_the_champions_first_errors_which_do_not_count() -> None:
    answers = day(Measure.MAE)
    late = followed(answers, None, 1_700.0).evidence.late
    assert late.yardstick is not None
    assert late.yardstick.measure is Measure.MAE
    assert 1.5 < late.yardstick.scale < 2.5
    counted = sum(step[1].rows for step in late.labels)
    assert counted == int(answers[1].drawn[100:].sum())
    assert sum(step[1].rows for step in late.metrics["revenue"]) == len(answers[1].at)


def test_what_is_measured_in_another_way_does_not_count() -> None:
    late = followed(day(Measure.MAE, rows=300), CLASSES, 20_000.0).evidence.late
    assert late.yardstick == Yardstick.CLASSES
    assert all(step == (Labelled(), Labelled()) for step in late.labels)
