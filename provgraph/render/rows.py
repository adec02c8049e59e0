"""Rows as a table or as CSV."""

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.rows import Path, Rows, plain
from provgraph.render.json_text import one_line
from provgraph.render.tables import Column, table
from provgraph.render.text import Page


def rows_table(rows: Rows, page: Page) -> str:
    """Rows as a table of plain text; vertices by their names."""
    numeric = [
        bool(rows.rows) and all(row[i] is None or _is_number(row[i]) for row in rows.rows)
        for i in range(len(rows.columns))
    ]
    columns = [Column(name, right=right) for name, right in zip(rows.columns, numeric, strict=True)]
    return table(columns, [[cell_text(value) for value in row] for row in rows.rows], page)


def rows_csv(rows: Rows) -> str:
    """Rows as CSV (RFC 4180) with a header; vertices, edges, lists and maps as JSON, nothing as an empty field."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(rows.columns)
    for row in rows.rows:
        writer.writerow([_field(value) for value in row])
    return out.getvalue()


def cell_text(value: object) -> str:
    """A value in a table's cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Vertex):
        return display_name(value)
    if isinstance(value, Edge):
        return f"[{value.type}]"
    if isinstance(value, Path):
        return _path_text(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(cell_text(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {cell_text(item)}" for key, item in value.items()) + "}"
    return str(plain(value))


def _path_text(path: Path) -> str:
    parts = [display_name(path.vertices[0])] if path.vertices else []
    for before, edge, after in zip(path.vertices, path.edges, path.vertices[1:], strict=False):
        arrow = f"-{edge.type}->" if edge.source == before.uid else f"<-{edge.type}-"
        parts += [arrow, display_name(after)]
    return " ".join(parts)


def _field(value: object) -> object:
    if isinstance(value, Vertex | Edge | Path):
        value = value.to_json()
    if isinstance(value, list | tuple | dict):
        return one_line(plain(value))
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return cell_text(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
