"""Rows: the answer of a table-valued question (``log``, ``cypher``)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from provgraph.graph.elements import Edge, Vertex

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Path:
    """A path in a row: vertices and the edges between them, in walking order."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]

    def to_json(self) -> dict[str, Any]:
        """The shape of a path in a row: a small graph in walking order."""
        return {"vertices": [v.to_json() for v in self.vertices], "edges": [e.to_json() for e in self.edges]}


def plain(value: object) -> Any:
    """A cell as JSON can say it: vertices, edges and paths by their shapes, date-times as ISO 8601 with zone."""
    if isinstance(value, Vertex | Edge | Path):
        return value.to_json()
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


@dataclass(frozen=True, slots=True)
class Rows:
    """Named columns and rows of values, in the order of the answer.

    Values are str, int, float, bool, None, aware datetime, list, dict, Vertex, Edge or Path. ``notes`` says what a
    reader should know beside the rows: what was left out, what may have been misspelt.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.rows[index]

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each row as a dict by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/rows/1``."""
        document: dict[str, Any] = {
            "schema": "provgraph/rows/1",
            "columns": list(self.columns),
            "rows": [[plain(value) for value in row] for row in self.rows],
        }
        if self.notes:
            document["notes"] = list(self.notes)
        return document

    def to_pandas(self) -> "pd.DataFrame":
        """A pandas DataFrame.

        Raises:
            ModuleNotFoundError: pandas is not installed; the message says how to get it.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError("to_pandas() needs pandas: install it with `pip install pandas`") from missing
        return pd.DataFrame(self._cells(), columns=list(self.columns))

    def _cells(self) -> Sequence[Sequence[Any]]:
        return [[plain(v) if isinstance(v, Vertex | Edge | Path) else v for v in row] for row in self.rows]
