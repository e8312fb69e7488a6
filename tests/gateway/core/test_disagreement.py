import numpy as np
import pytest

from gateway.core.disagreement import DISTANCE_EDGES, Comparison, Disagreement, aligned, compare
from gateway.core.types import NUMPY_DTYPES, Array

BF16 = NUMPY_DTYPES["BF16"]


def compared(left: dict[str, Array], right: dict[str, Array]) -> Comparison:
    rows, ours, theirs = aligned(left, right)
    return compare(ours, theirs, rows)


def texts(*values: bytes) -> Array:
    return np.array(values, np.object_)


@pytest.mark.parametrize(
    ("left", "right", "differs"),
    [
        # A class output decides, however near the scores are.
        (
            {"label": np.array([1, 2]), "p": np.array([[0.4, 0.6], [0.6, 0.4]])},
            {"label": np.array([1, 0]), "p": np.array([[0.41, 0.59], [0.6, 0.4]])},
            [False, True],
        ),
        ({"label": texts(b"cat", b"dog")}, {"label": texts(b"cat", b"cow")}, [False, True]),
        ({"label": np.array([[1], [2]])}, {"label": np.array([[1], [2]])}, [False, False]),
        # Scores of several classes: the likeliest one decides.
        (
            {"p": np.array([[0.4, 0.6], [0.6, 0.4]])},
            {"p": np.array([[0.1, 0.9], [0.4, 0.6]])},
            [False, True],
        ),
        # A lone number is the same answer within a hundredth.
        ({"y": np.array([100.0, 100.0, 0.0])}, {"y": np.array([100.9, 101.5, 1e-9])}, [False, True, False]),
        # Not a number is another answer than a number, and the same as itself.
        ({"y": np.array([np.nan, np.nan])}, {"y": np.array([np.nan, 1.0])}, [False, True]),
        ({"p": np.array([[np.nan, 0.6]])}, {"p": np.array([[0.1, 0.9]])}, [True]),
        # Scores of BF16 are scores, too: no class to the bit, but the likeliest one.
        ({"y": np.array([100, 100], BF16)}, {"y": np.array([100.5, 102], BF16)}, [False, True]),
        ({"p": np.array([[0.4, 0.6]], BF16)}, {"p": np.array([[0.1, 0.9]], BF16)}, [False]),
        # Text in the place of numbers is another answer.
        ({"p": np.array([[0.4, 0.6]])}, {"p": np.array([[b"no", b"yes"]], np.object_)}, [True]),
        # What cannot be compared is not the same.
        ({"y": np.zeros((2, 3))}, {"y": np.zeros((2, 4))}, [True, True]),
        ({"y": np.zeros(2)}, {"z": np.zeros(2)}, [True]),
    ],
)
def test_which_rows_differ(left: dict[str, Array], right: dict[str, Array], differs: list[bool]) -> None:
    assert compared(left, right).differs.tolist() == differs


def test_the_distance_of_a_row_is_its_largest_absolute_difference() -> None:
    seen = compared(
        {"p": np.array([[1.0, 2.0], [3.0, 4.0], [np.nan, 0.0]], np.float32), "s": texts(b"a", b"b", b"c")},
        {"p": np.array([[1.5, 0.0], [3.0, 4.0], [1.0, 0.0]], np.float64), "s": texts(b"a", b"b", b"c")},
    )
    assert seen.distances["p"].tolist() == [2.0, 0.0, np.inf]
    assert list(seen.distances) == ["p"]


def test_an_answer_without_a_shared_first_dimension_is_one_row() -> None:
    left = {"y": np.zeros((3, 2)), "total": np.array(5.0)}
    assert compared(left, {**left, "total": np.array(6.0)}).differs.tolist() == [True]


def test_a_request_differs_with_any_of_its_rows() -> None:
    comparison = Comparison(np.array([False, True, True, False]), {"y": np.array([0.0, 1e-3, 5.0, 1e12])})
    seen = Disagreement.of(comparison, [3, 1])
    assert (seen.pairs, seen.differing, seen.rows, seen.rows_differing) == (2, 1, 4, 2)
    at = np.searchsorted(DISTANCE_EDGES, [0.0, 1e-3, 5.0, 1e12])
    assert np.flatnonzero(seen.distances["y"]).tolist() == at.tolist()
    assert at[-1] == len(DISTANCE_EDGES)


def test_a_request_counts_by_its_share_of_rows_that_name_another_class() -> None:
    left, right = np.array([1, 1, 1, 1, 2]), np.array([1, 1, 1, 2, 1])
    comparison = compared({"label": left}, {"label": right})
    seen = Disagreement.of(comparison, [4, 1])
    assert (seen.classed, seen.apart) == (2, 1.25)
    assert (seen.merge(seen).classed, seen.merge(seen).apart) == (4, 2.5)


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        ({"p": np.array([[0.4, 0.6]])}, {"p": np.array([[0.6, 0.4]])}, 1.0),
        # One more class is another shape; the label still says the same.
        (
            {"label": np.array([1]), "p": np.zeros((1, 2))},
            {"label": np.array([1]), "p": np.zeros((1, 3))},
            0.0,
        ),
        ({"y": np.array([1.0])}, {"y": np.array([5.0])}, None),
        ({"y": np.zeros((1, 1))}, {"y": np.ones((1, 1))}, None),
    ],
)
def test_numbers_name_no_class(left: dict[str, Array], right: dict[str, Array], apart: float | None) -> None:
    seen = Disagreement.of(compared(left, right), [1])
    assert (seen.classed, seen.apart) == (0 if apart is None else 1, apart or 0.0)
