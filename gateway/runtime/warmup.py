"""A version's first runs: they prove that it works, measure what it costs, and try joining rows."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.core.signature import Signature
from gateway.core.types import FLOAT_KINDS, Array
from gateway.errors import GatewayError
from gateway.runtime.placement import INLINE_BUDGET_NS, Cost, cost

Run = Callable[[dict[str, Array]], dict[str, Array]]

_ROWS = 64
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Warmth:
    """What warming found. `joins`: rows of several requests may share a run without changing an answer."""

    cost: Cost
    joins: bool


def warm(run: Run, signature: Signature, unbounded: bool) -> Warmth:
    """Run a version on rows of ones and zeros; every free dimension is 1.

    Args:
        unbounded: the length of a run depends on data, see `Cost`.

    Raises:
        GatewayError: from `run`, when the version fails although only its first dimension is free. With
            more of them, 1 may be a length the model cannot take; then it counts as unmeasured.
    """
    ones, zeros = _rows(signature, 1), _rows(signature, 0)
    elements = sum(array.size for array in ones.values())
    try:
        first = _try(run, ones, zeros)
    except GatewayError:
        if not any(-1 in spec.shape[1:] for spec in signature.inputs):
            raise
        return Warmth(Cost(0.0, math.inf, elements, unbounded=True), joins=False)
    one_ns = _fastest(run, first)
    joins = signature.batched and _independent(run, ones, zeros)
    if not joins or one_ns > INLINE_BUDGET_NS:
        return Warmth(cost(one_ns, one_ns, 1, elements, unbounded), joins)
    many = {name: np.concatenate([array] * _ROWS) for name, array in first.items()}
    return Warmth(cost(one_ns, _fastest(run, many), _ROWS, elements, unbounded), joins)


def _rows(signature: Signature, value: int) -> dict[str, Array]:
    rows: dict[str, Array] = {}
    for spec in signature.inputs:
        fill: object = str(value).encode() if spec.datatype == "BYTES" else value
        rows[spec.name] = np.full([max(length, 1) for length in spec.shape], fill, spec.dtype)
    return rows


def _try(run: Run, ones: dict[str, Array], zeros: dict[str, Array]) -> dict[str, Array]:
    # Some models take no zeros (they divide), some no ones (an index past a table's end).
    try:
        run(ones)
    except GatewayError:
        run(zeros)
        return zeros
    return ones


def _fastest(run: Run, inputs: dict[str, Array]) -> float:
    took = []
    for _ in range(_REPEATS):
        started = time.perf_counter_ns()
        run(inputs)
        took.append(time.perf_counter_ns() - started)
    return float(min(took))


def _independent(run: Run, ones: dict[str, Array], zeros: dict[str, Array]) -> bool:
    """Whether a row's answer is the same alone and next to another: a free first dimension is no proof."""
    try:
        apart = [run(ones), run(zeros)]
        joined = run({name: np.concatenate([array, zeros[name]]) for name, array in ones.items()})
    except GatewayError:
        return False
    return all(
        array.shape[:1] == (2,) and _same(array, np.concatenate([answer[name] for answer in apart]))
        for name, array in joined.items()
    )


def _same(left: Array, right: Array) -> bool:
    if left.dtype.kind in FLOAT_KINDS and left.shape == right.shape:
        near = np.float64(left), np.float64(right)
        return bool(np.allclose(*near, rtol=1e-3, atol=1e-5, equal_nan=True))
    return bool(np.array_equal(left, right))
