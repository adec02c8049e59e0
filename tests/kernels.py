"""Real kernels that run real notebooks, recorded or not."""

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

RECORDED = ["%load_ext provgraph", "%provdb on"]
_MOVING = (
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r"ipykernel_\d+/\d+"), "ipykernel_…"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "<time>"),
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
)


def profile(folder: Path, lines: Iterable[str]) -> Path:
    """An IPYTHONDIR whose kernels begin with some lines."""
    where = folder / "profile_default"
    where.mkdir(parents=True, exist_ok=True)
    (where / "ipython_config.py").write_text(
        f"c = get_config()\nc.InteractiveShellApp.exec_lines = {list(lines)!r}\nc.HistoryManager.enabled = False\n"
    )
    return folder


def notebook(*sources: str) -> NotebookNode:
    """A notebook of code cells."""
    made: NotebookNode = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


async def execute(
    document: NotebookNode, cwd: Path, environment: Mapping[str, str], *, seconds: int = 60, **more: Any
) -> str:
    """Run a notebook's cells in place, in a kernel of its own; returns how that went."""
    more.setdefault("allow_errors", True)
    # By sockets with names: of a port that was free a moment ago, somebody else may have become the owner.
    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
        manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{sockets}/socket")
        client = NotebookClient(document, manager, timeout=seconds, resources={}, **more)
        try:
            await client.async_execute(env=dict(environment), cwd=str(cwd))
        except DeadKernelError:
            return "the kernel died"
        except CellTimeoutError:
            return "too late"
        except CellExecutionError as error:
            return f"error: {error.ename}"
        return "done"


def run(document: NotebookNode, cwd: Path, environment: Mapping[str, str], **more: Any) -> NotebookNode:
    """The same, beside nothing else; fails where not all cells ran."""
    assert asyncio.run(execute(document, cwd, environment, **more)) == "done"
    return document


def environment_of(base: Mapping[str, str], ipython: Path) -> dict[str, str]:
    """An environment in which kernels of this Python start, with that profile."""
    data = Path(sys.prefix) / "share/jupyter"
    return {**base, "IPYTHONDIR": str(ipython), "JUPYTER_PATH": str(data), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def outputs(document: NotebookNode) -> list[list[dict[str, Any]]]:
    """What the cells put out, without what changes from run to run."""
    return [_joined(map(_steady, cell.get("outputs", ()))) for cell in document.cells]


def _joined(outputs: Iterable[Any]) -> list[Any]:
    """Texts of one stream that follow each other as one: where they are cut is chance."""
    found: list[Any] = []
    for output in outputs:
        last = found[-1] if found else {}
        if output.get("output_type") == last.get("output_type") == "stream" and output.get("name") == last.get("name"):
            found[-1] = {**last, "text": last["text"] + output["text"]}
        else:
            found.append(output)
    return found


def _steady(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _steady(item) for key, item in value.items() if key != "metadata"}
    if isinstance(value, list):
        return [_steady(item) for item in value]
    if isinstance(value, str):
        for pattern, steady in _MOVING:
            value = pattern.sub(steady, value)
    return value


def text_of(cell: NotebookNode) -> str:
    """All text that a cell put out."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}")
        else:
            parts.append(str(output.data.get("text/plain", "")))
    return "".join(parts)
