"""Processes that are known by more than their number, and free ports."""

import contextlib
import os
import platform
import signal
import socket
import subprocess
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Servers that this process started: it has to take leave of them when they end."""


def began(pid: int) -> str | None:
    """What tells a running process from a later one with the same number; None where there is none."""
    if child := CHILDREN.get(pid):
        child.poll()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        if platform.system() == "Linux":
            return None
        words = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
        shown = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
        return None if not shown or shown.startswith("Z") else shown.partition(" ")[2].strip()
    # Java's first thread ends before those that still hold its files and ports.
    return None if fields[0] in "ZX" and int(fields[17]) <= 1 else f"{boot} {fields[19]}"


def send_signal(pid: int, identity: str, number: int) -> None:
    """Send a signal to a process, and never to another one that has got its number since."""
    if not hasattr(os, "pidfd_open"):
        if began(pid) == identity:
            os.kill(pid, number)
        return
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if began(pid) == identity:
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def free_port(wanted: int | None = None) -> int:
    """``wanted`` where nobody listens there, else any port that is free at the moment."""
    for port in [wanted, 0] if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                return int(probe.getsockname()[1])
    raise OSError("no free port on the loopback address")
