import time
from collections.abc import Callable

import numpy as np
import pytest

from gateway.core.batching import Batching
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.session import Session
from gateway.runtime.signature import signature_of
from gateway.runtime.warmup import Warmth, dear_to_vary, warm

SessionOf = Callable[[bytes], Session]


def warmth(model: bytes, session_of: SessionOf) -> Warmth:
    session = session_of(model)
    return warm(lambda inputs: session.run(inputs, ()), signature_of(model), unbounded=False)


@pytest.mark.parametrize("plans_anew", [True, False])
def test_a_device_that_plans_anew_for_each_number_of_rows_is_known(plans_anew: bool) -> None:
    spec = TensorSpec("x", "FP32", (-1, 2))
    last = 0

    def run(inputs: dict[str, Array]) -> dict[str, Array]:
        nonlocal last
        time.sleep(0.03 if plans_anew and len(inputs["x"]) != last else 0.002)
        last = len(inputs["x"])
        return {}

    assert dear_to_vary(run, Signature((spec,), (spec,)), 8) is plans_anew


def test_measures_what_a_row_costs(logistic: bytes, session_of: SessionOf) -> None:
    measured = warmth(logistic, session_of)
    assert measured.cost.elements == 30
    assert 0 < measured.cost.row_ns < 10_000_000


def test_rows_of_a_row_wise_model_may_be_joined_and_no_bit_differs(
    text: bytes, lookup: bytes, session_of: SessionOf
) -> None:
    assert {warmth(model, session_of).batching for model in (text, lookup)} == {Batching.EXACT}


def test_rows_may_be_joined_although_rounding_differs() -> None:
    # What the runtime's matrix products do: another order of adding for another number of rows.
    def rounding(inputs: dict[str, Array]) -> dict[str, Array]:
        rounded = np.float32(1 + 1e-6 * (len(inputs["x"]) > 1))
        return {"y": np.asarray(inputs["x"], np.float32) * rounded}

    specs = (TensorSpec("x", "FP32", (-1, 3)),), (TensorSpec("y", "FP32", (-1, 3)),)
    assert warm(rounding, Signature(*specs), unbounded=False).batching is Batching.CLOSE


def test_one_number_of_rows_that_answers_otherwise_is_enough_to_keep_rows_apart() -> None:
    def moody(inputs: dict[str, Array]) -> dict[str, Array]:
        return {"y": np.asarray(inputs["x"], np.float32) + np.float32(len(inputs["x"]) == 3)}

    specs = (TensorSpec("x", "FP32", (-1, 3)),), (TensorSpec("y", "FP32", (-1, 3)),)
    assert warm(moody, Signature(*specs), unbounded=False).batching is Batching.OFF


def test_rows_that_answer_differently_in_company_are_never_joined(
    blend: bytes, session_of: SessionOf
) -> None:
    assert signature_of(blend).batched
    assert warmth(blend, session_of).batching is Batching.OFF


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
    assert measured.batching is Batching.OFF


def test_a_model_that_takes_no_ones_is_warmed_with_zeros() -> None:
    specs = (TensorSpec("x", "FP32", (1,)),)

    def picky(inputs: dict[str, Array]) -> dict[str, Array]:
        return failing(inputs) if np.any(inputs["x"]) else inputs

    assert warm(picky, Signature(specs, specs), unbounded=False).cost.elements == 1
