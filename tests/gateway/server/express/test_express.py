"""The express lane changes no answer and hides nothing: the usual way says what is right."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from gateway.config import Logging
from gateway.core.keys import NO_KEYS, Key, Keyring, KeyRole, digest
from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from gateway.core.ranges import OutputRange
from gateway.core.routing import RouteTable
from gateway.core.types import Outcome, Role
from gateway.ports import Bindable
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.grpc_frame import prefix
from gateway.server.http.grpc_lane import INFER
from tests.gateway.conftest import Write, serialised, tensor
from tests.gateway.server.express.conftest import Start
from tests.gateway.server.express.line import Line, alike, chunked, infer, post, route

ROW = np.linspace(-2, 2, 30, dtype=np.float32).reshape(1, 30)


def rows(values: Any) -> bytes:
    array = np.asarray(values, np.float32)
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "data": array.ravel().tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


def nested(values: Any) -> bytes:
    array = np.asarray(values, np.float32)
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "data": array.tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


def binary(values: Any) -> tuple[bytes, str]:
    array = np.asarray(values, np.float32)
    size = {"binary_data_size": array.nbytes}
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "parameters": size}
    text = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return text + array.tobytes(), f"inference-header-content-length: {len(text)}"


def call(model: str, values: Any) -> bytes:
    array = np.asarray(values, np.float32)
    message = pb.ModelInferRequest(model_name=model, raw_input_contents=[array.tobytes()])
    message.inputs.add(name="x", datatype="FP32", shape=array.shape)
    data = message.SerializeToString()
    return post(INFER.decode(), prefix(len(data)) + data, "content-type: application/grpc")


def copies(name: str, kind: int) -> bytes:
    """Gives back its only input: `x` [n, 3] -> `y` [n, 3]."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        name,
        [tensor("x", kind, ["n", 3])],
        [tensor("y", kind, ["n", 3])],
    )
    return serialised(graph)


def noise() -> bytes:
    """Answers anything at random: `x` [n, 3] -> `y` [n, 3]."""
    graph = helper.make_graph(
        [helper.make_node("RandomUniformLike", ["x"], ["y"], dtype=TensorProto.FLOAT)],
        "noise",
        [tensor("x", TensorProto.FLOAT, ["n", 3])],
        [tensor("y", TensorProto.FLOAT, ["n", 3])],
    )
    return serialised(graph)


@pytest.mark.parametrize("way", ["json", "nested json", "binary", "grpc", "pinned", "chunked"])
async def test_an_answer_is_the_usual_one_to_the_byte(
    way: str, start: Start, logistic: bytes, written: Write
) -> None:
    champion = route("m", written(logistic))
    express, usual = await start(champion), await start(champion, express=False)

    def asked(values: Any) -> bytes:
        match way:
            case "json":
                return infer("m", rows(values))
            case "nested json":
                return infer("m", nested(np.vstack([values, values * 2])))
            case "binary":
                return infer("m", *binary(values))
            case "pinned":
                return post("/v2/models/m/versions/champion/infer", rows(values))
            case "chunked":
                return chunked(rows(values))
        return call("m", values)

    express.taught(asked(ROW))
    assert express.goes_express(asked(ROW))
    for values in (ROW, np.round(ROW + 0.25, 2), ROW * 1e-3, ROW * -3):
        express.taught(asked(values))  # another length of the text is another head
        assert express.goes_express(asked(values))
        assert alike(express.ask(asked(values))) == alike(usual.ask(asked(values)))


@pytest.mark.parametrize(
    ("kind", "datatype", "values"),
    [
        (TensorProto.FLOAT, "FP32", [0.1, -1e-40, 3.4e38]),
        (TensorProto.DOUBLE, "FP64", [0.1, 2.2250738585072014e-308, 1.7976931348623157e308]),
        (TensorProto.INT8, "INT8", [-128, 0, 127]),
        (TensorProto.INT16, "INT16", [-32768, 0, 32767]),
        (TensorProto.INT32, "INT32", [-(2**31), 0, 2**31 - 1]),
        (TensorProto.INT64, "INT64", [-(10**17), 0, 10**17]),
        (TensorProto.UINT8, "UINT8", [0, 1, 255]),
        (TensorProto.UINT16, "UINT16", [0, 1, 65535]),
        (TensorProto.UINT32, "UINT32", [0, 1, 2**32 - 1]),
        (TensorProto.UINT64, "UINT64", [0, 1, 10**17]),
    ],
)
async def test_every_type_of_number_comes_back_as_it_went(
    kind: int, datatype: str, values: list[float], start: Start, written: Write
) -> None:
    champion = route("m", written(copies("copy", kind)))
    express, usual = await start(champion), await start(champion, express=False)
    text = '{"inputs":[{"name":"x","datatype":"%s","shape":[1,3],"data":[%s]}]}'
    known = infer("m", (text % (datatype, ", ".join(map(repr, values)))).encode())
    reply = express.taught(known)
    assert express.goes_express(known)
    assert alike(reply) == alike(usual.ask(known))


