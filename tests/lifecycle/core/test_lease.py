from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.lease import TERM_S, Lease, Watch

HELD = Lease("a", 3, 7)


def test_a_lease_that_nobody_holds_is_free_at_once() -> None:
    assert Watch(Lease(), 0.0).free("b", 0.0)
    assert Watch(HELD.released(), 0.0).free("b", 0.0)


def test_who_held_it_before_a_restart_need_not_wait() -> None:
    assert Watch(HELD, 0.0).free("a", 0.0)
    assert HELD.taken("a").token == 4


def test_it_is_free_once_it_has_stood_still_for_a_term() -> None:
    watch = Watch(HELD, 100.0)
    assert not watch.seen(HELD, 100.0 + TERM_S - 0.1).free("b", 100.0 + TERM_S - 0.1)
    assert watch.seen(HELD, 100.0 + TERM_S).free("b", 100.0 + TERM_S)


def test_a_sign_of_life_starts_the_term_anew() -> None:
    watch = Watch(HELD, 0.0).seen(HELD.renewed(), 9.0)
    assert not watch.free("b", TERM_S)
    assert watch.free("b", 9.0 + TERM_S)


@given(st.lists(st.sampled_from(["take", "renew", "release"]), max_size=30))
def test_a_token_never_comes_twice(steps: list[str]) -> None:
    lease, tokens = Lease(), [0]
    for step in steps:
        if step == "take":
            lease = lease.taken("x")
            tokens.append(lease.token)
        else:
            lease = lease.renewed() if step == "renew" else lease.released()
    assert tokens == sorted(set(tokens))
    assert replace(lease, holder="", beat=0).token == tokens[-1]
