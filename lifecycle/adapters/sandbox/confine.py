"""Locks the calling process down before it touches an artifact. For disposable processes only.

Every limit is one the process cannot raise again, or one the kernel enforces; `docs/validation.md` has them
all.
"""

import ctypes
import math
import os
import resource
import signal
import sys
from pathlib import Path

from lifecycle.adapters.sandbox.landlock import read_only
from lifecycle.adapters.sandbox.seccomp import alone

CAPABILITIES_3, MAY_READ = 0x20080522, 1 << 1
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
OPEN_FILES = 64

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (ROOT / "gateway", ROOT / "lifecycle", Path(sys.prefix), Path(sys.base_prefix))
SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/proc", "/sys", "/dev/null", "/dev/urandom")


def confine(memory_bytes: int, cpu_seconds: int, wall_seconds: float) -> tuple[str, ...]:
    """Bound memory, processor time and life; take files, network and other processes away.

    Call it before other threads start: the kernel restricts a thread and those that it starts.

    Returns:
        What this kernel does not offer, in words; empty where everything holds.
    """
    _leave_network()
    _give_up_powers()
    os.nice(15)
    lacking = []
    if not read_only((*PROGRAM, *map(Path, SYSTEM)), listed=(ROOT,)):
        lacking.append("other files can be read (no Landlock)")
    if not alone():
        lacking.append("programs can be started and sockets opened (no seccomp)")
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
    return tuple(lacking)


def _leave_network() -> None:
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is not None and unshare(CLONE_NEWNET) != 0:
        unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _give_up_powers() -> None:
    """Those of root: to see other processes' secrets, to raise limits, to change files of others.

    What stays is to read files whatever their permissions: the program may lie in somebody else's home.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "capset"):
        return
    header, held = (ctypes.c_uint32 * 2)(CAPABILITIES_3, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, held)
    libc.capset(header, (ctypes.c_uint32 * 6)(held[0] & MAY_READ, held[1] & MAY_READ))
