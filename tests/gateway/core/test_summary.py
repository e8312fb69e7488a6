import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gateway.core.disagreement import Disagreement
from gateway.core.summary import LATENCY_EDGES_NS, Counts, Window, latency_histogram, merged, quantile
from gateway.core.types import Outcome, Role

BINS = len(LATENCY_EDGES_NS) + 1
small = st.integers(0, 1000)
outputs = st.sampled_from(["y", "z"])


def table(shape: tuple[int, ...]) -> st.SearchStrategy[Counts]:
    return arrays(np.int64, shape, elements=small)


windows = st.builds(
    Window,
    *map(st.just, ("m", 1, Role.CANARY, 7)),
    start=st.floats(0, 1e9),
    end=st.floats(1e9, 2e9),
    outcomes=st.dictionaries(st.sampled_from(Outcome), small),
    protocols=st.dictionaries(st.tuples(st.sampled_from(["http", "grpc"]), st.sampled_from(Outcome)), small),
    latency=table((BINS,)),
    rows=small,
    counts=st.dictionaries(st.sampled_from(["inputs.x", "outputs.y"]), table((2, 3))),
    dropped=small,
    disagreement=st.builds(Disagreement, *[small] * 4, st.dictionaries(outputs, table((4,))), small, small),
)


def plain(window: Window) -> tuple[object, ...]:
    """Everything a window says, comparable."""
    counts = {key: table.tolist() for key, table in window.counts.items()}
    seen = window.disagreement
    return (
        *(window.key, window.start, window.end, dict(window.outcomes), dict(window.protocols)),
        *(window.latency.tolist(), window.rows, counts, window.dropped),
        *(seen.pairs, seen.differing, seen.rows, seen.rows_differing, seen.classed, seen.apart),
        {name: counts.tolist() for name, counts in seen.distances.items()},
    )


@given(windows, windows, windows)
def test_merging_is_associative_and_commutative(a: Window, b: Window, c: Window) -> None:
    assert plain(a.merge(b)) == plain(b.merge(a))
    assert plain(a.merge(b).merge(c)) == plain(a.merge(b.merge(c)))


@given(windows)
def test_an_empty_window_changes_nothing(window: Window) -> None:
    empty = Window.empty(*window.key)
    assert plain(empty.merge(window)) == plain(window) == plain(window.merge(empty))


@given(windows)
def test_a_window_travels(window: Window) -> None:
    assert plain(pickle.loads(pickle.dumps(window))) == plain(window)


def test_only_windows_of_one_version_role_and_generation_merge() -> None:
    window = Window.empty("m", 1, Role.CANARY, 7)
    for other in (("n", 1, Role.CANARY, 7), ("m", 2, Role.CANARY, 7), ("m", 1, Role.CHAMPION, 7)):
        with pytest.raises(ValueError, match="cannot merge windows"):
            window.merge(Window.empty(*other))
    with pytest.raises(ValueError, match="cannot merge windows"):
        window.merge(Window.empty("m", 1, Role.CANARY, 8))


def test_a_version_is_not_judged_by_callers_mistakes_nor_by_what_limits_refuse() -> None:
    outcomes = dict(zip(Outcome, (5, 1, 40, 2, 60), strict=True))
    empty = np.zeros(BINS, np.int64)
    assert Window("m", 1, Role.CHAMPION, 1, 0, 1, outcomes, {}, empty, 6, {}).requests == 8


def test_bins_are_five_percent_wide_from_10_microseconds_to_a_minute() -> None:
    assert (LATENCY_EDGES_NS[0], LATENCY_EDGES_NS[-1]) == (10_000, 60_000_000_000)
    assert (LATENCY_EDGES_NS[1:] / LATENCY_EDGES_NS[:-1]).max() < 1.0501


def test_an_edge_belongs_to_the_bin_below_it() -> None:
    histogram = latency_histogram(np.array([0, 10_000, 10_001, 60_000_000_001]))
    assert histogram[[0, 1, -1]].tolist() == [2, 1, 1]


@given(st.lists(st.integers(10_001, 50_000_000_000), min_size=1, max_size=200), st.floats(0.01, 1))
def test_quantiles_are_within_a_bin_of_the_exact_ones(latencies: list[int], q: float) -> None:
    exact = np.quantile(np.array(latencies), q, method="inverted_cdf")
    assert quantile(latency_histogram(np.array(latencies)), q) == pytest.approx(exact, rel=0.051)


def test_quantiles_at_the_ends() -> None:
    assert math.isnan(quantile(np.zeros(BINS, np.int64), 0.5))
    assert quantile(latency_histogram(np.array([3])), 0.5) == 10_000
    assert quantile(latency_histogram(np.array([10**12])), 0.5) == 60_000_000_000


@given(st.lists(windows, max_size=4))
def test_windows_of_one_key_become_one(several: list[Window]) -> None:
    other = Window.empty("m", 1, Role.CANARY, 8)
    together = merged([*several, other])
    assert [window.key for window in together] == [w.key for w in (*several[:1], other)]
    assert sum(w.rows for w in together) == sum(w.rows for w in several)
