import numpy as np

from gateway.core.capture import Capture
from gateway.core.summary import Key
from gateway.core.types import Array, Outcome, Role
from gateway.telemetry.record import Record
from gateway.telemetry.sampling import Sampler

CHAMPION: Key = ("m", 1, Role.CHAMPION, 1)
SHADOW: Key = ("m", 2, Role.SHADOW, 1)


def records(key: Key, n: int, rows: int = 1, first: int = 0) -> list[Record]:
    tensors: dict[str, Array] = {"x": np.zeros((rows, 1))}
    return [
        Record(
            *(key[0], key[1], key[2], Outcome.OK, 1, "http", rows),
            *(tensors, tensors, f"p{first + i}", 5.0, 8),
        )
        for i in range(n)
    ]


def ids(captures: list[Capture], role: Role = Role.CHAMPION) -> set[str]:
    return {capture.prediction_id for capture in captures if capture.role is role}


def sampler(rate: float) -> Sampler:
    return Sampler(rate, np.random.default_rng(0))


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


def test_without_a_rate_nothing_is_kept() -> None:
    assert sampler(0).sample({CHAMPION: records(CHAMPION, 5)}, 1.0) == []
