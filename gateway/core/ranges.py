"""What a version's outputs were declared to lie in, and whether an answer keeps to it.

On the hot path of the versions that declare something, and of no other.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.finite import nonfinite
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import DATATYPES, Array, Tensors

_FORM = re.compile(r"(?P<output>.+)=(?P<low>[^=]*?)\.\.(?P<high>[^=]*)")
_EPSILONS = {"FP16": 2.0**-10, "BF16": 2.0**-7, "FP32": 2.0**-23, "FP64": 2.0**-52}
_ROUNDING = 8
"""Epsilons beyond an end that are let pass: a sum of probabilities may round to a little over 1."""
_SMALL = 16

Check = tuple[str, TensorSpec, float, float]


@dataclass(frozen=True, slots=True)
class OutputRange:
    """Every element of an output lies in [low, high]; an end may be infinite.

    Raises ValueError for what is no range.
    """

    output: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high or self.low == math.inf or self.high == -math.inf:
            raise ValueError(f"the range of {self.output!r} is from a lower number to a higher one")

    @classmethod
    def parse(cls, text: str) -> "OutputRange":
        """As people write it: `score=0..1`, `label=0..9`, `price=0..`. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"a range of an output looks like `score=0..1` or `price=0..`, not {text!r}")
        try:
            low = float(found["low"] or -math.inf)
            high = float(found["high"] or math.inf)
        except ValueError:
            raise ValueError(f"the ends of the range {text!r} are numbers") from None
        return cls(found["output"], low, high)

    def __str__(self) -> str:
        low, high = (
            repr(end).removesuffix(".0") if math.isfinite(end) else "" for end in (self.low, self.high)
        )
        return f"{self.output}={low}..{high}"


def declared(
    new: tuple[OutputRange, ...], before: tuple[OutputRange, ...], signature: Signature
) -> tuple[OutputRange, ...]:
    """What a version is held to: its own ranges, and those of the one before for outputs that it still has.

    Raises ValueError for a new one of an output that has no numbers, or has two.
    """
    numeric = {spec.name for spec in signature.outputs if spec.datatype != "BYTES"}
    said = [limits.output for limits in new]
    for output in said:
        if output not in numeric:
            known = ", ".join(sorted(numeric)) or "none"
            raise ValueError(f"no output {output!r} of numbers to give a range; there is {known}")
        if said.count(output) > 1:
            raise ValueError(f"output {output!r} has two ranges")
    return (*(limits for limits in before if limits.output in numeric - set(said)), *new)


def judge(ranges: tuple[OutputRange, ...], signature: Signature) -> Callable[[Tensors], bool]:
    """Whether an answer is invalid: NaN and infinity always are.

    Where an output has a declared range, so is an element outside of it, or another shape than the graph's.
    """
    if not ranges:
        return nonfinite
    specs = {spec.name: spec for spec in signature.outputs}
    return partial(_invalid, tuple(_check(limits, specs) for limits in ranges))


def outside(array: Array, limits: OutputRange) -> NDArray[np.bool_]:
    """Which rows of an output, [rows, ...], hold an element outside of its range, [rows]."""
    low, high = _ends(limits, array.dtype)
    values = np.asarray(array, np.float64).reshape(len(array), -1)
    return np.asarray(((values < low) | (values > high)).any(axis=1))


def _check(limits: OutputRange, specs: Mapping[str, TensorSpec]) -> Check:
    spec = specs[limits.output]
    return limits.output, spec, *_ends(limits, spec.dtype)


def _ends(limits: OutputRange, dtype: np.dtype[np.generic]) -> tuple[float, float]:
    """The range with what rounding may add."""
    largest = max((abs(end) for end in (limits.low, limits.high) if math.isfinite(end)), default=0.0)
    slack = _EPSILONS.get(DATATYPES[dtype], 0.0) * _ROUNDING * largest
    return limits.low - slack, limits.high + slack


def _invalid(checks: tuple[Check, ...], outputs: Tensors) -> bool:
    if nonfinite(outputs):
        return True
    for name, spec, low, high in checks:
        array: Any = outputs.get(name)  # the caller may have asked for others only
        if array is None:
            continue
        if not spec.admits(array.shape):
            return True
        if array.size <= _SMALL:  # a list is compared in a tenth of the time
            values = array.ravel().tolist()
            if values and not (low <= min(values) and max(values) <= high):
                return True
        elif not (low <= array.min() and array.max() <= high):
            return True
    return False
