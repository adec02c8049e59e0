"""Recording cells: what happens before each one, and after it. Nothing of this may show in the cell."""

from __future__ import annotations

import inspect
import os
import platform
import sys
import uuid
from _thread import get_ident
from dataclasses import dataclass, field
from time import perf_counter

from provgraph.client import begin, scrubbed, why_not
from provgraph.client.moments import now
from provgraph.client.surroundings import scrubbed_tag
from provgraph.client.values import shortened
from provgraph.magics.commands import Commands, provdb_words
from provgraph.magics.names import Names, names_of
from provgraph.magics.namespace import Namespace
from provgraph.magics.notebooks import Place, Whereabouts
from provgraph.magics.options import cell_options, without_magic
from provgraph.magics.outputs import Outputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from provgraph.client import Activity
    from provgraph.magics.options import CellOptions

SOURCE = 100_000
"""Characters of a cell's source that are kept."""
PARAMETER = 200
"""Characters that are kept of a text among an estimator's parameters."""


@dataclass
class Cell:
    """A cell that runs."""

    activity: Activity
    info: Any
    """What IPython told of it."""
    request: tuple[int, object]
    """The thread that runs it, and the front end's message that asked for it."""
    began: float
    commands: int
    own_s: float = 0.0
    """What recording it cost so far."""


@dataclass
class Recorder:
    """Records the cells of one shell, while it is on, or one by one.

    Parameters:
        shell: IPython's shell.
    """

    shell: Any
    on: bool = False
    tags: dict[str, object] = field(default_factory=dict)
    """Of every cell, from ``%provdb on --tag``."""
    session: str = field(default_factory=lambda: str(uuid.uuid4()))
    count: int = 0
    """Cells recorded so far."""
    trouble: str | None = None
    """Why the newest cell that should have been recorded was not, or not wholly."""
    cost_s: list[float] = field(default_factory=list)
    """What each recorded cell cost."""

    def __post_init__(self) -> None:
        self.whereabouts = Whereabouts(self.shell)
        self._outputs = Outputs(self.shell)
        self._commands = Commands(self.shell, provdb_words())
        self._namespace: Namespace | None = None
        self._cell: Cell | None = None
        self._process = os.getpid()
        self._root = ""
        self._ahead = _counts_before(self.shell)

    def before(self, info: Any = None) -> None:
        """IPython's ``pre_run_cell``."""
        try:
            if self._cell is not None and not self._never_ended(self._cell):
                return  # a cell that runs another one, or runs beside it
            options = self._wanted(info)
            if options is not None:
                self._begin(info, options)
        except Exception as error:  # whatever it is, the cell runs
            self._fail(error)

    def after(self, result: Any = None) -> None:
        """IPython's ``post_run_cell``."""
        cell = self._cell
        if cell is None or os.getpid() != self._process or not _is_of(result, cell):
            return
        self._cell = None
        try:
            self._end(cell, result)
        except (Exception, KeyboardInterrupt) as error:  # the cell has run: nothing is left to stop
            self._fail(error)
            cell.activity.end(error=_error(result))

    def close(self) -> None:
        """Stop listening, whatever runs."""
        self.on = False
        self._commands.end()
        self._outputs.end()

    def _never_ended(self, cell: Cell) -> bool:
        """Whether a cell is over though IPython never said so: the same thread is at another request."""
        thread, request = self._request()
        if (thread, request) == cell.request or thread != cell.request[0]:
            return False
        self._cell = None
        self._fail(RuntimeError("the end of a cell was not seen"))
        cell.activity.end(error=KeyboardInterrupt())
        return True

    def _request(self) -> tuple[int, object]:
        """This thread, and the message that it is answering."""
        parent = getattr(self.shell, "parent_header", None)
        header = parent.get("header") if isinstance(parent, dict) else None
        return get_ident(), header.get("msg_id") if isinstance(header, dict) else None

    # -- beginning ---------------------------------------------------------------------------------------------

    def _wanted(self, info: Any) -> CellOptions | None:
        """How a cell is to be recorded; None where it is not."""
        if info is None or getattr(info, "silent", False) or not getattr(info, "store_history", True):
            return None
        source = getattr(info, "raw_cell", None)
        if not isinstance(source, str):
            return None
        return cell_options(source, on=self.on)

    def _begin(self, info: Any, options: CellOptions) -> None:
        began = perf_counter()
        source = without_magic(info.raw_cell)
        names = self._names(source)
        place = self.whereabouts.of(info.raw_cell, getattr(info, "cell_id", None))
        number = self._number()
        stem = os.path.basename(place.notebook) if place.notebook else "cell"
        activity = begin(
            "cell",
            name=options.name or f"{stem}[{number}]",
            about=self._about(info.raw_cell, place, number),
            tags={**self.tags, **options.tags} or None,
            note=options.note,
            process=True,
            durable=False,
            root=self._project(),
        )
        if not activity.recorded:
            activity.end()
            self.trouble = why_not() or "the record of the cell could not be written; `provdb doctor` looks"
            return
        self._cell = Cell(activity, info, self._request(), began, len(names.commands))
        self._root = activity.root
        if self._namespace is None:
            hidden = getattr(self.shell, "user_ns_hidden", {})
            self._namespace = Namespace(self.shell.user_ns, hidden, activity.root)
        self._tell(activity, self._namespace.before(names))
        scripts = any(command.startswith("%%") for command in names.commands)
        self._commands.begin(activity, scripts=scripts)
        self._outputs.begin()
        self.trouble = None
        self._cell.own_s = perf_counter() - began
        self._cell.began = perf_counter()

    def _project(self) -> str | None:
        """The project that the session's first cell was recorded into, wherever the notebook has gone since."""
        return self._root if self._root and os.path.exists(f"{self._root}/.provdb/project.json") else None

    def _number(self) -> int | None:
        """The number of the cell that is about to run: newer IPythons have counted it already."""
        count = getattr(self.shell, "execution_count", None)
        return count - self._ahead if isinstance(count, int) else None

    def _names(self, source: str) -> Names:
        transform = self.shell.transform_cell
        try:
            return names_of(transform(source), transform)
        except Exception:  # IPython says so itself in a moment
            return Names(parsed=False)

    def _about(self, source: str, place: Place, number: object) -> dict[str, object]:
        about: dict[str, object] = {
            "source": source if len(source) <= SOURCE else shortened(source, SOURCE, scrubbed),
            "command": _first_line(source),
            "execution_count": number,
            "kernel": _kernel(self.shell),
            "session": self.session,
        }
        if len(source) > SOURCE:
            about["source_truncated"] = True
        where = {"notebook": place.notebook, "cell_id": place.cell_id, "notebook_before": place.before}
        return {**about, **{key: value for key, value in where.items() if value}}

    def _tell(self, activity: Activity, operations: list[list[object]]) -> None:
        if operations:
            t = now()
            ops = [[operation[0], t, *_safe(operation[1:], activity.root)] for operation in operations]
            activity.write({"record": "progress", "ops": ops})

    # -- ending ------------------------------------------------------------------------------------------------

    def _end(self, cell: Cell, result: Any) -> None:
        began = perf_counter()
        self._commands.end()
        put_out = self._outputs.end(lambda text: scrubbed(text, cell.activity.root))
        error = _error(result)
        if self._namespace is not None:
            self._tell(cell.activity, self._namespace.after(failed=error is not None or result is None))
        properties: dict[str, object] = {"run_s": round(began - cell.began, 6)}
        if put_out:
            properties["outputs"] = put_out
        if cell.commands:
            properties["commands_capture"] = self._commands.manner(cell.activity.capture)
        cell.activity.say(properties=properties)
        cell.activity.end(error=error)
        self.count += 1
        self.cost_s.append(cell.own_s + perf_counter() - began)
        del self.cost_s[:-1000]

    def _fail(self, error: BaseException) -> None:
        """A fault of ours is kept for ``%provdb status``, and nothing else happens."""
        self.trouble = f"{type(error).__name__}: {error}"
        try:
            self._commands.end()
            self._outputs.end()
        except Exception:  # what cannot be undone passes all on
            pass


