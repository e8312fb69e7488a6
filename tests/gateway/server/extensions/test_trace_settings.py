from typing import Any

import pytest

from gateway.errors import ErrorCode, GatewayError
from gateway.server.extensions.trace_settings import change, told
from gateway.telemetry.trace_sampling import TraceSampling


def test_without_a_place_for_spans_the_answer_says_how_to_name_one() -> None:
    assert told(None, "")["trace_level"] == ["OFF"]
    assert "[gateway.tracing]" in told(None, "")["trace_mode"][0]
    with pytest.raises(GatewayError, match=r"off here: set endpoint in \[gateway.tracing\]") as refused:
        change(None, "", {"trace_level": ["TIMESTAMPS"]})
    assert refused.value.code is ErrorCode.SWITCHED_OFF


@pytest.mark.parametrize("level", ["OFF", ["OFF"]])
@pytest.mark.parametrize("rate", ["20", ["20"], 20])
def test_values_are_texts_or_lists_of_one(level: object, rate: object) -> None:
    sampling = TraceSampling(1.0)
    assert change(sampling, "m", {"trace_level": level, "trace_rate": rate}) == {
        "trace_level": ["OFF"],
        "trace_rate": ["20"],
        "trace_count": ["-1"],
        "trace_mode": ["opentelemetry"],
    }
    assert told(sampling, "")["trace_level"] == ["TIMESTAMPS"]


@pytest.mark.parametrize("back", [None, []])
def test_what_was_set_can_be_taken_back(back: Any) -> None:
    sampling = TraceSampling(0.01)
    before = told(sampling, "m")
    assert before["trace_rate"] == ["100"]
    names = {"trace_level": "OFF", "trace_rate": "0", "trace_count": "7"}
    assert change(sampling, "m", names)["trace_count"] == ["7"]
    assert change(sampling, "m", dict.fromkeys(names, back)) == before


@pytest.mark.parametrize(
    "wanted",
    [
        {"trace_level": "TENSORS"},
        {"trace_level": ["TIMESTAMPS", "OFF"]},
        {"trace_level": True},
        {"trace_rate": "-1"},
        {"trace_rate": "often"},
        {"trace_rate": 0.5},
        {"trace_count": "-2"},
        {"trace_file": "/etc/passwd"},
        {"trace_mode": "triton"},
        {"trace_colour": "red"},
    ],
)
def test_what_cannot_be_set_changes_nothing(wanted: dict[str, object]) -> None:
    sampling = TraceSampling(0.5)
    before = told(sampling, "")
    with pytest.raises(GatewayError) as refused:
        change(sampling, "", {"trace_count": "1", **wanted})
    assert refused.value.code is ErrorCode.INVALID
    assert told(sampling, "") == before
