"""A version's first runs: they prove that it works, measure what it costs, and try joining rows."""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.core.batching import Batching
from gateway.core.signature import Signature
from gateway.core.types import FLOAT_KINDS, Array, joined
from gateway.errors import GatewayError
from gateway.runtime.placement import INLINE_BUDGET_NS, Cost, cost

Runner = Callable[[dict[str, Array]], dict[str, Array]]
"""Runs a version once: outputs by name from inputs by name."""

_ROWS = 64
_REPEATS = 5
_DEAR = 4.0
_PROBE_NS = 100_000_000
"""How long the rows of one look at joining may run."""


@dataclass(frozen=True, slots=True)
class Warmth:
    """What warming found.

    Args:
        batching: what it does to an answer when rows of several requests share a run.
        rows: that every run should have; 0: as many as there are.
    """

    cost: Cost
    batching: Batching
    rows: int = 0


def warm(run: Runner, signature: Signature, unbounded: bool) -> Warmth:
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
        return Warmth(Cost(0.0, math.inf, elements, unbounded=True), Batching.OFF)
    one_ns = _fastest(run, first)
    batching = _batching(run, signature, one_ns) if signature.batched else Batching.OFF
    if batching is Batching.OFF or one_ns > INLINE_BUDGET_NS:
        return Warmth(cost(one_ns, one_ns, 1, elements, unbounded), batching)
    many = joined([first] * _ROWS)
    return Warmth(cost(one_ns, _fastest(run, many), _ROWS, elements, unbounded), batching)


def dear_to_vary(run: Runner, signature: Signature, rows: int) -> bool:
    """Whether a run of so many rows takes much longer when the one before had another number of them.

    Only for versions that run on rows of ones or zeros, and whose rows may be joined.
    """
    one = _try(run, _rows(signature, 1), _rows(signature, 0))
    many = joined([one] * rows)
    varied = []
    for _ in range(_REPEATS):
        run(one)
        started = time.perf_counter_ns()
        run(many)
        varied.append(time.perf_counter_ns() - started)
    return min(varied) > _DEAR * _fastest(run, many)


def warm_again(run: Runner, signature: Signature) -> None:
    """Run a version once that was measured when it was loaded before."""
    with contextlib.suppress(GatewayError):  # as it was then
        _try(run, _rows(signature, 1), _rows(signature, 0))


def _rows(signature: Signature, value: int) -> dict[str, Array]:
    rows: dict[str, Array] = {}
    for spec in signature.inputs:
        fill: object = str(value).encode() if spec.datatype == "BYTES" else value
        rows[spec.name] = np.full([max(length, 1) for length in spec.shape], fill, spec.dtype)
    return rows


def _try(run: Runner, ones: dict[str, Array], zeros: dict[str, Array]) -> dict[str, Array]:
    # Some models take no zeros (they divide), some no ones (an index past a table's end).
    try:
        run(ones)
    except GatewayError:
        run(zeros)
        return zeros
    return ones


def _fastest(run: Runner, inputs: dict[str, Array]) -> float:
    took = []
    for _ in range(_REPEATS):
        started = time.perf_counter_ns()
        run(inputs)
        took.append(time.perf_counter_ns() - started)
    return float(min(took))


def _different(signature: Signature, count: int) -> list[dict[str, Array]]:
    """Rows of ones, of zeros, and then of normal floats; of zeros and ones where there are no floats."""
    rng = np.random.default_rng(0)
    rows = [_rows(signature, 1), _rows(signature, 0)]
    for _ in range(count - 2):
        row = _rows(signature, 0)
        for spec in signature.inputs:
            if spec.dtype.kind in FLOAT_KINDS:
                row[spec.name] = rng.normal(size=row[spec.name].shape).astype(spec.dtype)
            elif spec.dtype.kind in "biu":
                row[spec.name] = rng.integers(0, 2, row[spec.name].shape).astype(spec.dtype)
        rows.append(row)
    return rows


def _batching(run: Runner, signature: Signature, one_ns: float) -> Batching:
    """What becomes of a row's answer among others: a free first dimension is no proof that it stays the same.

    Its company must not matter at all. That there is company may matter to the rounding, since the runtime
    takes other ways for other numbers of rows; so several are tried, up to 63 where rows are cheap.
    """
    sizes = [size for size in (2, 3, 8, _ROWS - 1) if size == 2 or size * one_ns <= _PROBE_NS]
    rows = _different(signature, sizes[-1] + 1)
    found = set()
    try:
        apart = joined([run(row) for row in rows])
        for size in sizes:
            together, next_to = run(joined(rows[:size])), run(joined(rows[1 : size + 1]))
            for name, array in together.items():
                alone, other = apart[name][:size], next_to[name]
                if array.shape != alone.shape or array.shape != other.shape:
                    return Batching.OFF
                if not _close(array[1:], other[:-1], 1e-5):
                    return Batching.OFF
                found.add(_alike(array, alone))
    except (GatewayError, ValueError):  # rows that do not run, or answers that cannot be joined
        return Batching.OFF
    return next(each for each in Batching if each in found)


def _alike(joined: Array, alone: Array) -> Batching:
    same = (
        np.array_equal(joined, alone) if joined.dtype == np.object_ else joined.tobytes() == alone.tobytes()
    )
    if same:
        return Batching.EXACT
    # Rows that make no sense to a model can blow rounding up; an answer that depends on how many there are
    # would be further off.
    return Batching.CLOSE if _close(joined, alone, 1e-2) else Batching.OFF


def _close(left: Array, right: Array, share: float) -> bool:
    """Whether they differ by no more than a share of the largest number there is."""
    if left.dtype.kind not in FLOAT_KINDS:
        return bool(np.array_equal(left, right))
    here, there = np.float64(left), np.float64(right)
    most = float(np.max(np.abs(there), where=np.isfinite(there), initial=0.0))
    return bool(np.allclose(here, there, rtol=1e-3, atol=share * max(most, 1e-3), equal_nan=True))
