"""``!cmd`` and ``%%bash`` inside a recorded cell: their commands run through ``provdb``, as activities of their own.

What the user sees is the same: the same shell runs the same text. Where that cannot be promised (a shell that provdb
does not speak, scripts in the background) the command runs as ever, and Python's audit hook knows of it alone.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import contextmanager
from functools import wraps

from provgraph.magics.questions import QUESTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from provgraph.client import Activity

_SPOKEN = ("sh", "bash", "dash")
"""Shells whose lines ``provdb -c`` takes apart."""
_MODULES = ("IPython.core.interactiveshell", "ipykernel.zmqshell")
_FUNCTIONS = ("system", "getoutput", "get_output_error_code")
_DETACHED = ("--bg", "--proc")


class Commands:
    """Puts ``provdb`` before the commands of one shell while a cell is recorded.

    Parameters:
        shell: IPython's shell.
        provdb: the words that run ``provdb``.
    """

    def __init__(self, shell: Any, provdb: Sequence[str]) -> None:
        self._shell, self._provdb = shell, list(provdb)
        self._variables: list[str] = []
        self._root = ""
        self._activity: Activity | None = None
        self._undo: list[Callable[[], None]] = []

    def begin(self, activity: Activity, *, scripts: bool) -> None:
        """From now on commands are children of an activity.

        Parameters:
            scripts: whether the cell has a magic like ``%%bash``.
        """
        if not self._provdb:
            return
        self._activity, self._root = activity, activity.root
        self._variables = [f"PROVDB_ACTIVITY={activity.uid}", f"PROVDB_ROOT={activity.root}"]
        for name in _MODULES:
            module = sys.modules.get(name)
            for function in _FUNCTIONS if module is not None else ():
                if callable(getattr(module, function, None)):
                    self._replace(module, function, self._through_provdb)
        if scripts:
            self._replace_scripts()

    def manner(self, capture: str) -> str:
        """How commands of a cell are recorded: by provdb, by what watches the kernel, or by the audit hook alone."""
        return "provdb" if self._provdb else capture

    def end(self) -> None:
        """Commands run as ever."""
        while self._undo:
            self._undo.pop()()

    def _replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        own, before = name in vars(owner), getattr(owner, name)
        setattr(owner, name, make(before))
        self._undo.append(lambda: setattr(owner, name, before) if own else delattr(owner, name))

    def _replace_scripts(self) -> None:
        found = self._shell.find_cell_magic("script")  # which loads them
        magics = self._shell.magics_manager.registry.get("ScriptMagics")
        if magics is None or found is None:
            return
        self._replace(magics, "shebang", self._script)
        table = self._shell.magics_manager.magics["cell"]
        table["script"] = magics.shebang
        self._undo.append(lambda: table.__setitem__("script", found))

    def _through_provdb(self, run: Any) -> Any:
        @wraps(run)
        def recorded(command: Any, *arguments: Any, **more: Any) -> Any:
            if isinstance(command, str) and command.strip():
                with self._on_its_own():
                    return run(self.line(command), *arguments, **more)
            return run(command, *arguments, **more)

        return recorded

    @contextmanager
    def _on_its_own(self) -> Iterator[None]:
        """What a recorded command does is not the cell's doing, though the audit hook sees that it is started."""
        activity = self._activity
        watch = getattr(activity, "watch", None)
        if activity is None or watch is None:
            yield
            return
        if watch.walk is not None:  # what other programs of the cell did until now
            watch.walk.finish()
            watch.walk = None
        activity.audit = False
        try:
            yield
        finally:
            activity.audit = True

    def line(self, command: str) -> str:
        """A shell line that runs another one, recorded."""
        shell = os.environ.get("SHELL") or "sh"
        if os.path.basename(shell) in _SPOKEN:
            return "exec " + shlex.join([*self._words(), "-c", command])
        return "exec " + shlex.join([*self._words(), "run", "--", shell, "-c", command])

    def _script(self, shebang: Any) -> Any:
        @wraps(shebang)
        def recorded(line: str, cell: str) -> Any:
            script = self.script(line)
            if script == line:
                return shebang(line, cell)
            with self._on_its_own():
                return shebang(script, cell)

        return recorded

    def script(self, line: str) -> str:
        """The line of ``%%script`` that runs its program recorded; unchanged where that is not possible."""
        words = line.split()
        if not words or any(word.split("=")[0] in _DETACHED for word in words):
            return line
        program = words[0]
        if program.startswith("-") or program in QUESTIONS or shutil.which(program) is None:
            return line
        return f"{shlex.join(self._words())} {line}"

    def _words(self) -> list[str]:
        """The words before a command; where the notebook has left the project's folder, they name it."""
        here = os.path.realpath(os.getcwd()) + "/"
        inside = here.startswith(self._root.rstrip("/") + "/") or "PROVDB_PROJECT" in os.environ
        return ["env", *self._variables, *([] if inside else [f"PROVDB_PROJECT={self._root}"]), *self._provdb]


def provdb_words() -> list[str]:
    """The words that run ``provdb`` from here; none where it is not found."""
    from provgraph.client.starting import program

    beside = os.path.join(os.path.dirname(sys.executable), "provdb")
    found = beside if os.access(beside, os.X_OK) else shutil.which("provdb")
    if found:
        return [found]
    where = program()
    if where is None:
        return []
    python, package = where
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from provgraph.cli.entry import main; sys.exit(main())"
    return [python, "-I", "-c", start, package]
