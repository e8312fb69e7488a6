"""Starts the systems that are measured and ends all that they started, each by its id and nothing else."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from uuid import uuid4

import psutil

MARK = "HEADRACE_BENCH_MARK"
STOP_TIMEOUT_S = 10.0
LOG_BYTES = 3000


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """For SIGTERM: as a Ctrl-C, so that everything that was started is ended."""
    raise KeyboardInterrupt


@contextmanager
def marked(settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """An environment whose processes can be told from all others. Those still alive at the end are ended."""
    mark = uuid4().hex
    try:
        yield {**os.environ, **settings, MARK: mark}
    finally:
        _end(bearers(mark))


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The process of `command` in `folder`, its output in `log`; ended at the end, with all that it started.

    It leads a session of its own, so that a Ctrl-C reaches us alone. Failures quote the log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=output, stderr=output, cwd=folder, start_new_session=True
        )
    try:
        yield process
    except RuntimeError as failure:
        raise RuntimeError(f"{failure}\n{log.read_text(errors='replace')[-LOG_BYTES:]}") from failure
    finally:
        family = bearers(environment[MARK])  # some are known by their session only, while it has its leader
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _end(family)


def bearers(mark: str) -> list[psutil.Process]:
    """The processes of a marked environment, and all in sessions that these lead.

    Ray's processes overwrite their environment with their title, but never leave their session.
    """
    marked_ones, sessions = set(), {}
    for process in psutil.process_iter():
        try:
            sessions[process] = os.getsid(process.pid)
            if process.environ().get(MARK) == mark:
                marked_ones.add(process)
        except (psutil.Error, ProcessLookupError):
            continue
    led = {process.pid for process in marked_ones if sessions[process] == process.pid}
    return [process for process, leader in sessions.items() if process in marked_ones or leader in led]


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        _signal(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=5)
    for process in alive:
        _signal(process.kill)
    psutil.wait_procs(alive, timeout=5)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
