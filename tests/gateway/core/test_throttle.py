"""Bad keys are counted by address, for a minute."""

from gateway.core.throttle import ALLOWED, WINDOW_S, BadKeys


def test_too_many_in_a_minute() -> None:
    bad = BadKeys()
    assert [bad.note("a", 0.0) for _ in range(ALLOWED + 1)] == [False] * ALLOWED + [True]
    assert not bad.note("b", 0.0)
    assert bad.note("a", WINDOW_S - 1)
    assert not bad.note("a", WINDOW_S)


def test_memory_is_bounded() -> None:
    bad = BadKeys()
    for number in range(20_000):
        bad.note(str(number), 0.0)
    assert len(bad._seen) <= 10_000
