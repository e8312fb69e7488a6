"""What is looked at in an artifact, gate by gate. Runs in the inspector's confined process only."""

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np

from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.errors import GatewayError
from gateway.runtime.session import Session
from gateway.runtime.signature import signature_of
from lifecycle.adapters.reference import Rows, read_reference
from lifecycle.adapters.sandbox import frames
from lifecycle.adapters.sandbox.graph import UnfitError, read_model
from lifecycle.adapters.sandbox.probing import Row, blank, latencies, memory_mb, probe, together, wake_runtime
from lifecycle.core.inspection import GOLDEN, REFERENCE, Limits, Probe
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.errors import LifecycleError

CHUNK_ROWS = 256

RUNTIME_NOISE = re.compile(
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : |/\S+\.(cc|h):\d+ .*?\)(::<lambda\(\)>)? (?=\S)"
)
"""Error class, and file, line and C++ signature of where it was raised."""


def inspect(
    artifact: BinaryIO, limits: Limits, rows: Mapping[str, int], beside: int | None, out: BinaryIO
) -> None:
    """Write a frame as each gate begins, what was seen, and the first gate that fails.

    Args:
        rows: open descriptors of Parquet files by row set.
        beside: an open descriptor of the champion's artifact.
    """
    _Inspection(limits, out).run(artifact, rows, beside)


