"""The part of onnxruntime that is used here."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__version__: str

class NodeArg:
    name: str
    type: str
    shape: list[int | str | None]

class RunOptions:
    terminate: bool
    log_severity_level: int

class SessionOptions:
    enable_cpu_mem_arena: bool
    intra_op_num_threads: int
    inter_op_num_threads: int
    log_severity_level: int

class OrtValue:
    @staticmethod
    def ortvalue_from_numpy(numpy_obj: NDArray[np.generic], device_type: str = "cpu") -> OrtValue: ...
    @staticmethod
    def ortvalue_from_numpy_with_onnx_type(data: NDArray[np.generic], onnx_element_type: int) -> OrtValue: ...
    def data_ptr(self) -> int: ...
    def data_type(self) -> str: ...
    def numpy(self) -> NDArray[np.generic]: ...
    def shape(self) -> list[int]: ...
    def tensor_size_in_bytes(self) -> int: ...
    def update_inplace(self, np_arr: NDArray[np.generic]) -> None: ...

class IOBinding:
    _iobinding: IOBinding  # the C++ one under it
    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None: ...
    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None: ...

class InferenceSession:
    def __init__(
        self,
        path_or_bytes: str | bytes,
        sess_options: SessionOptions | None = None,
        providers: Sequence[str | tuple[str, dict[str, str]]] | None = None,
    ) -> None: ...
    def get_providers(self) -> Sequence[str]: ...
    _sess: InferenceSession  # the C++ session under it, with the same `run`
    def run(
        self,
        output_names: Sequence[str],
        input_feed: Mapping[str, NDArray[np.generic]],
        run_options: RunOptions | None = None,
    ) -> list[NDArray[np.generic]]: ...
    def run_with_ort_values(
        self,
        output_names: Sequence[str],
        input_dict_ort_values: Mapping[str, OrtValue],
        run_options: RunOptions | None = None,
    ) -> list[OrtValue]: ...
    def io_binding(self) -> IOBinding: ...
    def run_with_iobinding(self, iobinding: IOBinding, run_options: RunOptions | None = None) -> None: ...
    def get_inputs(self) -> list[NodeArg]: ...
    def get_outputs(self) -> list[NodeArg]: ...

def get_available_providers() -> list[str]: ...
def preload_dlls() -> None: ...
