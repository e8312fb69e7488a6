import numpy as np

from gateway.core.summary import WindowKey
from gateway.core.types import Array, Role
from gateway.telemetry.pairs import Pairs

KEY: WindowKey = ("m", 2, Role.SHADOW, 5)


def scores(*values: float) -> dict[str, Array]:
    return {"y": np.array(values)}


def test_requests_of_any_size_are_compared_together() -> None:
    pairs = Pairs()
    pairs.add(KEY, scores(1.0), scores(1.0))
    pairs.add(KEY, scores(1.0, 2.0, 3.0), scores(1.0, 9.0, 9.0))
    pairs.add(KEY, scores(), scores())
    (window,) = pairs.drain(3.0)
    seen = window.disagreement
    assert (window.key, window.end) == (KEY, 3.0)
    assert (seen.pairs, seen.differing, seen.rows, seen.rows_differing) == (2, 1, 4, 2)
    assert seen.distances["y"].sum() == 4


def test_pairs_of_other_shapes_and_keys_stay_apart() -> None:
    pairs = Pairs()
    other: WindowKey = ("m", 3, Role.SHADOW, 5)
    pairs.add(KEY, scores(1.0), scores(2.0))
    pairs.add(KEY, {"y": np.zeros((1, 3))}, {"y": np.zeros((1, 3))})
    pairs.add(KEY, {"y": np.zeros((1, 3))}, {"y": np.zeros((1, 4))})
    pairs.add(other, scores(1.0), scores(1.0))
    seen = {window.key: window.disagreement for window in pairs.drain(0.0)}
    assert (seen[KEY].pairs, seen[KEY].differing) == (3, 2)
    assert (seen[other].pairs, seen[other].differing) == (1, 0)


def test_a_drain_starts_afresh() -> None:
    pairs = Pairs()
    pairs.add(KEY, scores(1.0), scores(1.0))
    assert len(pairs.drain(0.0)) == 1
    assert pairs.drain(0.0) == []


def test_what_has_no_room_is_left_out_and_counted() -> None:
    pairs = Pairs(most_pairs=2, most_bytes=64)
    pairs.add(KEY, scores(*[0.0] * 5), scores(*[0.0] * 5))  # 80 bytes
    for _ in range(3):
        pairs.add(KEY, scores(0.0), scores(0.0))
    assert pairs.dropped == 2
    pairs.drain(0.0)
    pairs.add(KEY, scores(0.0), scores(0.0))
    assert pairs.dropped == 2
    words: dict[str, Array] = {"y": np.array([b"w" * 100], np.object_)}
    pairs.add(KEY, words, words)
    assert pairs.dropped == 3
