"""Common bins of two versions' outputs."""

import numpy as np

from gateway.core.profile import Profile
from gateway.core.types import Tensors
from lifecycle.core.analysis.bins import common_bins


def profile(**outputs: list[int] | list[float]) -> Profile:
    kinds = {int: np.int64, float: np.float32}
    arrays = {name: np.array(values, kinds[type(values[0])]) for name, values in outputs.items()}
    return Profile.of({"x": np.zeros((len(next(iter(outputs.values()))), 1), np.float32)}, arrays)


def test_classes_meet_by_value_not_by_place() -> None:
    # Bins are ordered by frequency, so the two profiles place the same classes differently.
    champion, canary = profile(label=[1, 1, 1, 2]), profile(label=[2, 2, 2, 1])
    bins = common_bins(champion, canary)
    assert bins is not None
    answers: Tensors = {"label": np.array([1, 1, 2, 7], np.int64)}
    counted = [
        side.count(version.count({}, answers)["outputs.label"])
        for side, version in zip(bins, (champion, canary), strict=True)
    ]
    assert np.array_equal(counted[0], counted[1])
    assert counted[0].sum() == 4


def test_a_class_that_only_one_knows_is_other_to_both() -> None:
    champion, canary = profile(label=[1, 1, 2]), profile(label=[1, 1, 3])
    bins = common_bins(champion, canary)
    assert bins is not None
    answers: Tensors = {"label": np.array([1, 2, 3], np.int64)}
    for side, version in zip(bins, (champion, canary), strict=True):
        assert sorted(side.count(version.count({}, answers)["outputs.label"]).tolist())[-2:] == [1, 2]


def test_scores_are_compared_only_on_equal_edges() -> None:
    scores = [0.1, 0.2, 0.3]
    assert common_bins(profile(score=scores), profile(score=scores)) is not None
    assert common_bins(profile(score=scores), profile(score=[0.1, 0.2, 0.4])) is None


def test_a_class_wins_over_a_score() -> None:
    both = profile(score=[0.5, 0.5], label=[1, 2])
    bins = common_bins(both, both)
    assert bins is not None
    assert bins[0].key == "outputs.label"


def test_outputs_of_other_names_are_not_compared() -> None:
    assert common_bins(profile(a=[1, 2]), profile(b=[1, 2])) is None