BODY = rows(ROW)
START = BODY.find(b"[", BODY.find(b'"data"'))
ODDITIES = ["-0", "-0.0", "1e400", "1E+2", "01", ".5", "1.", "+1", "NaN", "true", "null", '"1"', "[1]", ""]
NUMBERS = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=25).map(str),
    st.integers().map(str),
    st.sampled_from(
        ["-0", "-0.0", "1e400", "1E+2", "01", ".5", "1.", "+1", "NaN", "true", "null", '"1"', "[1]"]
    ),
    st.text("0123456789.eE+-", min_size=1, max_size=24),
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(NUMBERS, min_size=30, max_size=30), space=st.sampled_from(["", " ", "\n\t", "\r"]))
def test_any_numbers_between_known_words_are_read_alike(
    numbers: list[str], space: str, lines: tuple[Line, Line]
) -> None:
    express, usual = lines
    body = BODY[:START] + f"[{space}{f'{space},{space}'.join(numbers)}{space}]}}]}}".encode()
    assert alike(express.ask(chunked(body))) == alike(usual.ask(chunked(body)))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(BODY) - 1), bytes_=st.binary(max_size=3), gone=st.integers(0, 3))
def test_words_that_differ_go_the_usual_way(
    at: int, bytes_: bytes, gone: int, lines: tuple[Line, Line]
) -> None:
    express, usual = lines
    body = BODY[:at] + bytes_ + BODY[at + gone :]
    assert alike(express.ask(chunked(body))) == alike(usual.ask(chunked(body)))


@pytest.fixture
async def lines(start: Start, logistic: bytes, written: Write) -> tuple[Line, Line]:
    champion = route("m", written(logistic))
    express, usual = await start(champion), await start(champion, express=False)
    express.taught(infer("m", BODY))
    express.taught(chunked(BODY))
    return express, usual


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


async def test_a_split_has_its_exact_share(start: Start, logistic: bytes, written: Write) -> None:
    entries = written(logistic), written(logistic, version=2)
    line = await start(route("m", *entries, weights=(90.0, 10.0)))
    for _ in range(60):  # until the canary has had its turns
        line.ask(infer("m", BODY))
    line.seen()
    before = line.usual
    for _ in range(2000):
        line.ask(infer("m", BODY))
    assert line.usual == before
    windows, _ = line.seen()
    assert {window.role: window.requests for window in windows} == {
        Role.CHAMPION: pytest.approx(1800, abs=4),
        Role.CANARY: pytest.approx(200, abs=4),
    }


async def test_a_canary_that_cannot_be_learnt_keeps_its_share(start: Start, written: Write) -> None:
    entries = written(copies("copy", TensorProto.FLOAT)), written(noise(), version=2)
    line = await start(route("m", *entries, weights=(90.0, 10.0)))
    for _ in range(2000):
        line.ask(infer("m", rows([[1, 2, 3]])))
    windows, _ = line.seen()
    assert {window.role: window.requests for window in windows} == {
        Role.CHAMPION: pytest.approx(1800, abs=4),
        Role.CANARY: pytest.approx(200, abs=4),
    }
    assert line.usual < 300


async def test_a_new_table_holds_at_once(start: Start, logistic: bytes, written: Write) -> None:
    entries = written(logistic), written(logistic, version=2)
    line = await start(route("m", *entries))
    line.taught(infer("m", BODY))
    await line.worker.apply(RouteTable(2, {"m": route("m", entries[1])}))
    assert b"x-headrace-version: 2\r\n" in line.ask(infer("m", BODY))
    await line.worker.apply(RouteTable(3, {}))
    assert b"404 Not Found" in line.ask(infer("m", BODY))


