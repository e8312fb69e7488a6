"""Starts the systems that are measured and ends all that they started, each by its id and nothing else."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil

MARK = "HEADRACE_BENCH_MARK"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The process of `command`, its output in `log`; asked to stop at the end. Failures quote the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output)
    try:
        yield process
    except RuntimeError as failure:
        raise RuntimeError(f"{failure}\n{log.read_text(errors='replace')[-3000:]}") from failure
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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


def wait_for_answer(url: str, body: bytes, headers: Mapping[str, str], alive: Callable[[], bool]) -> bytes:
    """The first answer with status 200. Raises RuntimeError if the system died or START_TIMEOUT_S passed."""
    ends = time.monotonic() + START_TIMEOUT_S
    while alive() and time.monotonic() < ends:
        try:
            request = urllib.request.Request(url, body, dict(headers))
            with urllib.request.urlopen(request, timeout=5) as response:
                answer: bytes = response.read()
                return answer
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.25)
    raise RuntimeError(f"no answer from {url}")


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
