"""A zero that JSON writes `-0` keeps its sign among floats, in every body; among whole numbers it is 0."""

import re
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.signature import Signature, TensorSpec
from gateway.errors import GatewayError
from gateway.protocols import json_bulk, minus_zero, mlflow_json, v1_json
from gateway.protocols.json_layouts import KnownBodies
from gateway.protocols.v2_json import decode

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 3)),), (TensorSpec("y", "FP32", (-1,)),))
SENT = np.array([[-0.0, 0.0, 1.5]], np.float32)


def v2(data: str, datatype: str = "FP32", count: int = 3, more: str = "") -> bytes:
    tensor = f'{{"name":"x","shape":[1,{count}],"datatype":"{datatype}","data":{data}}}'
    return f'{{"inputs":[{tensor}]{more}}}'.encode()


@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
@pytest.mark.parametrize("data", ["[-0,0,1.5]", "[ -0 ,0,1.5]", "[[-0\n,0,1.5]]", "[1.5,0,-0]"])
@pytest.mark.parametrize("more", ["", ',"id":"a-0,1"'])
@pytest.mark.parametrize("from_bytes", [0, 2**60])
def test_a_float_keeps_the_sign(
    data: str, datatype: str, more: str, from_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_bulk, "FROM_BYTES", from_bytes)
    known = KnownBodies()
    for _ in range(2):
        asked, _ = decode(v2(data, datatype, more=more), "m", None, known=known)
        wanted = SENT[:, ::-1] if data.startswith("[1.5") else SENT
        assert asked.inputs["x"].tobytes() == wanted.astype(asked.inputs["x"].dtype).tobytes()


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [[-0, 0, 1.5]]}',
        b'{"instances": [{"x": [-0, 0, 1.5]}]}',
        b'{"inputs": {"x": [[-0, 0, 1.5]]}}',
    ],
)
def test_bodies_without_types_keep_it(body: bytes) -> None:
    for protocol in (v1_json, mlflow_json):
        asked, _ = protocol.decode(body, SIGNATURE, "m", None)
        assert asked.inputs["x"].tobytes() == SENT.tobytes()


def test_frames_keep_it() -> None:
    split = b'{"dataframe_split": {"columns": ["a", "b", "c"], "data": [[-0, 0, 1.5]]}}'
    records = b'{"dataframe_records": [{"a": -0, "b": 0, "c": 1.5}]}'
    for body in (split, records):
        asked, _ = mlflow_json.decode(body, SIGNATURE, "m", None)
        assert asked.inputs["x"].tobytes() == SENT.tobytes()


@pytest.mark.parametrize("datatype", [f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)])
def test_among_whole_numbers_it_is_zero(datatype: str) -> None:
    asked, _ = decode(v2("[-0,0,1]", datatype), "m", None)
    assert asked.inputs["x"].tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("datatype", "says"), [("BOOL", "it holds a number"), ("BYTES", "it holds a number"), ("FP16", "binary")]
)
def test_other_types_refuse_it_as_any_number(datatype: str, says: str) -> None:
    with pytest.raises(GatewayError, match=says):
        decode(v2("[-0]", datatype, 1), "m", None)


def test_a_parameter_may_be_one() -> None:
    asked, _ = decode(v2("[0,-0,1]", more=',"parameters":{"a":-0,"routing_key":"k"}'), "m", None)
    assert asked.key == "k"


def test_a_body_that_nests_too_deep_is_refused() -> None:
    with pytest.raises(GatewayError, match="100 levels"):
        decode(v2("[" * 600 + "-0" + "]" * 600, count=1), "m", None)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_all_but_zeros_is_read_as_ever(value: Any) -> None:
    text = orjson.dumps(value)
    read = minus_zero.loads(text)
    assert (read, repr(read)) == (orjson.loads(text), repr(orjson.loads(text)))


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**300])
def test_what_no_64_bits_hold_is_a_float_as_ever(number: int) -> None:
    text = str(number).encode()
    assert repr(minus_zero.loads(text)) == repr(orjson.loads(text))


@given(st.text("-0.,]} \n\t\re1ax[", max_size=12))
def test_it_is_found_wherever_it_stands(text: str) -> None:
    found = minus_zero.found(text.encode() + b"]")
    assert bool(found) == bool(re.search(r"-0[,\]} \n\t\r]", text + "]"))
