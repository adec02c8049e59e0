"""Whether what a command overwrites can be had back, though nobody had recorded it before."""

from __future__ import annotations

import os
import shutil

from measuring import CommandFailedError
from scratch import WORKLOADS, Bench, Scratch
from table import Figure, at_least


def measure(bench: Bench) -> list[Figure]:
    """One command overwrites the files in ten ways; ``restore`` must give each one's old bytes."""
    files = 20 if bench.quick else 200
    project = bench.project("overwritten")
    shutil.copy(WORKLOADS / "overwrite.py", project.root)
    (project.root / "data").mkdir()
    old: dict[str, bytes] = {}
    for number in range(files):
        path = f"data/{number:03}.txt"
        old[path] = f"{number}\n{os.urandom(50 * number + 20).hex()}\n".encode()
        (project.root / path).write_bytes(old[path])
    project.init()
    project.wrap([bench.python, "overwrite.py", "data"])
    lost = [path for path, content in old.items() if not _restores(project, path, content)]
    remarks = "ten ways: truncated, renamed over, removed, in place, mapped, by sh, by sed, …"
    if lost:
        remarks += f"; not restored: {', '.join(lost[:10])}"
    command = f"provdb python overwrite.py data; {files} × provdb restore FILE@1"
    return [at_least("overwritten contents restored", files, files - len(lost), "files", command, remarks)]


def _restores(project: Scratch, path: str, content: bytes) -> bool:
    try:
        return project.bytes("restore", f"{path}@1") == content
    except CommandFailedError:
        return False
