"""What came late adds up, and is kept with a rollout."""

from lifecycle.core.analysis.late import Labelled, Late, Numbers
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.yardstick import Yardstick

ONE = Late(((Labelled(3, 0.5), Labelled(9, 2.0)),), {"a": ((Numbers(1, 0.5), Numbers()),)}, 12)
TWO = Late(((Labelled(1, 1.0), Labelled()), (Labelled(7), Labelled(8))), {"b": ((Numbers(2, 1.0),) * 2,)}, 5)


def test_sums_of_one_step_are_added_and_later_steps_stay() -> None:
    both = ONE.merge(TWO)
    assert both.labels == ((Labelled(4, 1.5), Labelled(9, 2.0)), (Labelled(7), Labelled(8)))
    assert both.metrics == {"a": ONE.metrics["a"], "b": TWO.metrics["b"]}
    assert both.kept == 17
    assert both == TWO.merge(ONE)
    assert ONE.merge(Late()) == ONE


def test_it_is_kept_as_json_with_what_is_settled() -> None:
    late = Late(TWO.labels, {}, 5, Yardstick(Measure.MAE, 8.0), 1_000.5, ONE)
    assert Late.from_json(late.as_json()) == late
    assert Late.from_json(Late().as_json()) == Late()


def test_what_older_rollouts_kept_is_read() -> None:
    older = {"labels": [[{"rows": 5, "wrong": 2}, {"rows": 9, "wrong": 1}]]}
    assert Late.from_json(older).labels == ((Labelled(5, 2.0), Labelled(9, 1.0)),)
