"""One ONNX Runtime session: arrays in, arrays out, and its errors turned into ours."""

import logging
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper
from onnxruntime import OrtValue, RunOptions

from gateway.core.placement import Device
from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.even import even
from gateway.runtime.values import ValueRun

log = logging.getLogger(__name__)

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ON_GPU = (
    # By default cuDNN tries all its algorithms for each new size of a batch, the arena doubles, and TF32
    # keeps 10 bits: answers are then 5e-4 off those of the CPU, where versions are validated, not 1e-6.
    (
        CUDA,
        {
            "cudnn_conv_algo_search": "HEURISTIC",
            "arena_extend_strategy": "kSameAsRequested",
            "use_tf32": "0",
        },
    ),
    CPU,
)
_WORD = np.zeros(1, np.float32)
_GPU_FAILED = "the model's GPU failed; try again in a moment"
_FATAL = 4  # errors come as exceptions; the runtime need not print them too


class DeviceLost(GatewayError):
    """The GPU takes no more runs of this process; another one may have it."""


class Session:
    """A model in memory. `run` may be called from many threads at once.

    Args:
        threads: that one run may use.
        gpu: run there what it can; only where `cuda_starts`.

    Raises:
        GatewayError: INTERNAL if the runtime cannot load the model.
    """

    def __init__(self, model: bytes, signature: Signature, threads: int = 1, gpu: bool = False) -> None:
        self.running = 0
        """Runs of requests under way on other threads. Whoever starts them counts them."""
        self.rows = 0
        """Of every run, whatever is asked for; 0: as asked for. Only where rows may be joined."""
        options = ort.SessionOptions()
        # Without an arena small models run faster and a dropped session gives its memory back.
        options.enable_cpu_mem_arena = False
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        providers = _ON_GPU if gpu else (CPU,)
        try:
            self._session = ort.InferenceSession(model, options, providers=providers)
            on_gpu = CUDA in self._session.get_providers()
            self._on_gpu = OrtValue.ortvalue_from_numpy(_WORD, "cuda") if on_gpu else None
        except Exception as error:  # the runtime's errors share no base class
            log.warning("a model does not load: %s", error)
            raise GatewayError(ErrorCode.INTERNAL, "the runtime cannot load the model") from None
        self.device = Device.GPU if on_gpu else Device.CPU
        """The CPU also where the GPU takes no more, such as for want of memory."""
        specs = signature.inputs + signature.outputs
        plain = all(spec.datatype != "BF16" for spec in specs)
        # Not the session's own `run`: what that checks was checked before, and takes 1 µs.
        self._run = self._session._sess.run if plain else ValueRun(self._session)
        self._bindable = plain and self.device is Device.CPU
        self._names = [spec.name for spec in signature.outputs]
        self._text_in = [spec.name for spec in signature.inputs if spec.datatype == "BYTES"]
        self._joined = signature.batched and len(signature.inputs) > 1
        self._text_out = {spec.name for spec in signature.outputs if spec.datatype == "BYTES"}

    def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], options: RunOptions | None = None
    ) -> dict[str, Array]:
        """Outputs by name in the graph's order; `outputs` empty means all.

        Raises:
            GatewayError: INVALID for BYTES that are not UTF-8, and if the model fails on inputs of different
                numbers of rows; `DeviceLost` if every run will fail; INTERNAL if it fails otherwise.
        """
        if self.rows:
            return even(lambda part: self._once(part, outputs, options), inputs, self.rows)
        return self._once(inputs, outputs, options)

    def _once(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], options: RunOptions | None
    ) -> dict[str, Array]:
        names = [name for name in self._names if name in outputs] if outputs else self._names
        if self._text_in:
            inputs = {**inputs, **{name: _decoded(name, inputs[name]) for name in self._text_in}}
        try:
            answer = dict(zip(names, self._run(names, inputs, options), strict=True))
        except Exception as error:  # as above
            if self._on_gpu is not None and (lost := _why_lost(self._on_gpu)):
                log.error("the GPU takes no more runs of this process: %s", lost)
                raise DeviceLost(ErrorCode.NOT_READY, _GPU_FAILED) from None
            log.warning("a model fails to run: %s", type(error).__name__)  # its words may quote data
            if self._joined and len({len(array) for array in inputs.values()}) > 1:
                raise GatewayError(ErrorCode.INVALID, "the inputs have different numbers of rows") from None
            raise GatewayError(ErrorCode.INTERNAL, "the model failed on this input") from None
        if self._text_out:
            for name in self._text_out.intersection(names):
                answer[name] = _encoded(answer[name])
        return answer

    def bind(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Callable[[], None] | None:
        """A run that reads these inputs and writes these outputs, whatever is in them when it is called.

        Takes 3 µs where `run` takes 5: nothing is looked up, checked or made. None if the model has text or
        BF16, or runs on a GPU. The run raises if the model fails, or its answer has another shape.
        """
        if not self._bindable or self._text_in or self._text_out:
            return None
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(array))
        for name, array in outputs.items():
            binding.bind_ortvalue_output(name, OrtValue.ortvalue_from_numpy(array))
        return partial(self._session._sess.run_with_iobinding, binding._iobinding, None)


def offers_cuda() -> bool:
    """Whether this installation of the runtime can use a GPU, should there be one."""
    return CUDA in ort.get_available_providers()


def cuda_starts() -> bool:
    """Whether sessions of this process get a GPU. Takes a second where they do.

    Where a library or the device is missing, the runtime goes on without and tells nobody.
    """
    if not offers_cuda():
        return False
    try:
        ort.preload_dlls()  # of NVIDIA's wheels, which no linker's path leads to
        session = ort.InferenceSession(identity_model(), providers=_ON_GPU)
    except Exception as error:  # as above
        log.error("CUDA does not start, so versions run on CPUs: %s", error)
        return False
    if CUDA not in session.get_providers():
        log.error("CUDA does not start, so versions run on CPUs; the output of this process says why")
        return False
    return True


def identity_model() -> bytes:
    """The smallest model there is: it answers `x`, FP32 [1], as `y`."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", [x], [y])
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def run_options() -> RunOptions:
    """Options of one run, with the handle that ends it: set `terminate` from any thread."""
    options = RunOptions()
    options.log_severity_level = _FATAL
    return options


def _why_lost(on_gpu: OrtValue) -> str:
    """Why this process can use the GPU no more; empty if it can.

    A copy to memory that is held needs nothing else, so it fails only then. The run's error does not tell:
    cuBLAS has "not initialized", and cuDNN "internal error", for a GPU that is lost and for one that is full.
    """
    try:
        on_gpu.update_inplace(_WORD)
    except Exception as error:  # as above
        return str(error)
    return ""


# The runtime would take bytes for their repr, "b'...'", so text is decoded first.
def _decoded(name: str, array: Array) -> Array:
    try:
        texts = [value.decode() for value in array.ravel().tolist()]
    except UnicodeDecodeError:
        raise GatewayError(
            ErrorCode.INVALID, f"input {name!r} holds bytes that are not UTF-8 text, which the model takes"
        ) from None
    return np.array(texts, np.object_).reshape(array.shape)


def _encoded(array: Array) -> Array:
    encoded = np.empty(array.size, np.object_)
    encoded[:] = [value.encode() for value in array.ravel().tolist()]
    return encoded.reshape(array.shape)
