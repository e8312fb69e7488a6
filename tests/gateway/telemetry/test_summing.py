from array import array

import numpy as np

from gateway.core.callers import REQUESTS
from gateway.core.profile import Profile
from gateway.core.summary import Window, WindowKey
from gateway.core.types import Array, Outcome, Role, Tensors
from gateway.telemetry.record import Record
from gateway.telemetry.summing import Summing

KEY: WindowKey = ("m", 1, Role.CHAMPION, 1)
REFERENCE = np.random.default_rng(0).normal(size=(60, 3))
PROFILE = Profile.of({"x": REFERENCE}, {"y": REFERENCE[:, 0], "z": REFERENCE[:, :2]})


def record(x: Array, **outputs: Array) -> Record:
    tensors: tuple[Tensors, Tensors] = ({"x": x}, outputs)
    return Record(*KEY[:3], *tensors, "p", 0.0, len(x), 0)


def window(records: list[Record], profile: Profile | None) -> Window:
    summing = Summing(0.0)
    summing.add(records, profile is not None)
    return summing.window(KEY, profile, 1.0)


def test_a_window_is_the_same_however_rows_came_in_requests() -> None:
    def split(parts: int) -> list[Record]:
        return [
            record(rows, y=rows[:, 0], z=rows[:, :2])
            for rows in np.array_split(REFERENCE, parts)
            if len(rows)
        ]

    for parts in (1, 7, 60):
        made = window(split(parts), PROFILE)
        for key, counts in PROFILE.reference.items():
            assert made.counts[key].tolist() == counts.tolist()


def test_requests_are_counted_by_kind_and_by_the_bucket_of_their_key() -> None:
    summing = Summing(0.0)
    summing.count("http", Outcome.OK, array("q", [1] * 5), ["ann"] * 3 + ["bob"], 7)
    summing.count("grpc", Outcome.SERVER_ERROR, array("q", [1]), [], 0)
    made = summing.window(KEY, None, 1.0)
    assert made.outcomes == {Outcome.OK: 5, Outcome.SERVER_ERROR: 1}
    assert made.protocols == {("http", Outcome.OK): 5, ("grpc", Outcome.SERVER_ERROR): 1}
    assert (made.rows, made.latency.sum()) == (7, 5)
    assert sorted(made.keyed[REQUESTS][made.keyed[REQUESTS] > 0]) == [1, 3]


def test_without_keys_none_are_told() -> None:
    summing = Summing(0.0)
    summing.count("http", Outcome.OK, array("q", [1]), [], 1)
    assert summing.window(KEY, None, 1.0).keyed.size == 0


def test_requests_for_some_outputs_count_in_those_only() -> None:
    rows = REFERENCE[:10]
    made = window([record(rows, y=rows[:, 0]), record(rows, z=rows[:, :2])], PROFILE)
    totals = {key: int(counts[0].sum()) for key, counts in made.counts.items()}
    assert totals == {"inputs.x": 20, "outputs.y": 10, "outputs.z": 10}


def test_one_request_of_another_shape_spoils_no_other() -> None:
    rows, odd = REFERENCE[:10], np.zeros((5, 4))
    made = window([record(rows, y=rows[:, 0]), record(odd, y=odd[:, 0])], PROFILE)
    assert made.counts["inputs.x"].sum() == 10 * 3
    assert made.counts["outputs.y"].sum() == 15


def test_without_a_profile_nothing_is_binned() -> None:
    summing = Summing(3)
    summing.dropped = 2
    freed = summing.add([record(REFERENCE, y=REFERENCE[:, 0])._replace(size=8)], profiled=False)
    made = summing.window(KEY, None, 4)
    assert (made.counts, made.start, made.end, made.dropped) == ({}, 3, 4, 2)
    assert (freed, summing.size) == (8, 0)
