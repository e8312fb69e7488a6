"""How much memory there is for models, and how much of it this process has allocated."""

import ctypes
from pathlib import Path

import psutil

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


class _Mallinfo2(ctypes.Structure):
    """What glibc's allocator says of itself, over all threads; see mallinfo(3)."""

    _fields_ = (
        ("arena", ctypes.c_size_t),
        ("ordblks", ctypes.c_size_t),
        ("smblks", ctypes.c_size_t),
        ("hblks", ctypes.c_size_t),
        ("hblkhd", ctypes.c_size_t),
        ("usmblks", ctypes.c_size_t),
        ("fsmblks", ctypes.c_size_t),
        ("uordblks", ctypes.c_size_t),
        ("fordblks", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    )


_mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
if _mallinfo2 is not None:
    _mallinfo2.restype = _Mallinfo2


def allocated_bytes() -> int:
    """Bytes in use by this process, as its allocator counts them; resident memory where it does not count.

    Resident memory alone would say 0 for whatever fits into pages that were used before. Takes 10 µs.
    """
    if _mallinfo2 is None:
        return int(psutil.Process().memory_info().rss)
    told = _mallinfo2()
    return int(told.uordblks) + int(told.hblkhd)


def budget_bytes(budget_mb: int, workers: int) -> int:
    """What one worker may hold; 0 MB stands for half of the machine's memory, shared by its workers."""
    return budget_mb * 2**20 if budget_mb else machine_bytes() // 2 // workers


def machine_bytes() -> int:
    """The machine's memory, or the container's share of it."""
    total = int(psutil.virtual_memory().total)
    for path in _CGROUP_LIMITS:
        try:
            total = min(total, int(path.read_text()))
        except (OSError, ValueError):  # another system, or no limit
            continue
    return total