@pytest.mark.parametrize(
    "more",
    [
        {"limits": ModelLimits(max_concurrency=4)},
        {"cache_mb": 1},
        {"shadows": (2,)},
    ],
)
async def test_a_model_with_more_to_do_goes_the_usual_way(
    more: dict[str, Any], start: Start, logistic: bytes, written: Write
) -> None:
    line = await start(route("m", written(logistic), written(logistic, version=2), **more))
    line.taught(infer("m", BODY))
    assert not line.goes_express(infer("m", BODY))


async def test_what_runs_on_threads_goes_the_usual_way(start: Start, logistic: bytes, written: Write) -> None:
    line = await start(route("m", replace(written(logistic), placement=Placement.POOL)))
    connection = line.worker.http
    line.ask(infer("m", BODY))
    assert line.usual == 1
    assert connection.express is not None
    assert connection.express(infer("m", BODY)) is None


@pytest.mark.parametrize(
    "line_of_head",
    ["x-headrace-key: alice", "x-headrace-timeout-ms: 5000", "connection: close"],
)
async def test_requests_with_more_to_say_go_the_usual_way(
    line_of_head: str, lines: tuple[Line, Line]
) -> None:
    express, usual = lines
    asked = infer("m", BODY, line_of_head)
    reply = express.ask(asked)
    assert express.usual
    assert alike(reply) == alike(usual.ask(asked))


async def test_an_answer_that_is_to_be_compressed_goes_the_usual_way(start: Start, written: Write) -> None:
    champion = route("m", written(copies("copy", TensorProto.FLOAT)))
    express, usual = await start(champion), await start(champion, express=False)
    body = nested(np.full((60, 3), 1 / 3, np.float32))
    express.taught(infer("m", body))
    assert express.goes_express(infer("m", body))
    asked = infer("m", body, "accept-encoding: gzip")
    assert alike(express.taught(asked)) == alike(usual.ask(asked))
    assert b"content-encoding: gzip" in express.ask(asked)


async def test_a_nan_is_told_and_counted_as_usual(start: Start, written: Write) -> None:
    root = serialised(
        helper.make_graph(
            [helper.make_node("Sqrt", ["x"], ["y"])],
            "root",
            [tensor("x", TensorProto.FLOAT, ["n", 1])],
            [tensor("y", TensorProto.FLOAT, ["n", 1])],
        )
    )
    line = await start(route("m", written(root)))
    line.taught(infer("m", rows([[4.0]])))
    line.taught(infer("m", rows([[-4.0]])))
    line.seen()
    assert line.goes_express(infer("m", rows([[9.0]])))
    assert b"nonfinite_outputs" in line.ask(infer("m", rows([[-4.0]])))
    (window,), _ = line.seen()
    assert window.outcomes == {Outcome.OK: 1, Outcome.INVALID_OUTPUT: 1}


async def test_a_declared_range_is_looked_at(start: Start, written: Write) -> None:
    copy = written(copies("copy", TensorProto.FLOAT))
    line = await start(route("m", replace(copy, ranges=(OutputRange("y", 0, 1),))))
    line.taught(infer("m", rows([[0.1, 0.2, 0.3]])))
    line.taught(infer("m", rows([[0.1, 7.0, 0.3]])))
    line.seen()
    assert line.goes_express(infer("m", rows([[0.2, 0.2, 0.3]])))
    line.ask(infer("m", rows([[0.1, 7.0, 0.3]])))
    (window,), _ = line.seen()
    assert window.outcomes == {Outcome.OK: 1, Outcome.INVALID_OUTPUT: 1}


async def test_a_run_that_fails_is_told_as_usual(start: Start, lookup: bytes, written: Write) -> None:
    champion = route("m", written(lookup))
    line, usual = await start(champion), await start(champion, express=False)
    body = b'{"inputs":[{"name":"i","datatype":"INT64","shape":[1],"data":[%d]}]}'
    line.taught(infer("m", body % 3))
    assert line.goes_express(infer("m", body % 2))
    assert alike(line.ask(infer("m", body % 9))) == alike(usual.ask(infer("m", body % 9)))
    assert b"500" in line.ask(infer("m", body % 9))


