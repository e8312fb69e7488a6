import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Watching
from gateway.core.summary import WindowKey
from gateway.core.types import Array, Role
from gateway.telemetry.record import Record
from gateway.telemetry.sampling import Sampler, fair_shares

CHAMPION: WindowKey = ("m", 1, Role.CHAMPION, 1)
SHADOW: WindowKey = ("m", 2, Role.SHADOW, 1)


def records(key: WindowKey, n: int, rows: int = 1, first: int = 0) -> list[Record]:
    tensors: dict[str, Array] = {"x": np.zeros((rows, 1))}
    return [Record(key[0], key[1], key[2], tensors, tensors, f"p{first + i}", 5.0, rows, 8) for i in range(n)]


def ids(captures: list[Record], role: Role = Role.CHAMPION) -> set[str]:
    return {capture.prediction_id for capture in captures if capture.role is role}


def sampler(rate: int, total: int = 10**9, mb_per_s: float = 1e9) -> Sampler:
    watching = Watching(sample_rows_per_s=rate, sample_total_rows_per_s=total, sample_mb_per_s=mb_per_s)
    return Sampler(watching, np.random.default_rng(0))


def test_all_is_kept_while_there_is_room() -> None:
    (capture,) = sampler(10).sample({CHAMPION: records(CHAMPION, 1)}, 1.0)
    assert (capture.prediction_id, capture.at, capture.model, capture.version) == ("p0", 5.0, "m", 1)
    assert capture.inputs["x"].shape == (1, 1)


def test_the_rate_is_of_rows_per_second_of_a_model() -> None:
    groups = {CHAMPION: records(CHAMPION, 1000), ("n", 1, Role.CHAMPION, 1): records(CHAMPION, 1000)}
    assert len(sampler(50).sample(groups, 2.0)) == 2 * 100


def test_every_request_is_as_likely_as_any() -> None:
    each, chosen = sampler(100), np.zeros(1000)
    for _ in range(100):
        for name in ids(each.sample({CHAMPION: records(CHAMPION, 1000)}, 1.0)):
            chosen[int(name[1:])] += 1
    halves = chosen[:500].sum(), chosen[500:].sum()
    assert abs(halves[0] - halves[1]) < 4 * np.sqrt(10_000)


def test_a_request_larger_than_the_rate_is_kept_whole_and_made_up_for() -> None:
    each = sampler(10)
    kept = [len(each.sample({CHAMPION: records(CHAMPION, 2, rows=30)}, 1.0)) for _ in range(6)]
    assert kept == [1, 0, 0, 1, 0, 0]


def test_quiet_time_pays_a_debt_but_saves_nothing() -> None:
    each = sampler(10)
    each.sample({CHAMPION: records(CHAMPION, 1, rows=20)}, 1.0)
    for _ in range(5):
        each.sample({}, 1.0)
    assert len(each.sample({CHAMPION: records(CHAMPION, 100)}, 1.0)) == 10


def test_a_shadow_is_kept_exactly_with_its_primary() -> None:
    each = sampler(10)
    primary = each.sample({CHAMPION: records(CHAMPION, 100)}, 1.0)
    later = each.sample({SHADOW: records(SHADOW, 100)}, 1.0)
    assert len(ids(primary)) == 10
    assert ids(later, Role.SHADOW) == ids(primary)


def test_large_tensors_are_kept_up_to_a_size_and_made_up_for() -> None:
    each = sampler(1000, mb_per_s=20 / 2**20)
    kept = [len(each.sample({CHAMPION: records(CHAMPION, 100)}, 1.0)) for _ in range(5)]
    assert kept == [3, 2, 3, 2, 3]  # of 8 bytes each


def test_without_a_rate_nothing_is_kept() -> None:
    assert sampler(0).sample({CHAMPION: records(CHAMPION, 5)}, 1.0) == []


def test_many_models_share_the_total_and_quiet_ones_lose_nothing() -> None:
    each, kept = sampler(50, total=100), dict.fromkeys("abcq", 0)
    for _ in range(20):
        groups = {(name, 1, Role.CHAMPION, 1): records((name, 1, Role.CHAMPION, 1), 200) for name in "abc"}
        groups["q", 1, Role.CHAMPION, 1] = records(("q", 1, Role.CHAMPION, 1), 7)
        for capture in each.sample(groups, 1.0):
            kept[capture.model] += 1
    assert kept["q"] == 20 * 7
    assert all(600 <= kept[name] <= 640 for name in "abc")


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 100)), st.floats(0, 300))
def test_shares_are_fair(wanted: dict[str, float], total: float) -> None:
    shares = fair_shares(wanted, total)
    assert all(share <= wanted[name] for name, share in shares.items())
    assert sum(shares.values()) == pytest.approx(min(total, sum(wanted.values())), abs=1e-6)
    cut = [share for name, share in shares.items() if share < wanted[name] - 1e-9]
    assert max(cut, default=0.0) - min(cut, default=0.0) < 1e-6
    assert all(share <= min(cut) + 1e-6 for share in shares.values() if cut)
