"""Stacks of captures against the plain way, one capture after the other."""

import numpy as np
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.types import Array, Role
from lifecycle.adapters.captures.rows import rows_of, to_table


def captures(*inputs: Array, label: Array) -> list[Capture]:
    return [
        Capture(f"p{i}", float(i), "m", 2, Role.CANARY, {"x": array}, {"y": label})
        for i, array in enumerate(inputs)
    ]


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_every_row_of_every_request_is_there(rows: int, shape: tuple[int, ...]) -> None:
    made = [np.random.default_rng(i).normal(size=(rows, *shape)) for i in range(4)]
    (block,) = blocks(captures(*made, label=np.arange(rows)))
    table = to_table([rows_of(block)])
    assert table["inputs.x"].to_pylist() == [row.tolist() for array in made for row in array]
    assert table["outputs.y"].to_pylist() == list(range(rows)) * 4
    names = [f"p{i}" if rows == 1 else f"p{i}/{row}" for i in range(4) for row in range(rows)]
    assert table["prediction_id"].to_pylist() == names
    assert table["at"].to_pylist() == [float(i) for i in range(4) for _ in range(rows)]
    assert set(table["version"].to_pylist() + table["role"].to_pylist()) <= {2, "canary"}


def test_tensors_without_a_common_batch_dimension_stay_whole() -> None:
    (block,) = blocks(captures(np.ones((2, 3)), np.zeros((2, 3)), label=np.array(7)))
    table = to_table([rows_of(block)])
    assert table["prediction_id"].to_pylist() == ["p0", "p1"]
    assert table["inputs.x"].to_pylist() == [[[1.0] * 3] * 2, [[0.0] * 3] * 2]
    assert table["outputs.y"].to_pylist() == [7, 7]


def test_rows_of_several_shapes_and_versions_share_a_table() -> None:
    wide, narrow = blocks(captures(np.ones((1, 3)), np.zeros((1, 2)), label=np.array([1])))
    table = to_table([rows_of(wide), rows_of(narrow)])
    assert table["inputs.x"].to_pylist() == [[1.0] * 3, [0.0] * 2]
    assert rows_of(wide).layout == rows_of(narrow).layout
