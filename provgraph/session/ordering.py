"""``order``: the cells of a notebook as they stand on disk, beside what of them ran."""

import json
import os
from typing import TYPE_CHECKING

from provgraph.graph.rows import Rows
from provgraph.queries.cell_order import cell_order, cell_runs

if TYPE_CHECKING:
    from provgraph.session.opened import Opened

_LARGEST = 256 << 20


def order(project: "Opened", notebook: str | None = None, *, session: str | None = None) -> Rows:
    """What is odd about the order in which cells ran: rows with `queries.cell_order.COLUMNS`.

    Parameters:
        notebook: its path; without it (and without ``session``), the one that ran last.
        session: a kernel session, or the beginning of its name.
    Raises:
        QuestionError: no cell of it was recorded.
    """
    reader = project.reader()
    named = None if notebook is None else project.places().locate(notebook)
    runs = cell_runs(reader, notebook=named, session=session)
    path = runs[-1].vertex.properties.get("notebook")
    cells = None
    if isinstance(path, str):
        try:
            cells = cells_on_disk(os.path.join(project.root, path))
        except (OSError, ValueError) as error:
            project.notes.append(f"{path} cannot be read, so only runs are compared with each other: {error}")
    else:
        project.notes.append("which notebook it was is not known, so only runs are compared with each other")
    return cell_order(runs, cells)


def cells_on_disk(path: str) -> list[tuple[str | None, str]]:
    """(id, source) of a notebook's code cells as it was saved last.

    Raises:
        OSError, ValueError: it cannot be read, or is none.
    """
    if os.path.getsize(path) > _LARGEST:
        raise ValueError("it is too large")
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise ValueError("it is no notebook of format 4")
    found: list[tuple[str | None, str]] = []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", "")
            text = "".join(map(str, source)) if isinstance(source, list) else str(source)
            name = cell.get("id")
            found.append((name if isinstance(name, str) else None, text))
    return found
