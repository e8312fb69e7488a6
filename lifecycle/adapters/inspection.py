"""What is looked at in an artifact, gate by gate. Runs in the inspector's confined process only."""

import os
import re
import resource
import time
from typing import BinaryIO

import numpy as np

from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.errors import GatewayError
from gateway.runtime.session import Session
from gateway.runtime.signature import signature_of
from lifecycle.adapters import frames
from lifecycle.adapters.graph import UnfitError, read_model
from lifecycle.adapters.reference import read_reference
from lifecycle.core.validation import Limits
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.errors import LifecycleError

CHUNK_ROWS = 256
MOST_RUNS = 50
MEASURE_S = 0.5

# Error class, and file, line and C++ signature of where it was raised.
RUNTIME_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (/\S+:\d+ .*?\) )?")


def inspect(file: BinaryIO, limits: Limits, reference: int | None, out: BinaryIO) -> None:
    """Write a frame per gate passed, up to the first that fails, and the reference rows' tensors.

    Args:
        reference: an open descriptor of a Parquet file.
    """
    gate = "structure"
    try:
        artifact = file.read(limits.max_bytes + 1)
        if len(artifact) > limits.max_bytes:
            raise UnfitError(f"the file has more than {limits.max_bytes} bytes")
        nodes = read_model(artifact, limits)
        _passed(out, gate, "the graph keeps the rules", nodes=nodes, bytes=len(artifact))
        gate = "load"
        signature = signature_of(artifact)
        session = Session(artifact, signature)
        frames.write(out, "signature", {"signature": signature.as_json()})
        _passed(out, gate, "the runtime loads it")
        gate = "warm_up"
        latency_ms = _warm_up(session, signature)
        _passed(out, gate, "it answers a row")
        gate = "finite_outputs"
        if reference is not None:
            _run_reference(session, signature, limits, reference, out)
    except (UnfitError, ValueError, LifecycleError) as error:
        _failed(out, gate, str(error))
    except GatewayError as error:
        _failed(out, gate, _with_reason(error))
    except MemoryError:
        _failed(out, gate, f"it needs more than {limits.memory_mb} MB of memory")
    else:
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        frames.write(out, "numbers", {"latency_ms": latency_ms, "memory_mb": memory_mb})


def _warm_up(session: Session, signature: Signature) -> float:
    """Median milliseconds of a warm call on one row of zeros (free dimensions are 1)."""
    row = {spec.name: _blank(spec.shape, spec.dtype) for spec in signature.inputs}
    _check(session.run(row, ()), signature)
    took: list[int] = []
    began = time.perf_counter()
    while not took or (len(took) < MOST_RUNS and time.perf_counter() - began < MEASURE_S):
        start = time.perf_counter_ns()
        session.run(row, ())
        took.append(time.perf_counter_ns() - start)
    return float(np.median(took)) / 1e6


def _blank(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    sizes = [1 if size == -1 else size for size in shape]
    return np.full(sizes, b"", np.object_) if dtype == np.object_ else np.zeros(sizes, dtype)


def _check(outputs: dict[str, Array], signature: Signature) -> None:
    for spec in signature.outputs:
        array = outputs[spec.name]
        if array.dtype != spec.dtype or not spec.admits(array.shape):
            raise UnfitError(
                f"output {spec.name!r} is {array.dtype} {list(array.shape)}; the model declares "
                f"{spec.datatype} {list(spec.shape)}"
            )


def _run_reference(
    session: Session, signature: Signature, limits: Limits, reference: int, out: BinaryIO
) -> None:
    # Inputs go back with the outputs; a quarter of the room leaves some for both and for labels.
    row_bytes = sum(
        spec.dtype.itemsize * int(np.prod(np.maximum(spec.shape[1:], 1))) for spec in signature.inputs
    )
    rows = max(1, min(limits.max_rows, limits.max_result_bytes // 4 // row_bytes))
    # By its descriptor: no path leads to it from in here.
    with os.fdopen(reference, "rb") as file:
        inputs, labels = read_reference(file, signature, rows, unseen=True)
    step = _step(signature)
    count = len(next(iter(inputs.values())))
    parts: dict[str, list[Array]] = {spec.name: [] for spec in signature.outputs}
    for start in range(0, count, step):
        chunk = {name: array[start : start + step] for name, array in inputs.items()}
        answer = session.run(chunk, ())
        _check(answer, signature)
        for name, array in answer.items():
            if array.shape[:1] != (min(step, count - start),):
                raise UnfitError(f"output {name!r} has {array.shape[:1]} rows, not one per input row")
            parts[name].append(array)
    for name, array in inputs.items():
        frames.write_tensor(out, "inputs", name, array)
    for name, arrays in parts.items():
        frames.write_tensor(out, "outputs", name, np.concatenate(arrays))
    if labels is not None:
        frames.write_tensor(out, "labels", "label", labels)


def _step(signature: Signature) -> int:
    if signature.batched:
        return CHUNK_ROWS
    if all(spec.shape[:1] in ((1,), (-1,)) for spec in signature.inputs + signature.outputs):
        return 1
    raise UnfitError("reference rows need a model whose first dimension is free or 1")


def _with_reason(error: GatewayError) -> str:
    """The runtime's own first line, which callers never see but the model's author needs."""
    cause = error.__cause__ or error.__context__
    lines = RUNTIME_PREFIX.sub("", str(cause or "").strip()).splitlines()
    return f"{error}: {lines[0][:300]}" if lines else str(error)


def _passed(out: BinaryIO, gate: str, reason: str, **numbers: float) -> None:
    frames.write(out, "finding", Finding(gate, Verdict.PASS, reason, numbers).as_json())


def _failed(out: BinaryIO, gate: str, reason: str) -> None:
    frames.write(out, "finding", Finding(gate, Verdict.FAIL, reason).as_json())
