import logging

import numpy as np
import pytest

from gateway.config import Logging
from gateway.core.types import InferRequest, InferResponse, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.telemetry.request_log import RequestLog

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {b"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01".encode()}
REQUEST = InferRequest("m", None, {"x": np.array([4111.5])}, id="r1")
RESPONSE = InferResponse("m", 2, Role.CANARY, {}, "r1", "p1")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "gateway.telemetry.request_log")
    return caplog


def told(said: pytest.LogCaptureFixture, *keys: str) -> list[tuple[object, ...]]:
    return [tuple(getattr(record, key, None) for key in keys) for record in said.records]


def test_a_slow_answer_is_told_with_its_ids(said: pytest.LogCaptureFixture) -> None:
    log = RequestLog(Logging(slow_ms=5))
    assert log.slow_ns == 5_000_000
    log.slow(REQUEST, RESPONSE, 7_250_000, HEADERS)
    assert told(
        said, "model", "version", "request_id", "prediction_id", "trace_id", "outcome", "latency_ms"
    ) == [("m", 2, "r1", "p1", TRACE, "ok", 7.25)]


def test_a_failure_is_told_by_its_code_and_never_in_its_words(said: pytest.LogCaptureFixture) -> None:
    log = RequestLog(Logging())
    error = GatewayError(ErrorCode.INTERNAL, "4111 is out of range")
    error.version, error.prediction_id = 3, "p2"
    log.failed("m", error, 1_000_000, {}, "r2")
    log.failed("m", GatewayError(ErrorCode.OVERLOADED, "full"), 1_000_000, {})
    log.failed("x" * 1000, GatewayError(ErrorCode.INVALID, "no"), 1_000_000, {}, "y" * 1000)
    assert told(said, "version", "prediction_id", "code", "outcome", "levelname") == [
        (3, "p2", "INTERNAL", "server_error", "ERROR"),
        (None, None, "OVERLOADED", "refused", "WARNING"),
        (None, None, "INVALID", "client_error", "INFO"),
    ]
    assert "4111" not in said.text
    assert [len(str(ids)) for ids in told(said, "model")[2] + told(said, "request_id")[2]] == [128, 128]


def test_beyond_the_rate_requests_are_counted(said: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = RequestLog(Logging(requests_per_s=2), clock)
    for _ in range(10):
        log.slow(REQUEST, RESPONSE, 1, {})
    assert len(said.records) == 4  # a burst of two seconds
    log.tell_left_out()
    assert said.records[-1].__dict__["left_out"] == 6
    log.tell_left_out()
    assert len(said.records) == 5
    clock.now += 0.5
    log.slow(REQUEST, RESPONSE, 1, {})
    log.slow(REQUEST, RESPONSE, 1, {})
    assert len(said.records) == 6


def test_a_rate_of_zero_tells_none(said: pytest.LogCaptureFixture) -> None:
    log = RequestLog(Logging(requests_per_s=0))
    log.slow(REQUEST, RESPONSE, 1, {})
    assert not said.records
