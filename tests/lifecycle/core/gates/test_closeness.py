import numpy as np
import pytest

from lifecycle.core.gates.closeness import difference

WANTED = {"y": np.array([[1.0, 100.0], [np.nan, np.inf]], np.float32), "label": np.array([1, 2])}


def test_what_is_the_same_does_not_differ() -> None:
    assert difference(WANTED, WANTED, 0.0) == ("", 0.0)
    assert difference({**WANTED, "more": np.zeros(3)}, WANTED, 0.0)[0] == ""


def test_numbers_may_differ_a_little_and_by_their_size() -> None:
    near = {**WANTED, "y": WANTED["y"] * np.float32(1.00005)}
    assert difference(near, WANTED, 1e-4)[0] == ""
    fault, largest = difference(near, WANTED, 1e-6)
    assert fault == "output 'y' differs in 1 of 2 rows"
    assert largest == pytest.approx(0.005, rel=0.05)


@pytest.mark.parametrize(
    ("got", "says"),
    [
        ({"label": WANTED["label"]}, "there is no output 'y'"),
        ({**WANTED, "label": np.array([1, 3])}, "output 'label' differs in 1 of 2 rows"),
        ({**WANTED, "label": np.array([[1, 2]])}, "output 'label' has shape [1, 2], not [2]"),
        ({**WANTED, "y": np.zeros((2, 2), np.float32)}, "output 'y' differs in 2 of 2 rows"),
    ],
)
def test_anything_else_does(
    got: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]], says: str
) -> None:
    assert difference(got, WANTED, 1e-4)[0] == says
