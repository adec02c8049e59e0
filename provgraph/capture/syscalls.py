"""Numbers of the watched system calls on the machines that are known: one table.

Sources: ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h`` of Linux. aarch64 has
none of the old calls without a directory descriptor.
"""

from __future__ import annotations

# The number on x86-64, then that on aarch64.
_TABLE: dict[str, tuple[int, int]] = {
    "openat": (257, 56),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "unlinkat": (263, 35),
    "linkat": (265, 37),
    "symlinkat": (266, 36),
    "mknodat": (259, 33),
    "truncate": (76, 45),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "execve": (59, 221),
    "execveat": (322, 281),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "unshare": (272, 97),
    "setns": (308, 268),
    "clone": (56, 220),
    "io_uring_setup": (425, 425),
}
_X86_ONLY: dict[str, int] = {
    "open": 2,
    "creat": 85,
    "rename": 82,
    "unlink": 87,
    "link": 86,
    "symlink": 88,
    "mknod": 133,
    "chmod": 90,
}
# Other calls that we make ourselves.
_OWN: dict[str, tuple[int, int]] = {"seccomp": (317, 277), "process_vm_readv": (310, 270)}

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Calls of 32-bit programs that are let through unseen; opening and executing are noticed as a gap.
OTHER_ABI = {"x86_64": (0x40000003, (5, 11, 295)), "aarch64": (0x40000028, (5, 11, 322))}

O_DIRECTORY = {"x86_64": 0o200000, "aarch64": 0o40000}
O_PATH = 0o10000000
CLONE_NEWNS = 0x20000
S_IFMT, S_IFREG = 0o170000, 0o100000


def watched(machine: str) -> dict[str, int]:
    """The numbers of the watched calls on ``machine`` ("x86_64", "aarch64"), by name; {} where it is not known."""
    if machine not in AUDIT_ARCH:
        return {}
    column = 0 if machine == "x86_64" else 1
    numbers = {name: row[column] for name, row in _TABLE.items()}
    if machine == "x86_64":
        numbers.update(_X86_ONLY)
    return numbers


def number_of(name: str, machine: str) -> int:
    """The number of a call that we make ourselves. Raises ValueError where the machine is not known."""
    return _OWN[name][("x86_64", "aarch64").index(machine)]
