"""Locks the calling process down before it touches an artifact. For disposable processes only.

Every limit is one the process cannot raise again, or one the kernel enforces.
"""

import ctypes
import math
import os
import resource
import signal

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
OPEN_FILES = 64


def confine(memory_bytes: int, cpu_seconds: int, wall_seconds: float) -> None:
    """Bound memory, processor time and life; forbid writing files; cut the network where permitted.

    Call it before other threads start: a new user namespace needs a process with one thread. Where
    neither root nor user namespaces are at hand the network stays reachable.
    """
    _leave_network()
    os.nice(15)
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, ceiling = resource.getrlimit(limit)
        bound = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        resource.setrlimit(limit, (bound, bound))
    # Ends the process even if the one that started it is gone; the default action needs no interpreter.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(math.ceil(wall_seconds) + 1)


def _leave_network() -> None:
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is not None and unshare(CLONE_NEWNET) != 0:
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
