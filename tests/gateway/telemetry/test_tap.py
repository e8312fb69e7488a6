import sys
import threading
from array import array
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from gateway.config import Watching
from gateway.core.profile import Profile
from gateway.core.summary import Window, quantile
from gateway.core.types import Array, InferRequest, Outcome, Role
from gateway.ports import MeterKey
from gateway.telemetry.tap import MOST_WINDOWS, TrafficTap

REFERENCE = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
PROFILE = Profile.of({"x": REFERENCE}, {"y": REFERENCE[:, 0]})
NOW = 2e9


def tap_of(
    records: int = 1000, rate: int = 500, profile: Profile | None = PROFILE, most_bytes: int = 2**20
) -> TrafficTap:
    watching = Watching(window_s=1, sample_rows_per_s=rate, tap_records=records, shadow_queue=1)
    return TrafficTap(watching, lambda *_: profile, np.random.default_rng(0), most_bytes)


def see(
    tap: TrafficTap,
    rows: int = 1,
    version: int = 1,
    role: Role = Role.CHAMPION,
    outcome: Outcome = Outcome.OK,
    latency_ns: int = 1_000_000,
    prediction_id: str = "p",
    protocol: str = "http",
) -> None:
    inputs: dict[str, Array] = {"x": REFERENCE[:rows]}
    answered = outcome in (Outcome.OK, Outcome.INVALID_OUTPUT)
    outputs: dict[str, Array] | None = {"y": REFERENCE[:rows, 0]} if answered else None
    request = InferRequest("m", None, inputs, protocol=protocol)
    tap.record(request, version, role, outcome, latency_ns, outputs, prediction_id)


def test_a_window_says_what_happened() -> None:
    tap = tap_of()
    see(tap, rows=2)
    see(tap, rows=3, protocol="grpc")
    see(tap, outcome=Outcome.SERVER_ERROR)
    see(tap, outcome=Outcome.CLIENT_ERROR)
    (window,), _ = tap.drain(NOW)
    assert window.key == ("m", 1, Role.CHAMPION, 0)
    assert window.outcomes == {Outcome.OK: 2, Outcome.SERVER_ERROR: 1, Outcome.CLIENT_ERROR: 1}
    assert window.protocols == {
        ("http", Outcome.OK): 1,
        ("grpc", Outcome.OK): 1,
        ("http", Outcome.SERVER_ERROR): 1,
        ("http", Outcome.CLIENT_ERROR): 1,
    }
    assert (window.requests, window.rows, window.dropped) == (3, 5, 0)
    assert window.latency.sum() == 2
    assert quantile(window.latency, 0.5) == pytest.approx(1_000_000, rel=0.05)
    assert window.start < window.end == NOW


def test_rows_are_counted_as_the_profile_counts_them_together() -> None:
    tap = tap_of()
    for at in range(20):
        inputs: dict[str, Array] = {"x": REFERENCE[at * 10 : at * 10 + 10]}
        outputs: dict[str, Array] = {"y": REFERENCE[at * 10 : at * 10 + 10, 0]}
        tap.record(InferRequest("m", None, inputs), 1, Role.CHAMPION, Outcome.OK, 1, outputs, "p")
    (window,), _ = tap.drain(NOW)
    assert {key: table.tolist() for key, table in window.counts.items()} == {
        key: table.tolist() for key, table in PROFILE.reference.items()
    }


def test_shapes_that_do_not_join_are_counted_apart() -> None:
    tap = tap_of()
    for width in (3, 4, 3):
        inputs: dict[str, Array] = {"x": np.zeros((2, width), np.float32)}
        tap.record(InferRequest("m", None, inputs), 1, Role.CHAMPION, Outcome.OK, 1, {"y": np.zeros(())}, "")
    (window,), _ = tap.drain(NOW)
    assert window.counts["inputs.x"].sum() == 4 * 3
    assert window.rows == 6


