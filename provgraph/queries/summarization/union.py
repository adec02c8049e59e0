"""The disjoint union of segments as arrays: what summarization works on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from provgraph.errors import QuestionError
from provgraph.graph.arrays import KIND_CODES
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.vocabulary import Kind

Ints = npt.NDArray[np.int64]
Kept = tuple[tuple[str, Any], ...]

_ABSENT = (0,)


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """Vertices of all segments, t of them, ordered by (segment, uid), and all their edges.

    ``base``: the code of a vertex's kind and kept properties, a place in ``base_kinds`` and ``base_kept``; codes are
    ordered by kind, then by the kept values. ``sources``, ``targets``, ``relations``: the edges, parallel ones too.
    """

    segment: Ints
    uids: list[str]
    base: Ints
    base_kinds: list[Kind]
    base_kept: list[Kept]
    sources: Ints
    targets: Ints
    relations: Ints

    def __len__(self) -> int:
        """The number of vertices."""
        return len(self.uids)


def disjoint_union(segments: Sequence[ProvGraph], keep: Mapping[str, Sequence[str]]) -> Union:
    """The segments beside each other; a vertex that is in two segments is there twice.

    Raises:
        QuestionError: ``keep`` names a kind that is none.
    """
    keys = kept_keys(keep)
    uids: list[str] = []
    rows: list[tuple[Any, ...]] = []
    shown: dict[tuple[Any, ...], Any] = {}
    ends: list[list[npt.NDArray[Any]]] = [[], [], []]
    for graph in segments:
        arrays = graph.arrays
        names = graph.uids_at(np.arange(arrays.vertex_count))
        order = sorted(range(len(names)), key=names.__getitem__)
        place = np.empty(len(names), np.int64)
        place[order] = np.arange(len(uids), len(uids) + len(names))
        uids.extend(names[i] for i in order)
        rows.extend(_kept_rows(graph, order, keys, shown))
        ends[0].append(place[arrays.sources])
        ends[1].append(place[arrays.targets])
        ends[2].append(arrays.relations)
    codes = {row: code for code, row in enumerate(sorted(set(rows)))}
    kinds = {code: kind for kind, code in KIND_CODES.items()}
    sizes = [graph.arrays.vertex_count for graph in segments]
    return Union(
        segment=np.repeat(np.arange(len(segments)), sizes),
        uids=uids,
        base=np.fromiter((codes[row] for row in rows), np.int64, len(rows)),
        base_kinds=[kinds[row[0]] for row in codes],
        base_kept=[_kept(row, keys[row[0]], shown) for row in codes],
        sources=_joined(ends[0]),
        targets=_joined(ends[1]),
        relations=_joined(ends[2]),
    )


def kept_keys(keep: Mapping[str, Sequence[str]]) -> dict[int, tuple[str, ...]]:
    """The keys to keep by the code of their kind, each once, in the order given.

    Raises:
        QuestionError: a kind that is none.
    """
    kinds = {kind.value.casefold(): code for kind, code in KIND_CODES.items()}
    keys: dict[int, tuple[str, ...]] = dict.fromkeys(kinds.values(), ())
    for name, wanted in keep.items():
        code = kinds.get(name.casefold())
        if code is None:
            raise QuestionError(
                f"keep names the kind {name!r}, and there is none such; "
                "properties are kept by kind: entity, activity or agent"
            )
        several = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        keys[code] = tuple(dict.fromkeys((*keys[code], *several)))
    return keys


def _kept_rows(
    graph: ProvGraph, order: list[int], keys: dict[int, tuple[str, ...]], shown: dict[tuple[Any, ...], Any]
) -> list[tuple[Any, ...]]:
    """For each vertex (kind, value…); values as ``value_key`` has them, ``shown`` learns what they stand for."""
    columns: dict[str, list[tuple[Any, ...]]] = {}
    for key in dict.fromkeys(key for several in keys.values() for key in several):
        column = graph.column(key)
        values = [value_key(value) for value in column.values]
        for value, code in zip(column.values, values, strict=True):
            if code not in shown or (isinstance(shown[code], float) and isinstance(value, int)):
                shown[code] = value
        values.append(_ABSENT)
        columns[key] = [values[code] for code in column.codes.tolist()]
    kinds = graph.arrays.kinds.tolist()
    by_kind = {kind: [columns[key] for key in several] for kind, several in keys.items()}
    return [(kinds[i], *(column[i] for column in by_kind[kinds[i]])) for i in order]


def _kept(row: tuple[Any, ...], keys: tuple[str, ...], shown: dict[tuple[Any, ...], Any]) -> Kept:
    return tuple((key, shown[value]) for key, value in zip(keys, row[1:], strict=True) if value != _ABSENT)


def value_key(value: Any) -> tuple[Any, ...]:
    """What is equal for equal JSON values alone, and has an order: 1 equals 1.0, True is no number."""
    if value is None:
        return (1,)
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (3, value) if value == value else (4,)  # noqa: PLR0124 — not a number equals itself here
    if isinstance(value, str):
        return (5, value)
    if isinstance(value, Mapping):
        return (6, tuple(sorted((str(key), value_key(item)) for key, item in value.items())))
    if isinstance(value, Sequence):
        return (7, tuple(map(value_key, value)))
    return (8, str(value))


def _joined(columns: list[npt.NDArray[Any]]) -> Ints:
    return np.concatenate(columns).astype(np.int64) if columns else np.zeros(0, np.int64)
