"""Programs that cannot be supervised: they gain privileges, and no_new_privs would take these away.

A filter for system calls needs no_new_privs or CAP_SYS_ADMIN. With the former, setuid, setgid and capabilities of
files are ignored by the kernel, so sudo and its like refuse to work. These go to the stat walk.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Collection

# fmt: off
# Gain privileges themselves, or are useless without a helper that does.
PRIVILEGED = frozenset(
    {
        "at", "bwrap", "chfn", "chsh", "crontab", "doas", "dzdo", "flatpak", "fusermount", "fusermount3",
        "gpasswd", "machinectl", "mount", "newgidmap", "newgrp", "newuidmap", "passwd", "pkexec", "please",
        "pmount", "run0", "runuser", "sg", "snap", "sshfs", "su", "sudo", "sudoedit", "sudo-rs", "super",
        "systemd-run", "umount",
    }
)
# Containers that install filters and namespaces of their own: left alone for root as well.
CONTAINERS = frozenset(
    {
        "apptainer", "buildah", "charliecloud", "crun", "lxc-start", "nerdctl", "podman", "runc", "singularity",
    }
)
# fmt: on

_CAP_SYS_ADMIN = 1 << 21  # <linux/capability.h>


def reason(program: str, configured: Collection[str] = ()) -> str | None:
    """Why ``program`` must not be supervised ("sudo is setuid"), or None.

    Parameters:
        program: the executable's path, as execve gets it; a bare name is compared with the lists only.
        configured: the user's further names; these hold for root too.

    Cost: one stat and one getxattr; 5 µs.
    """
    name = os.path.basename(program)
    if name in configured:
        return f"{name} is configured not to be supervised"
    if name in CONTAINERS:
        return f"{name} starts containers"
    why = f"{name} changes privileges" if name in PRIVILEGED else _gains(program, name)
    return None if why is None or may_filter_without_no_new_privs() else why


def _gains(program: str, name: str) -> str | None:
    try:
        status = os.stat(program)
    except (OSError, ValueError):
        return None
    if status.st_mode & stat.S_ISUID and status.st_uid != os.geteuid():
        return f"{name} is setuid"
    if status.st_mode & stat.S_ISGID and status.st_mode & stat.S_IXGRP and status.st_gid != os.getegid():
        return f"{name} is setgid"
    if hasattr(os, "getxattr"):
        try:
            os.getxattr(program, "security.capability")
        except OSError:
            return None
        return f"{name} has file capabilities"
    return None


def may_filter_without_no_new_privs() -> bool:
    """Whether this process holds CAP_SYS_ADMIN, with which programs keep gaining privileges under a filter."""
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"CapEff:"):
                    return bool(int(line.split()[1], 16) & _CAP_SYS_ADMIN)
    except (OSError, ValueError, IndexError):
        return False
    return False
