"""Files of labels, sound ones and those that a caller made to take the controller's memory."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle.commands.learning import label_file
from lifecycle.commands.learning.label_file import read_labels
from lifecycle.errors import LifecycleCode, LifecycleError


def parquet(table: pa.Table, times: int = 1, **options: Any) -> bytes:
    """A file that says a table so many times over."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, table.schema, compression="zstd", **options) as writer:
        for _ in range(times):
            writer.write_table(table, row_group_size=len(table))
    return sink.getvalue()


def said(rows: int, **columns: Any) -> pa.Table:
    return pa.table({"prediction_id": ["a" * 20] * rows, **columns})


def test_texts_numbers_and_times_come_as_they_were_written() -> None:
    table = pa.table(
        {
            "prediction_id": ["a", "b", "c"],
            "label": pa.array(["x", "y", "x"]).dictionary_encode(),
            "at": pa.array([1, None, 2], pa.timestamp("ms")),
            "feedback.revenue": [1.5, None, 2.0],
            "note": [["left"], ["out"], []],
        }
    )
    read = read_labels(parquet(table, times=2))
    assert read.column_names == ["prediction_id", "label", "at", "feedback.revenue"]
    wanted = table.drop_columns(["note"]).to_pylist()
    assert read.to_pylist() == wanted * 2
    assert read.schema.field("label").type == pa.string()


@pytest.mark.parametrize(
    "made", [lambda data: data, lambda data: b"\n\n" + data], ids=["plain", "blank lines"]
)
def test_of_a_csv_file_what_tells_nothing_is_left_out(made: Any) -> None:
    read = read_labels(made(b'prediction_id,"a ""note"", b",label\n1,x,2\n'))
    assert read.to_pylist() == [{"prediction_id": "1", "label": 2}]


@pytest.mark.parametrize(
    "data",
    [
        b"prediction_id,label,label\na,1,2\n",
        parquet(pa.Table.from_arrays([pa.array([1])] * 3, ["prediction_id", "label", "label"])),
    ],
    ids=["csv", "parquet"],
)
def test_a_column_that_stands_there_twice_is_named(data: bytes) -> None:
    with pytest.raises(LifecycleError, match="column 'label' stands in it twice"):
        read_labels(data)


def test_dates_and_the_like_are_read_for_who_says_what_is_wrong_with_them() -> None:
    table = pa.table({"prediction_id": ["a"], "label": [date(2026, 11, 27)], "at": [Decimal("1.5")]})
    assert read_labels(parquet(table)).to_pylist() == table.to_pylist()


@pytest.mark.parametrize(
    "data",
    [b"prediction_id,guess\na,1\n", parquet(pa.table({"prediction_id": ["a"], "guess": [1]}))],
    ids=["csv", "parquet"],
)
def test_where_nothing_is_said_all_names_are_kept_for_the_message(data: bytes) -> None:
    assert read_labels(data).column_names == ["prediction_id", "guess"]


def one(value: Any) -> Any:
    """In each of 500 rows; told once."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * 500), value)


def long() -> Any:
    return one(pa.array(["y" * (1 << 18)]))


BOMBS: dict[str, Callable[[], bytes]] = {
    "the same row, four million times": lambda: parquet(said(100_000, label=[1] * 100_000), times=40),
    "a long text, 500 times": lambda: parquet(said(500, label=long()), store_schema=False),
    "a long text within a label": lambda: parquet(
        said(500, label=pa.StructArray.from_arrays([long()], ["x"])), store_schema=False
    ),
    "a list of many": lambda: parquet(
        pa.table(
            {
                "prediction_id": ["a"],
                "label": pa.ListArray.from_arrays([0, 5_000_000], pa.nulls(5_000_000, pa.int8())),
            }
        )
    ),
    "long values of one length": lambda: parquet(
        said(500, label=one(pa.array([b"y" * (1 << 18)], pa.binary(1 << 18)))), store_schema=False
    ),
    "many columns": lambda: parquet(said(1, **{f"feedback.m{number}": [1.0] for number in range(2_000)})),
    "many columns of text": lambda: (
        b"prediction_id"
        + b"".join(b",feedback.m%d" % number for number in range(5_000))
        + b"\na"
        + b",1" * 5_000
    ),
}


@pytest.mark.parametrize("made", BOMBS.values(), ids=BOMBS)
def test_a_small_file_cannot_take_the_controllers_memory(
    made: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_file, "MOST_BYTES", 16 << 20)
    data = made()
    assert len(data) < 1 << 20
    with counted(), pytest.raises(LifecycleError) as refused:
        read_labels(data)
    assert refused.value.code is LifecycleCode.INVALID
    assert "in parts" in refused.value.message or "in every row" in refused.value.message
    assert (POOL.max_memory() or 0) < 32 << 20


POOL = pa.proxy_memory_pool(pa.default_memory_pool())
"""Tells the most that Arrow took of it. Outlives all that is in it."""


@contextmanager
def counted() -> Iterator[None]:
    usual = pa.default_memory_pool()
    pa.set_memory_pool(POOL)
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


def test_columns_that_say_nothing_cost_little() -> None:
    many = 10_000
    with counted():
        read = read_labels(b"prediction_id,label" + b",q" * many + b"\na,1" + b",2" * many + b"\n")
    assert read.to_pylist() == [{"prediction_id": "a", "label": 1}]
    assert (POOL.max_memory() or 0) < 32 << 20


def test_a_line_of_names_has_an_end() -> None:
    with pytest.raises(LifecycleError, match="has more than 128 KiB"):
        read_labels(b"prediction_id,label" + b",q" * 100_000 + b"\na,1\n")
