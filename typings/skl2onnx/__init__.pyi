"""The part of skl2onnx that is used here."""

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import ModelProto
from skl2onnx.common.data_types import TensorType

def convert_sklearn(
    model: object,
    name: str | None = None,
    initial_types: Sequence[tuple[str, TensorType]] | None = None,
    *,
    target_opset: int | Mapping[str, int] | None = None,
    options: Mapping[Any, Any] | None = None,
) -> ModelProto: ...
