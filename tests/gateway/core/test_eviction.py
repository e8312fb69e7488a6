"""Checked against the obvious: drop one by one until it fits."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.eviction import to_evict


@given(st.lists(st.integers(1, 100)), st.integers(-50, 2_000))
def test_the_longest_unused_go_until_there_is_room(sizes: list[int], excess: int) -> None:
    chosen = to_evict(enumerate(sizes), excess)
    if sum(sizes) < excess:
        assert chosen is None
        return
    assert chosen == list(range(len(chosen or ())))
    freed = [sum(sizes[: count + 1]) for count in chosen or ()]
    assert all(before < excess for before in freed[:-1])
    assert (freed[-1] if freed else 0) >= excess
