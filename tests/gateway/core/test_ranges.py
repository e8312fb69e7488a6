"""Declared ranges: how they are written, what breaks them, and what does not."""

import pickle

import numpy as np
import pytest

from gateway.core.ranges import OutputRange, declared, judge, outside
from gateway.core.routing import VersionEntry
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import NUMPY_DTYPES

SCORE, LABEL = OutputRange("score", 0.0, 1.0), OutputRange("label", 0.0, 9.0)
OUTPUTS = (
    TensorSpec("score", "FP32", (-1, 2)),
    TensorSpec("label", "INT64", (-1,)),
    TensorSpec("t", "BYTES", (-1,)),
)
SIGNATURE = Signature((), OUTPUTS)
INVALID = judge((SCORE, LABEL), SIGNATURE)


def scores(rows: int, last: float = 0.5) -> np.ndarray:
    array = np.full((rows, 2), 0.5, np.float32)
    array[-1, -1] = last
    return array


@pytest.mark.parametrize("text", ["score=0..1", "price=0..", "a=b=-1.5..2", "x=..", "x=..1000000"])
def test_a_range_is_written_as_it_is_read(text: str) -> None:
    assert str(OutputRange.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["score", "score=1", "=0..1", "score=1..0", "score=a..b", "score=nan..1", "x=inf..inf"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="range"):
        OutputRange.parse(text)


@pytest.mark.parametrize("rows", [1, 500])
@pytest.mark.parametrize("bad", [-0.01, 1.01, np.nan, np.inf])
def test_one_element_outside_is_enough(rows: int, bad: float) -> None:
    assert not INVALID({"score": scores(rows)})
    assert INVALID({"score": scores(rows, bad), "label": np.zeros(rows, np.int64)})


def test_the_ends_belong_to_the_range_and_rounding_is_let_pass() -> None:
    just_over = float(np.nextafter(np.float32(1), np.float32(2)))
    assert not INVALID({"score": scores(3, just_over), "label": np.array([0, 9])})
    assert INVALID({"label": np.array([10])})
    assert INVALID({"label": np.array([-1])})


@pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64", "UINT8", "BOOL"])
def test_every_datatype_of_numbers_can_be_judged(datatype: str) -> None:
    signature = Signature((), (TensorSpec("score", datatype, (-1,)),))
    invalid = judge((OutputRange("score", 0.0, 0.5),), signature)
    for size in (1, 100):
        array = np.zeros(size, NUMPY_DTYPES[datatype])
        assert not invalid({"score": array})
        array[-1] = 1
        assert invalid({"score": array})


def test_another_shape_than_the_graphs_is_invalid() -> None:
    assert INVALID({"score": np.zeros((1, 3), np.float32)})
    assert INVALID({"score": np.zeros(2, np.float32)})
    assert not INVALID({"score": np.zeros((0, 2), np.float32)})


def test_outputs_that_were_not_asked_for_are_not_missed() -> None:
    assert not INVALID({"label": np.array([3])})


def test_nothing_declared_leaves_numbers() -> None:
    invalid = judge((), SIGNATURE)
    assert not invalid({"score": np.full((1, 3), 7.0, np.float32)})
    assert invalid({"score": scores(1, np.nan)})


def test_rows_outside_are_told_apart() -> None:
    assert outside(np.array([[0.1, 0.2], [0.1, 1.2]]), SCORE).tolist() == [False, True]


def test_what_is_said_anew_replaces_what_was_said_before() -> None:
    open_ended = OutputRange.parse("score=..")
    gone = OutputRange("gone", 0.0, 1.0)
    assert declared((open_ended,), (SCORE, LABEL, gone), SIGNATURE) == (LABEL, open_ended)
    for wrong in ((gone,), (OutputRange("t", 0.0, 1.0),), (SCORE, SCORE)):
        with pytest.raises(ValueError, match="output"):
            declared(wrong, (), SIGNATURE)


def test_a_route_tables_entry_carries_them_between_processes_and_restarts() -> None:
    entry = VersionEntry(1, "a", "b", SIGNATURE, ranges=(SCORE, LABEL))
    for again in (VersionEntry.from_json(entry.as_json()), pickle.loads(pickle.dumps(entry))):
        assert again == entry
        assert again.invalid({"label": np.array([10])})
