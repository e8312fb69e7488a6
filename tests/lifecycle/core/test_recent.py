"""What a rollout may compare with: the champion's last minutes, and no more."""

from gateway.core.types import Role
from lifecycle.core.recent import Recent
from tests.lifecycle.world import window


def requests(recent: Recent, number: int = 1) -> int:
    return sum(seen.requests for seen in recent.of("m", number))


def test_champions_are_kept_and_others_are_not() -> None:
    recent = Recent()
    recent.add([window(1, Role.CHAMPION, 3), window(1, Role.CHAMPION, 4), window(2, Role.CANARY, 4)], 100.0)
    assert requests(recent) == 200
    assert requests(recent, 2) == 0


def test_old_traffic_is_let_go() -> None:
    recent = Recent(bucket_s=60)
    for second in range(600):
        recent.add([window(1, Role.CHAMPION, 3, requests=10)], 1000.0 + second)
    assert 600 <= requests(recent) <= 1200
    recent.add([], 2000.0)
    recent.add([], 3000.0)
    assert requests(recent) == 0


def test_a_clock_that_jumps_back_costs_one_bucket_at_most() -> None:
    recent = Recent(bucket_s=60)
    recent.add([window(1, Role.CHAMPION, 3)], 1000.0)
    recent.add([window(1, Role.CHAMPION, 3)], 10.0)
    assert requests(recent) == 200


def test_what_each_version_does_is_told_by_role() -> None:
    recent = Recent()
    bad = window(2, Role.CANARY, 4, requests=50, errors=5)
    recent.add([window(1, Role.CHAMPION, 3, requests=100), bad, window(2, Role.SHADOW, 3)], 100.0)
    champion, canary, shadow = recent.rates("m")
    assert [(each.version, each.role) for each in (champion, canary, shadow)] == [
        (1, Role.CHAMPION),
        (2, Role.CANARY),
        (2, Role.SHADOW),
    ]
    assert (champion.error_rate, canary.error_rate) == (0.0, 0.1)
    assert champion.requests_per_s == 100
    assert 0 < champion.p50_ms <= champion.p99_ms
    assert recent.rates("other") == []