def _first_line(source: str) -> str:
    """What a listing shows of a cell."""
    lines = [line.strip() for line in without_magic(source).splitlines()]
    code = [line for line in lines if line and not line.startswith("#")] or [line for line in lines if line] or [""]
    return code[0] + (" …" if len(code) > 1 else "")


def _safe(told: list[object], root: str) -> list[object]:
    """What is told of a variable, without secrets: parameters of estimators may be texts."""
    found: list[object] = []
    for part in told:
        if not isinstance(part, dict):
            found.append(part)
            continue
        texts = [key for key, value in part.items() if key.startswith("param_") and isinstance(value, str)]
        found.append({**part, **{key: _safe_text(key, part[key], root) for key in texts}})
    return found


def _safe_text(key: str, text: str, root: str) -> str:
    return shortened(text, PARAMETER, lambda held: scrubbed(str(scrubbed_tag(key, held, ())), root))


def _counts_before(shell: Any) -> int:
    """1 where this IPython counts a cell before it tells that the cell begins, else 0."""
    try:
        source = inspect.getsource(type(shell).run_cell_async)
    except (AttributeError, OSError, TypeError):
        return 0
    return int(0 <= source.rfind("execution_count += 1") < source.find("pre_run_cell"))


def _is_of(result: Any, cell: Cell) -> bool:
    """Whether a result is that of a cell; one that was cancelled has none."""
    info = getattr(result, "info", None)
    return info is None or info is cell.info or getattr(info, "raw_cell", None) == getattr(cell.info, "raw_cell", "")


def _error(result: Any) -> BaseException | None:
    """What ended a cell; a cell that was cancelled has no result."""
    if result is None:
        return KeyboardInterrupt("cancelled")
    found = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
    if isinstance(found, BaseException):
        return found
    return found() if isinstance(found, type) and issubclass(found, BaseException) else None


_versions: list[str] = []


def _kernel(shell: Any) -> str:
    """The kernel, with its version: ``python 3.12.1, ipykernel 7.4.0``."""
    if not _versions:
        _versions.append(f"{platform.python_implementation().lower()} {platform.python_version()}")
        kernel = getattr(shell, "kernel", None)
        if kernel is not None:
            made_by = type(kernel).__module__.partition(".")[0]
            _versions.append(f"{made_by} {getattr(sys.modules.get(made_by), '__version__', '')}".strip())
    return ", ".join(_versions)
