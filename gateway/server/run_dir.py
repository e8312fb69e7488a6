"""The folder of a node's sockets, locks and certificate: who may own it, and what the files in it are called.

It stands where all users may write, and only the user of the node may have made it.
"""

import os
import stat
from pathlib import Path


def make(run_dir: Path) -> None:
    """Make the folder, or take one of the same user's that is there.

    Raises RuntimeError if it is somebody else's, who could answer in a worker's place.
    """
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = run_dir.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise RuntimeError(f"{run_dir} is somebody else's: have it removed, or set TMPDIR to another folder")
    run_dir.chmod(0o700)


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
