"""The kernel's side: a filter that reports chosen system calls, and the calls to receive and to answer them.

See seccomp(2), seccomp_unotify(2) and <linux/seccomp.h>. A report reads ``struct seccomp_notif`` (80 bytes), an answer
is ``struct seccomp_notif_resp`` (24 bytes). The receive buffer is a page shared with the front end, so that whoever
survives knows which report is still unanswered; hence ``libc.ioctl`` (``fcntl.ioctl`` copies small buffers first).
"""

from __future__ import annotations

import ctypes
import os
from struct import Struct

from provgraph.capture import syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from mmap import mmap

MACHINE = os.uname().machine
NOTIFICATION = Struct("<QIIiIQ6Q")  # id, pid, flags | number, architecture, instruction, six arguments
CALL = Struct("<8xI4xiI8x5Q")  # of these what handlers get: pid, number, architecture, five arguments
NOTIFICATION_BYTES = NOTIFICATION.size
ANSWER_AT = 128  # where in the shared page the answer is built

_RECEIVE, _SEND, _ID_VALID, _SET_FLAGS = 0xC0502100, 0xC0182101, 0x40082102, 0x40082104
_SYNC_WAKE_UP = 1
_CONTINUE = 1
_SET_MODE_FILTER, _NEW_LISTENER, _WAIT_KILLABLE = 1, 8, 32
_PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER = 38, 36
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_EINTR, _EACCES, _EINVAL = 4, 13, 22

_libc = ctypes.CDLL(None, use_errno=True)
# Without errno and without argument types: it is called twice for every report, with arguments made beforehand.
_ioctl = ctypes.CDLL(None).ioctl

# BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JSET|K, BPF_RET|K
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06


def _argument(index: int) -> int:
    """Where the low half of a call's argument lies in ``struct seccomp_data`` (both machines are little-endian)."""
    return 16 + 8 * index


def program(machine: str) -> bytes:
    """The filter for ``machine``: watched calls are reported, everything else runs.

    Opening a folder (O_DIRECTORY, O_PATH) is no content and runs unreported, as does a clone without a mount namespace
    of its own. Calls of another ABI run, but executing and opening are reported, so that the gap is known.
    """
    numbers = syscalls.watched(machine)
    other_arch, other_calls = syscalls.OTHER_ABI[machine]
    unseen = syscalls.O_DIRECTORY[machine] | syscalls.O_PATH
    conditions = {"openat": (2, unseen, False), "open": (1, unseen, False), "clone": (0, syscalls.CLONE_NEWNS, True)}
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 4 + len(other_calls), 0, syscalls.AUDIT_ARCH[machine]),
        (_EQUAL, 0, 1 + len(other_calls), other_arch),
        (_LOAD, 0, 0, 0),
    ]
    code += [(_EQUAL, len(other_calls) - i, 0, number) for i, number in enumerate(other_calls)]
    code += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _NOTIFY), (_LOAD, 0, 0, 0)]
    # The arch test above jumps to the last load: it skips the block of the other ABI.
    code[1] = (_EQUAL, len(code) - 3, 0, syscalls.AUDIT_ARCH[machine])
    for name, (index, bits, report_if_set) in conditions.items():
        if name in numbers:
            code += [
                (_EQUAL, 0, 4, numbers[name]),
                (_LOAD, 0, 0, _argument(index)),
                (_ANY_BIT, 0, 1, bits),
                (_RETURN, 0, 0, _NOTIFY if report_if_set else _ALLOW),
                (_RETURN, 0, 0, _ALLOW if report_if_set else _NOTIFY),
            ]
    plain = sorted(number for name, number in numbers.items() if name not in conditions)
    code += [(_EQUAL, len(plain) - i, 0, number) for i, number in enumerate(plain)]
    code += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _NOTIFY)]
    pack = Struct("<HBBI").pack
    return b"".join(pack(*instruction) for instruction in code)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install() -> int:
    """Put the filter on this process and what it starts; returns the listener's descriptor.

    no_new_privs is set only where the kernel insists (no CAP_SYS_ADMIN), so that root's setuid programs keep working.
    Raises:
        OSError: the kernel refuses: EBUSY where a supervisor already listens, EINVAL or ENOSYS where it cannot.
    """
    code = program(MACHINE)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_program = _Program(len(code) // 8, ctypes.addressof(buffer))
    flags = _NEW_LISTENER | _WAIT_KILLABLE
    call = ctypes.c_long(syscalls.number_of("seccomp", MACHINE))
    for _ in range(3):
        fd = int(
            _libc.syscall(call, ctypes.c_long(_SET_MODE_FILTER), ctypes.c_long(flags), ctypes.byref(filter_program))
        )
        if fd >= 0:
            return fd
        error = ctypes.get_errno()
        if error == _EACCES and not no_new_privileges():
            _libc.prctl(
                _PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)
            )
        elif error == _EINVAL and flags & _WAIT_KILLABLE:  # before Linux 5.19
            flags = _NEW_LISTENER
        else:
            break
    raise OSError(error, os.strerror(error))


def no_new_privileges() -> bool:
    """Whether this process has no_new_privs."""
    return int(_libc.prctl(39, ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))) == 1


def become_subreaper() -> None:
    """Orphans below this process become its children, not init's."""
    zero = ctypes.c_ulong(0)
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), zero, zero, zero)


class Listener:
    """One listener with the shared page it receives into.

    Parameters:
        fd: the listener.
        page: an anonymous shared mapping of at least one page.
    """

    def __init__(self, fd: int, page: mmap) -> None:
        self.fd = fd
        self.page = page
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        self._receive = (ctypes.c_int(fd), ctypes.c_ulong(_RECEIVE), ctypes.c_void_p(address))
        self._send = (ctypes.c_int(fd), ctypes.c_ulong(_SEND), ctypes.c_void_p(address + ANSWER_AT))
        self._check = (ctypes.c_int(fd), ctypes.c_ulong(_ID_VALID), ctypes.c_void_p(address))
        self._zeros = bytes(NOTIFICATION_BYTES)
        # The same for every answer. The first eight bytes are left alone: another process may be answering with them.
        page[ANSWER_AT + 8 : ANSWER_AT + 24] = Struct("<qiI").pack(0, 0, _CONTINUE)

    def prefer_same_cpu(self) -> None:
        """Wake the two sides on one CPU (Linux 6.6); harmless where the kernel does not know it."""
        _ioctl(self._receive[0], ctypes.c_ulong(_SET_FLAGS), ctypes.c_ulong(_SYNC_WAKE_UP))

    def receive(self) -> bool:
        """Wait for the next report; it lies at the start of the page. False where there was none after all."""
        self.page[:NOTIFICATION_BYTES] = self._zeros
        return _ioctl(*self._receive) == 0  # type: ignore[no-any-return]

    def let_run(self) -> None:
        """Answer the report in the page: the call runs as if nobody had watched."""
        page = self.page
        page[ANSWER_AT : ANSWER_AT + 8] = page[:8]
        if _ioctl(*self._send) != 0:
            _uninterrupted(self._send)

    def is_valid(self) -> bool:
        """Whether the task of the report in the page still waits (its pid was not reused)."""
        return _ioctl(*self._check) == 0 or _uninterrupted(self._check)


def _uninterrupted(arguments: tuple[ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p]) -> bool:
    """Try an ioctl once more, until no signal comes in between: it waits for the kernel's lock, interruptibly."""
    while _libc.ioctl(*arguments) != 0:
        if ctypes.get_errno() != _EINTR:
            return False  # ENOENT: the task is gone, or was answered before
    return True
