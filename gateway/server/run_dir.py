"""The folder of a node's sockets, locks and certificate: its user's alone, where all may write."""

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
