"""Figures, and the Markdown table that they become."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Parameters:
        must: what is asked for ("" where the figure only explains another).
        reached: None where nothing is asked for, or where it could not be measured.
        command: what was run.
        remarks: how it came about: medians, minima, pairs, what went wrong.
    """

    what: str
    must: str
    measured: str
    reached: bool | None
    command: str
    remarks: str = ""


def at_most(what: str, limit: float, value: float, unit: str, command: str, remarks: str = "") -> Figure:
    """A figure that must not be above ``limit``."""
    return Figure(what, f"≤ {_number(limit)} {unit}", f"{_number(value)} {unit}", value <= limit, command, remarks)


def at_least(what: str, limit: float, value: float, unit: str, command: str, remarks: str = "") -> Figure:
    """A figure that must not be below ``limit``."""
    return Figure(what, f"≥ {_number(limit)} {unit}", f"{_number(value)} {unit}", value >= limit, command, remarks)


def for_information(what: str, value: float, unit: str, command: str, remarks: str = "") -> Figure:
    """A figure of which nothing is asked."""
    return Figure(what, "", f"{_number(value)} {unit}", None, command, remarks)


def failed(what: str, must: str, command: str, reason: str) -> Figure:
    """A figure that could not be taken."""
    return Figure(what, must, "not measured", None, command, reason)


def _number(value: float) -> str:
    if value == int(value) or value >= 1000:
        return f"{value:,.0f}"
    if 99 < value < 100:
        return f"{value:.3f}"  # of a hundred per cent, the last files count
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def markdown(
    rows: Mapping[str, Sequence[Figure]], loads: Mapping[str, float], versions: Mapping[str, str], quick: bool
) -> str:
    """The whole page. ``loads``: how many processes wanted a processor during each row, ours among them."""
    figures = [figure for found in rows.values() for figure in found]
    asked = [figure for figure in figures if figure.must]
    reached, missed = (sum(figure.reached is verdict for figure in asked) for verdict in (True, False))
    lines = [
        "# Figures",
        "",
        "Written by `python benchmarks/run.py`; do not edit. How each is taken: [README.md](README.md).",
        "",
        f"{reached} reached, {missed} missed, {len(asked) - reached - missed} not measured."
        + (" A quick run, with few rounds and small inputs: no figure to quote." if quick else ""),
        "",
        *(f"- {name}: {value}" for name, value in machine(loads, versions).items()),
        "",
        "| row | what | must reach | measured | reached | command | remarks |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in rows.items():
        for figure in found:
            verdict = "" if figure.reached is None else "yes" if figure.reached else "**no**"
            cells = (name, figure.what, figure.must, figure.measured, verdict, f"`{figure.command}`", figure.remarks)
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    # Where the checkout lies is nobody's business.
    return "\n".join(lines).replace(f"{_CHECKOUT}/", "") + "\n"


def machine(loads: Mapping[str, float], versions: Mapping[str, str]) -> dict[str, str]:
    """What the figures depend on."""
    busy = ", ".join(f"{name} {load:.1f}" for name, load in loads.items())
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_memory()}",
        "load during each row": f"{busy} (one or two of it is ours; the rest is other work on the machine: noise)",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **versions,
    }


def _memory() -> str:
    try:
        line = next(row for row in Path("/proc/meminfo").read_text().splitlines() if row.startswith("MemTotal"))
    except (OSError, StopIteration):
        return "memory unknown"
    return f"{int(line.split()[1]) / 2**20:.0f} GiB"
