import pickle

import pytest

from lifecycle.errors import LifecycleCode, LifecycleError


@pytest.mark.parametrize("code", list(LifecycleCode))
def test_an_error_survives_the_way_between_processes(code: LifecycleCode) -> None:
    error = LifecycleError(code, "no model named 'm'")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.message) == (LifecycleError, code, error.message)
    assert str(copy) == error.message
