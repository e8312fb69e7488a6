import pickle

import pytest

from gateway.errors import SERVER_FAULTS, ErrorCode, GatewayError


@pytest.mark.parametrize("code", list(ErrorCode))
def test_an_error_survives_the_way_between_processes(code: ErrorCode) -> None:
    error = GatewayError(code, "input 'x' is missing")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.message) == (GatewayError, code, error.message)
    assert str(copy) == error.message


def test_a_callers_mistake_never_counts_against_a_version() -> None:
    callers = {ErrorCode.INVALID, ErrorCode.TOO_LARGE, ErrorCode.UNSUPPORTED, ErrorCode.NOT_FOUND}
    assert not SERVER_FAULTS & (callers | {ErrorCode.CANCELLED})
