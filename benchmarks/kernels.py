"""Two kernels that run the same cells side by side: one records them, one does not."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager
from measuring import CommandFailedError

RECORDING = "%load_ext provgraph\n%provdb on"
_LONG_S = 120


class Kernel:
    """A real kernel, from start to end."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        packages = os.pathsep.join([str(checkout), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        environment = {**os.environ, "IPYTHONDIR": str(folder / ".ipython"), "PYTHONPATH": packages}
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(folder), env=environment, stderr=open(os.devnull, "w"))  # noqa: SIM115
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def cell(self, source: str) -> tuple[float, str]:
        """Run a cell: seconds until the kernel has answered, and how it ended."""
        began = time.perf_counter()
        name = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        while True:
            reply: dict[str, Any] = self._client.get_shell_msg(timeout=_LONG_S)
            if reply["parent_header"].get("msg_id") == name:
                return time.perf_counter() - began, str(reply["content"]["status"])

    def close(self) -> None:
        """End it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@contextmanager
def side_by_side(folder: Path) -> Iterator[tuple[Kernel, Kernel]]:
    """(plain, recording) kernels in a project.

    Raises:
        CommandFailedError: cells cannot be recorded.
    """
    checkout = Path(__file__).resolve().parents[1]
    plain = Kernel(folder, checkout)
    try:
        recording = Kernel(folder, checkout)
        try:
            for line in RECORDING.splitlines():
                _, status = recording.cell(line)
                if status != "ok":
                    raise CommandFailedError(f"`{line}` failed in a kernel of {sys.executable}")
            yield plain, recording
        finally:
            recording.close()
    finally:
        plain.close()


def notebooks(folder: Path) -> list[tuple[str, list[str]]]:
    """(name, code cells) of the notebooks below a folder that Python runs by itself, and soon."""
    found = []
    for path in sorted(folder.rglob("*.ipynb")):
        document = json.loads(path.read_text(encoding="utf-8"))
        kernel = document.get("metadata", {}).get("kernelspec", {}).get("name", "python3")
        cells = ["".join(cell["source"]) for cell in document.get("cells", ()) if cell["cell_type"] == "code"]
        cells = [cell for cell in cells if cell.strip()]
        endless = ("sleep", "while True", "input(", "os.kill", "/tmp/", "%%bash", "exit", "Exit")
        if kernel == "python3" and cells and not any(word in cell for cell in cells for word in endless):
            found.append((path.name, cells))
    return found
