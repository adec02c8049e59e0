"""Contents of two snapshots, in the form that suits them: text, table, document, notebook, or only sizes."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from provgraph.errors import ProvGraphError
from provgraph.graph.comparison import Content
from provgraph.graph.elements import Vertex
from provgraph.queries.comparison.documents import document_difference, parsed
from provgraph.queries.comparison.tables import FEW, read_table, table_difference
from provgraph.queries.comparison.texts import notebook_text, text_difference, text_of

Contents = Callable[[Vertex], bytes]
"""Gives the bytes of a snapshot, or raises a ProvGraphError whose message says why there are none."""

NOT_READ: Final = "only digests are compared: a graph has no contents, or too many differ"
LARGEST: Final = 32 * 1024 * 1024
"""Bytes; of larger contents only sizes and digests are told."""
MOST_CONTENTS: Final = 200
"""Pairs whose contents are read for one answer; of more only digests are compared."""
LINES: Final = 400
"""Lines of a diff, and changes of a document, that are kept unless all are asked for."""
_TABLES: Final = {".csv": None, ".tsv": "\t", ".tab": "\t"}
_TABLE_TYPES: Final = {"text/csv": None, "text/tab-separated-values": "\t"}
_DOCUMENTS: Final = {".json": "json", ".geojson": "json", ".toml": "toml"}


def has_content(vertex: Vertex) -> bool:
    """Whether a vertex is a snapshot of one file."""
    return "Snapshot" in vertex.labels and not {"Collection", "Environment", "Variable"}.intersection(vertex.labels)


def was_read(content: Content | None) -> bool:
    """Whether bytes were read for a difference."""
    return content is not None and content.form != "unknown"


def content_difference(first: Vertex, second: Vertex, read: Contents | None, *, everything: bool = False) -> Content:
    """How two snapshots' contents differ.

    Cost: nothing where the digests agree; else both are read, up to ``LARGEST`` bytes each.
    """
    one, other = first.properties, second.properties
    digests = (_text(one.get("sha256")), _text(other.get("sha256")))
    sizes = (_size(one.get("size_bytes")), _size(other.get("size_bytes")))
    if first.uid == second.uid or (digests[0] is not None and digests[0] == digests[1]):
        return Content("equal", digests=digests, sizes=sizes)
    told = _told(first, second, read, digests, sizes, everything)
    return replace(told, digests=digests, sizes=sizes)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _told(
    first: Vertex,
    second: Vertex,
    read: Contents | None,
    digests: tuple[str | None, str | None],
    sizes: tuple[int | None, int | None],
    everything: bool,
) -> Content:
    if None in digests:
        side, vertex = ("first", first) if digests[0] is None else ("second", second)
        if None not in sizes and sizes[0] != sizes[1]:
            return Content("differs", reason=f"no digest is known of the {side}; the sizes differ")
        known = vertex.properties.get("content")
        return Content("unknown", reason=f"no digest is known of the {side}{f' (content {known})' if known else ''}")
    if max(size or 0 for size in sizes) > LARGEST:
        return Content("differs", reason=f"larger than {LARGEST // (1024 * 1024)} MiB, so only digests are compared")
    if read is None:
        return Content("differs", reason=NOT_READ)
    try:
        data = read(first), read(second)
    except ProvGraphError as error:
        return Content("differs", reason=str(error))
    return data_difference(data[0], data[1], form_of(first, second), everything=everything)


def form_of(first: Vertex, second: Vertex) -> tuple[str, Any]:
    """What both names and media types agree on: ("table", its delimiter), ("document", "json"), ("text", None)."""
    found = {_form(vertex) for vertex in (first, second)}
    return found.pop() if len(found) == 1 else ("text", None)


def _form(vertex: Vertex) -> tuple[str, Any]:
    suffix = os.path.splitext(str(vertex.properties.get("path", "")))[1].lower()
    media = str(vertex.properties.get("media_type", ""))
    if suffix in _TABLES or media in _TABLE_TYPES:
        return "table", _TABLES.get(suffix, _TABLE_TYPES.get(media))
    if suffix == ".ipynb" or media == "application/x-ipynb+json":
        return "notebook", None
    if suffix in _DOCUMENTS or media == "application/json" or media.endswith("+json"):
        return "document", _DOCUMENTS.get(suffix, "json")
    return "text", None


def data_difference(first: bytes, second: bytes, form: tuple[str, Any], *, everything: bool = False) -> Content:
    """How two byte strings that differ do so. What cannot be read in its form is told as text, or by its size."""
    one, other = text_of(first), text_of(second)
    if one is None or other is None:
        return Content("differs", "binary")
    most = max(len(first), len(second)) + 2 if everything else LINES
    name, how = form
    found: Content | None = None
    if name == "table":
        found = _tables(one, other, how, most if everything else FEW)
    elif name == "document":
        found = _documents(one, other, how, most)
    elif name == "notebook":
        found = _notebooks(one, other, most)
    return found or text_difference(one, other, most)


def _tables(one: str, other: str, delimiter: str | None, few: int) -> Content | None:
    first, second = read_table(one, delimiter), read_table(other, delimiter)
    if first is None or second is None:
        return None
    found = table_difference(first, second, few)
    nothing = not (
        found.rows_added or found.rows_removed or found.cells_changed or found.columns_added or found.columns_removed
    )
    reason = "the cells are the same, only written differently" if nothing and not found.columns_moved else ""
    return Content("differs", "table", reason, table=found)


def _documents(one: str, other: str, language: str, most: int) -> Content | None:
    (readable, first), (also, second) = parsed(one, language), parsed(other, language)
    return document_difference(first, second, most) if readable and also else None


def _notebooks(one: str, other: str, most: int) -> Content | None:
    first, second = notebook_text(one), notebook_text(other)
    if first is None or second is None:
        return None
    if first == second:
        return Content("differs", "notebook", "the cells' sources are the same; outputs or metadata differ")
    return replace(text_difference(first, second, most), form="notebook")
