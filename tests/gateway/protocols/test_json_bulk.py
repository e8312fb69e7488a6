"""Both readers of JSON must take the same, refuse the same, and give the same arrays."""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.protocols import json_bulk
from gateway.protocols.v2_json import decode

KNOWN = frozenset(("id", "parameters", "inputs", "outputs"))
TENSOR = frozenset(("name", "shape", "datatype", "data", "parameters"))


def body(*inputs: dict[str, Any], **rest: Any) -> bytes:
    return orjson.dumps({"inputs": inputs, **rest}, option=orjson.OPT_SERIALIZE_NUMPY)


def tensor(data: Any, shape: list[Any], datatype: str = "FP32", **rest: Any) -> dict[str, Any]:
    return {"name": "x", "shape": shape, "datatype": datatype, "data": data, **rest}


def outcome(text: bytes) -> Any:
    try:
        asked, form = decode(text, "m", None)
    except GatewayError as error:
        return error.code, error.message
    arrays = {name: (a.dtype, a.shape, repr(a.tolist())) for name, a in asked.inputs.items()}
    return arrays, asked.outputs, asked.id, asked.key, form


def agree(text: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(json_bulk, "FROM_BYTES", 0)
    bulk = outcome(text)
    monkeypatch.setattr(json_bulk, "FROM_BYTES", 2**60)
    assert bulk == outcome(text)
    return bulk


@pytest.mark.parametrize(
    "text",
    [
        body(tensor([1, 2.5, -0.0], [3])),
        body(tensor([[1, 2], [3, 4.5]], [2, 2])),
        body(tensor([[[1], [2]], [[3], [4]]], [2, 2, 1])),
        body(tensor([1, 2], [2], "INT8"), tensor([2**64 - 1], [1], "UINT64") | {"name": "y"}),
        body(tensor([True, False], [2], "BOOL")),
        body(tensor(["a", "b["], [2], "BYTES")),
        body(tensor([], [0, 3])),
        body(tensor([[], []], [2, 0])),
        body(tensor([1.0], [1]), id="7", parameters={"routing_key": "k"}, outputs=[{"name": "y"}]),
        body(tensor([1.0], [1]), outputs=[]),
        body({"name": "x", "shape": [2], "datatype": "FP32"}),
    ],
)
def test_sound_and_usual_bodies(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(text, monkeypatch)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b'{"inputs": 1}',
        body(tensor([1, [2]], [2])),
        body(tensor([[1], [2]], [2])),
        body(tensor([[1, 2], [3]], [2, 2])),
        body(tensor([[1, 2], [3, 4]], [4])),
        body(tensor([1, 2], [3])),
        body(tensor([1, True], [2])),
        body(tensor([1, None], [2])),
        body(tensor([1, "2"], [2])),
        body(tensor([1e39], [1])),
        body(tensor([300], [1], "UINT8")),
        body(tensor([-1], [1], "UINT64")),
        body(tensor([1.0], [1], "INT32")),
        body(tensor([2**63], [1], "INT64")),
        body(tensor([1.0], [1], "FP16")),
        body(tensor([1.0], ["1"])),
        body(tensor([1.0], [1], extra=[[1]])),
        body(tensor([1.0], [1]), unknown=1),
        body(tensor([1.0], [1]), parameters={"a": [1]}),
        body(tensor([1.0], [1]), tensor([1.0], [1])),
        body(tensor([1.0], [1])).replace(b"1.0", b"1e999"),
        body(tensor([1.0], [1])).replace(b"1.0", b"NaN"),
        body(tensor([1.0], [1])).replace(b"1.0", b"18446744073709551616"),
        body(tensor([1.0], [1])).replace(b'"name":"x"', b'"name":"\\ud800"'),
        b'{"inputs": [], "inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}',
        b'{"inputs": [{"name": "x", "name": "y", "shape": [1], "datatype": "FP32", "data": [1]}]}',
    ],
)
def test_whatever_is_unusual_or_wrong(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(text, monkeypatch)


NUMBERS = st.one_of(
    st.integers(-(2**65), 2**65).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["-0", "0", "-0.0"]),
)


@given(st.lists(NUMBERS, max_size=8), st.sampled_from(["FP32", "FP64", "INT8", "INT64", "UINT16", "UINT64"]))
def test_any_numbers(data: list[str], datatype: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        text = body(tensor([], [len(data)], datatype)).replace(b"[]", f"[{','.join(data)}]".encode())
        agree(text, monkeypatch)


def test_large_numbers_of_a_usual_body_come_as_arrays() -> None:
    text = body(tensor(np.zeros((1, 3, 64, 64), np.float32), [1, 3, 64, 64]))
    document = json_bulk.parse(text, KNOWN, TENSOR)
    assert document is not None
    assert document["inputs"][0]["data"].shape == (3 * 64 * 64,)
    assert decode(text, "m", None)[0].inputs["x"].shape == (1, 3, 64, 64)
