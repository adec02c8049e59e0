"""Which cells of a notebook ran out of order, or used a variable whose defining cell has since changed.

What is compared is what ran in one kernel session with the notebook as it stands: where a cell's id is known, by that,
else by its source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.errors import QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.reader import ActivityFilter, GraphReader
from provgraph.graph.rows import Rows

COLUMNS: Final = ("cell", "run", "finding", "variable", "because", "says")
"""``cell`` is the execution count of a cell's newest run, ``run`` its uid; ``because`` is the uid of the other run."""
OUT_OF_ORDER, CHANGED, RUN_AGAIN, GONE, EDITED = "out of order", "changed", "run again", "gone", "edited"
_SHOWN: Final = 40


@dataclass(slots=True)
class CellRun:
    """One run of a cell in one session."""

    vertex: Vertex
    used: dict[str, str] = field(default_factory=dict)
    """Variables that it used: name → uid of the run that had bound it."""
    bound: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        """The number that stands beside the cell."""
        found = self.vertex.properties.get("execution_count")
        return found if isinstance(found, int) else 0

    @property
    def source(self) -> str:
        """The code that ran."""
        return str(self.vertex.properties.get("source", ""))

    @property
    def cell_id(self) -> str | None:
        """The front end's name of the cell, where it told."""
        found = self.vertex.properties.get("cell_id")
        return None if found is None else str(found)


def cell_runs(reader: GraphReader, *, notebook: str | None = None, session: str | None = None) -> list[CellRun]:
    """The runs of one kernel session, oldest first; of several sessions of a notebook, those of the newest.

    Parameters:
        notebook: its path as the graph names it; without it and ``session``, the notebook that ran last.
    Raises:
        QuestionError: no cell of it was recorded.
    """
    cells = [one for one in reader.activities(ActivityFilter(unseen=False)) if "Cell" in one.labels]
    if notebook is not None:
        cells = [one for one in cells if one.properties.get("notebook") == notebook]
    if session is not None:
        cells = [one for one in cells if str(one.properties.get("session", "")).startswith(session)]
    if not cells:
        what = f"no cell of {notebook} was recorded" if notebook else "no cell was recorded"
        raise QuestionError(f"{what}; in the notebook, `%load_ext provgraph` and `%provdb on` record cells")
    newest = cells[0].properties.get("session")
    runs = {one.uid: CellRun(one) for one in reversed(cells) if one.properties.get("session") == newest}
    _read_variables(reader, runs)
    return sorted(runs.values(), key=lambda run: (str(run.vertex.properties.get("started_at", "")), run.vertex.uid))


def _read_variables(reader: GraphReader, runs: Mapping[str, CellRun]) -> None:
    """Which variables each run used and bound."""
    edges = [edge for uid in runs for edge in reader.edges_of(uid)]
    ends = {edge.target for edge in edges if edge.type == "used"}
    ends |= {edge.source for edge in edges if edge.type == "wasGeneratedBy"}
    names = {
        vertex.uid: str(vertex.properties.get("variable", ""))
        for vertex in reader.vertices(ends)
        if "Variable" in vertex.labels
    }
    makers = {edge.source: edge.target for edge in edges if edge.type == "wasGeneratedBy"}
    for edge in edges:
        if edge.type == "used" and edge.source in runs and edge.target in names:
            maker = makers.get(edge.target, "")
            if maker in runs and maker != edge.source:
                runs[edge.source].used[names[edge.target]] = maker
        elif edge.type == "wasGeneratedBy" and edge.target in runs and edge.source in names:
            runs[edge.target].bound.add(names[edge.source])


def cell_order(runs: Sequence[CellRun], cells: Sequence[tuple[str | None, str]] | None) -> Rows:
    """What is odd about the runs of a session, cell by cell.

    Parameters:
        runs: oldest first.
        cells: (id, source) of the notebook's code cells as they stand; None where it cannot be read.
    Returns:
        Rows with `COLUMNS`, in the notebook's order; none where every cell ran once after those above it.
    """
    places = _places(runs, cells)
    newest = _newest_runs(runs, places)
    order = sorted(newest, key=lambda uid: (places.get(uid, len(places)), runs_index(runs, uid)))
    by_uid = {run.vertex.uid: run for run in runs}
    rows: list[list[Any]] = []
    for uid in order:
        run = by_uid[uid]
        rows += _out_of_order(run, [by_uid[one] for one in order], places, runs)
        rows += _stale(run, by_uid, newest, places, cells)
        rows += _edited(run, places, cells)
    return Rows(COLUMNS, tuple(tuple(row) for row in rows))


