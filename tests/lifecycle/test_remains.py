"""A session is ended whole, and nobody outside of it."""

import os
import subprocess
import sys

from lifecycle.remains import lives, stop, sweep

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
)
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
input()
"""


def test_what_its_parent_left_in_the_session_is_ended_even_if_it_will_not() -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        stop(parent.pid)
    assert lives(child)
    assert sweep(parent.pid) == 1
    assert not lives(child)
    assert sweep(parent.pid) == 0


def test_no_session_is_nobodys() -> None:
    assert sweep(0) == 0
    assert lives(os.getpid())
    stop(2**22 + 1)
