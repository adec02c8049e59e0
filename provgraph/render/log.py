"""The log as a table: one activity a line."""

from collections.abc import Callable

from provgraph.graph.rows import Rows
from provgraph.render.tables import Cell, Column, table
from provgraph.render.text import Page
from provgraph.render.times import Clock, duration

_COLUMNS = (
    Column("", least=2),
    Column("activity", least=14, middle=True),
    Column("started", least=19),
    Column("took", right=True, least=6),
    Column("state", least=8),
    Column("who", least=4),
    Column("command", least=6),
)
_LEFT_OUT = ((50, ("took", "who")), (80, ("took",)))
"""Below so many columns these are left out, and times are short: a row that is cut everywhere says nothing."""


def log_text(rows: Rows, page: Page, clock: Clock) -> str:
    """``%1  train.py #14  2026-11-21 12:00:03  1.92 s  ok  Alice  python train.py --lr 0.1``."""
    left_out = next((names for below, names in _LEFT_OUT if page.columns < below), ())
    kept = [place for place, column in enumerate(_COLUMNS) if column.heading not in left_out]
    lines = [_line(row, clock.short if left_out else clock.show) for row in rows.to_dicts()]
    return table([_COLUMNS[place] for place in kept], [[line[place] for place in kept] for line in lines], page)


def _line(row: dict[str, object], shown: Callable[[object], str]) -> list[Cell | str]:
    unseen = row["state"] == "unrecorded"
    state = "" if unseen else str(row["state"])
    good = state == "ok"
    return [
        (f"%{row['n']}" if row["n"] else "·", "faint"),
        (str(row["name"]), "faint" if unseen else "activity"),
        shown(row["ended_at"] if unseen else row["started_at"]),
        "" if unseen else duration(row["duration_s"]),
        (state, "good" if good else "bad" if state.startswith("exit") else "plain"),
        (str(row["agent"] or ""), "agent"),
        str(row["command"] or ""),
    ]
