"""Arrays of a graph that came as rows."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from provgraph.errors import InputError
from provgraph.graph.array_table import ArrayTable
from provgraph.graph.arrays import KIND_CODES, RELATION_CODES, Arrays, Column
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.row_table import RowTable, labels_of
from provgraph.model.vocabulary import kind_of


def arrays_of_rows(table: RowTable) -> ArrayTable:
    """The same graph as arrays; positions are places in the document's order."""
    rows, edges = table.rows()
    places = {row[0]: place for place, row in enumerate(rows)}
    texts: dict[Any, int] = {}
    sets: dict[tuple[str, ...], int] = {}
    labels = np.empty(len(rows), np.int32)
    for place, row in enumerate(rows):
        code = texts.get(row[1])
        if code is None:
            code = texts[row[1]] = sets.setdefault(labels_of(row), len(sets))
        labels[place] = code
    kinds = np.array([KIND_CODES[kind_of(names)] for names in sets], np.int8)
    try:
        relations = np.fromiter((RELATION_CODES[row[0]] for row in edges), np.int8, len(edges))
    except KeyError as unknown:
        raise InputError(f"there is no relation {unknown}; operators walk the relations of the vocabulary") from None
    return ArrayTable(
        _RowElements(table),
        Arrays(
            kinds=kinds[labels] if len(rows) else np.empty(0, np.int8),
            labels=labels,
            labelsets=tuple(sets),
            relations=relations,
            sources=np.fromiter((places[row[1]] for row in edges), np.int32, len(edges)),
            targets=np.fromiter((places[row[2]] for row in edges), np.int32, len(edges)),
        ),
    )


class _RowElements:
    """What the positions stand for: the rows."""

    def __init__(self, table: RowTable) -> None:
        self._table = table
        self._rows, self._edges = table.rows()

    def uids(self, vertices: npt.NDArray[np.integer]) -> list[str]:
        rows = self._rows
        return [rows[place][0] for place in vertices.tolist()]

    def position(self, uid: str) -> int | None:
        return self._table.position(uid)

    def places_with_prefix(self, prefix: str) -> Iterator[int]:
        first = self._table.first_from(prefix)
        for place in range(first, len(self._rows)):
            if not self._rows[place][0].startswith(prefix):
                return
            yield place

    def ranks(self) -> npt.NDArray[np.int32] | None:
        return None

    def vertices(self, places: Sequence[int]) -> list[Vertex]:
        return self._table.vertices_at(places)

    def edges(self, places: Sequence[int]) -> list[Edge]:
        return self._table.edges_at(places)

    def column(self, key: str) -> Column:
        return column_of((vertex.properties for vertex in self._table.vertices()), len(self._rows), key)

    def edge_column(self, key: str) -> Column:
        return column_of((edge.properties for edge in self._table.edges()), len(self._edges), key)


def column_of(properties: Iterable[Mapping[str, Any]], count: int, key: str) -> Column:
    """The column of a property, from all elements' properties in the order of their positions."""
    codes = np.full(count, -1, np.int32)
    known: dict[object, int] = {}
    values: list[Any] = []
    for place, mine in enumerate(properties):
        if key in mine:
            name = identity_of(mine[key])
            code = known.get(name)
            if code is None:
                code = known[name] = len(values)
                values.append(mine[key])
            codes[place] = code
    return Column(codes, tuple(values))


def identity_of(value: object) -> object:
    """What tells a value of a property from every other: 1, True and 1.0 are three."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict):
        return 0, json.dumps(value, sort_keys=True, default=repr)
    return type(value), repr(value)
