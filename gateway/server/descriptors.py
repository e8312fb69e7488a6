"""File descriptors: as many as the system gives, and never more connections than they suffice for."""

import resource

_OWN_FILES = 200
"""Kept for models, sockets, logs and what Ray opens."""


def raise_soft_limit() -> None:
    """Let this process and its children open all that the hard limit allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def affordable(connections: int, files_each: float = 1.0) -> int:
    """`connections`, or fewer where the soft limit does not suffice for them; at least one."""
    present, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if present == resource.RLIM_INFINITY:
        return connections
    return max(min(connections, int((present - _OWN_FILES) / files_each)), 1)
