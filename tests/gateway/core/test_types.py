import json

from gateway.core.types import DATATYPES, NUMPY_DTYPES, Outcome, Role


def test_every_datatype_has_its_own_dtype() -> None:
    assert {DATATYPES[dtype]: dtype for dtype in NUMPY_DTYPES.values()} == NUMPY_DTYPES


def test_roles_and_outcomes_travel_as_plain_words() -> None:
    assert json.dumps([Role.CANARY, Outcome.INVALID_OUTPUT]) == '["canary", "invalid_output"]'
