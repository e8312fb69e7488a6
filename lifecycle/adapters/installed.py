"""Whether the installed code would start: asked of a new process before anything is replaced by it."""

import os
import subprocess
import sys

from lifecycle.errors import LifecycleCode, LifecycleError

MODULES = ("gateway.app", "lifecycle.app")
"""What workers and the controller begin with."""
TIMEOUT_S = 60.0


def check_installed(*modules: str) -> None:
    """Import the modules, by default `MODULES`, in a process of their own. Blocks.

    Raises LifecycleError INVALID, with the reason, if they cannot be imported.
    """
    command = [sys.executable, "-c", f"import {', '.join(modules or MODULES)}"]
    path = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _unfit(f"it was not imported within {TIMEOUT_S:.0f} s") from None
    if done.returncode:
        raise _unfit(done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}")


def _unfit(reason: str) -> LifecycleError:
    message = f"the installed code does not start ({reason}), so nothing was replaced; repair it and repeat"
    return LifecycleError(LifecycleCode.INVALID, message)
