"""What tracing costs where it is off, and what it says where it cannot be."""

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from gateway.config import Tracing
from gateway.core.types import InferRequest, Outcome
from gateway.errors import ErrorCode, GatewayError
from gateway.telemetry.trace_sampling import ALL, TraceSampling
from gateway.telemetry.tracing import Tracer
from tests.gateway.telemetry.collector import attributes, collecting

REQUEST = InferRequest("m", None, {"x": np.array([4111.5])})


def test_without_it_nothing_of_it_is_imported() -> None:
    code = (
        "import sys, gateway.worker, gateway.local; print([m for m in sys.modules if 'opentelemetry' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("endpoint", "ratio"), [("localhost:4318", 0.1), ("http://x", 1.1), ("http://x", -1)]
)
def test_settings_are_checked(endpoint: str, ratio: float) -> None:
    with pytest.raises(ValidationError):
        Tracing(endpoint=endpoint, sample_ratio=ratio)


def test_a_callers_fault_is_no_error_of_the_service_and_no_words_are_told() -> None:
    with collecting() as collector:
        tracer = Tracer(collector.endpoint, "w", TraceSampling(1.0))
        tracer.failed(tracer.begin(REQUEST, {}), GatewayError(ErrorCode.INVALID, "4111 is too large"))
        tracer.failed(tracer.begin(REQUEST, {}), ValueError("4111"))
        tracer.close()
    assert [attributes(span)["error.type"] for span in collector.spans] == ["INVALID", "ValueError"]
    assert [span.status.code for span in collector.spans] == [0, 0]
    assert not any("4111" in str(span) for span in collector.spans)


def test_a_refusal_is_an_error_of_the_service() -> None:
    with collecting() as collector:
        tracer = Tracer(collector.endpoint, "w", TraceSampling(1.0))
        tracer.failed(tracer.begin(REQUEST, {}), GatewayError(ErrorCode.OVERLOADED, "full"))
        tracer.close()
    assert [span.status.code for span in collector.spans] == [2]


def test_a_copy_is_as_long_as_it_took_and_part_of_its_request() -> None:
    with collecting() as collector:
        tracer = Tracer(collector.endpoint, "w", TraceSampling(1.0))
        tracer.begin(REQUEST, {}).end()
        copied = tracer.follow()
        assert copied is not None
        copied("m", 2, Outcome.INVALID_OUTPUT, 5_000_000)
        tracer.close()
    request, copy = collector.spans
    assert (copy.parent_span_id, copy.trace_id) == (request.span_id, request.trace_id)
    assert copy.end_time_unix_nano - copy.start_time_unix_nano == 5_000_000
    assert copy.status.code == 2


def test_switched_off_it_traces_nobody_not_even_who_asks_for_it() -> None:
    asked = {b"traceparent": b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"}
    callers: tuple[dict[bytes, bytes], ...] = ({}, asked)
    with collecting() as collector:
        sampling = TraceSampling(1.0)
        tracer = Tracer(collector.endpoint, "w", sampling)
        sampling.change(ALL, {"on": False})
        for headers in callers:
            tracer.failed(tracer.begin(REQUEST, headers), ValueError())
            assert tracer.follow() is None
        sampling.change(ALL, {"on": True, "ratio": 0.0})
        for headers in callers:
            tracer.begin(REQUEST, headers).end()
        tracer.close()
    assert [span.trace_id.hex() for span in collector.spans] == ["a" * 32]
