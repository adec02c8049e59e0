"""The letters of words with ``match``, and the edges sorted by them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provgraph.errors import QuestionError
from provgraph.graph.arrays import ACTIVITY, ENTITY
from provgraph.graph.provgraph import ProvGraph

Keys = Mapping[int, tuple[str, ...]]
"""The property keys to agree on, by code of the kind."""
_KINDS = {"entity": ENTITY, "activity": ACTIVITY}
_BITS = 62


def keys_of(match: Mapping[str, Sequence[str]] | None) -> dict[int, tuple[str, ...]]:
    """The keys of a ``match``, by kind; equal questions give equal keys.

    Raises:
        QuestionError: a kind that is on no walk, or no keys by kind at all.
    """
    if not isinstance(match or {}, Mapping):
        raise QuestionError(f'match: {match!r} are no keys by kind; give them like {{"activity": ["command"]}}')
    keys: dict[int, tuple[str, ...]] = {}
    for kind, names in (match or {}).items():
        code = _KINDS.get(str(kind).lower())
        if code is None:
            raise QuestionError(
                f"match: {kind!r} is no kind of vertex that walks pass; take 'activity' or 'entity', "
                'as in {"activity": ["command"]}'
            )
        wanted = (names,) if isinstance(names, str) else tuple(names)
        keys[code] = tuple(sorted({*keys.get(code, ()), *wanted}))
    return {code: names for code, names in sorted(keys.items()) if names}


def letters(graph: ProvGraph, keys: Keys, reached: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32] | None:
    """The letter of each vertex reached: equal numbers where the kind's keys have equal values, or are equally absent.

    Letters of activities and of entities may share numbers: walks of one word pass both kinds in step.

    Returns: None where there is one letter for each kind: then all walks of one length have the same word.
    """
    found = np.zeros(graph.arrays.vertex_count, np.int32)
    several = False
    for kind, names in keys.items():
        chosen = np.flatnonzero(reached & (graph.arrays.kinds == kind))
        codes = np.zeros(len(chosen), np.int64)
        for name in names:
            column = graph.column(name)
            codes = _numbered(codes * (len(column.values) + 1) + column.codes[chosen] + 1)
        several = several or (bool(len(chosen)) and int(codes.max()) > 0)
        found[chosen] = codes
    return found if several else None


def _numbered(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The same distinctions by the smallest numbers."""
    if not len(codes):
        return codes
    most = int(codes.max())
    if most > 4 * len(codes) + 1024:
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)
    there = np.zeros(most + 1, np.bool_)
    there[codes] = True
    return (np.cumsum(there) - 1)[codes]


class Lettered(NamedTuple):
    """An adjacency without parallel edges, the edges of each vertex by the letter of their other end."""

    ptr: npt.NDArray[np.int64]
    other: npt.NDArray[np.int32]
    sign: npt.NDArray[np.int64]
    """For each vertex, a bit for each letter among its edges; several letters may share one."""


def lettered(
    ptr: npt.NDArray[np.int64],
    other: npt.NDArray[np.int32],
    letter: npt.NDArray[np.int32],
    reached: npt.NDArray[np.bool_],
) -> Lettered:
    """The edges of what is reached, sorted. Cost: a sort of the edges as numbers."""
    vertices = len(letter)
    by_letter = np.argsort(letter.astype(np.uint16) if int(letter.max()) < 1 << 16 else letter, kind="stable")
    rank = np.empty(vertices, np.int64)
    rank[by_letter] = np.arange(vertices)
    source = np.repeat(np.arange(vertices, dtype=np.int64), np.diff(ptr))
    kept = reached[source]
    keys = source[kept] * vertices + rank[other[kept]]
    keys.sort()
    if len(keys):
        keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
    sources = keys // vertices
    targets = by_letter[keys - sources * vertices].astype(np.int32)
    degrees = np.bincount(sources, minlength=vertices)
    new = np.zeros(vertices + 1, np.int64)
    np.cumsum(degrees, out=new[1:])
    sign = np.zeros(vertices, np.int64)
    some = np.flatnonzero(degrees)
    if len(some):
        bits = np.left_shift(1, letter[targets].astype(np.int64) % _BITS)
        sign[some] = np.bitwise_or.reduceat(bits, new[some])
    return Lettered(new, targets, sign)
