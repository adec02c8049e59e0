"""The log as a table: one activity a line."""

from provgraph.graph.rows import Rows
from provgraph.render.tables import Cell, Column, table
from provgraph.render.text import Page
from provgraph.render.times import Clock, duration

_COLUMNS = (
    Column("", least=2),
    Column("activity", least=14, middle=True),
    Column("started", least=12),
    Column("took", right=True, least=6),
    Column("state", least=6),
    Column("who", least=5),
    Column("command", least=10),
)


def log_text(rows: Rows, page: Page, clock: Clock) -> str:
    """``%1  train.py #14  2026-11-21 12:00:03  1.92 s  ok  Alice  python train.py --lr 0.1``."""
    return table(_COLUMNS, [_line(row, clock) for row in rows.to_dicts()], page)


def _line(row: dict[str, object], clock: Clock) -> list[Cell | str]:
    unseen = row["state"] == "unrecorded"
    state = "" if unseen else str(row["state"])
    good = state == "ok"
    return [
        (f"%{row['n']}" if row["n"] else "·", "faint"),
        (str(row["name"]), "faint" if unseen else "activity"),
        clock.show(row["ended_at"] if unseen else row["started_at"]),
        "" if unseen else duration(row["duration_s"]),
        (state, "good" if good else "bad" if state.startswith("exit") else "plain"),
        (str(row["agent"] or ""), "agent"),
        str(row["command"] or ""),
    ]
