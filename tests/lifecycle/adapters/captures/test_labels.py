"""A book of labels keeps what stands, and puts contradictions aside where a person finds them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.adapters.captures.labels import LabelBook
from lifecycle.adapters.captures.segments import Segments
from lifecycle.ports import LabelReceipt


def labels(**said: int) -> pa.Table:
    return pa.table({"prediction_id": list(said), "label": list(said.values())})


def test_the_first_value_stands_and_a_contradiction_is_put_aside(tmp_path: Path) -> None:
    book = LabelBook(tmp_path / "stands", tmp_path / "aside")
    assert book.add(labels(a=1, b=2), 10.0, "ann", lambda ids: {"a": 9.0}) == LabelReceipt(1, 0, 0, 1)
    assert book.add(labels(a=5, b=2), 11.0, "bob", lambda ids: {"a": 9.0}) == LabelReceipt(0, 1, 1, 0)
    (aside,) = (tmp_path / "aside").iterdir()
    assert pq.read_table(aside).to_pylist() == [
        {"at": 11.0, "prediction_id": "a", "label": 5, "source": "bob", "made_at": 9.0}
    ]
    again = LabelBook(tmp_path / "stands", tmp_path / "aside")
    assert again.table().to_pylist() == [
        {"prediction_id": "a", "label": 1, "source": "ann", "came": 10.0, "made": 9.0},
        {"prediction_id": "b", "label": 2, "source": "ann", "came": 10.0, "made": 10.0},
    ]


def test_labels_of_the_wrong_time_are_put_aside(tmp_path: Path) -> None:
    book = LabelBook(tmp_path / "stands", tmp_path / "aside", horizon_s=100.0)
    at = pa.array([1.0, None, 2_000.0])
    timed = labels(a=1, b=2, c=3).append_column("at", at)
    receipt = book.add(timed, 1_050.0, "ann", lambda ids: dict.fromkeys(ids, 1_000.0))
    assert (receipt.joined, receipt.early, receipt.late, receipt.aside) == (1, 1, 1, 2)
    assert book.table()["prediction_id"].to_pylist() == ["b"]


def test_a_book_from_before_sources_were_kept_is_read(tmp_path: Path) -> None:
    (tmp_path / "stands").mkdir()
    stored = pa.table({"at": [1.0], "prediction_id": ["a"], "label": [7]})
    pq.write_table(stored, tmp_path / "stands" / "000000000000-000000000000.parquet")
    book = LabelBook(tmp_path / "stands", tmp_path / "aside")
    old = {"prediction_id": "a", "label": 7, "source": "", "came": 1.0, "made": 1.0}
    assert book.table().to_pylist() == [old]
    for name in "bcdefghijklmnopqrs":  # by then they are merged into one file
        book.add(labels(**{name: 7}), 2.0, "ann", lambda _: {})
    assert LabelBook(tmp_path / "stands", tmp_path / "aside").table().to_pylist()[0] == old


def test_numbers_beside_words_are_words(tmp_path: Path) -> None:
    book = LabelBook(tmp_path / "stands", tmp_path / "aside")
    for said in ([1, 2], [3.0, 0.5], ["A", "1"]):
        ids = [f"{said}/{row}" for row in range(2)]
        book.add(pa.table({"prediction_id": ids, "label": said}), 10.0, "ann", lambda _: {})
    for kept in (book, LabelBook(tmp_path / "stands", tmp_path / "aside")):
        assert kept.table()["label"].to_pylist() == ["1", "2", "3", "0.5", "A", "1"]


def test_what_was_received_before_a_time_is_forgotten_for_good(tmp_path: Path) -> None:
    book = LabelBook(tmp_path / "stands", tmp_path / "aside")
    book.add(labels(a=1, b=2), 10.0, "ann", lambda _: {})
    book.add(labels(a=5), 11.0, "bob", lambda _: {})
    book.add(labels(c=3), 20.0, "ann", lambda _: {})
    book.forget(15.0)
    assert list((tmp_path / "aside").iterdir()) == []
    for kept in (book, LabelBook(tmp_path / "stands", tmp_path / "aside")):
        (left,) = kept.table().to_pylist()
        assert (left["prediction_id"], left["label"], left["came"]) == ("c", 3, 20.0)
    assert book.add(labels(a=5), 21.0, "bob", lambda _: {}) == LabelReceipt(0, 0, 0, 1)


def test_a_value_that_lies_in_two_files_is_forgotten_too(tmp_path: Path) -> None:
    stands = Segments(tmp_path / "stands", durable=True)
    for _ in range(2):  # as a disk that was too full to merge files has left them
        stands.write(labels(a=1).add_column(0, "at", pa.array([10.0])))
    book = LabelBook(tmp_path / "stands", tmp_path / "aside")
    book.forget(15.0)
    assert len(book) == 0
    assert list((tmp_path / "stands").iterdir()) == []
