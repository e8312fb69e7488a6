"""The folder of a node's sockets, locks and certificate: who may own it, and what the files in it are called.

It stands where all users may write, and only the user of the node may have made it.
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def make(run_dir: Path) -> None:
    """Make the folder, or take one of the same user's that is there.

    Raises RuntimeError if it is somebody else's, who could answer in a worker's place.
    """
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _ours(run_dir):
        raise RuntimeError(f"{run_dir} is somebody else's: have it removed, or set TMPDIR to another folder")
    run_dir.chmod(0o700)


@contextmanager
def kept(run_dir: Path) -> Iterator[None]:
    """Keep its files from who clears folders like /tmp of what has lain there for days.

    `systemd-tmpfiles` passes over a folder that somebody holds a lock on, and all in it. It takes no notice
    of locks on files, and without theirs two workers would claim one slot.
    """
    descriptor = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def remove(run_dir: Path, ray_logs: Path) -> bool:
    """Remove the folder of a node that has ended, but for the logs of Ray, which go to `ray_logs`.

    Returns whether there was one of our own, and is none now.
    """
    if not _ours(run_dir):
        return False
    for logs in ray_dir(run_dir).glob("session_latest/logs"):
        shutil.rmtree(ray_logs, ignore_errors=True)
        with suppress(OSError):  # the disk may be full, which is no reason to leave a private key behind
            shutil.copytree(logs, ray_logs, ignore_dangling_symlinks=True)
    shutil.rmtree(run_dir, ignore_errors=True)
    return not run_dir.exists()


def _ours(run_dir: Path) -> bool:
    try:
        found = run_dir.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def ray_dir(run_dir: Path) -> Path:
    """Where Ray keeps its sockets and, while it runs, its logs. Ray lets every user write there."""
    return run_dir / "ray"


def http_socket(run_dir: Path, slot: int) -> Path:
    """Where the worker of a slot takes HTTP, and unary gRPC as the edge forwards it."""
    return run_dir / f"worker-{slot}.sock"


def grpc_socket(run_dir: Path, slot: int) -> Path:
    """Where the worker of a slot takes all other gRPC."""
    return run_dir / f"worker-{slot}.grpc.sock"


def admin_socket(run_dir: Path) -> Path:
    """Where the controller takes requests to the admin API."""
    return run_dir / "admin.sock"


def admin_grpc_socket(run_dir: Path) -> Path:
    """Where the controller takes the admin service over gRPC."""
    return run_dir / "admin.grpc.sock"


def edge_socket(run_dir: Path) -> Path:
    """The admin port once more, in clear, for the owner of the home only."""
    return run_dir / "edge.sock"


def stats_socket(run_dir: Path) -> Path:
    """Where HAProxy tells what it counts."""
    return run_dir / "haproxy.sock"


def certificate_file(run_dir: Path) -> Path:
    """Certificate and key in one file, as HAProxy reads them."""
    return run_dir / "edge.pem"