class _Inspection:
    def __init__(self, limits: Limits, out: BinaryIO) -> None:
        self._limits = limits
        self._out = out
        self._gate = ""

    def run(self, artifact: BinaryIO, rows: Mapping[str, int], beside: int | None) -> None:
        try:
            session, signature, taken_mb = self._load(artifact)
            sets = {name: self._read(name, descriptor, signature) for name, descriptor in rows.items()}
            for name, found in sets.items():
                self._begin("golden" if name == GOLDEN else "finite_outputs")
                self._answer("outputs", name, found, session, signature)
                self._tell(name, found)
            plain, reference = self._plain(signature, sets)
            self._begin("robustness")
            self._probe("own", probe(session, signature, plain))
            self._begin("batching")
            if (answers := together(session, signature, reference)) is not None:
                for side, arrays in zip(("single", "together"), answers, strict=True):
                    self._tensors(f"batching/{side}", arrays)
            self._write_cost("own", latencies([(session, plain)])[0], taken_mb)
        except (UnfitError, ValueError, LifecycleError) as error:
            self._fail(str(error))
        except GatewayError as error:
            self._fail(_with_reason(error))
        except MemoryError:
            self._fail(f"it needs more than {self._limits.memory_mb} MB of memory")
        else:
            frames.write(self._out, "alone", {})
            if beside is not None:
                self._compare(beside, sets, (session, plain), taken_mb)

    def _load(self, file: BinaryIO) -> tuple[Session, Signature, float]:
        limits = self._limits
        self._begin("structure")
        artifact = file.read(limits.max_bytes + 1)
        if len(artifact) > limits.max_bytes:
            raise UnfitError(f"the file has more than {limits.max_bytes} bytes")
        nodes = read_model(artifact, limits)
        self._pass("the graph keeps the rules", nodes=nodes, bytes=len(artifact))
        self._begin("load")
        wake_runtime()
        before = memory_mb()
        signature = signature_of(artifact)
        session = Session(artifact, signature)
        frames.write(self._out, "signature", {"signature": signature.as_json()})
        self._pass("the runtime loads it")
        self._begin("warm_up")
        _check(session.run(blank(signature), ()), signature)
        taken = max(memory_mb() - before, 0.0)
        self._pass("it answers a row")
        return session, signature, taken

    def _read(self, name: str, descriptor: int, signature: Signature) -> Rows:
        self._begin("golden" if name == GOLDEN else "finite_outputs")
        # Inputs may go back with the outputs; an eighth of the room leaves some for all sets of rows.
        row_bytes = sum(
            spec.dtype.itemsize * int(np.prod(np.maximum(spec.shape[1:], 1))) for spec in signature.inputs
        )
        most = max(1, min(self._limits.max_rows, self._limits.max_result_bytes // 8 // row_bytes))
        # By its descriptor: no path leads to it from in here.
        with os.fdopen(descriptor, "rb") as file:
            rows = read_reference(file, signature, most, unseen=True)
        if name == GOLDEN and not rows.expected:
            wanted = f"outputs.{signature.outputs[0].name}"
            raise UnfitError(f"golden rows need the answers they must get, in a column such as `{wanted}`")
        return rows

    def _answer(self, side: str, name: str, rows: Rows, session: Session, signature: Signature) -> None:
        step = _step(signature)
        count = len(next(iter(rows.inputs.values())))
        parts: dict[str, list[Array]] = {spec.name: [] for spec in signature.outputs}
        for start in range(0, count, step):
            chunk = {key: array[start : start + step] for key, array in rows.inputs.items()}
            answer = session.run(chunk, ())
            _check(answer, signature)
            for key, array in answer.items():
                if array.shape[:1] != (min(step, count - start),):
                    raise UnfitError(f"output {key!r} has {array.shape[:1]} rows, not one per input row")
                parts[key].append(array)
        self._tensors(f"{name}/{side}", {key: np.concatenate(arrays) for key, arrays in parts.items()})

    def _tell(self, name: str, rows: Rows) -> None:
        if name == REFERENCE:
            self._tensors(f"{name}/inputs", rows.inputs)
        if rows.labels is not None:
            self._tensors(f"{name}/labels", {"label": rows.labels})
        self._tensors(f"{name}/slices", rows.slices)
        if name == GOLDEN:
            self._tensors(f"{name}/expected", rows.expected)

    def _plain(self, signature: Signature, sets: Mapping[str, Rows]) -> tuple[Row, Row]:
        """A row to start from, and the rows it is one of; made up where there are none."""
        for rows in sets.values():
            return {key: array[:1] for key, array in rows.inputs.items()}, dict(rows.inputs)
        return blank(signature), {}

    def _probe(self, who: str, probes: Iterator[Probe]) -> None:
        for found in probes:
            frames.write(self._out, "probe", {"who": who, **dataclasses.asdict(found)})

    def _compare(
        self, descriptor: int, sets: Mapping[str, Rows], own: tuple[Session, Row], taken_mb: float
    ) -> None:
        """The champion on the same rows. It was inspected when its turn was, so here it is trusted."""
        with os.fdopen(descriptor, "rb") as file:
            artifact = file.read()
        before = memory_mb()
        signature = signature_of(artifact)
        session, plain = Session(artifact, signature), own[1]
        session.run(plain, ())
        champion_mb = max(memory_mb() - before, 0.0)
        for name, rows in sets.items():
            if rows.labels is not None:
                self._answer("beside", name, rows, session, signature)
        # One from before these rows were asked for may end here, which is no fault of its successor.
        self._probe("beside", probe(session, signature, plain, integers=False))
        mine, theirs = latencies([own, (session, plain)])
        self._write_cost("own", mine, taken_mb)
        self._write_cost("beside", theirs, champion_mb)

    def _begin(self, gate: str) -> None:
        self._gate = gate
        frames.write(self._out, "begin", {"gate": gate})

    def _pass(self, reason: str, **numbers: float) -> None:
        frames.write(self._out, "finding", Finding(self._gate, Verdict.PASS, reason, numbers).as_json())

    def _fail(self, reason: str) -> None:
        frames.write(self._out, "finding", Finding(self._gate, Verdict.FAIL, reason).as_json())

    def _tensors(self, side: str, tensors: Mapping[str, Array]) -> None:
        for name, array in tensors.items():
            frames.write_tensor(self._out, side, name, array)

    def _write_cost(self, who: str, latency_ms: float, memory: float) -> None:
        frames.write(self._out, "cost", {"who": who, "latency_ms": latency_ms, "memory_mb": memory})


def _check(outputs: dict[str, Array], signature: Signature) -> None:
    for spec in signature.outputs:
        array = outputs[spec.name]
        if array.dtype != spec.dtype or not spec.admits(array.shape):
            raise UnfitError(
                f"output {spec.name!r} is {array.dtype} {list(array.shape)}; the model declares "
                f"{spec.datatype} {list(spec.shape)}"
            )


def _step(signature: Signature) -> int:
    if signature.batched:
        return CHUNK_ROWS
    if all(spec.shape[:1] in ((1,), (-1,)) for spec in signature.inputs + signature.outputs):
        return 1
    raise UnfitError("reference rows need a model whose first dimension is free or 1")


def _with_reason(error: GatewayError) -> str:
    """The runtime's own first line, which callers never see but the model's author needs."""
    cause = error.__cause__ or error.__context__
    lines = RUNTIME_NOISE.sub("", str(cause or "").strip()).splitlines()
    return f"{error}: {lines[0][:300]}" if lines else str(error)
