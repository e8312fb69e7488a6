import time

import numpy as np
import pytest

from gateway.config import Logging
from gateway.core.figures import Run
from gateway.core.routing import ModelRoute, VersionEntry
from gateway.core.signature import Signature
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


def test_versions_that_are_served_no_more_are_forgotten() -> None:
    tally, request = Tally(), InferRequest("m", None, {"x": np.zeros((1, 4))})
    for model, version in (("m", 1), ("m", 2), ("gone", 1)):
        answer = InferResponse(model, version, Role.CHAMPION, {}, "", "p")
        tally.add(request, answer, time.monotonic_ns(), {})
        tally.stages.of((model, version))(Run((0,), 0, 0, 1, 1))
    tally.forget({"m": ModelRoute("m", (VersionEntry(2, "", "", Signature((), ())),))})
    assert list(tally.counts) == [("m", 2)]
    ran = [tally.stages.totals(key).runs for key in (("m", 1), ("m", 2), ("gone", 1))]
    assert ran == [0, 1, 0]


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
