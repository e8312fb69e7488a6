"""Inspects artifacts in disposable processes. This process never parses what they hold.

Whatever an artifact does to its process (crash, hang, exhaust memory) comes back as a finding in words.
"""

import asyncio
import contextlib
import dataclasses
import functools
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gateway.core.signature import Signature
from gateway.core.types import Array
from lifecycle.adapters import frames
from lifecycle.core.validation import GATES, Inspection, Limits
from lifecycle.core.verdict import Finding, Verdict

ROOT = Path(__file__).resolve().parents[2]
INSIDE = GATES[:4]
"""Gates that can fail inside the process, in order; the last while reference rows run."""

log = logging.getLogger(__name__)


class ProcessSandbox:
    """Implements `ports.Sandbox`: one process per inspection, with no environment of ours.

    Args:
        at_once: inspections that may run together; others wait their turn.
    """

    def __init__(self, at_once: int = 2) -> None:
        self._turn = asyncio.Semaphore(at_once)

    async def inspect(self, artifact: Path, limits: Limits, reference: Path | None = None) -> Inspection:
        async with self._turn:
            return await self._inspect(artifact, limits, reference)

    async def _inspect(self, artifact: Path, limits: Limits, reference: Path | None) -> Inspection:
        try:
            process = _start(artifact, limits, reference)
        except OSError as error:
            reason = f"the inspection could not start: {error.strerror or 'unknown reason'}"
            return _broken("structure", Verdict.ERROR, reason)
        try:
            said, why = await asyncio.to_thread(_listen, process, limits)
        finally:
            # Also when the caller gives up: closing the pipe's other end lets the thread return.
            _kill(process)
        return _tell(said, why)


def _start(artifact: Path, limits: Limits, reference: Path | None) -> "subprocess.Popen[bytes]":
    with contextlib.ExitStack() as stack:
        model = stack.enter_context(artifact.open("rb"))
        rows = stack.enter_context(reference.open("rb")).fileno() if reference is not None else None
        arguments = {"limits": dataclasses.asdict(limits), "reference": rows}
        return subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", "-m", "lifecycle.adapters.inspector", json.dumps(arguments)],
            stdin=model,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=() if rows is None else (rows,),
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )


def _environment() -> dict[str, str]:
    # One thread per library, and Arrow on the system's allocator: both reserve address space otherwise.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"PYTHONPATH": str(ROOT), "ARROW_DEFAULT_MEMORY_POOL": "system", "PATH": os.defpath, **threads}


def _listen(process: "subprocess.Popen[bytes]", limits: Limits) -> tuple[bytes, str]:
    """What the process said, and in words why it ended early; it is gone on return."""
    pipe = process.stdout
    assert pipe is not None
    said = bytearray()
    until = time.monotonic() + limits.wall_seconds
    with pipe, selectors.DefaultSelector() as waiting:
        waiting.register(pipe, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0 or not waiting.select(left):
                _kill(process)
                return bytes(said), f"it took longer than {limits.wall_seconds:g} s"
            chunk = os.read(pipe.fileno(), 1 << 20)
            if not chunk:
                break
            said += chunk
            if len(said) > limits.max_result_bytes:
                _kill(process)
                return bytes(said), f"its answers are over {limits.max_result_bytes} bytes"
    return bytes(said), _why(process.wait(), limits)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        # It leads its own session, so this reaches whatever it may have started.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _why(code: int, limits: Limits) -> str:
    if code == 0:
        return ""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"it used more than {limits.cpu_seconds} s of processor time, or was ended by the system"
    if code == -signal.SIGALRM:
        return f"it took longer than {limits.wall_seconds:g} s"
    if code < 0:
        return f"the process crashed ({signal.Signals(-code).name}), at a limit of {limits.memory_mb} MB"
    return "the process failed"


def _tell(said: bytes, why: str) -> Inspection:
    """What the frames add up to. The gate under way when they stop is the one that failed."""
    findings: list[Finding] = []
    tensors: dict[str, dict[str, Array]] = {"inputs": {}, "outputs": {}, "labels": {}}
    signature, numbers = None, {"latency_ms": 0.0, "memory_mb": 0.0}
    marks: set[str] = set()
    try:
        for frame in frames.read(said):
            match frame["kind"]:
                case "finding":
                    findings.append(_finding(frame))
                case "signature":
                    signature = Signature.from_json(frame["signature"])
                case "numbers":
                    numbers = {name: float(frame[name]) for name in numbers}
                case "tensor":
                    tensors[frame["side"]][str(frame["name"])] = frame["array"]
                case "ready" if not marks:  # said before the artifact was read, so it can be believed
                    marks.add("ready")
                    for lack in frame["lacking"]:
                        _warn(lack)
                case "done":
                    marks.add("done")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _broken("structure", Verdict.FAIL, "the artifact corrupted its inspection")
    if "ready" not in marks:
        reason = f"the inspection did not come to the artifact: {why or 'the process ended early'}"
        return _broken("structure", Verdict.ERROR, reason)
    failed = any(finding.verdict is not Verdict.PASS for finding in findings)
    if not failed and "done" not in marks:
        gate = INSIDE[min(len(findings), len(INSIDE) - 1)]
        findings = [f for f in findings if f.name != gate]
        findings.append(Finding(gate, Verdict.FAIL, why or "the process ended early"))
        failed = True
    if failed:
        return Inspection(signature, tuple(findings))
    return Inspection(
        signature,
        tuple(findings),
        numbers["latency_ms"],
        numbers["memory_mb"],
        tensors["inputs"],
        tensors["outputs"],
        tensors["labels"].get("label"),
    )


@functools.cache
def _warn(lack: str) -> None:
    log.warning("artifacts are inspected in less confinement than there should be: %s", lack)


def _finding(frame: dict[str, Any]) -> Finding:
    finding = Finding.from_json(frame)
    if finding.name not in INSIDE:
        raise ValueError("an unknown gate")
    return dataclasses.replace(finding, reason=str(finding.reason)[:500])


def _broken(gate: str, verdict: Verdict, reason: str) -> Inspection:
    return Inspection(None, (Finding(gate, verdict, reason),))
