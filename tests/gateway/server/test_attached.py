"""A child of a process that is killed does not outlive it."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

STARTER = """
import asyncio, sys
from gateway.server.attached import attached

async def main():
    code = "import time; print('here'); time.sleep(600)"
    with open(sys.argv[1], "wb") as output:
        child = await attached(sys.executable, "-uc", code, output=output)
    print(child.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_child_ends_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, said], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        child = psutil.Process(int(starter.stdout.readline()))
        while said.read_text() != "here\n":
            assert child.is_running()
        starter.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive
