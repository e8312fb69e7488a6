"""Answers do not show that runs have one number of rows."""

from collections.abc import Mapping

import numpy as np
import pytest

from gateway.core.types import Array
from gateway.runtime.even import even


@pytest.mark.parametrize(("rows", "runs"), [(1, [4]), (4, [4]), (5, [4, 4]), (8, [4, 4]), (0, [0])])
def test_every_run_has_the_same_number_of_rows_and_the_answer_those_asked_for(
    rows: int, runs: list[int]
) -> None:
    seen: list[int] = []

    def run(inputs: Mapping[str, Array]) -> dict[str, Array]:
        seen.append(len(inputs["x"]))
        return {"y": np.multiply(inputs["x"], inputs["k"])}

    x = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    k = np.full((rows, 1), 3, np.float32)
    answer = even(run, {"x": x, "k": k}, 4)
    assert answer["y"].tolist() == (x * 3).tolist()
    assert seen == runs


def test_text_is_filled_up_too() -> None:
    answer = even(lambda inputs: {"t": inputs["s"]}, {"s": np.array([[b"a"], [b"b"]], np.object_)}, 4)
    assert answer["t"].tolist() == [[b"a"], [b"b"]]


def test_inputs_of_different_numbers_of_rows_are_left_to_the_model() -> None:
    inputs = {"a": np.zeros((2, 1), np.float32), "b": np.zeros((3, 1), np.float32)}
    assert even(dict, inputs, 4).keys() == inputs.keys()
