"""Runs over the runtime's own values, for models with BF16: it turns no such tensor into an array or back."""

import ctypes
from collections.abc import Mapping, Sequence

import numpy as np
from onnx import TensorProto
from onnxruntime import InferenceSession, OrtValue, RunOptions

from gateway.core.types import NUMPY_DTYPES, Array

_BF16 = NUMPY_DTYPES["BF16"]
_BF16_VALUE = "tensor(bfloat16)"


class ValueRun:
    """Called like `InferenceSession.run`, with BF16 among its inputs and outputs. Takes no text."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def __call__(
        self, names: Sequence[str], inputs: Mapping[str, Array], options: RunOptions | None
    ) -> list[Array]:
        # A value of numbers is a view: `inputs` keeps its memory until the run is over.
        given = {name: _value(array) for name, array in inputs.items()}
        return [_array(value) for value in self._session.run_with_ort_values(names, given, options)]


def _value(array: Array) -> OrtValue:
    if array.dtype != _BF16:
        return OrtValue.ortvalue_from_numpy(np.asarray(array, order="C"))
    bits = np.asarray(array, order="C").view(np.uint16)
    return OrtValue.ortvalue_from_numpy_with_onnx_type(bits, TensorProto.BFLOAT16)


def _array(value: OrtValue) -> Array:
    if value.data_type() != _BF16_VALUE:
        return value.numpy()
    raw = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
    return np.frombuffer(raw, _BF16).reshape(value.shape())
