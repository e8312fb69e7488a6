"""A filter denies no id that it holds, and nearly every other."""

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.adapters.captures.id_filter import IdFilter


@given(st.lists(st.text(max_size=12), max_size=40))
def test_whatever_is_in_it_is_found(ids: list[str]) -> None:
    held = IdFilter.of(ids)
    assert all(name in held for name in ids)


def test_of_a_workers_other_ids_one_of_fifty_is_taken_for_one_of_these() -> None:
    made = [f"1f0a3b9c2d4e{worker:02x}-{number:x}" for number in range(20_000) for worker in range(2)]
    held = IdFilter.of(made[::4])
    others = made[1::2]
    assert sum(name in held for name in others) < len(others) / 30


def test_what_files_hold_keeps_its_meaning() -> None:
    held = IdFilter.of(["a", "b/0"]).bits
    assert len(held) == 64
    found = {at: byte for at, byte in enumerate(held) if byte}
    assert found == {0: 4, 6: 2, 11: 16, 14: 16, 28: 64, 29: 4, 39: 8, 47: 1, 52: 8, 53: 32}
    assert "a" not in IdFilter.of([])