def test_versions_and_roles_have_their_own_windows() -> None:
    tap = tap_of(profile=None)
    for version, role in ((1, Role.CHAMPION), (2, Role.CANARY), (2, Role.PINNED), (3, Role.SHADOW)):
        see(tap, version=version, role=role)
    windows, _ = tap.drain(NOW)
    assert {(window.version, window.role) for window in windows} == {
        (1, Role.CHAMPION),
        (2, Role.CANARY),
        (2, Role.PINNED),
        (3, Role.SHADOW),
    }
    assert all(window.counts == {} for window in windows)


def test_a_new_table_splits_the_records_where_it_took_effect() -> None:
    tap = tap_of()
    see(tap)
    tap.roll(7)
    see(tap)
    see(tap)
    windows, _ = tap.drain(NOW)
    assert {window.generation: window.requests for window in windows} == {0: 1, 7: 2}
    see(tap)
    assert [window.generation for window in tap.drain(NOW + 1)[0]] == [7]


def test_windows_follow_one_another_without_gap() -> None:
    tap = tap_of()
    see(tap)
    tap.drain(NOW)
    see(tap)
    (window,), _ = tap.drain(NOW + 1)
    assert (window.start, window.end) == (NOW, NOW + 1)
    assert tap.drain(NOW + 2) == ([], [])


def test_a_full_tap_drops_and_says_so_once() -> None:
    tap = tap_of(records=2)
    for _ in range(5):
        see(tap)
    (window,), _ = tap.drain(NOW)
    assert (window.requests, window.dropped) == (2, 3)
    see(tap)
    (window,), _ = tap.drain(NOW + 1)
    assert (window.requests, window.dropped) == (1, 0)


def test_large_tensors_are_let_go_before_memory_is() -> None:
    tap = tap_of(most_bytes=100)
    for _ in range(3):
        see(tap, rows=4)  # 64 bytes
    (window,), captures = tap.drain(NOW)
    assert (window.requests, window.rows, window.latency.sum()) == (3, 12, 3)
    assert window.counts["inputs.x"].sum() == 4 * 3
    assert len(captures) == 1
    see(tap, rows=4)
    assert tap.drain(NOW + 1)[0][0].counts  # room again
    words: dict[str, Array] = {"x": np.array([b"w" * 100], np.object_)}
    request = InferRequest("m", None, words)
    tap.record(request, 1, Role.CHAMPION, Outcome.OK, 1_000_000, {"y": REFERENCE[:1, 0]}, "p")
    assert tap.drain(NOW + 2)[1] == []  # texts are large by what they say


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("frequent_switches")
def test_no_record_is_lost_while_another_thread_drains() -> None:
    tap, total, windows = tap_of(records=10**6, profile=None), 5000, list[Window]()
    done = threading.Event()

    def drain() -> None:
        while not done.is_set():
            windows.extend(tap.drain(NOW)[0])

    thread = threading.Thread(target=drain)
    thread.start()
    for _ in range(total):
        see(tap)
    done.set()
    thread.join()
    windows.extend(tap.drain(NOW)[0])
    assert sum(window.requests for window in windows) == total


@pytest.mark.parametrize(("profile", "kept"), [(PROFILE, 100), (None, 10)])
def test_of_a_busy_model_only_so_many_requests_are_looked_at(profile: Profile | None, kept: int) -> None:
    watching = Watching(profiled_per_s=100, sample_rows_per_s=10)
    tap = TrafficTap(watching, lambda *_: profile, np.random.default_rng(0))
    held = []
    for _ in range(20):
        for _ in range(1000):
            see(tap)
        tap._since = NOW - 1.0
        held.append(tap._held_bytes - tap._freed_bytes)
        (window,), _ = tap.drain(NOW)
        assert window.requests == 1000
    size = REFERENCE[:1].nbytes + REFERENCE[:1, 0].nbytes
    assert np.mean(held[1:]) / size == pytest.approx(kept, rel=0.25)


