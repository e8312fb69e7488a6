"""What the express lane answers is counted, kept and logged as usual."""

from typing import Any

import pytest

from gateway.config import Logging
from gateway.core.routing import RouteTable
from tests.gateway.conftest import Write
from tests.gateway.server.express.bodies import BODY, ROW, rows
from tests.gateway.server.express.conftest import Start
from tests.gateway.server.express.line import Line, infer, route


async def test_answers_are_counted_and_kept_as_usual(lines: tuple[Line, Line]) -> None:
    seen: list[tuple[Any, ...]] = []
    for line in lines:
        line.seen()
        for _ in range(5):
            line.ask(infer("m", BODY))
        (window,), captures = line.seen()
        assert window.latency.sum() == 5
        capture = captures[-1]
        seen.append((window.requests, window.rows, window.outcomes, window.protocols, window.generation))
        seen.append(
            (len(captures), capture.inputs["x"].tobytes(), capture.outputs["probabilities"].tobytes())
        )
        assert len({capture.prediction_id for capture in captures}) == 5
    assert seen[:2] == seen[2:]
    express, usual = (line.counted("m") for line in lines)
    taught = express.requests - usual.requests
    assert express.rows - usual.rows == taught > 0
    assert 0 < express.input_ns < express.busy_ns
    assert 0 < express.engine_ns < express.busy_ns
    assert abs(express.last - usual.last) < 60


async def test_what_the_tap_keeps_is_not_overwritten_by_the_next_request(lines: tuple[Line, Line]) -> None:
    express, _ = lines
    express.taught(infer("m", rows(ROW + 1)))
    express.seen()
    express.ask(infer("m", BODY))
    express.ask(infer("m", rows(ROW + 1)))
    _, captures = express.seen()
    assert {capture.inputs["x"][0, 0] for capture in captures} == {ROW[0, 0], ROW[0, 0] + 1}


async def test_answers_before_a_change_of_the_table_are_of_the_old_generation(
    start: Start, logistic: bytes, written: Write
) -> None:
    entries = written(logistic), written(logistic, version=2)
    line = await start(route("m", *entries))
    line.taught(infer("m", BODY))
    line.seen()
    line.ask(infer("m", BODY))
    await line.worker.apply(RouteTable(2, {"m": route("m", *entries)}))
    line.ask(infer("m", BODY))
    line.ask(infer("m", BODY))
    assert line.goes_express(infer("m", BODY))
    windows, _ = line.seen()
    assert {window.generation: window.requests for window in windows} == {1: 1, 2: 3}


async def test_a_slow_request_is_logged(
    start: Start, logistic: bytes, written: Write, caplog: pytest.LogCaptureFixture
) -> None:
    line = await start(route("m", written(logistic)), logging=Logging(slow_ms=1e-6, requests_per_s=1000))
    line.taught(infer("m", BODY))
    caplog.clear()
    assert line.goes_express(infer("m", BODY))
    assert [(record.message, record.__dict__["model"]) for record in caplog.records] == [
        ("a request was slow", "m")
    ]
