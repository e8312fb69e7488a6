"""Labels as people send them."""

import io
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.profile import Profile
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Role
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.learning.feedback import Feedback, Receipt, tidy
from lifecycle.commands.learning.label_file import read_labels
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, LabelReceipt


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(f"sqlite:///{tmp_path / 'registry.db'}")
    store.commit(Entry("ann", "model.created", "m"), Model("m", 1, 1.0))
    yield store
    store.close()


def no_profile(_model: str, _version: int) -> Profile | None:
    return None


def no_rows(_version: Version) -> pa.Table:
    return pa.table({})


@pytest.fixture
def feedback(store: SqlStore, tmp_path: Path) -> Feedback:
    captures = ParquetCaptures(tmp_path / "log")
    tensors = {"x": np.zeros((1, 2), np.float32)}
    captures.append(
        blocks([Capture(name, 1.0, "m", 1, Role.CHAMPION, tensors, tensors) for name in ("a", "b")])
    )
    return Feedback(captures, store, no_profile, no_rows, lambda: 50.0)


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


CSV = b"prediction_id,label,note\na,3,fine\nb,4,\nzz,5,\n"


@pytest.mark.parametrize("data", [CSV, parquet(read_labels(CSV))], ids=["csv", "parquet"])
def test_a_file_is_joined_and_recorded(feedback: Feedback, store: SqlStore, data: bytes) -> None:
    assert feedback.ingest("m", data, "ann") == Receipt(LabelReceipt(2, 0, 0, 1), {})
    record = store.records("m")[-1]
    assert (record.actor, record.kind) == ("ann", "labels.received")
    told = {"joined": 2, "duplicate": 0, "conflicting": 0, "unknown": 1, "early": 0, "late": 0}
    assert record.detail == told


def test_sending_a_file_again_changes_nothing(feedback: Feedback) -> None:
    feedback.ingest("m", CSV, "ann")
    assert feedback.ingest("m", CSV, "ann") == Receipt(LabelReceipt(0, 3, 0, 0), {})


@pytest.mark.parametrize(("datatype", "taken"), [("INT64", False), ("BYTES", True), ("FP32", True)])
def test_words_for_a_model_that_answers_numbers_are_refused(
    feedback: Feedback, store: SqlStore, datatype: str, taken: bool
) -> None:
    signature = Signature((TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("class", datatype, (-1,)),))
    version = Version("m", 1, Stage.SERVING, "a", "sha256:1", signature, "ann", 1.0)
    store.commit(Entry("ann", "version.registered", "m"), version)
    refused = pytest.raises(LifecycleError, match="its output 'class' is; these hold words")
    with nullcontext() if taken else refused:
        feedback.ingest("m", b"prediction_id,label\na,yes\nb,no\n", "ann")
    if not taken:
        assert feedback.ingest("m", parquet(pa.table({"prediction_id": ["a"], "label": ["3"]})), "ann").labels


class Reference:
    """A version that answers words, and its reference data: 20 rows, of which it calls one half `good`."""

    def __init__(self, store: SqlStore) -> None:
        signature = Signature((TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("class", "BYTES", (-1,)),))
        version = Version("m", 1, Stage.SERVING, "a", "sha256:1", signature, "ann", 1.0)
        version = replace(
            version, reference="rows", reference_digest="sha256:2", profile="p", profile_digest="d"
        )
        store.commit(Entry("ann", "version.registered", "m"), version)
        answers = np.array([b"good", b"bad"] * 10, np.object_)
        self.of = Profile.of({}, {"class": answers})
        self.read = 0

    def profile(self, _model: str, _version: int) -> Profile:
        return self.of

    def rows(self, _version: Version) -> pa.Table:
        self.read += 1
        return pa.table({"label": ["good", "bad", "odd", *["good"] * 17]})


