"""A process that ends with the one that started it, however that one ends."""

import asyncio
import sys
from typing import IO

# Not a `preexec_fn`: forks of a process with gRPC's threads in it sometimes end before they get to the
# program.
_ENDS_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, which outlives the exec
os.execv(sys.argv[1], sys.argv[1:])
"""


async def attached(*command: str, output: IO[bytes]) -> asyncio.subprocess.Process:
    """Start it; what it writes goes to `output`. It gets SIGTERM when the calling thread ends."""
    wrapped = (sys.executable, "-I", "-S", "-c", _ENDS_WITH_PARENT, *command)
    return await asyncio.create_subprocess_exec(*wrapped, stdout=output, stderr=output)
