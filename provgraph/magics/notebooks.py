"""Which notebook this kernel runs, and which of its cells: what the front ends tell, each in its own way."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 64 << 20
"""A notebook with more bytes is not read to find a cell in it."""
_VS_CODE = "vscode-notebook-cell:"
_END = ".ipynb"
_UNKNOWN = "kernel"
"""What stands for the notebook in the names of variables, as long as nobody tells which one it is."""
_WRITTEN = {"--output": 1, "--output-dir": 1}
"""Options of nbconvert and ``jupyter execute`` with so many words behind them, none a notebook that is run."""
_GIVEN = {"-p": 2, "--parameters": 2, "-r": 2, "--parameters_raw": 2}
"""The same of papermill."""
_READ = 8
"""So many notebooks are kept as they were read last."""


@dataclass
class Place:
    """Where a cell stands: the notebook's absolute path, and the cell's id; None where nobody tells."""

    notebook: str | None
    cell_id: str | None
    before: list[str] = field(default_factory=list)
    """Paths that the notebook had earlier in this session; ``kernel`` for cells of which nobody knew it."""


class Whereabouts:
    """Finds out where each cell stands.

    Parameters:
        shell: IPython's shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._told: str | None = None
        self._notebook: str | None = None
        self._before: list[str] = []
        self._candidates: list[str] | None = None
        self._undecided = False
        self._read: dict[str, tuple[int, list[tuple[str | None, str]]]] = {}
        self._newest = -1

    def tell(self, notebook: str) -> None:
        """What a user says: ``%provdb on --notebook FILE``."""
        self._told = os.path.abspath(notebook)

    def of(self, source: str, cell_id: object) -> Place:
        """The place of a cell that is about to run."""
        told = cell_id if isinstance(cell_id, str) and cell_id else self._told_by_the_message()
        found = self._told or self._by_front_end(told) or self._by_parent(source)
        found = self._moved(found, told, source)
        if found is not None and found != self._notebook:
            if self._notebook is not None or self._undecided:
                self._before.append(self._notebook or _UNKNOWN)
            self._notebook = found
        self._undecided = self._notebook is None
        if told is None and self._notebook is not None:
            told = self._id_on_disk(self._notebook, source)
        elif told is not None and told.startswith(_VS_CODE):
            told = told.rpartition("#")[2]
        return Place(self._notebook, told, [path for path in self._before if path != self._notebook])

    # -- who tells ---------------------------------------------------------------------------------------------

    def _told_by_the_message(self) -> str | None:
        """JupyterLab and VS Code send the id of the cell beside its source."""
        kernel = getattr(self._shell, "kernel", None)
        for parent in (_call(kernel, "get_parent", "shell"), getattr(self._shell, "parent_header", None)):
            if isinstance(parent, dict):
                found = (parent.get("metadata") or {}).get("cellId")
                if isinstance(found, str) and found:
                    return found
        return None

    def _by_front_end(self, cell_id: str | None) -> str | None:
        """VS Code names the file in the cell's id and in a variable, JupyterLab in the session's name."""
        if cell_id is not None and cell_id.startswith(_VS_CODE):
            path = unquote(urlsplit(cell_id).path)
            if path.endswith(_END):
                return path
        variables = self._shell.user_ns
        for name in (
            variables.get("__vsc_ipynb_file__"),
            variables.get("__session__"),
            os.environ.get("JPY_SESSION_NAME"),
        ):
            if isinstance(name, str) and name.endswith(_END):
                if os.path.isabs(name):
                    return name
                here = os.path.abspath(name)
                return here if os.path.exists(here) else os.path.abspath(os.path.basename(name))
        return None

    def _by_parent(self, source: str) -> str | None:
        """``jupyter nbconvert --execute n.ipynb`` and papermill name it on the command line of the kernel's parent.

        Of several, those that lack a cell drop out, until one is left. A cell that none has tells nothing.
        """
        if self._notebook is not None:
            return self._notebook
        if getattr(self._shell, "kernel", None) is None:
            return None
        if self._candidates is None:
            self._candidates = _notebooks_of(os.getppid())
        if len(self._candidates) > 1:
            having = [path for path in self._candidates if any(text == source for _, text in self._cells(path))]
            self._candidates = having or self._candidates
        return self._candidates[0] if len(self._candidates) == 1 else None

    def _moved(self, path: str | None, cell_id: str | None, source: str) -> str | None:
        """A notebook that was saved under another name, and is not there any more: the one that has this cell now."""
        if path is None or os.path.exists(path):
            return path
        if self._notebook is not None and os.path.exists(self._notebook):
            return self._notebook
        folder = os.path.dirname(path)
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(_END))
        except OSError:
            return path
        found = []
        for name in names[:100]:
            cells = self._cells(os.path.join(folder, name))
            if any(one == cell_id if cell_id else text == source for one, text in cells):
                found.append(os.path.join(folder, name))
        return found[0] if len(found) == 1 else path

    # -- what lies on disk -------------------------------------------------------------------------------------

    def _id_on_disk(self, path: str, source: str) -> str | None:
        """The id of the next cell with this source; where none follows, of the first one."""
        cells = self._cells(path)
        matching = [number for number, (_, text) in enumerate(cells) if text == source]
        following = [number for number in matching if number > self._newest]
        number = (following or matching or [-1])[0]
        if number < 0:
            return None
        self._newest = number
        return cells[number][0]

    def _cells(self, path: str) -> list[tuple[str | None, str]]:
        """(id, source) of the code cells of a notebook as it was saved last."""
        try:
            status = os.stat(path)
            written, cells = self._read.get(path, (None, []))
            if written == status.st_mtime_ns:
                return cells
            cells = code_cells(path) if status.st_size <= LARGEST else []
        except (OSError, ValueError):
            return []
        if len(self._read) >= _READ:
            self._read.clear()
        self._read[path] = status.st_mtime_ns, cells
        return cells


def code_cells(path: str) -> list[tuple[str | None, str]]:
    """(id, source) of the code cells of a notebook.

    Raises:
        OSError, ValueError: it cannot be read, or is none.
    """
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise ValueError(f"{path} is no notebook")
    found: list[tuple[str | None, str]] = []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", "")
            text = "".join(str(line) for line in source) if isinstance(source, list) else str(source)
            found.append((cell["id"] if isinstance(cell.get("id"), str) else None, text))
    return found


def _notebooks_of(process: int) -> list[str]:
    """The notebooks that a process was given on its command line to run, each once."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            words = os.fsdecode(file.read()).split("\0")
        folder = os.readlink(f"/proc/{process}/cwd")
    except OSError:
        return []
    papermill = any(os.path.basename(word) == "papermill" for word in words[:4])
    operands = _operands(words, _GIVEN if papermill else _WRITTEN)
    paths = [os.path.abspath(os.path.join(folder, word)) for word in operands if word.endswith(_END)]
    if papermill:
        del paths[1:]  # what follows is where it writes what it ran
    return [path for path in dict.fromkeys(paths) if os.path.isfile(path)]


def _operands(words: list[str], options: dict[str, int]) -> list[str]:
    """The words of a command line without options, nor what belongs to some of them."""
    found, left = [], 0
    for word in words:
        if left:
            left -= 1
        elif word.startswith("-"):
            left = options.get(word, 0)
        else:
            found.append(word)
    return found


def _call(owner: Any, method: str, *arguments: object) -> Any:
    try:
        return getattr(owner, method)(*arguments)
    except Exception:  # kernels of other makes have no such method
        return None