def test_labels_of_a_class_that_the_model_never_names_are_told_and_kept(
    store: SqlStore, tmp_path: Path
) -> None:
    reference = Reference(store)
    captures = ParquetCaptures(tmp_path / "log")
    feedback = Feedback(captures, store, reference.profile, reference.rows, lambda: 50.0)
    batch = b"prediction_id,label\na,Good\nb,odd\nc,Good\nd,good\ne,Bad\n"
    receipt = feedback.ingest("m", batch, "ann")
    assert (list(receipt.unfamiliar.items()), receipt.all[0].unknown) == ([("Good", 2), ("Bad", 1)], 5)
    assert store.records("m")[-1].detail["unfamiliar"] == {"Good": 2, "Bad": 1}
    captures.append(
        blocks([Capture("a", 1.0, "m", 1, Role.CHAMPION, {}, {"class": np.array([b"good"], np.object_)})])
    )
    assert captures.labelled("m")["label"].to_pylist() == ["Good"]
    assert not feedback.ingest("m", b"prediction_id,label\nf,good\n", "ann").unfamiliar
    assert "unfamiliar" not in store.records("m")[-1].detail
    assert reference.read == 1  # once for all batches


def test_numbers_for_a_model_that_answers_words_are_refused(
    store: SqlStore, feedback: Feedback, tmp_path: Path
) -> None:
    reference = Reference(store)
    told = Feedback(ParquetCaptures(tmp_path / "log"), store, reference.profile, reference.rows, lambda: 50.0)
    with pytest.raises(
        LifecycleError, match=r"are words, as its output 'class' is \('bad', 'good', 'odd'\)"
    ) as no:
        told.ingest("m", b"prediction_id,label\na,0\nb,1\n", "ann")
    assert no.value.code is LifecycleCode.INVALID
    # Without reference data a class may well be called 0.
    assert feedback.ingest("m", b"prediction_id,label\na,0\nb,1\n", "ann").all[0].joined == 2


def test_labels_are_taken_while_the_reference_data_cannot_be_read(store: SqlStore, tmp_path: Path) -> None:
    reference = Reference(store)

    def away(_version: Version) -> pa.Table:
        raise LifecycleError(LifecycleCode.UNAVAILABLE, "the store does not answer")

    feedback = Feedback(ParquetCaptures(tmp_path / "log"), store, reference.profile, away, lambda: 50.0)
    assert not feedback.ingest("m", b"prediction_id,label\na,Good\n", "ann").unfamiliar


NUMBERS = b"prediction_id,label,feedback.revenue,feedback.bought\na,3,12.5,true\nb,,0.0,\nzz,,4,false\n"


def test_numbers_come_beside_labels_and_a_row_may_leave_any_out(feedback: Feedback, store: SqlStore) -> None:
    receipt = feedback.ingest("m", NUMBERS, "ann")
    metrics = {"revenue": LabelReceipt(2, 0, 0, 1), "bought": LabelReceipt(1, 0, 0, 1)}
    assert receipt == Receipt(LabelReceipt(1, 0, 0, 0), metrics)
    kinds = [(record.kind, record.detail.get("metric")) for record in store.records("m")[1:]]
    assert kinds == [
        ("labels.received", None),
        ("feedback.received", "revenue"),
        ("feedback.received", "bought"),
    ]
    again = feedback.ingest("m", NUMBERS, "ann")
    assert [said.duplicate for said in again.all] == [1, 3, 2]


def test_labels_from_the_future_are_refused_and_none_is_taken(feedback: Feedback) -> None:
    table = pa.table({"prediction_id": ["a", "b"], "label": [1, 2], "at": [40.0, 50.0 + 3_600]})
    with pytest.raises(LifecycleError, match="1 labels are from the future") as caught:
        feedback.ingest("m", table, "ann")
    assert caught.value.code is LifecycleCode.INVALID
    assert feedback.ingest("m", table.select(["prediction_id", "label"]), "ann").all[0].joined == 2


def test_labels_of_the_wrong_time_alone_are_a_conflict_that_says_why(store: SqlStore, tmp_path: Path) -> None:
    captures = ParquetCaptures(tmp_path / "log", horizon_s=600.0)
    tensors = {"x": np.zeros((1, 2), np.float32)}
    made = [Capture(name, 5_000.0, "m", 1, Role.CHAMPION, tensors, tensors) for name in ("a", "b")]
    captures.append(blocks(made))
    feedback = Feedback(captures, store, no_profile, no_rows, lambda: 9_000.0)
    early = pa.table({"prediction_id": ["a"], "label": [1], "at": [100.0]})
    for table, reason in (
        (early, "before their prediction"),
        (early.drop_columns(["at"]), "beyond the horizon"),
    ):
        with pytest.raises(LifecycleError, match=reason) as caught:
            feedback.ingest("m", table, "ann")
        assert caught.value.code is LifecycleCode.CONFLICT
    assert captures.labelled("m").num_rows == 0


