"""A fingerprint of a value's content, in little time.

Nothing is pickled, and no method of a class that the notebook defines is called. Large values are sampled, and say so.
Content that cannot be looked at counts by its identity; such a fingerprint is ``opaque`` and compares only within one
kernel session.
"""

from __future__ import annotations

import os
import sys
import types
from dataclasses import dataclass, field
from hashlib import blake2b
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

STEPS = 1_000
"""Values inside one value that are looked at, whatever the machine: two fingerprints of one content are equal."""
ITEMS = 500
"""Elements of one container that are looked at."""
TEXTS = 200
"""Elements of a column or an array of objects that are looked at, one by one."""
ROWS = 2_000
WHOLE_BYTES = 1 << 18
"""Up to here the bytes of an array or a text are hashed as a whole: a quarter of a millisecond."""
COLUMNS = 100
DEPTH = 6
_PLAIN = frozenset({"datetime", "decimal", "fractions", "uuid", "pathlib", "pathlib._local", "ipaddress", "zoneinfo"})
"""Modules of the standard library whose values are what their ``repr`` says."""


class TooLateError(Exception):
    """Time is up: there is no fingerprint."""


@dataclass
class Fingerprint:
    """One value on its way into a digest, with a limit of work, and one of time."""

    deadline: float
    digest: Any = field(default_factory=lambda: blake2b(digest_size=16))
    sampled: bool = False
    opaque: bool = False
    seen: set[int] = field(default_factory=set)
    steps: int = 0

    def add(self, text: str) -> None:
        """Add a word; no two sequences of words give the same digest."""
        raw = text.encode("utf-8", "surrogatepass")
        self.digest.update(b"%d:" % len(raw))
        self.digest.update(raw)

    def enough(self) -> bool:
        """Whether no more is looked at; what is left out makes the fingerprint a sample.

        Raises:
            TooLateError: by the clock, which must not decide what a fingerprint is made of.
        """
        self.steps += 1
        if not self.steps & 31 and perf_counter() > self.deadline:
            raise TooLateError
        if self.steps <= STEPS:
            return False
        self.sampled = True
        return True

    # -- values ------------------------------------------------------------------------------------------------

    def value(self, value: object, depth: int = 0) -> None:
        """Add a value of any kind."""
        kind = type(value)
        self.add(type_name(kind))
        if value is None or kind in (bool, int, float, complex):
            self.add(_number(value))
        elif kind in (str, bytes, bytearray):
            self._text(value)
        elif kind.__module__ in _PLAIN or kind in (range, slice):
            self.add(repr(value))
        elif id(value) in self.seen:
            self.add("again")
        elif depth > DEPTH or self.enough():
            self.sampled = True
        else:
            self.seen.add(id(value))
            try:
                self._content(value, kind, depth)
            except TooLateError:
                raise
            except Exception:  # code of libraries: what it cannot tell is told by identity
                self.identity(value)
            self.seen.discard(id(value))

    def identity(self, value: object) -> None:
        """The value counts by where it lies in memory."""
        self.opaque = True
        self.add(f"at {id(value):x}")

    def _content(self, value: Any, kind: type, depth: int) -> None:
        if is_users(kind):
            value, kind = bare(value, kind)
        special = None if is_users(kind) else _LIBRARIES.get(library_of(kind))
        if special is not None and special(self, value, depth):
            return
        # The type is asked, not the value: a proxy answers isinstance() with code of its own.
        if issubclass(kind, (list, tuple)):
            base: Any = list if issubclass(kind, list) else tuple
            size = base.__len__(value)
            step = max(1, size // ITEMS)
            self.sampled |= step > 1
            self.items(base.__getitem__(value, slice(None, None, -step)), size, depth)
        elif issubclass(kind, dict):
            pairs = (part for pair in dict.items(value) for part in pair)
            self.items(pairs, 2 * dict.__len__(value), depth)
        elif issubclass(kind, (set, frozenset)):
            self._set(value, depth)
        elif issubclass(kind, type):
            self._class(value, depth)
        elif kind in (types.FunctionType, types.MethodType):
            self._function(value, depth)
        else:
            self._attributes(value, depth)

    def _text(self, text: Any) -> None:
        size = len(text)
        self.add(str(size))
        if size > WHOLE_BYTES:
            self.sampled = True
            third = WHOLE_BYTES // 4
            middle = size // 2
            text = text[:third] + text[middle : middle + third] + text[-third:]
        self.digest.update(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)

    def items(self, values: Iterable[object], size: int, depth: int) -> None:
        """The first elements of a container, as many as there is time for."""
        self.add(str(size))
        for number, item in enumerate(values):
            if number > 2 * ITEMS or self.enough():
                self.sampled = True
                return
            self.value(item, depth + 1)

    def _set(self, values: Any, depth: int) -> None:
        """In no order: the sorted digests of the elements."""
        base = set if issubclass(type(values), set) else frozenset
        size = base.__len__(values)
        self.add(str(size))
        if size > ITEMS:  # which ones come first differs from process to process
            self.sampled = self.opaque = True
        digests = []
        for number, item in enumerate(base.__iter__(values)):
            if number >= ITEMS or self.enough():
                break
            inner = Fingerprint(self.deadline, seen=self.seen, steps=self.steps)
            inner.value(item, depth + 1)
            self.steps = inner.steps
            self.sampled |= inner.sampled
            self.opaque |= inner.opaque
            digests.append(inner.digest.digest())
        for digest in sorted(digests):
            self.digest.update(digest)

    def _function(self, value: Any, depth: int) -> None:
        function = getattr(value, "__func__", value)
        code = getattr(function, "__code__", None)
        if code is None:
            self.identity(value)
            return
        self._code(code)
        self.value(getattr(function, "__defaults__", None), depth + 1)
        if hasattr(value, "__self__"):
            self.value(value.__self__, depth + 1)

    def _code(self, code: Any) -> None:
        self.digest.update(code.co_code)
        self.add(" ".join((*code.co_names, *code.co_varnames)))
        for constant in code.co_consts:
            if hasattr(constant, "co_code"):
                self._code(constant)
            else:
                self.value(constant, DEPTH)

    def _class(self, kind: type, depth: int) -> None:
        self.add(kind.__qualname__)
        if kind.__module__ != "__main__":
            return
        for name, item in sorted(vars(kind).items()):
            if not name.startswith("__") or name in ("__init__", "__call__"):
                self.add(name)
                self.value(item, depth + 1)

    def _attributes(self, value: object, depth: int) -> None:
        """The state of an object, without asking its class."""
        try:
            state = object.__getattribute__(value, "__dict__")
        except AttributeError:
            self.identity(value)
            return
        if not isinstance(state, dict):
            self.identity(value)
            return
        items = ((str(name), item) for name, item in list(state.items())[:ITEMS])
        for name, item in items:
            if self.enough():
                return
            self.add(name)
            self.value(item, depth + 1)
        if not state:
            self.identity(value)

    # -- arrays and frames -------------------------------------------------------------------------------------

    def array(self, array: Any) -> None:
        """The bytes of an array, or of elements at equal distances."""
        self.add(f"{array.dtype} {array.shape}")
        if array.dtype.hasobject:
            step = max(1, array.size // TEXTS)
            self.sampled |= step > 1
            for item in array.flat[::step]:
                self.value(item, DEPTH)
            return
        if array.nbytes <= WHOLE_BYTES:
            self.digest.update(array.tobytes())
            return
        self.sampled = True
        step = array.size // ROWS
        flat = array.reshape(-1)[::step] if array.flags.c_contiguous else array.flat[::step]
        self.digest.update(flat.tobytes())
        self.digest.update(array.flat[-1:].tobytes())

    def columns(self, names: list[object], column: Any) -> None:
        """Columns by number; ``column`` gives a list of elements or an array for one."""
        step = max(1, len(names) // COLUMNS)
        self.sampled |= step > 1
        for number in range(0, len(names), step):
            if self.enough():
                return
            self.value(str(names[number]), DEPTH)
            values = column(number)
            if hasattr(values, "tobytes"):
                self.array(values)
            else:
                self.items(values, len(values), DEPTH)


def _numpy(into: Fingerprint, value: Any, depth: int) -> bool:
    if hasattr(value, "bit_generator") or hasattr(value, "get_state"):  # a source of random numbers
        state = value.bit_generator.state if hasattr(value, "bit_generator") else value.get_state()
        into.value(state, depth + 1)
        return True
    if not hasattr(value, "tobytes"):
        return False
    import numpy as np

    if isinstance(value, np.ma.MaskedArray):
        into.array(np.ma.getmaskarray(value))
    into.array(np.asarray(value).view(np.ndarray))
    return True


def _pandas(into: Fingerprint, value: Any, _depth: int) -> bool:
    if not hasattr(value, "iloc"):
        if hasattr(value, "to_numpy"):  # an index, an extension array
            into.array(_thinned(into, value).to_numpy())
            return True
        return _pandas_blocks(into, value)
    thin = _thinned(into, value.iloc)
    into.array(thin.index.to_numpy())
    if hasattr(value, "columns"):
        into.columns(list(value.columns), lambda number: _pandas_column(into, thin.iloc[:, number]))
    else:
        into.add(str(value.name))
        into.columns([""], lambda _: _pandas_column(into, thin))
    return True


def _thinned(into: Fingerprint, value: Any) -> Any:
    """Rows at equal distances, and the last one."""
    size = len(value.obj) if hasattr(value, "obj") else len(value)
    into.add(str(size))
    step = max(1, size // ROWS)
    into.sampled |= step > 1
    return value[::-step] if size else value[:]


def _pandas_column(into: Fingerprint, column: Any) -> Any:
    into.add(str(column.dtype))
    if getattr(column.dtype, "kind", "O") in "biufcmM":
        return column.to_numpy()
    step = max(1, len(column) // TEXTS)
    into.sampled |= step > 1
    return column.iloc[::step].tolist()


def _polars(into: Fingerprint, value: Any, _depth: int) -> bool:
    if hasattr(value, "get_columns"):
        columns = value.get_columns()
        into.add(str(value.shape))
        into.columns([column.name for column in columns], lambda number: _polars_column(into, columns[number]))
        return True
    if hasattr(value, "gather_every"):
        into.columns([value.name], lambda _: _polars_column(into, value))
        return True
    return False


def _polars_column(into: Fingerprint, column: Any) -> Any:
    into.add(str(column.dtype))
    step = max(1, len(column) // TEXTS)
    into.sampled |= step > 1
    return column.gather_every(step).to_list()


def _torch(into: Fingerprint, value: Any, _depth: int) -> bool:
    version = getattr(value, "_version", None)
    if not isinstance(version, int):
        return False
    into.add(f"{value.dtype} {tuple(value.shape)} changed {version} times")
    into.identity(value)
    return True


def _pandas_blocks(into: Fingerprint, manager: Any) -> bool:
    """What pandas keeps a frame or a series in."""
    if not (hasattr(manager, "blocks") and hasattr(manager, "axes")):
        return False
    for axis in manager.axes:
        into.array(_thinned(into, axis).to_numpy())
    if len(manager.axes) > 1:
        into.columns(list(manager.axes[0]), manager.iget_values)
    else:
        into.columns([""], lambda _: manager.blocks[0].values)
    return True


_found: dict[type, str] = {}
_SHAPED = ("numpy", "pandas", "polars", "torch", "scipy", "jax", "tensorflow", "xarray")
_LIBRARIES = {"numpy": _numpy, "pandas": _pandas, "polars": _polars, "torch": _torch}


def library_of(kind: type) -> str:
    """The one of the libraries that are known here whose class a class is, or inherits from; else ''."""
    found = _found.get(kind)
    if found is None:
        roots = [str(base.__module__).partition(".")[0] for base in type.__getattribute__(kind, "__mro__")]
        found = next((root for root in roots if root in _SHAPED), "")
        if len(_found) < ITEMS:
            _found[kind] = found
    return found


_users: dict[type, bool] = {}
_STANDARD = os.path.dirname(os.__file__)


def is_users(kind: type) -> bool:
    """Whether code of the user's could answer for a value: some class that its type inherits from is of no library."""
    found = _users.get(kind)
    if found is None:
        found = any(not _of_library(base) for base in type.__getattribute__(kind, "__mro__"))
        if len(_users) < ITEMS:
            _users[kind] = found
    return found


def _of_library(kind: type) -> bool:
    """Whether a class is of an installed package, the standard library or the interpreter."""
    name = str(type.__getattribute__(kind, "__module__"))
    module = sys.modules.get(name)
    if name in sys.builtin_module_names:
        return True
    try:
        path = str(object.__getattribute__(module, "__dict__")["__file__"])
    except (AttributeError, KeyError):
        return name != "__main__" and name.partition(".")[0] in _SHAPED  # some of their classes name no real module
    return "/site-packages/" in path or "/dist-packages/" in path or path.startswith(f"{_STANDARD}/")


def bare(value: Any, kind: type) -> tuple[Any, type]:
    """What a class of the user's keeps its data in, without asking it; the value itself where that is unknown."""
    library = library_of(kind)
    try:
        if library == "numpy":
            import numpy as np

            inner = np.ndarray.view(value, np.ndarray)
        elif library == "pandas":
            inner = object.__getattribute__(value, "_mgr")
        else:
            return value, kind
    except (AttributeError, TypeError):
        return value, kind
    return inner, type(inner)


def _number(value: object) -> str:
    """Huge integers take long to print."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4096:
        return f"{value.bit_length()} bits {value & (1 << 64) - 1:x}"
    return repr(value)


def type_name(kind: type) -> str:
    """A type as people write it: ``pandas.DataFrame``, ``sklearn.linear_model.LogisticRegression``, ``list``."""
    module = str(getattr(kind, "__module__", "") or "")
    name = str(getattr(kind, "__qualname__", kind.__name__))
    if module in ("builtins", "__main__"):
        return name
    words = [word for word in module.split(".") if not word.startswith("_")]
    if words[:1] in (["pandas"], ["polars"], ["numpy"]):
        words = words[:1]
    return ".".join((*words, name))
