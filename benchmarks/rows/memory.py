"""The memory of the processes that stand beside a wrapped command."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from scratch import WORKLOADS, Bench, Scratch, tree
from table import Figure, at_most, for_information

LIMIT_MIB = 25


def measure(bench: Bench) -> list[Figure]:
    """Peak resident memory (VmHWM) of the front end and of its supervisor, for a short and for a busy command."""
    project = bench.project("memory")
    shutil.copy(WORKLOADS / "reads.py", project.root)
    tree(project.root / "data", 500 if bench.quick else 5000, 100)
    project.init()
    quiet = _peaks(project, ["sleep", "1"])
    busy = _peaks(project, ["sh", "-c", f"{bench.python} reads.py data; sleep 1"])
    figures = []
    for what, command, peaks in (
        ("a quiet command", "provdb sleep 1", quiet),
        ("a command that opens 5,000 files", "provdb sh -c 'python reads.py data; sleep 1'", busy),
    ):
        front_end, supervisors, ingesters = peaks
        remarks = "VmHWM of the process that was started, which waits for the command"
        figures.append(at_most(f"front end beside {what}", LIMIT_MIB, front_end, "MiB", command, remarks))
        figures += [
            at_most(f"supervisor beside {what}", LIMIT_MIB, peak, "MiB", command, "VmHWM of the front end's fork")
            for peak in supervisors
        ]
        figures += [
            for_information(f"ingester beside {what}", peak, "MiB", command, "VmHWM; one for a project, not waited for")
            for peak in ingesters
        ]
    return figures


def _peaks(project: Scratch, argv: list[str]) -> tuple[float, list[float], list[float]]:
    """Peaks in MiB: of the front end, of other processes with its command line, and of the project's ingesters."""
    process = subprocess.Popen([project.provdb, *argv], cwd=project.root, stdout=subprocess.DEVNULL)
    peaks: dict[str, dict[int, float]] = {"front": {}, "supervisor": {}, "ingester": {}}
    while process.poll() is None:
        own = _read(process.pid, "cmdline")
        for entry in Path("/proc").iterdir():
            pid = int(entry.name) if entry.name.isdigit() else 0
            words = _read(pid, "cmdline") if pid else b""
            if pid == process.pid:
                kind = "front"
            elif words and words == own:
                kind = "supervisor"
            elif b"provgraph.session.ingester" in words and bytes(project.root) in words:
                kind = "ingester"
            else:
                continue
            peak = _peak_mib(pid)
            if peak:
                peaks[kind][pid] = max(peak, peaks[kind].get(pid, 0))
        time.sleep(0.05)
    project.rest()
    return max(peaks["front"].values(), default=0), list(peaks["supervisor"].values()), list(peaks["ingester"].values())


def _peak_mib(pid: int) -> float:
    for line in _read(pid, "status").splitlines():
        if line.startswith(b"VmHWM"):
            return int(line.split()[1]) / 1024
    return 0


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
