from pathlib import Path

import pytest

from gateway.telemetry.trace_sampling import ALL, ENDLESS, TraceSampling, TraceSetting


def admitted(sampling: TraceSampling, model: str, asked: int = 100) -> int:
    return sum(sampling.admits(model, False) for _ in range(asked))


def test_the_configured_share_is_traced_until_somebody_says_otherwise() -> None:
    assert 150 < admitted(TraceSampling(0.1), "m", 2_000) < 250
    assert TraceSampling(0.25).setting("m") == TraceSetting(True, 0.25, ENDLESS)


def test_a_model_follows_the_setting_of_all_but_for_what_is_its_own() -> None:
    sampling = TraceSampling(0.0)
    sampling.change("m", {"ratio": 1.0})
    sampling.change(ALL, {"on": False})
    assert (admitted(sampling, "m"), admitted(sampling, "n")) == (0, 0)
    sampling.change("m", {"on": True})
    assert (admitted(sampling, "m"), admitted(sampling, "n")) == (100, 0)
    sampling.change("m", {"on": None, "ratio": None})
    assert sampling.setting("m") == sampling.setting("n")


def test_a_count_runs_out_and_starts_again_only_when_it_is_set() -> None:
    sampling = TraceSampling(1.0)
    sampling.change("m", {"count": 3})
    assert admitted(sampling, "m", 2) == 2
    sampling.change("m", {"ratio": 1.0})
    assert (sampling.setting("m").count, admitted(sampling, "m")) == (1, 1)
    sampling.change("m", {"count": 3})
    assert admitted(sampling, "m") == 3
    sampling.change("m", {"count": None})
    assert admitted(sampling, "m") == 100


@pytest.mark.parametrize("on", [True, False])
def test_who_decided_about_a_trace_is_not_counted(on: bool) -> None:
    sampling = TraceSampling(1.0)
    sampling.change(ALL, {"on": on, "count": 0})
    assert sampling.admits("m", True) is on
    assert not sampling.admits("m", False)


def test_workers_that_share_a_file_hold_the_same(tmp_path: Path) -> None:
    one, other = (TraceSampling(0.0, tmp_path / "traces.json") for _ in range(2))
    one.change("m", {"ratio": 1.0, "count": 2})
    other.change("n", {"ratio": 1.0})  # which must not undo what it has not seen yet
    one.refresh()
    assert [admitted(one, model) for model in ("m", "n", "o")] == [2, 100, 0]
    one.refresh()
    assert admitted(one, "m") == 0
    later = TraceSampling(0.0, tmp_path / "traces.json")
    assert [admitted(later, model) for model in ("m", "n", "o")] == [2, 100, 0]


def test_what_a_newer_worker_adds_to_the_file_is_left_out(tmp_path: Path) -> None:
    shared = tmp_path / "tracing.json"
    shared.write_text('{"m": {"ratio": 1.0, "colour": "red"}}')
    assert admitted(TraceSampling(0.0, shared), "m") == 100
