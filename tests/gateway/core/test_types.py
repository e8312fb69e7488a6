import json
import sys

import numpy as np

from gateway.core.types import DATATYPES, NUMPY_DTYPES, Outcome, Role, memory_of


def test_every_datatype_has_its_own_dtype() -> None:
    assert {DATATYPES[dtype]: dtype for dtype in NUMPY_DTYPES.values()} == NUMPY_DTYPES


def test_roles_and_outcomes_travel_as_plain_words() -> None:
    assert json.dumps([Role.CANARY, Outcome.INVALID_OUTPUT]) == '["canary", "invalid_output"]'


def test_memory_is_that_of_the_texts_too() -> None:
    assert memory_of(np.zeros((2, 3), np.float32)) == 24
    texts = np.array([[b"", b"abc"]], np.object_)
    assert memory_of(texts) >= texts.nbytes + sum(map(sys.getsizeof, texts[0]))
    assert memory_of(np.array([b"x" * 10_000], np.object_)) > 10_000
