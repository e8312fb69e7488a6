"""What an error counts as a loss."""

import numpy as np
import pytest

from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.yardstick import Yardstick, learnt


def test_a_loss_is_a_part_of_the_scale_and_never_more_than_all_of_it() -> None:
    yardstick = Yardstick.of(Measure.MAE, 20.0)
    assert yardstick.losses(np.array([0.0, 20.0, 80.0, 1e9, np.inf])).tolist() == [0.0, 0.25, 1.0, 1.0, 1.0]
    assert yardstick.say(0.25) == "20"


def test_a_wrong_class_is_a_loss_of_one() -> None:
    assert Yardstick.of(Measure.ACCURACY, 0.3) == Yardstick.CLASSES
    assert Yardstick.CLASSES.losses(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
    assert Yardstick.CLASSES.say(0.125) == "12.500%"


def test_a_model_without_any_error_has_a_scale_all_the_same() -> None:
    assert Yardstick.of(Measure.MAE, 0.0).losses(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]


def test_the_scale_of_a_model_without_a_reference_comes_from_its_first_errors_alone() -> None:
    rows = np.concatenate([np.full(99, 2.0), [np.inf], np.full(500, 900.0)])
    found = learnt(Errors(Measure.MAE, rows))
    assert found is not None
    assert found.scale == pytest.approx(8.0)
    assert learnt(Errors(Measure.MAE, rows[:99])) is None
    assert learnt(Errors(Measure.MAE, np.full(200, np.inf))) is None
    assert learnt(Errors(Measure.ACCURACY, rows[:1])) is Yardstick.CLASSES


def test_it_is_kept_as_json() -> None:
    for yardstick in (Yardstick.CLASSES, Yardstick.of(Measure.MAE, 3.5)):
        assert Yardstick.from_json(yardstick.as_json()) == yardstick
