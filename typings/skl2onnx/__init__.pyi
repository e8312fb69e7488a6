"""The part of skl2onnx that is used here."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

def to_onnx(
    model: object,
    X: NDArray[np.generic] | None = None,
    *,
    initial_types: list[tuple[str, object]] | None = None,
    options: Mapping[str, Any] | None = None,
    target_opset: int | None = None,
) -> ModelProto: ...
