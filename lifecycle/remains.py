"""What is left of a node that ends: the processes of its session, whoever started them.

Must never end a process outside of it.
"""

import os
import time
from pathlib import Path
from typing import Any

import psutil

STOP_S = 60.0
PARTING_S = 1.0
"""How long what a node leaves behind may take. Ray's processes whose cluster has gone would wait for it."""
KILLED_S = 5.0
RAY_LOGS = Path("logs", "ray")
"""Where in the home the logs of Ray's last run are kept."""


def stop(pid: int) -> None:
    """SIGTERM, and wait for the drain. What does not end in time is left to `sweep`."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return
    _quietly(process.terminate)
    for stubborn in _outlasting([process], STOP_S):
        _quietly(stubborn.kill)
        _outlasting([stubborn], STOP_S)


def sweep(session: int) -> int:
    """End every other process of a node's session; returns how many there were.

    The session is what tells them apart: Ray's processes overwrite their title and environment, but never
    leave the session of the process that started them.
    """
    if not session:
        return 0
    left = [process for process in psutil.process_iter() if _belongs(process, session) and lives(process.pid)]
    for process in left:
        _quietly(process.terminate)
    stubborn = _outlasting(left, PARTING_S)
    for process in stubborn:
        _quietly(process.kill)
    _outlasting(stubborn, KILLED_S)
    return len(left)


def _outlasting(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after so long."""
    ends = time.monotonic() + seconds
    while processes and time.monotonic() < ends:
        _, waiting = psutil.wait_procs(processes, timeout=0.05)
        processes = [process for process in waiting if lives(process.pid)]
    return processes


def _quietly(end: Any) -> None:
    try:
        end()
    except psutil.Error:
        return


def lives(pid: int) -> bool:
    """Whether it runs: one that has ended, and whose parent takes no notice, does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _belongs(process: psutil.Process, session: int) -> bool:
    try:
        return process.pid != os.getpid() and os.getsid(process.pid) == session and lives(process.pid)
    except OSError:
        return False