async def test_outputs_whose_shape_depends_on_data_are_never_wrong(start: Start, written: Write) -> None:
    places = serialised(
        helper.make_graph(
            [helper.make_node("NonZero", ["x"], ["y"])],
            "places",
            [tensor("x", TensorProto.FLOAT, ["n", 3])],
            [tensor("y", TensorProto.INT64, [2, "k"])],
        )
    )
    champion = route("m", written(places))
    line, usual = await start(champion), await start(champion, express=False)
    for values in ([[1.0, 0.0, 1.0]], [[1.0, 1.0, 1.0]], [[0.0, 1.0, 0.0]], [[0.0, 1.0, 1.0]]):
        asked = infer("m", rows([values[0]]))
        assert alike(line.taught(asked)) == alike(usual.ask(asked))


async def test_a_random_model_is_not_learnt(start: Start, written: Write) -> None:
    line = await start(route("m", written(noise())))
    line.taught(infer("m", rows([[1, 2, 3]])))
    assert not line.goes_express(infer("m", rows([[1, 2, 3]])))


async def test_a_revoked_key_is_refused_at_once(start: Start, logistic: bytes, written: Write) -> None:
    line = await start(route("m", written(logistic)), keys="required")
    key = Key("anna", digest("secret"), KeyRole.INFERENCE)
    line.worker.take_keys(1, Keyring((key,)))
    asked = infer("m", BODY, "authorization: Bearer secret")
    line.taught(asked)
    assert line.goes_express(asked)
    line.worker.take_keys(2, NO_KEYS)
    assert b"401 Unauthorized" in line.ask(asked)
    assert b"401 Unauthorized" in line.ask(infer("m", BODY))


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


async def test_a_worker_that_leaves_ends_its_connections(lines: tuple[Line, Line]) -> None:
    express, _ = lines
    await express.worker.leave()
    assert b"connection: close" in express.ask(infer("m", BODY))


async def test_a_version_that_is_let_go_takes_its_plans_along(
    start: Start, logistic: bytes, written: Write
) -> None:
    entries = written(logistic), written(logistic, version=2)
    line = await start(route("m", entries[0]))
    line.taught(infer("m", BODY))
    held = line.worker.routes.loaded("m", 1)
    assert held is not None
    await line.worker.apply(RouteTable(2, {"m": route("m", entries[1])}))
    line.taught(infer("m", BODY))
    assert line.worker.routes.loaded("m", 1) is None
    assert line.goes_express(infer("m", BODY))
    assert b"x-headrace-version: 2\r\n" in line.ask(infer("m", BODY))


def named(number: int) -> bytes:
    return infer("m", BODY.replace(b'"inputs"', b'"n%03d": 0, "inputs"' % number))


async def test_with_many_words_the_old_ones_are_forgotten(
    start: Start, logistic: bytes, written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.express.express.MOST_LAYOUTS", 4)
    line = await start(route("m", written(logistic)))
    for number in range(12):
        for _ in range(2):
            line.taught(named(number))
        assert line.goes_express(named(number))
    assert not line.goes_express(named(0))


async def test_words_that_are_new_each_time_are_not_kept(lines: tuple[Line, Line]) -> None:
    express, usual = lines
    version = express.worker.routes.loaded("m", 1)
    assert isinstance(version, Bindable)
    kept = len(version.plans)
    for number in range(300):
        assert alike(express.ask(named(number))) == alike(usual.ask(named(number)))
    assert len(version.plans) == kept
    assert express.goes_express(infer("m", BODY))


async def test_what_is_tried_in_vain_is_tried_again_later(
    start: Start, logistic: bytes, written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("gateway.server.express.express.time", SimpleNamespace(monotonic=lambda: now))
    line = await start(route("m", written(logistic)))
    for number in range(300):
        line.ask(named(number))
    line.taught(infer("m", BODY))
    assert not line.goes_express(infer("m", BODY))
    now = 11.0
    line.taught(infer("m", BODY))
    assert line.goes_express(infer("m", BODY))


async def test_plans_of_a_version_that_left_memory_are_gone(
    start: Start, logistic: bytes, written: Write
) -> None:
    line = await start(route("m", written(logistic)))
    line.taught(infer("m", BODY))
    version = line.worker.routes.loaded("m", 1)
    assert isinstance(version, Bindable)
    plans = version.plans
    assert plans
    line.worker.residence.let_go({("m", 1)})
    assert not plans, "they hold the session, and the lane holds them"
    assert not line.goes_express(infer("m", BODY))
