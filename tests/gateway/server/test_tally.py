import time

import numpy as np
import pytest

from gateway.config import Logging
from gateway.core.types import InferRequest, InferResponse, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.server.tally import Tally
from gateway.telemetry.request_log import RequestLog


def test_answers_are_counted_under_the_version_that_served() -> None:
    tally = Tally()
    for rows, version in ((3, 2), (2, 2), (1, 1)):
        request = InferRequest("m", None, {"x": np.zeros((rows, 4)), "y": np.zeros((rows, 1))})
        response = InferResponse("m", version, Role.CANARY, {}, "", "p")
        tally.add(request, response, time.monotonic_ns(), {})
    count = tally.counts["m", 2]
    assert (count.requests, count.rows) == (2, 5)
    assert 0 <= count.busy_ns < 60e9
    assert tally.counts["m", 1].rows == 1


def test_a_scalar_counts_as_one_row() -> None:
    tally = Tally()
    request = InferRequest("m", None, {"x": np.array(1.0)})
    tally.add(request, InferResponse("m", 1, Role.CHAMPION, {}, "", "p"), time.monotonic_ns(), {})
    assert tally.counts["m", 1].rows == 1


def test_a_failure_counts_once_a_version_was_chosen() -> None:
    tally = Tally()
    error = GatewayError(ErrorCode.INVALID, "no")
    tally.fail("m", error, time.monotonic_ns(), {})
    assert tally.counts == {}
    error.version = 2
    tally.fail("m", error, time.monotonic_ns(), {})
    assert (tally.counts["m", 2].failed, tally.counts["m", 2].requests) == (1, 0)


def test_only_what_is_slow_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally(RequestLog(Logging(slow_ms=1_000)))
    request = InferRequest("m", None, {"x": np.array(1.0)}, id="r")
    response = InferResponse("m", 1, Role.CHAMPION, {}, "", "p")
    now = time.monotonic_ns()
    for started_ns in (now, now - 2 * 10**9):
        tally.add(request, response, started_ns, {})
    (record,) = caplog.records
    assert record.getMessage() == "a request was slow"
