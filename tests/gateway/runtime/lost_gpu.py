"""A process that loses its GPU, and what its runs are answered then."""

import ctypes
from concurrent.futures import ThreadPoolExecutor

from gateway.core.types import Array
from gateway.errors import GatewayError
from gateway.runtime.session import Session, cuda_starts
from gateway.runtime.signature import signature_of

_WRITES_TO_0 = b"""
.version 7.8
.target sm_75
.address_size 64
.visible .entry write()
{
    .reg .b32 value;
    .reg .b64 address;
    mov.u32 value, 1;
    mov.u64 address, 0;
    st.volatile.global.u32 [address], value;
    ret;
}
\0"""
_ILLEGAL_ADDRESS = 700


def runs_of_a_process_whose_gpu_is_lost(model: bytes, inputs: dict[str, Array]) -> list[str]:
    """The kinds of errors. For a process of its own, since nothing gives it the GPU back."""
    cuda_starts()
    session = Session(model, signature_of(model), gpu=True)
    session.run(inputs, ())
    _lose()

    def run(_: int) -> str:
        try:
            session.run(inputs, ())
        except GatewayError as error:
            return type(error).__name__
        return "answered"

    with ThreadPoolExecutor(4) as threads:  # threads that have run nothing hear other words
        return [run(0), *threads.map(run, range(8))]


def _lose() -> None:
    driver = ctypes.CDLL("libcuda.so.1")
    module, kernel = ctypes.c_void_p(), ctypes.c_void_p()
    assert driver.cuModuleLoadData(ctypes.byref(module), _WRITES_TO_0) == 0
    assert driver.cuModuleGetFunction(ctypes.byref(kernel), module, b"write") == 0
    assert driver.cuLaunchKernel(kernel, 1, 1, 1, 1, 1, 1, 0, None, None, None) == 0
    assert driver.cuCtxSynchronize() == _ILLEGAL_ADDRESS
