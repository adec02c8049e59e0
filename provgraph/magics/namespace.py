"""The variables of a notebook around one cell: which it used, bound, changed in place, deleted."""

from __future__ import annotations

import io
import os
import re
import sys
import types
from time import perf_counter

from provgraph.magics.describing import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from provgraph.magics.names import Names

LOOKING_S = 0.01
"""What is looked at before a cell, and again after it, for no longer than this."""
MOST = 400
"""Variables of one cell that are told."""
_IPYTHON = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_oh|_dh|_ih|_exit_code|In|Out|__\w+__|get_ipython|exit|quit|open")
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)
_FIXED = (int, float, complex, bool, str, bytes, type(None), type(...), types.FunctionType, type)
"""Types whose values nobody changes in place, so that two names of one value tell nothing."""
_FUNCTIONS = 200
"""Functions whose bodies are asked which variables they read."""


class Namespace:
    """Watches the variables of one kernel.

    Parameters:
        variables: IPython's ``user_ns``.
        hidden: what IPython put there itself, by name.
        root: the project's folder: code that lies there is a variable too.
    """

    def __init__(self, variables: dict[str, Any], hidden: Mapping[str, Any], root: str) -> None:
        self._variables, self._hidden = variables, hidden
        self._inside = root.rstrip("/") + "/"
        self._told: dict[str, str | None] = {}
        """Fingerprints that were told last."""
        self._ids: dict[str, int] = {}
        self._before: dict[str, str | None] = {}
        self._names: Names | None = None

    def before(self, names: Names) -> list[list[object]]:
        """The operations that a cell begins with: the variables that it will use."""
        self._names = names
        self._ids = {name: id(value) for name, value in self._present()}
        touched = {name for name in names.touched if name in self._ids}
        used = {name for name in names.used if name in self._ids}
        read = self._read_by_functions(used)
        used |= read
        touched |= read | self._also_called(touched)
        operations: list[list[object]] = []
        self._before = {}
        deadline = perf_counter() + LOOKING_S
        for name in sorted(used | touched)[:MOST]:
            told = _described(self._variables[name], deadline)
            fingerprint = self._before[name] = told.get("fingerprint")
            known = self._told.get(name, "")
            if known == "" or (fingerprint is not None and known is not None and known != fingerprint):
                self._told[name] = fingerprint
                operations.append(["u", name, told])
            elif name in used:
                operations.append(["u", name])
        self._before = {name: fingerprint for name, fingerprint in self._before.items() if name in touched}
        return operations

    def after(self, *, failed: bool) -> list[list[object]]:
        """The operations that a cell ends with: what it bound, changed and deleted."""
        names = self._names
        operations: list[list[object]] = []
        if names is None:
            return []
        surely = frozenset() if failed else names.bound
        deadline = perf_counter() + LOOKING_S
        present = dict(self._present())
        for name, value in present.items():
            bound = name in surely or self._ids.get(name) != id(value)
            if len(operations) >= MOST or not (bound or name in self._before):
                continue
            told = _described(value, deadline)
            fingerprint = told.get("fingerprint")
            if bound:
                operations.append(["b", name, told])
            elif fingerprint is not None and fingerprint != (self._before[name] or fingerprint):
                operations.append(["b", name, told, "changed"])
            else:
                continue
            self._told[name] = fingerprint
        gone = [name for name in self._ids if name not in present and self._told.pop(name, "") != ""]
        operations += [["n", name] for name in gone]
        self._names = None
        return operations

    def _present(self) -> Iterable[tuple[str, Any]]:
        """The variables that there are; other threads may define more meanwhile."""
        for name, value in list(self._variables.items()):
            if _IPYTHON.fullmatch(name):
                continue
            if name in self._hidden and self._hidden[name] is value:
                continue
            if self._is_variable(value):
                yield name, value

    def _is_variable(self, value: object) -> bool:
        """Whether a value is the notebook's or the project's own, and no part of a library."""
        kind = type(value)  # a proxy answers isinstance() with code of its own
        if issubclass(kind, types.ModuleType):
            return self._is_here(vars(value).get("__file__"))
        if not issubclass(kind, _CODE):
            return not issubclass(kind, io.IOBase)  # an open file: what is in it is recorded as a file
        module = getattr(value, "__module__", None)
        if module in ("__main__", None):
            return not issubclass(kind, types.BuiltinFunctionType)
        found = sys.modules.get(str(module))
        return found is not None and self._is_here(getattr(found, "__file__", None))

    def _is_here(self, file: object) -> bool:
        if not isinstance(file, str):
            return False
        path = os.path.abspath(file)
        return path.startswith(self._inside) and "/site-packages/" not in path and not path.startswith(sys.prefix)

    def _read_by_functions(self, names: Iterable[str]) -> set[str]:
        """The variables that functions of the notebook read when they are called."""
        found: set[str] = set()
        waiting = [self._variables.get(name) for name in names]
        for _ in range(_FUNCTIONS):
            if not waiting:
                break
            function = waiting.pop()
            if type(function) is not types.FunctionType or function.__globals__ is not self._variables:
                continue
            for name in _global_names(function.__code__):
                if name in self._ids and name not in found:
                    found.add(name)
                    waiting.append(self._variables.get(name))
        return found

    def _also_called(self, names: set[str]) -> set[str]:
        """Other names of the same values: who changes the one changes the other."""
        ids = {self._ids[name] for name in names if not issubclass(type(self._variables.get(name)), _FIXED)}
        return {name for name, place in self._ids.items() if place in ids}


def _described(value: object, deadline: float) -> dict[str, Any]:
    try:
        return describe(value, deadline)
    except Exception:  # a class that does not even let itself be asked for its name
        return {"type": "?"}


def _global_names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _global_names(constant)
    return found
