"""``status`` in words. It is given the document ``provgraph/status/1``."""

from collections.abc import Mapping
from typing import Any

from provgraph.render.text import Page, clip, printable
from provgraph.render.times import Clock

FEW = 8


def status_text(status: Mapping[str, Any], page: Page, clock: Clock) -> str:
    """A few lines: where, how much, what is open, what next."""
    commands = _count(status["activities"], "command")
    lines = [
        f"Project {page.paint(printable(status['root']), 'strong')}",
        f"  {commands} recorded, {_count(status['versions'], 'version')}, clone {status['origin_short']}",
    ]
    last = status["last"]
    if last is not None:
        when = clock.show(last["ended_at"] or last["started_at"])
        lines.append(clip(f"  the newest: %1 {printable(last['name'])} ({last['state']}, {when})", page.columns))
    lines += _list("Unrecorded changes since then", [_change(row, clock) for row in status["unrecorded"]], page)
    lines += _list("Still running", status["running"], page)
    if status["pending"]:
        lines += ["", f"{_count(status['pending'], 'ended command')} not yet ingested; ask again in a moment"]
    lines += _list("Not recorded, because ingesting failed (provdb doctor tells why)", status["failures"], page)
    if not status["unrecorded"] and not status["running"] and not status["pending"] and not status["failures"]:
        lines += ["", "Everything is recorded."]
    lines += _list("Next", status["next"], page)
    return "\n".join(lines)


def _change(row: Mapping[str, Any], clock: Clock) -> str:
    return f"{', '.join(row['changed']) or row['name']} (noticed {clock.show(row['ended_at'])})"


def _list(title: str, items: list[str], page: Page) -> list[str]:
    if not items:
        return []
    shown = [clip(f"  {printable(item)}", page.columns) for item in items[:FEW]]
    more = [f"  … and {len(items) - FEW:,} more"] if len(items) > FEW else []
    return ["", f"{title}:", *shown, *more]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
