"""How a notebook shows answers: pictures as SVG, tables as HTML without scripts, readable on a dark page too."""

from __future__ import annotations

import html
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from provgraph.magics.asking import Reply

SHOWN = 200
"""Rows that a table shows."""
_CELL = 300
"""Characters that a cell of a table shows."""
_IN_ORDER = "every cell ran after those above it, on what they hold now"
_TABLE = "border-collapse:collapse;font-size:90%;color:inherit;background:transparent"
_BORDER = "border-bottom:1px solid rgba(128,128,128,.35);padding:3px 10px 3px 0;text-align:left;vertical-align:top"
_FAINT = "opacity:.7;font-size:90%;margin:4px 0"


class Answer:
    """An answer of ``provdb``. In a notebook it shows itself.

    Attributes:
        document: the JSON document, as a dict; None where provdb gave text.
        svg: the picture; None where there is none.
        text: the text, where there is no document.
        notes: what provdb said beside it.
    """

    def __init__(self, reply: Reply) -> None:
        self.question = "provdb " + " ".join(reply.question)
        self.document, self.svg, self.text, self.notes = reply.document, reply.svg, reply.text, reply.notes

    def __repr__(self) -> str:
        return f"<answer to `{self.question}`: {self._counted()}>"

    @property
    def columns(self) -> list[str]:
        """Names of the columns of a table."""
        return list((self.document or {}).get("columns", ()))

    @property
    def rows(self) -> list[list[Any]]:
        """Rows of a table."""
        return list((self.document or {}).get("rows", ()))

    @property
    def vertices(self) -> list[dict[str, Any]]:
        """Vertices of a graph."""
        return list((self.document or {}).get("vertices", ()))

    @property
    def edges(self) -> list[dict[str, Any]]:
        """Edges of a graph."""
        return list((self.document or {}).get("edges", ()))

    def to_pandas(self) -> Any:
        """The rows as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=self.columns)

    def to_graph(self) -> Any:
        """The graph as a ``provgraph.ProvGraph``, where the whole program is installed beside the kernel."""
        import provgraph

        return provgraph.ProvGraph.from_json(self.document or {})

    # -- faces -------------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None) -> Any:
        bundle = {"text/plain": self._plain()}
        if self.svg is not None:
            bundle["image/svg+xml"] = self.svg
        else:
            bundle["text/html"] = self._html()
        wanted = set(bundle if include is None else include) - set(exclude or ())
        return {kind: text for kind, text in bundle.items() if kind in wanted}

    def _counted(self) -> str:
        document = self.document or {}
        if "rows" in document:
            return f"{len(self.rows)} rows"
        if "vertices" in document:
            return f"{len(self.vertices)} vertices, {len(self.edges)} edges"
        return str(document.get("name") or document.get("schema") or f"{len(self.text.splitlines())} lines")

    def _nothing(self) -> str:
        return _IN_ORDER if self.question.startswith("provdb order") else "no rows"

    def _plain(self) -> str:
        lines = [f"note: {note}" for note in self.notes]
        if self.document is None:
            return "\n".join([self.text.rstrip("\n"), *lines])
        if "rows" in self.document and not self.rows:
            return "\n".join([self._nothing(), *lines])
        if "rows" in self.document:
            return "\n".join([*_text_table(self.columns, self.rows[:SHOWN]), *lines])
        return "\n".join([repr(self), *lines])

    def _html(self) -> str:
        document = self.document
        if document is None:
            body = _preformatted(self.text)
        elif "rows" in document:
            body = html_table(self.columns, self.rows) if self.rows else f"<p>{html.escape(self._nothing())}</p>"
        elif isinstance(document.get("vertex"), dict):
            body = _vertex(document)
        else:
            body = _preformatted(json.dumps(document, indent=1, ensure_ascii=False))
        return f'<div class="provgraph">{body}{_html_notes(self.notes)}</div>'


def html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; of a long one the beginning."""
    head = "".join(f'<th style="{_BORDER}">{html.escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_BORDER}">{html.escape(shown(value))}</td>' for value in row) + "</tr>"
        for row in rows[:SHOWN]
    )
    more = f'<p style="{_FAINT}">{len(rows) - SHOWN} more rows</p>' if len(rows) > SHOWN else ""
    heading = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    return f'<table style="{_TABLE}">{heading}<tbody>{body}</tbody></table>{more}'


def _vertex(document: dict[str, Any]) -> str:
    vertex = document["vertex"]
    properties = [[key, value] for key, value in vertex.get("properties", {}).items()]
    relations = [
        [("" if one.get("direction") == "out" else "← ") + one.get("type", ""), one.get("name", "")]
        for one in document.get("relations", ())
    ]
    title = f"<b>{html.escape(str(document.get('name', '')))}</b> {html.escape(', '.join(vertex.get('labels', ())))}"
    return f"<p>{title}</p>{html_table(['property', 'value'], properties)}" + (
        f"<br>{html_table(['relation', 'with'], relations)}" if relations else ""
    )


def _preformatted(text: str) -> str:
    return f'<pre style="color:inherit;background:transparent">{html.escape(text)}</pre>'


def _html_notes(notes: Iterable[str]) -> str:
    return "".join(f'<p style="{_FAINT}">{html.escape(note)}</p>' for note in notes)


def shown(value: object) -> str:
    """A value in a cell of a table; a vertex is shown by its name."""
    if value is None:
        return ""
    if isinstance(value, dict):
        properties = value.get("properties")
        if isinstance(properties, dict):
            path, sequence = properties.get("path"), properties.get("sequence")
            name = properties.get("name") or (f"{path}@{sequence}" if path and sequence else path)
            if name:
                return shown(name)
        value = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, list):
        value = ", ".join(shown(item) for item in value)
    text = str(value)
    return text if len(text) <= _CELL else text[:_CELL] + "…"


def _text_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    cells = [list(columns), *([" ".join(shown(value).split())[:60] for value in row] for row in rows)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(columns))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in cells]
