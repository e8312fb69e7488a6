"""Answers made from the words of one that was written the usual way."""

import numpy as np

from gateway.core.types import Array, InferResponse, Role
from gateway.protocols import v2_answer
from gateway.protocols.answer_form import BINARY, JSON
from gateway.server.express import answers
from gateway.server.express.plans import Plan, Tensor
from gateway.server.http.message import JSON_TYPE, Request, answer

CODES = {"float32": "f", "int64": "q"}
FIRST: dict[str, Array] = {"label": np.array([1], np.int64), "p": np.array([[0.25, 0.75]], np.float32)}
OTHER: dict[str, Array] = {"label": np.array([-10], np.int64), "p": np.array([[1e-7, 3.0]], np.float32)}


def usual(outputs: dict[str, Array], name: str, binary: bool = False) -> tuple[bytes, InferResponse]:
    response = InferResponse("m", 3, Role.CHAMPION, outputs, "", name)
    body, _ = v2_answer.encode(response, BINARY if binary else JSON)
    named = b"x-headrace-version: 3\r\nx-headrace-prediction-id: %s\r\n" % name.encode()
    return answer(Request(), 200, JSON_TYPE, body, named), response


def holding(outputs: dict[str, Array]) -> list[Tensor]:
    return [Tensor(name, array, CODES[array.dtype.name]) for name, array in outputs.items()]


def test_json_is_as_the_usual_way_writes_it() -> None:
    reply, response = usual(FIRST, "ab-1")
    made = answers.in_json(reply, response, JSON)
    for outputs, name in ((FIRST, "ab-1"), (OTHER, "cd-2")):
        assert (
            Plan(lambda: None, holding(outputs), made, None).written(name.encode()) == usual(outputs, name)[0]
        )


def test_raw_bytes_are_as_the_usual_way_writes_them() -> None:
    reply, response = usual(FIRST, "ab-1", binary=True)
    made = answers.in_raw_bytes(reply, response)
    for outputs, name in ((FIRST, "ab-1"), (OTHER, "cd-2")):
        expected, _ = usual(outputs, name, binary=True)
        assert Plan(lambda: None, holding(outputs), made, None).written(name.encode()) == expected


def test_no_answer_grows_by_more_than_is_said() -> None:
    longest: dict[str, Array] = {
        "label": np.array([-(2**63)], np.int64),
        "p": np.array([[-1.1754944e-38] * 2], np.float32),
    }
    short, _ = usual({name: np.zeros_like(array) for name, array in longest.items()}, "p")
    assert len(usual(longest, "p")[0]) - len(short) <= answers.most_growth(longest)
