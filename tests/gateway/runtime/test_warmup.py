from collections.abc import Callable

import numpy as np
import pytest

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.session import Session
from gateway.runtime.signature import signature_of
from gateway.runtime.warmup import Warmth, warm

SessionOf = Callable[[bytes], Session]


def warmth(model: bytes, session_of: SessionOf) -> Warmth:
    session = session_of(model)
    return warm(lambda inputs: session.run(inputs, ()), signature_of(model), unbounded=False)


def test_measures_what_a_row_costs(logistic: bytes, session_of: SessionOf) -> None:
    measured = warmth(logistic, session_of)
    assert measured.cost.elements == 30
    assert 0 < measured.cost.row_ns < 10_000_000


def test_rows_of_a_row_wise_model_may_be_joined(
    logistic: bytes, text: bytes, lookup: bytes, session_of: SessionOf
) -> None:
    assert all(warmth(model, session_of).joins for model in (logistic, text, lookup))


def test_rows_that_answer_differently_in_company_are_never_joined(
    blend: bytes, session_of: SessionOf
) -> None:
    assert signature_of(blend).batched
    assert not warmth(blend, session_of).joins


def failing(_: dict[str, Array]) -> dict[str, Array]:
    raise GatewayError(ErrorCode.INTERNAL, "the model failed on this input")


def test_a_version_that_cannot_run_does_not_warm() -> None:
    specs = (TensorSpec("x", "FP32", (-1, 3)),)
    with pytest.raises(GatewayError):
        warm(failing, Signature(specs, specs), unbounded=False)


def test_with_more_free_dimensions_a_failure_only_means_unmeasured() -> None:
    specs = (TensorSpec("x", "FP32", (-1, 3, -1, -1)),)
    measured = warm(failing, Signature(specs, specs), unbounded=False)
    assert measured.cost.unbounded
    assert not measured.joins


def test_a_model_that_takes_no_ones_is_warmed_with_zeros() -> None:
    specs = (TensorSpec("x", "FP32", (1,)),)

    def picky(inputs: dict[str, Array]) -> dict[str, Array]:
        return failing(inputs) if np.any(inputs["x"]) else inputs

    assert warm(picky, Signature(specs, specs), unbounded=False).cost.elements == 1
