"""The express lane changes no answer: the usual way says what is right, and what goes that way."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from gateway.core.ranges import OutputRange
from gateway.core.types import Outcome
from tests.gateway.conftest import Write, tensor
from tests.gateway.server.express.bodies import BODY, ROW, binary, call, nested, rows
from tests.gateway.server.express.conftest import Start
from tests.gateway.server.express.graphs import copies
from tests.gateway.server.express.line import Line, alike, chunked, infer, post, route
from tests.graphs import serialised


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


@pytest.mark.parametrize(("kind", "datatype"), [(TensorProto.FLOAT, "FP32"), (TensorProto.DOUBLE, "FP64")])
async def test_a_whole_zero_keeps_its_sign(kind: int, datatype: str, start: Start, written: Write) -> None:
    champion = route("m", written(copies("copy", kind)))
    express, usual = await start(champion), await start(champion, express=False)
    text = '{"inputs":[{"name":"x","datatype":"%s","shape":[1,3],"data":[%s]}]}'
    express.taught(infer("m", (text % (datatype, "1, 2, 3")).encode()))
    asked = infer("m", (text % (datatype, "0,-0, 3")).encode())
    assert express.goes_express(asked)
    reply = express.ask(asked)
    assert b"[0.0,-0.0,3.0]" in reply
    assert alike(reply) == alike(usual.ask(asked))


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
