"""Which system calls the calling process may make, kept by the Linux kernel. For disposable processes only.

Forbidden are those that reach out of a process: sockets, other programs, other processes, and what a file is
beside its bytes. Threads are fine.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from typing import NamedTuple

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER_MODE = 38, 22, 2
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
NR_AT, ARCH_AT, FIRST_ARGUMENT_AT = 0, 4, 16
LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
CLONE_THREAD = 0x10000
CLONE3 = 435
X32 = 0x40000000
"""From here on x86-64 kernels may have every call once more, with numbers of its own."""


class Calls(NamedTuple):
    """A machine's name in the kernel, and numbers of its calls.

    `tgkill` is allowed to whom it is about itself, and `prlimit` about nobody by name, which is the same.
    """

    machine: int
    clone: int
    tgkill: int
    prlimit: int
    forbidden: tuple[int, ...]


EVERYWHERE = (424, 425, 426, 427, 434, 438, 452)
"""pidfd_send_signal, io_uring (does other calls' work unseen), pidfd_open, pidfd_getfd, fchmodat2."""
CALLS = {
    "x86_64": Calls(
        *(0xC000003E, 56, 234, 302),
        (
            # socket, socketpair, execve, execveat, ptrace, fork, vfork, bpf
            *(41, 53, 59, 322, 101, 57, 58, 321),
            # process_vm_readv, process_vm_writev
            *(310, 311),
            # kill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, unshare, setns
            *(62, 200, 129, 297, 272, 308),
            # setpriority, ioprio_set, sched_setparam, sched_setscheduler, sched_setaffinity, sched_setattr
            *(141, 251, 142, 144, 203, 314),
            # chmod, fchmod, fchmodat, chown, fchown, lchown, fchownat, utime, utimes, futimesat, utimensat
            *(90, 91, 268, 92, 93, 94, 260, 132, 235, 261, 280),
            # setxattr, lsetxattr, fsetxattr, removexattr, lremovexattr, fremovexattr
            *(188, 189, 190, 197, 198, 199),
        ),
    ),
    "aarch64": Calls(
        *(0xC00000B7, 220, 131, 261),
        (
            # the same, where there are such
            *(198, 199, 221, 281, 117, 280, 270, 271),
            *(129, 130, 138, 240, 97, 268),
            *(140, 30, 118, 119, 122, 274),
            *(52, 53, 54, 55, 88),
            *(5, 6, 7, 14, 15, 16),
        ),
    ),
}


def alone() -> bool:
    """Take sockets, programs and processes from this process and what it starts. Irrevocable.

    False where the machine is not known here or the kernel has no filters: nothing is restricted then.
    """
    if platform.machine() not in CALLS:
        return False
    program = b"".join(_program(CALLS[platform.machine()], os.getpid()))
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    filters = Program(len(program) // 8, ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(SET_SECCOMP, FILTER_MODE, ctypes.byref(filters), 0, 0) == 0)


def _program(calls: Calls, own: int) -> Iterator[bytes]:
    """A classic BPF program over `struct seccomp_data`; jumps count the instructions that they skip."""
    yield _step(LOAD, ARCH_AT)
    yield _step(EQUAL, calls.machine, 1, 0)
    yield _step(ANSWER, KILL)  # calls of another machine's kind have other numbers
    yield _step(LOAD, NR_AT)
    yield _step(AT_LEAST, X32, 0, 1)
    yield _step(ANSWER, FAIL | errno.EPERM)
    for number in (*calls.forbidden, *EVERYWHERE):
        yield _step(EQUAL, number, 0, 1)
        yield _step(ANSWER, FAIL | errno.EPERM)
    # Its flags lie in memory, out of a filter's sight; without it the C library calls `clone`.
    yield _step(EQUAL, CLONE3, 0, 1)
    yield _step(ANSWER, FAIL | errno.ENOSYS)
    for number, test, value in (
        (calls.clone, ANY_BIT, CLONE_THREAD),
        (calls.tgkill, EQUAL, own),
        (calls.prlimit, EQUAL, 0),
    ):
        yield _step(EQUAL, number, 0, 4)
        yield _step(LOAD, FIRST_ARGUMENT_AT)
        yield _step(test, value, 1, 0)
        yield _step(ANSWER, FAIL | errno.EPERM)
        yield _step(ANSWER, ALLOW)
    yield _step(ANSWER, ALLOW)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
