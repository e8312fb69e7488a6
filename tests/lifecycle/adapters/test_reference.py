from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.signature import Signature, TensorSpec
from lifecycle.adapters.reference import read_reference
from lifecycle.errors import LifecycleCode, LifecycleError

Y = TensorSpec("y", "FP32", (-1,))


def taking(*inputs: TensorSpec) -> Signature:
    return Signature(inputs, (Y,))


def write(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path / "rows.parquet")
    return path / "rows.parquet"


def test_one_column_per_tensor_with_labels(tmp_path: Path) -> None:
    path = write(
        tmp_path, x=[[1.0, 2.0], [3.0, 4.0]], **{"inputs.text": ["a", "b"]}, other=[1, 2], label=["n", "y"]
    )
    signature = taking(TensorSpec("x", "FP32", (-1, 2)), TensorSpec("text", "BYTES", (-1, 1)))
    inputs, labels, *_ = read_reference(path, signature)
    assert inputs["x"].dtype == np.float32
    np.testing.assert_array_equal(inputs["x"], [[1, 2], [3, 4]])
    assert inputs["text"].tolist() == [[b"a"], [b"b"]]
    assert labels is not None
    assert labels.tolist() == ["n", "y"]


def test_scalar_columns_feed_a_single_matrix_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path, age=[30, 40], income=[1.5, 2.5])
    inputs, labels, *_ = read_reference(path, taking(TensorSpec("features", "FP32", (-1, 2))))
    np.testing.assert_array_equal(inputs["features"], [[30, 1.5], [40, 2.5]])
    assert labels is None


def test_flat_rows_take_the_shape_of_an_image(tmp_path: Path) -> None:
    path = write(tmp_path, image=[list(range(12))] * 2)
    inputs, *_ = read_reference(path, taking(TensorSpec("image", "UINT8", (-1, 3, 2, 2))))
    assert inputs["image"].shape == (2, 3, 2, 2)


def test_rows_are_taken_at_even_distances(tmp_path: Path) -> None:
    path = write(tmp_path, x=list(range(101)))
    inputs, *_ = read_reference(path, taking(TensorSpec("x", "INT64", (-1,))), max_rows=5)
    assert inputs["x"].tolist() == [0, 25, 50, 75, 100]


def test_rows_unseen_in_training_of_the_recent_period_stand_for_live_traffic(tmp_path: Path) -> None:
    flags = {"holdout": [True, False, True, False], "recent": [False, False, True, True]}
    path = write(tmp_path, x=[1, 2, 3, 4], label=[0, 0, 1, 1], **flags)
    signature = taking(TensorSpec("x", "INT64", (-1,)))
    inputs, labels, *_ = read_reference(path, signature, unseen=True)
    assert inputs["x"].tolist() == [3]
    assert labels is not None
    assert labels.tolist() == [1]
    assert read_reference(path, signature)[0]["x"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"x": [[1.0, 2.0], [3.0]]}, "does not hold FP32 in every row"),
        ({"x": [[1.0, 2.0], None]}, "does not hold FP32 in every row"),
        ({"x": [["a", "b"]]}, "does not hold FP32"),
        ({"x": [[1.0, 2.0, 3.0]]}, r"rows of shape \[3\]"),
        (
            {"a": [1.0], "b": [2.0], "c": [3.0]},
            "3 feature columns, 'a' to 'c'; input 'x' takes 2. What was right stands",
        ),
        ({"x": [[1.0, 2.0]], "label": [[1]]}, "'label'"),
        ({"x": pa.array([], pa.list_(pa.float32()))}, "no rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused_in_words(
    tmp_path: Path, columns: dict[str, object], says: str
) -> None:
    with pytest.raises(LifecycleError, match=says) as caught:
        read_reference(write(tmp_path, **columns), taking(TensorSpec("x", "FP32", (-1, 2))))
    assert caught.value.code is LifecycleCode.INVALID


def test_values_that_a_datatype_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="UINT8"):
        read_reference(write(tmp_path, x=[1, 300]), taking(TensorSpec("x", "UINT8", (-1,))))
    with pytest.raises(LifecycleError, match="INT64"):
        read_reference(write(tmp_path, x=[1.5]), taking(TensorSpec("x", "INT64", (-1,))))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x,label\n1,2\n")
    with pytest.raises(LifecycleError, match="not a Parquet file"):
        read_reference(path, taking(TensorSpec("x", "FP32", (-1,))))


def test_golden_answers_and_groups_come_beside_the_rows(tmp_path: Path) -> None:
    signature = Signature((TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("y", "FP32", (-1,)),))
    columns = {"a": [1.0, 2.0], "b": [3.0, 4.0], "outputs.y": [0.5, 0.6], "slice.region": ["north", "south"]}
    pq.write_table(pa.table(columns), tmp_path / "rows")
    rows = read_reference(tmp_path / "rows", signature)
    assert rows.inputs["x"].tolist() == [[1, 3], [2, 4]]
    assert rows.expected["y"].dtype == np.float32
    assert rows.slices["region"].tolist() == [b"north", b"south"]
