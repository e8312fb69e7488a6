"""The rules of the join, one label at a time."""

from lifecycle.core.learning.feedback import SKEW_S, Label, Sorted, sort

MADE = {"a": 1_000.0, "b": 1_000.0, "c": 1_000.0}
HORIZON_S = 3_600.0


def fates(
    ids: list[str],
    labels: list[Label],
    at: list[float | None] | None = None,
    now: float = 1_010.0,
    **standing: Label,
) -> Sorted:
    said_at = at or [None] * len(ids)
    return sort(ids, labels, said_at, now=now, standing=standing, made_at=MADE, horizon_s=HORIZON_S)


def test_each_label_has_one_fate() -> None:
    found = fates(["a", "b", "c", "z", "a"], [1, 2, 3, 4, 9], b=2, c=5)
    assert (found.fresh, found.unknown, found.joined) == ((0, 3), (3,), 1)
    assert (found.duplicate, found.conflicting) == ((1,), (2, 4))
    assert found.aside == (2, 4)


def test_the_first_of_a_batch_stands() -> None:
    found = fates(["a", "a", "a"], [1, 1, 2])
    assert (found.fresh, found.duplicate, found.conflicting) == ((0,), (1,), (2,))


def test_a_label_from_before_its_prediction_tells_nothing_of_it() -> None:
    early, apart = 1_000.0 - SKEW_S - 1, 1_000.0 - SKEW_S
    found = fates(["a", "b", "z"], [1, 1, 1], [early, apart, early])
    assert (found.early, found.fresh, found.unknown) == ((0,), (1, 2), (2,))


def test_a_clock_that_was_set_back_makes_no_label_early() -> None:
    assert fates(["a"], [1], now=1_000.0 - 3_600).fresh == (0,)


def test_a_label_from_beyond_the_horizon_is_late() -> None:
    over = 1_000.0 + HORIZON_S + 1
    found = fates(["a", "b", "c"], [1, 1, 1], [None, 1_500.0, over], now=over)
    assert (found.late, found.fresh) == ((0, 2), (1,))


def test_what_stands_is_said_again_at_any_time() -> None:
    assert fates(["a"], [1], [0.0], now=1e9, a=1).duplicate == (0,)
