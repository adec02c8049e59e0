"""``status`` in words. It is given the document ``provgraph/status/1``."""

from collections.abc import Mapping
from typing import Any

from provgraph.render.remotes import events, failure, standing
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
    if status["git"] is not None:
        lines.append(clip(f"  {printable(_git(status))}", page.columns))
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
    lines += _list("Other clones", [_clone(clone) for clone in status["clones"]], page)
    lines += _list("Remotes", [line for remote in status["remotes"] for line in _remote(remote, clock)], page)
    lines += _list("Next", status["next"], page)
    return "\n".join(lines)


def _git(status: Mapping[str, Any]) -> str:
    git = status["git"]
    where = f"{git['branch'] or 'detached'} at {str(git['commit'])[:8]}" if git["commit"] else "no commit yet"
    known = "" if git["recorded"] or not git["commit"] else ", which is not recorded"
    return f"git: {where}{known}; {_count(status['commits'], 'commit')} recorded, hooks {git['hooks']}"


def _change(row: Mapping[str, Any], clock: Clock) -> str:
    return f"{', '.join(row['changed']) or row['name']} (noticed {clock.show(row['ended_at'])})"


def _clone(clone: Mapping[str, Any]) -> str:
    where = f" on {clone['host']}" if clone["host"] else ""
    return f"{clone['short']}{where}, {events(clone['events'])}"


def _remote(remote: Mapping[str, Any], clock: Clock) -> list[str]:
    by_itself = " (sent by itself)" if remote["push"] else ""
    said = [f"{remote['name']}: {standing(remote, clock)}{by_itself}"]
    return [*said, f"{remote['name']} {failure(remote, clock)}"] if remote["failure"] else said


def _list(title: str, items: list[str], page: Page) -> list[str]:
    if not items:
        return []
    shown = [clip(f"  {printable(item)}", page.columns) for item in items[:FEW]]
    more = [f"  … and {len(items) - FEW:,} more"] if len(items) > FEW else []
    return ["", f"{title}:", *shown, *more]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
