import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.binning import ORDERED_BINS, TAIL_VALUES, TOP_VALUES, Bin, Categorical, Counts, Ordered

finite = st.floats(allow_nan=False, allow_infinity=False)


def count(feature: Ordered, values: list[float]) -> Counts:
    into = np.zeros(feature.width, np.int64)
    feature.count(np.array(values, np.float64), into)
    return into


def slowly(feature: Ordered, low: float, value: float) -> int:
    """The bin of a value by the definition, one edge at a time."""
    if not len(feature.edges) or value > feature.edges[-1]:
        return Bin.ABOVE
    if value < low:
        return Bin.BELOW
    return Bin.FIRST + next(i for i, edge in enumerate(feature.edges) if value <= edge)


@given(st.lists(finite, max_size=300), st.lists(finite, max_size=50))
def test_bins_are_as_defined(reference: list[float], live: list[float]) -> None:
    feature = Ordered.of("x", np.array(reference, np.float64))
    expected = np.zeros(feature.width, np.int64)
    for value in live:
        expected[slowly(feature, min(reference, default=0), value)] += 1
    assert count(feature, live).tolist() == expected.tolist()


@given(st.lists(finite, min_size=1, max_size=300))
def test_the_reference_itself_is_neither_below_nor_above(reference: list[float]) -> None:
    counts = count(Ordered.of("x", np.array(reference)), reference)
    assert counts[Bin.FIRST :].sum() == len(reference)
    assert counts[Bin.FIRST :].all()


def test_bins_hold_equal_shares_of_smooth_data() -> None:
    reference = np.random.default_rng(0).normal(size=6400)
    feature = Ordered.of("x", reference)
    assert count(feature, reference.tolist())[Bin.FIRST :].tolist() == [100] * ORDERED_BINS


def test_few_distinct_values_get_a_bin_each() -> None:
    feature = Ordered.of("pixel", np.array([0.0] * 900 + list(range(17)) * 5))
    assert feature.edges.tolist() == list(range(17))
    assert count(feature, [0, 0, 16])[Bin.FIRST :].tolist() == [2] + [0] * 15 + [1]


def test_heavy_ties_leave_fewer_bins() -> None:
    values = np.concatenate([np.zeros(5000), np.linspace(1, 2, 5000)])
    feature = Ordered.of("x", values)
    assert len(np.unique(feature.edges)) == len(feature.edges) < ORDERED_BINS
    assert feature.edges[0] == 0


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, -np.inf]])
def test_without_finite_reference_all_is_above(values: list[float]) -> None:
    assert count(Ordered.of("x", np.array(values)), [0.0, 1.0])[Bin.ABOVE] == 2


def categories(feature: Categorical, values: list[int | bytes]) -> dict[int, int]:
    into = np.zeros(feature.width, np.int64)
    feature.count(values, into)
    return {int(at): int(into[at]) for at in np.flatnonzero(into)}


def test_the_most_frequent_values_have_bins_the_rest_is_other_and_new_is_unseen() -> None:
    reference = [i for i in range(300) for _ in range(300 - i)]
    feature = Categorical.of("c", reference)
    assert len(feature.values) == TOP_VALUES
    assert categories(feature, [0, 254, 255, 299, 300, -1]) == {
        Bin.FIRST: 1,
        Bin.FIRST + 254: 1,
        Bin.OTHER: 2,
        Bin.UNSEEN: 2,
    }


def test_an_empty_string_is_missing() -> None:
    feature = Categorical.of("c", [b"a", b"", b"a", b"b"])
    assert feature.values == (b"a", b"b")
    assert categories(feature, [b"", b"b"]) == {Bin.MISSING: 1, Bin.FIRST + 1: 1}


def test_past_what_can_be_remembered_new_and_rare_are_one() -> None:
    feature = Categorical.of("id", list(range(TOP_VALUES + TAIL_VALUES + 1)))
    assert feature.open
    assert categories(feature, [10**6]) == {Bin.OTHER: 1}
