"""Ingestors in words. They are given as in the documents ``provgraph/ingestors/1`` and ``provgraph/findings/1``."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from provgraph.render.text import Colour, Page, printable

_POINTS: Final = 5
"""Of a series, so many points are shown at its beginning and its end."""
_FIRES: Final[dict[bool | None, tuple[str, Colour]]] = {
    True: ("fires", "good"), None: ("may", "activity"), False: ("no", "faint"),
}  # fmt: skip


def listing_text(listing: Mapping[str, Any], page: Page) -> str:
    """All ingestors, one a line, or for a command those that fire or may, with the reason."""
    asked = listing["command"] is not None
    rows = [_asked_row(row) if asked else _row(row) for row in _sorted(listing["ingestors"], asked)]
    first, second = (max((len(row[n]) for row in rows), default=0) for n in range(2))
    colours = dict(_FIRES.values())
    lines = [f"{page.paint(f'{a:<{first}}', colours.get(a, 'strong'))}  {b:<{second}}  {c}" for a, b, c in rows]
    lines += _broken(listing, page)
    return "\n".join(lines)


def _sorted(rows: Sequence[Mapping[str, Any]], asked: bool) -> list[Mapping[str, Any]]:
    order = {True: 0, None: 1, False: 2}
    return sorted(rows, key=lambda row: order[row["fires"]]) if asked else list(rows)


def _row(row: Mapping[str, Any]) -> tuple[str, str, str]:
    where = "" if row["source"] == "built in" else f" ({printable(row['source'])})"
    return row["name"], row["moment"], printable(row["description"]) + where


def _asked_row(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return _FIRES[row["fires"]][0], row["name"], printable(row["why"])


def _broken(listing: Mapping[str, Any], page: Page) -> list[str]:
    return [
        page.paint(f"{printable(one['name'])} cannot be loaded", "bad")
        + f", from {printable(one['where'])}: {printable(one['error'])}"
        for one in listing["unusable"]
    ]


def shown_text(row: Mapping[str, Any], page: Page) -> str:
    """One ingestor, with all that is known of it."""
    match = row["match"]
    facts = {
        "from": row["source"],
        "version": row["version"],
        "runs": {"before": "when the command has begun", "during": "while the command runs"}.get(
            row["moment"], "when the command has ended"
        ),
        "program": match["utility"],
        "command": match["command"],
        "files": " ".join((*match["files"], *match["media_types"])),
        "direction": match["direction"] if match["files"] or match["media_types"] else "",
    }
    lines = [f"{page.paint(row['name'], 'strong')}  {printable(row['description'])}"]
    lines += [f"  {key:<10} {printable(str(value))}" for key, value in facts.items() if value]
    if not any(match[key] for key in ("utility", "command", "files", "media_types")):
        lines.append("  it is for every command")
    return "\n".join(lines)


def replayed_text(replayed: Mapping[str, Any]) -> str:
    """What a replay changed, as in ``provgraph/replayed/1``: a line for each activity and ingestor."""
    lines = [f"{printable(one['name'])}  {printable(one['ingestor'])}: {_changed(one)}" for one in replayed["changes"]]
    number = replayed["activities"]
    looked = "1 activity was looked at" if number == 1 else f"{number:,} activities were looked at"
    return "\n".join([*lines, f"{looked}, {len(lines) or 'no'} result{'' if len(lines) == 1 else 's'} new"])


def _changed(change: Mapping[str, Any]) -> str:
    if change["error"]:
        return f"failed: {printable(change['error'])}"
    what = "found something" if change["found"] else "finds nothing"
    return what if change["before"] is None else f"{what}, in the place of an earlier version's"


def findings_text(findings: Mapping[str, Any]) -> str:
    """What an ingestor found, for people who write one."""
    lines: list[str] = []
    lines += _block("activity", findings.get("activity", {}))
    for one in findings.get("snapshots", ()):
        lines += _block(f"snapshot {one['path']}", one["properties"])
    for one in findings.get("derivations", ()):
        lines += _block(f"{one['generated']} wasDerivedFrom {one['used']}", one.get("properties", {}))
    for one in findings.get("vertices", ()):
        lines += _block(f"vertex {one['key']} ({', '.join(one['labels'])})", one.get("properties", {}))
    for one in findings.get("edges", ()):
        lines += _block(f"{_node(one['source'])} {one['type']} {_node(one['target'])}", one.get("properties", {}))
    for one in findings.get("series", ()):
        lines += [f"series {printable(one['name'])} of {_node(one['of'])}, {len(one['values']):,} points", _points(one)]
    if findings.get("records"):
        lines.append(f"{len(findings['records']):,} records")
    lines += [f"note: {printable(text)}" for text in findings.get("notes", ())]
    return "\n".join(lines)


def _block(title: str, properties: Mapping[str, Any]) -> list[str]:
    if not properties and title == "activity":
        return []
    return [printable(title), *(f"  {printable(key)} = {_value(value)}" for key, value in properties.items())]


def _value(value: Any) -> str:
    return printable(json.dumps(value, ensure_ascii=False))


def _node(node: Any) -> str:
    if isinstance(node, str):
        return node
    return printable(str(node.get("path") or f"vertex {node.get('key')}"))


def _points(series: Mapping[str, Any]) -> str:
    points = [f"{step}: {value}" for step, value in zip(series["steps"], series["values"], strict=False)]
    if len(points) > 2 * _POINTS:
        points = [*points[:_POINTS], "…", *points[-_POINTS:]]
    return "  " + "  ".join(points)
