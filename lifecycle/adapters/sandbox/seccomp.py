"""Which system calls the calling process may make, kept by the Linux kernel. For disposable processes only.

Forbidden are those that reach out of a process: sockets, other programs, other processes. Threads are fine.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterator

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER_MODE = 38, 22, 2
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
NR_AT, ARCH_AT, FIRST_ARGUMENT_AT = 0, 4, 16
LOAD, EQUAL, ANY_BIT, ANSWER = 0x20, 0x15, 0x45, 0x06
CLONE_THREAD = 0x10000
CLONE3 = 435

FORBIDDEN = {
    # socket, socketpair, execve, execveat, ptrace, fork, vfork, bpf, process_vm_readv, process_vm_writev
    "x86_64": (0xC000003E, 56, (41, 53, 59, 322, 101, 57, 58, 321, 310, 311)),
    "aarch64": (0xC00000B7, 220, (198, 199, 221, 281, 117, 280, 270, 271)),
}
"""By machine: its name in the kernel, the number of `clone`, and the numbers of what is never allowed."""
IO_URING = (425, 426, 427)
"""Does other calls' work unseen; the same numbers everywhere."""


def alone() -> bool:
    """Take sockets, programs and processes from this process and what it starts. Irrevocable.

    False where the machine is not known here or the kernel has no filters: nothing is restricted then.
    """
    if platform.machine() not in FORBIDDEN:
        return False
    program = b"".join(_program(*FORBIDDEN[platform.machine()]))
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    filters = Program(len(program) // 8, ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(SET_SECCOMP, FILTER_MODE, ctypes.byref(filters), 0, 0) == 0)


def _program(machine: int, clone: int, forbidden: tuple[int, ...]) -> Iterator[bytes]:
    """A classic BPF program over `struct seccomp_data`; jumps count the instructions that they skip."""
    yield _step(LOAD, ARCH_AT)
    yield _step(EQUAL, machine, 1, 0)
    yield _step(ANSWER, KILL)  # calls of another machine's kind have other numbers
    yield _step(LOAD, NR_AT)
    for number in (*forbidden, *IO_URING):
        yield _step(EQUAL, number, 0, 1)
        yield _step(ANSWER, FAIL | errno.EPERM)
    # Its flags lie in memory, out of a filter's sight; without it the C library calls `clone`.
    yield _step(EQUAL, CLONE3, 0, 1)
    yield _step(ANSWER, FAIL | errno.ENOSYS)
    yield _step(EQUAL, clone, 0, 3)
    yield _step(LOAD, FIRST_ARGUMENT_AT)
    yield _step(ANY_BIT, CLONE_THREAD, 1, 0)
    yield _step(ANSWER, FAIL | errno.EPERM)
    yield _step(ANSWER, ALLOW)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
