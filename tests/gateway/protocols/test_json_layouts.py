"""Known words around numbers: what is remembered means the same as when it is read anew."""

import json
from importlib.util import find_spec
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


NUMBERS = [
    *(
        "0",
        "-0",
        "-0.0",
        "1",
        "-17",
        "0.5",
        "0.00000000012345678901234567",
        "123456789.123456789",
        "1e5",
        "1E-5",
    ),
    *(
        "0.1234567",
        "0.12345678",
        "0.123456789",
        "-0.1234567890123456",
        "0.12345678901234567890123",
        "3.4028235e38",
    ),
    *("1e-45", "7e-46", "99999999999999999999", "0.000000000000000000000000000000000000000000001", "2.5e+3"),
]
ODD = [
    "1e39",
    "01",
    "1.",
    ".5",
    "+1",
    "NaN",
    "true",
    "null",
    '"1"',
    "[1]",
    "",
    "1 2",
    "1e",
    "0.12345678x",
    "1,",
]


def large(numbers: list[str]) -> bytes:
    whole = ",".join([*numbers, *["0.25"] * (8_000 - len(numbers))])
    return body([], [1, 8_000]).replace(b"[]", f"[{whole}]".encode())


@given(
    st.lists(st.sampled_from(NUMBERS) | st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr))
)
def test_numbers_of_large_bodies_are_those_that_a_document_holds(numbers: list[str]) -> None:
    known = KnownBodies()
    decode(large([]), "m", None, known=known)
    assert told(large(numbers), known) == told(large(numbers), None)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [0, 4_000, 7_999])
def test_a_large_known_body_is_judged_as_an_unknown_one(odd: str, place: int) -> None:
    known = KnownBodies()
    decode(large([]), "m", None, known=known)
    text = large([*["0.25"] * place, odd])
    assert told(text, known) == told(text, None)


@pytest.mark.skipif(find_spec("gateway.protocols.numbers") is None, reason="it is not compiled here")
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_large_known_bodies_are_read_without_a_document(kind: type[bytes] | type[bytearray]) -> None:
    known = KnownBodies()
    decode(large([]), "m", None, known=known)
    found = known.match(kind(large(["-1.5"])))
    assert found is not None
    assert found["x"][0, :2].tolist() == [-1.5, 0.25]
