"""A book of labels keeps what stands, and puts contradictions aside where a person finds them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.adapters.labels import LabelBook
from lifecycle.ports import LabelReceipt


def labels(**said: int) -> pa.Table:
    return pa.table({"prediction_id": list(said), "label": list(said.values())})


def test_the_first_value_stands_and_a_contradiction_is_put_aside(tmp_path: Path) -> None:
    book = LabelBook(tmp_path / "stands", tmp_path / "aside")
    assert book.add(labels(a=1, b=2), 10.0, lambda ids: {"a"}) == LabelReceipt(1, 0, 0, 1)
    assert book.add(labels(a=5, b=2), 11.0, lambda ids: {"a"}) == LabelReceipt(0, 1, 1, 0)
    (aside,) = (tmp_path / "aside").iterdir()
    assert pq.read_table(aside).to_pylist() == [{"at": 11.0, "prediction_id": "a", "label": 5}]
    again = LabelBook(tmp_path / "stands", tmp_path / "aside")
    assert [column.to_pylist() for column in again.columns()] == [["a", "b"], [1, 2]]
