"""What a restricted process can still do; each test restricts a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
PREPARE = """
import ctypes, os, resource, signal, socket, subprocess, threading
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


@pytest.mark.parametrize(
    "reach",
    [
        "os.kill(os.getppid(), 0)",
        "os.kill(os.getpid(), 0)",
        "os.pidfd_open(os.getppid())",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 0)",
        "os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))",
        "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
    ],
)
def test_other_processes_are_out_of_reach(reach: str) -> None:
    assert "PermissionError: [Errno 1]" in restricted(reach).stderr


@pytest.mark.parametrize(
    "change",
    [
        "os.chmod({path!r}, 0o777)",
        "os.chmod(os.open({path!r}, os.O_RDONLY), 0o777)",
        "os.chown({path!r}, -1, -1)",
        "os.utime({path!r})",
        "os.setxattr({path!r}, 'user.a', b'')",
        "os.removexattr({path!r}, 'user.a')",
    ],
)
def test_what_a_file_is_beside_its_bytes_stays(change: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert "PermissionError: [Errno 1]" in restricted(change.format(path=str(path))).stderr


def test_a_forbidden_call_has_no_second_number() -> None:
    socket = "libc.syscall(0x40000029, 2, 1, 0), ctypes.get_errno()"
    again = f"libc = ctypes.CDLL(None, use_errno=True); print({socket})"
    assert restricted(again).stdout == "-1 1\n"


def test_limits_and_signals_of_its_own_are_fine() -> None:
    done = restricted(
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print('bound', flush=True); os.abort()"
    )
    assert (done.stdout, done.returncode) == ("bound\n", -signal.SIGABRT)


def test_threads_are_fine() -> None:
    done = restricted("t = threading.Thread(target=print, args=('here',)); t.start(); t.join()")
    assert (done.stdout, done.stderr) == ("here\n", "")
