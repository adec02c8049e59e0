"""How the walks run: compiled by Numba over arrays where it is installed and pays, else plain Python over lists."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from provgraph.queries.segmentation import kernels

WORTH_LOADING: Final = 400_000
"""Edges whose walks take as long in plain Python as loading Numba and the compiled kernels does: half a second."""
WORTH_CALLING: Final = 200
"""Edges from which on compiled kernels, once loaded, are worth the detour."""


class Engine(NamedTuple):
    """The kernels, and the form in which they take arrays."""

    name: str
    descend: Callable[..., int]
    spread: Callable[..., int]
    collect: Callable[..., None]
    narrow: Callable[..., None]
    pair: Callable[..., int]
    within: Callable[..., None]
    given: Callable[[npt.NDArray[Any]], Any]
    """An array in the form in which a kernel reads it."""
    owned: Callable[[npt.NDArray[Any]], Any]
    """A new array in the form in which a kernel writes to it."""
    zeros: Callable[[int], Any]
    """So many 0s that a kernel writes to."""
    most_pairs: int
    """Pairs of vertices that there is memory for, with ``match``."""
    most_steps: int
    """Steps of pairs after which a faster engine is called for; 0 where there is none."""


_walked = [0]
"""Edges that this process has walked in plain Python."""


def engine_for(edges: int) -> Engine:
    """The engine to walk so many edges with: compiled once the process has walked so many that it had been worth it.

    So a command asks a small graph in plain Python, and a notebook that goes on asking waits once.
    """
    if compiled.cache_info().currsize:
        return compiled() if edges > WORTH_CALLING else PLAIN
    _walked[0] += edges
    return faster() if _walked[0] > WORTH_LOADING else PLAIN


def faster() -> Engine:
    """The fastest engine that there is."""
    return PLAIN if find_spec("numba") is None else compiled()


def _listed(array: npt.NDArray[Any]) -> Any:
    return array.tolist()


def _zeros(length: int) -> list[int]:
    return [0] * length


PLAIN: Final = Engine(
    "plain", kernels.descend, kernels.spread, kernels.collect, kernels.narrow, kernels.pair, kernels.within,
    _listed, _listed, _zeros, 8_000_000, 3_000_000,
)  # fmt: skip


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view that is read-only, as memory-mapped arrays are: a kernel is compiled once for both."""
    view = np.require(array, requirements=["C", "A"]).view()
    view.flags.writeable = False
    return view


def _itself(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array


def _made(length: int) -> npt.NDArray[np.int32]:
    return np.zeros(length, np.int32)


@cache
def compiled() -> Engine:
    """The compiled engine. The machine code is kept on disk, so that only the first process ever waits for it.

    Raises:
        ModuleNotFoundError: Numba is not installed.
    """
    import numba

    def compile_(kernel: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(cache=True, nogil=True)(kernel)
        except RuntimeError:  # nowhere to keep it: neither beside the module nor in the user's cache
            return numba.njit(nogil=True)(kernel)

    return Engine(
        "compiled",
        compile_(kernels.descend),
        compile_(kernels.spread),
        compile_(kernels.collect),
        compile_(kernels.narrow),
        compile_(kernels.pair),
        compile_(kernels.within),
        _read_only,
        _itself,
        _made,
        40_000_000,
        0,
    )
