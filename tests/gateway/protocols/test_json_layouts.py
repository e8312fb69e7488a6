"""Known words around numbers: what is remembered means the same as when it is read anew."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.protocols.json_layouts import KnownBodies
from gateway.protocols.v2_json import decode


def body(data: object, shape: list[int], **more: object) -> bytes:
    return json.dumps(
        {"inputs": [{"name": "x", "shape": shape, "datatype": "FP32", "data": data, **more}]}
    ).encode()


def told(text: bytes, known: KnownBodies | None) -> Any:
    try:
        request, _ = decode(text, "m", None, "k", known=known)
    except GatewayError as error:
        return error.code, error.message
    return {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in request.inputs.items()}, request.key


def test_only_the_numbers_are_read_again() -> None:
    known = KnownBodies()
    assert known.match(body([1, 2], [1, 2])) is None
    decode(body([1, 2], [1, 2]), "m", None, known=known)
    found = known.match(body([3.5, -4], [1, 2]))
    assert found is not None
    assert found["x"].tolist() == [[3.5, -4.0]]
    assert found["x"].dtype == np.float32


@pytest.mark.parametrize(
    "text",
    [
        body([1.0], [1, 2]),  # too few
        body([1.0, "2"], [1, 2]),
        body([1e39, 0], [1, 2]),
        body([True, 0], [1, 2]),
        body([False, 0], [1, 2]),
        body([None, 0], [1, 2]),
        body([{}, 0], [1, 2]),
        body([10**30, 0], [1, 2]),
        body([[1.0, 2.0]], [1, 2]),
        body([1.0, 2.0], [1, 2])[:-2],
        body([1.0, 2.0], [1, 2]).replace(b"1.0, 2.0", b'1.0], "data": [2.0'),
        body([1.0, 2.0], [1, 2]).replace(b"1.0, 2.0", b"1.0, 2.0,"),
        body([1.0, 2.0], [1, 2]).replace(b"1.0, 2.0", b"1.0, 2.0]}, {}], [[{"),
        body([1.0, 2.0], [2, 1]),
        body([], [1, 2]),
        body([1.0, 2.0], [1, 2], parameters={"classification": 1}),
    ],
)
def test_a_known_body_is_judged_as_an_unknown_one(text: bytes) -> None:
    known = KnownBodies()
    decode(body([1.0, 2.0], [1, 2]), "m", None, known=known)
    assert told(text, known) == told(text, None)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        # `data` is a word of another kind as well, or is said twice.
        (
            b'{"inputs": [{"name": "data", "shape": [1], "datatype": "FP32", "data": [1]}]}',
            b'{"inputs": [{"name": "data", "shape": [2], "datatype": "FP32", "data": [1]}]}',
        ),
        (
            b'{"inputs": [{"name": "x", "data": [1], "shape": [1], "datatype": "FP32", "data": [1]}]}',
            b'{"inputs": [{"name": "x", "data": [2], "shape": [1], "datatype": "FP32", "data": [1]}]}',
        ),
        (
            b'{"inputs": [{"name": "x", "data": [1], "shape": [1], "datatype": "FP32", "d\\u0061ta": [1]}]}',
            b'{"inputs": [{"name": "x", "data": [2], "shape": [1], "datatype": "FP32", "d\\u0061ta": [1]}]}',
        ),
    ],
)
def test_what_could_mean_two_things_is_not_remembered(first: bytes, then: bytes) -> None:
    known = KnownBodies()
    decode(first, "m", None, known=known)
    assert told(then, known) == told(then, None)


@given(
    st.lists(
        st.sampled_from(
            [b"[", b"]", b"{", b"}", b",", b"1", b"2.5", b'"data"', b":", b" ", b"null", b"true", b"1e5"]
        ),
        max_size=8,
    )
)
def test_nothing_between_known_words_changes_what_they_mean(parts: list[bytes]) -> None:
    known = KnownBodies()
    decode(body([1.0, 2.0], [1, 2]), "m", None, known=known)
    text = body([1.0, 2.0], [1, 2]).replace(b"1.0, 2.0", b"".join(parts))
    assert told(text, known) == told(text, None)


def test_a_key_belongs_to_its_own_request() -> None:
    known = KnownBodies()
    text = body([1, 2], [1, 2])
    assert [decode(text, "m", None, key, known=known)[0].key for key in ("ann", "bob", "")] == [
        "ann",
        "bob",
        "",
    ]


def test_large_bodies_are_left_to_their_own_reader() -> None:
    known, numbers = KnownBodies(), [0.5] * 10_000
    decode(body(numbers, [1, 10_000]), "m", None, known=known)
    assert known.match(body(numbers, [1, 10_000])) is None
    assert known.match(body([0.5] * 10, [1, 10_000])) is None