def runs_index(runs: Sequence[CellRun], uid: str) -> int:
    """When a run happened, as its place among all."""
    return next(number for number, run in enumerate(runs) if run.vertex.uid == uid)


def _places(runs: Sequence[CellRun], cells: Sequence[tuple[str | None, str]] | None) -> dict[str, int]:
    """Where the cell of each run stands in the notebook; runs of cells that are gone are left out."""
    if cells is None:
        return {}
    ids = {name: number for number, (name, _) in enumerate(cells) if name is not None}
    sources: dict[str, int] = {}
    for number, (_, source) in enumerate(cells):
        sources.setdefault(source, number)
    places = {}
    for run in runs:
        found = ids.get(run.cell_id) if run.cell_id is not None else None
        if found is None:
            found = sources.get(run.source)
        if found is not None:
            places[run.vertex.uid] = found
    return places


def _key(run: CellRun, places: Mapping[str, int]) -> object:
    """What tells one cell from another."""
    place = places.get(run.vertex.uid)
    return place if place is not None else run.cell_id or run.source


def _newest_runs(runs: Sequence[CellRun], places: Mapping[str, int]) -> set[str]:
    newest: dict[object, str] = {}
    for run in runs:
        newest[_key(run, places)] = run.vertex.uid
    return set(newest.values())


def _out_of_order(
    run: CellRun, order: Sequence[CellRun], places: Mapping[str, int], runs: Sequence[CellRun]
) -> list[list[Any]]:
    """A cell that ran before one that stands above it."""
    place = places.get(run.vertex.uid)
    if place is None:
        return []
    mine = runs_index(runs, run.vertex.uid)
    for above in order:
        if places.get(above.vertex.uid, place) < place and runs_index(runs, above.vertex.uid) > mine:
            says = f"{_named(run)} ran before {_named(above)}, which stands above it"
            return [[run.count, run.vertex.uid, OUT_OF_ORDER, None, above.vertex.uid, says]]
    return []


def _stale(
    run: CellRun,
    by_uid: Mapping[str, CellRun],
    newest: set[str],
    places: Mapping[str, int],
    cells: Sequence[tuple[str | None, str]] | None,
) -> list[list[Any]]:
    """A variable that a cell used as another one had bound it, which would bind it otherwise now."""
    rows: list[list[Any]] = []
    for name, uid in sorted(run.used.items()):
        maker = by_uid[uid]
        place = places.get(uid)
        if cells is not None and place is None:
            finding, what = GONE, f"{_named(maker)}, which stands in the notebook no more"
        elif cells is not None and place is not None and cells[place][1] != maker.source:
            finding, what = CHANGED, f"{_named(maker)}, whose code has changed since"
        elif uid not in newest and _reruns(maker, by_uid, newest, places, name):
            finding, what = RUN_AGAIN, f"{_named(maker)}, which ran again since"
        else:
            continue
        says = f"{_named(run)} used {name} of {what}"
        rows.append([run.count, run.vertex.uid, finding, name, uid, says])
    return rows


def _reruns(
    maker: CellRun, by_uid: Mapping[str, CellRun], newest: set[str], places: Mapping[str, int], name: str
) -> bool:
    """Whether a newer run of the same cell bound the variable anew."""
    return any(
        _key(by_uid[uid], places) == _key(maker, places) and name in by_uid[uid].bound
        for uid in newest
        if uid != maker.vertex.uid
    )


def _edited(run: CellRun, places: Mapping[str, int], cells: Sequence[tuple[str | None, str]] | None) -> list[list[Any]]:
    """A cell whose code is another one than what ran."""
    place = places.get(run.vertex.uid)
    if cells is None or place is None or cells[place][1] == run.source:
        return []
    says = f"{_named(run)} was edited since it ran"
    return [[run.count, run.vertex.uid, EDITED, None, run.vertex.uid, says]]


def _named(run: CellRun) -> str:
    """A cell as people find it: its number and the beginning of its code."""
    lines = [line.strip() for line in run.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    code = lines[0] if lines else ""
    code = code if len(code) <= _SHOWN else code[: _SHOWN - 1].rstrip() + "…"
    return f"[{run.count}] `{code}`" if code else f"[{run.count}]"
