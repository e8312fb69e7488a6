import pytest

from gateway.core.batching import TRY_EVERY, Batching, BatchSize, permitted

MS = 1e6


def settled(size: BatchSize, cost_ms: dict[int, float], runs: int = 200) -> int:
    """The size in force after full runs, each of which costs so much per row."""
    for _ in range(runs):
        size.learn(size.rows, size.rows * cost_ms.get(size.rows, 1e3) * MS)
    return size.rows if size.rows in cost_ms else size.rows // 2


def test_starts_from_what_was_measured_before() -> None:
    assert BatchSize(row_ns=1 * MS, start_ns=10 * MS, most_ns=100 * MS).rows == 8
    assert BatchSize(row_ns=30 * MS, start_ns=10 * MS, most_ns=100 * MS).rows == 1


def test_grows_while_that_pays_and_no_further() -> None:
    size = BatchSize(8 * MS, 10 * MS, 1e3 * MS)
    assert settled(size, {1: 8.0, 2: 6.0, 4: 5.0, 8: 4.95, 16: 4.94}) == 4


def test_shrinks_where_many_rows_are_dearer() -> None:
    size = BatchSize(1 * MS, 10 * MS, 1e3 * MS)
    size.learn(1, 1.0 * MS)  # a lone request
    assert settled(size, {1: 1.0, 2: 1.5, 8: 2.0}) == 1


def test_a_run_is_never_foreseen_to_be_longer_than_allowed() -> None:
    size = BatchSize(8 * MS, 10 * MS, 50 * MS)
    longest = 0.0
    for _ in range(300):
        cost = 8.0 / (1 + size.rows / 100)
        longest = max(longest, size.rows * cost)
        size.learn(size.rows, size.rows * cost * MS)
    assert longest <= 50


def test_comes_down_when_the_model_got_slower() -> None:
    size = BatchSize(1 * MS, 10 * MS, 20 * MS)
    settled(size, {8: 1.0, 16: 0.9})
    assert settled(size, {1: 9.0, 2: 9.0, 4: 9.0, 8: 9.0, 16: 9.0}, runs=2_000) <= 2


def test_looks_again_now_and_then() -> None:
    size = BatchSize(1 * MS, 1 * MS, 100 * MS)
    tried = []
    for _ in range(3 * TRY_EVERY):
        tried.append(size.rows)
        size.learn(size.rows, size.rows * (1.0 if size.rows == 1 else 3.0) * MS)
    assert 2 <= tried.count(2) <= 5


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (Batching.OFF, [Batching.OFF, Batching.OFF, Batching.OFF]),
        (Batching.EXACT, [Batching.OFF, Batching.OFF, Batching.EXACT]),
        (Batching.CLOSE, [Batching.OFF, Batching.CLOSE, Batching.EXACT]),
    ],
)
def test_a_setting_permits_no_less_than_it_says(wanted: Batching, given: list[Batching]) -> None:
    found = [Batching.OFF, Batching.CLOSE, Batching.EXACT]
    assert [permitted(each, wanted) for each in found] == given