def test_an_unknown_model_is_named(feedback: Feedback) -> None:
    with pytest.raises(LifecycleError, match="no model 'other'") as caught:
        feedback.ingest("other", CSV, "ann")
    assert caught.value.code is LifecycleCode.NOT_FOUND


@pytest.mark.parametrize(
    ("column", "tidied"),
    [
        (pa.array([True, False]), [1, 0]),
        (pa.array([7, 8], pa.uint8()), [7, 8]),
        (pa.array([0.5, 1.5], pa.float32()), [0.5, 1.5]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array(["x", "y"], pa.large_string()), ["x", "y"]),
    ],
)
def test_labels_are_spelled_one_way(column: Any, tidied: list[object]) -> None:
    table, _ = tidy(pa.table({"prediction_id": ["a", "b"], "label": column}))
    assert table is not None
    assert table["label"].to_pylist() == tidied


@pytest.mark.parametrize("written", [b"2026-11-26 08:40:00", b"2026-11-26T09:40:00+01:00", b"1795682400"])
def test_a_label_says_when_it_became_known_as_people_write_times(written: bytes) -> None:
    table, _ = tidy(read_labels(b"prediction_id,label,at\na,1," + written))
    assert table is not None
    assert table["at"].to_pylist() == [1795682400.0]


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (b"\x00\xff nonsense\n1,2,3\n", "missing|neither"),
        (b"PAR1 nonsense", "neither"),
        (b"prediction_id,label\n", "no labels"),
        (b"id,label\na,1\n", "'prediction_id' is missing"),
        (b"prediction_id,label\na,\n", "without a value"),
        (pa.table({"prediction_id": ["a"], "label": [float("nan")]}), "NaN"),
        (pa.table({"prediction_id": ["a"], "label": [[1]]}), "numbers, booleans or text"),
        (pa.table({"prediction_id": [[1]], "label": [1]}), "must hold text"),
        (pa.table({"prediction_id": ["a" * 300], "label": [1]}), "256"),
        (pa.table({"prediction_id": ["a"], "label": pa.array([2**63], pa.uint64())}), "64 bits"),
        (b"prediction_id,feedback.revenue\na,\n", "no labels"),
        (b"prediction_id,feedback.revenue\na,much\n", "must hold numbers, not strings such as 'much'"),
        (b"prediction_id,feedback.revenue\na,1\nb,12;5\n", "must hold numbers, not strings such as '12;5'"),
        (
            b"prediction_id,label,at\na,1,27.11.2026 14:00\n",
            "times such as .*, not strings such as '27.11.2026 14:00'",
        ),
        (
            b"prediction_id,label,at\na,1,2026-11-27\n",
            "times such as .*, not dates such as '2026-11-27'",
        ),
        (
            pa.table({"prediction_id": ["a"], "feedback.x": [time(9, 30)]}),
            "not times of day such as '09:30:00'",
        ),
        (
            pa.table({"prediction_id": ["a"], "feedback.x": pa.array(["b"]).dictionary_encode()}),
            "not strings such as 'b'",
        ),
        (pa.table({"prediction_id": ["a"], "feedback.x": [[1]]}), r"not lists or records such as '\[1\]'"),
        (b"prediction_id,feedback.re venue\na,1\n", "no name of a metric"),
        (pa.table({"prediction_id": ["a"], "feedback.x": [float("inf")]}), "NaN or infinite"),
    ],
)
def test_what_cannot_be_used_is_refused(feedback: Feedback, labels: bytes | pa.Table, complaint: str) -> None:
    with pytest.raises(LifecycleError, match=complaint) as caught:
        feedback.ingest("m", labels, "ann")
    assert caught.value.code is LifecycleCode.INVALID
