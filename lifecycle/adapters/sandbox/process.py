"""Inspects artifacts in disposable processes. This process never parses what they hold.

Whatever an artifact does to its process (crash, hang, exhaust memory) comes back as a finding in words.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from lifecycle.adapters.sandbox.testimony import broken, told
from lifecycle.core.inspection import Inspection, Limits

ROOT = Path(__file__).resolve().parents[3]
INSPECTOR = "lifecycle.adapters.sandbox.inspector"


class ProcessSandbox:
    """Implements `ports.Sandbox`: one process per inspection, with no environment of ours.

    Args:
        at_once: inspections that may run together; others wait their turn.
    """

    def __init__(self, at_once: int = 2) -> None:
        self._turn = asyncio.Semaphore(at_once)

    async def inspect(
        self,
        artifact: Path,
        limits: Limits,
        rows: Mapping[str, Path] | None = None,
        beside: Path | None = None,
    ) -> Inspection:
        async with self._turn:
            return await self._inspect(artifact, limits, rows or {}, beside)

    async def _inspect(
        self, artifact: Path, limits: Limits, rows: Mapping[str, Path], beside: Path | None
    ) -> Inspection:
        try:
            process = _start(artifact, limits, rows, beside)
        except OSError as error:
            return broken(f"the inspection could not start: {error.strerror or 'unknown reason'}")
        try:
            said, why = await asyncio.to_thread(_listen, process, limits)
        finally:
            # Also when the caller gives up: closing the pipe's other end lets the thread return.
            _kill(process)
        return told(said, why)


def _start(
    artifact: Path, limits: Limits, rows: Mapping[str, Path], beside: Path | None
) -> "subprocess.Popen[bytes]":
    with contextlib.ExitStack() as stack:

        def opened(path: Path) -> BinaryIO:
            return stack.enter_context(path.open("rb"))

        model = opened(artifact)
        given = {name: opened(path).fileno() for name, path in rows.items()}
        champion = opened(beside).fileno() if beside is not None else None
        arguments = {"limits": dataclasses.asdict(limits), "rows": given, "beside": champion}
        return subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-s",
                "-B",
                "-m",
                INSPECTOR,
                json.dumps(arguments),
            ],
            stdin=model,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(*given.values(), *(() if champion is None else (champion,))),
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
    if code == -signal.SIGFPE:
        return (
            "the process crashed (SIGFPE): it divides the lowest integer by -1, as one request could ask; "
            "bound the divisor in the graph (`Max`, `Where`)"
        )
    if code < 0:
        return f"the process crashed ({signal.Signals(-code).name}), at a limit of {limits.memory_mb} MB"
    return "the process failed"
