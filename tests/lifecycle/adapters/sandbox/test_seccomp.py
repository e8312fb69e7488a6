"""What a restricted process can still do; each test restricts a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
PREPARE = """
import os, socket, subprocess, threading
from lifecycle.adapters.sandbox.seccomp import alone
assert alone()
"""


def restricted(then: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", PREPARE + then]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize(
    "reach",
    [
        "socket.socket()",
        "socket.socketpair()",
        "socket.socket(socket.AF_UNIX)",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "subprocess.run(['true'])",
    ],
)
def test_no_socket_program_or_process_can_be_had(reach: str) -> None:
    assert "PermissionError: [Errno 1]" in restricted(reach).stderr


def test_threads_are_fine() -> None:
    done = restricted("t = threading.Thread(target=print, args=('here',)); t.start(); t.join()")
    assert (done.stdout, done.stderr) == ("here\n", "")