def test_with_very_many_models_windows_take_turns_and_lose_nothing() -> None:
    tap, turns, seen, kept = tap_of(records=10_000), 3, dict[str, int](), Counter[str]()
    for turn in range(turns):
        for number in range(2 * MOST_WINDOWS):
            request = InferRequest(f"m{number}", None, {"x": REFERENCE[:1]}, protocol="http")
            outputs: dict[str, Array] = {"y": REFERENCE[:1, 0]}
            tap.record(request, 1, Role.CHAMPION, Outcome.OK, 1_000_000, outputs, "p")
        windows, captures = tap.drain(NOW + turn, {"m399"})
        assert {capture.model for capture in captures} <= {window.model for window in windows}
        kept.update(capture.model for capture in captures)
        assert len(windows) <= MOST_WINDOWS + 1
        assert "m399" in {window.model for window in windows}
        for window in windows:
            seen[window.model] = seen.get(window.model, 0) + window.requests
            assert window.counts["inputs.x"][0].sum() == window.rows
    windows, captures = tap.drain(NOW + turns, everything=True)
    kept.update(capture.model for capture in captures)
    for window in windows:
        seen[window.model] = seen.get(window.model, 0) + window.requests
    assert kept == seen
    assert seen == {f"m{number}": turns for number in range(2 * MOST_WINDOWS)}
    assert tap._held_bytes == tap._freed_bytes


class _Meter:
    """As the express lane's, which only it can add to."""

    def __init__(self, model: str) -> None:
        self.key: MeterKey = model, 1, Role.CHAMPION, "http"
        self.generation, self.share = 0, 1.0
        self._latencies, self._told = array("q"), 0

    def answer(self, n: int) -> None:
        self._latencies.extend([1_000_000] * n)

    @property
    def waiting(self) -> int:
        return len(self._latencies)

    def fresh(self) -> int:
        fresh, self._told = len(self._latencies) - self._told, len(self._latencies)
        return fresh

    def take(self) -> "tuple[int, array[int], int]":
        taken, self._latencies, self._told = self._latencies, array("q"), 0
        return self.generation, taken, len(taken)


def metered(tap: TrafficTap, models: int) -> list[_Meter]:
    meters = [_Meter(f"m{number:03}") for number in range(models)]
    tap.meters = {meter.key: meter for meter in meters}
    return meters


def test_what_meters_counted_comes_with_the_windows_in_their_turns() -> None:
    tap, seen = tap_of(), Counter[str]()
    meters = metered(tap, 2 * MOST_WINDOWS)
    for turn in range(3):
        for meter in meters:
            meter.answer(1)
        windows, _ = tap.drain(NOW + turn)
        assert len(windows) == MOST_WINDOWS
        seen.update({window.model: window.requests for window in windows})
    windows, _ = tap.drain(NOW + 3, everything=True)
    seen.update({window.model: window.requests for window in windows})
    assert seen == {meter.key[0]: 3 for meter in meters}
    assert tap.drain(NOW + 4) == ([], [])


def test_a_busy_meter_does_not_wait_for_its_windows_turn() -> None:
    tap = tap_of(records=1000)
    *others, busy = metered(tap, 2 * MOST_WINDOWS)
    for meter in others:
        meter.answer(1)
    busy.answer(600)
    windows, _ = tap.drain(NOW)
    assert busy.key[0] not in {window.model for window in windows}
    assert busy.waiting == 0
    windows, _ = tap.drain(NOW + 1)
    assert {window.model: window.requests for window in windows}[busy.key[0]] == 600


def test_of_a_busy_meter_a_share_is_kept_until_it_is_quiet_again() -> None:
    tap = tap_of(rate=10, profile=None)
    (meter,) = metered(tap, 1)
    for asked, share in ((1000, 0.01), (1000, 0.01), (0, 1.0)):
        meter.answer(asked)
        tap._since = NOW - 1.0
        tap.drain(NOW)
        assert meter.share == share


def test_a_new_table_parts_what_a_meter_counted() -> None:
    tap = tap_of()
    (meter,) = metered(tap, 1)
    meter.answer(2)
    tap.roll(7)
    meter.answer(3)
    windows, _ = tap.drain(NOW)
    assert {window.generation: window.requests for window in windows} == {0: 2, 7: 3}
