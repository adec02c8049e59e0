"""Operations of all running activities in the order of their times, and what those to come say of a file."""

import time
from collections.abc import Iterator
from typing import Any, Final

from provgraph.events.ports import Stat
from provgraph.ingest.contents import Contents, settled

SPOOL_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock of every ``t`` in the spool."""
SETTLING_NS: Final = 10_000_000
"""Operations younger than this wait: those of another command that came earlier may still be on their way."""

type Item = tuple[int, int, str, Any]
"""(t, number, spool name, operation)."""


def as_stat(value: object) -> Stat | None:
    """A stat as the spool writes it."""
    if not isinstance(value, list) or len(value) != 6:
        return None
    device, inode, size, mtime, ctime, mode = (int(number) for number in value)
    return (device, inode, size, mtime, ctime, mode)


class Timeline:
    """What has been read from the spool and is not applied yet.

    Parameters:
        contents: is told, as operations arrive, where states can be found that will be gone.
        folder: the spool, to which the names of set-aside copies are relative.
    """

    def __init__(self, contents: Contents, folder: str) -> None:
        self.contents, self.folder = contents, folder
        self._items: list[Item] = []
        self._sorted = True
        self._count = 0
        self._met: dict[str, dict[int, tuple[int, Stat | None]]] = {}

    def __len__(self) -> int:
        return len(self._items)

    def push(self, t: int, name: str, what: Any) -> None:
        """Add an operation (a list) or another record of an activity (anything else)."""
        self._count += 1
        self._items.append((t, self._count, name, what))
        self._sorted = False
        for path, stat in _met(what):
            self._met.setdefault(path, {})[self._count] = (t, stat)
        if isinstance(what, list):
            self._tell(what)
            if what[0] == "w" and what[4] == "inherited" and (stat := as_stat(what[3])) is not None:
                self.contents.held(name, what[2], stat)
        else:
            for redirection in _redirections(what):
                self._redirected(t, name, what, redirection)

    def due(self, *, all_ended: bool, until: int | None = None) -> Iterator[Item]:
        """Take operations out, oldest first; those of the last moments only where no activity runs any more.

        ``until``: none that is later than this time.
        """
        while self._items:
            if not self._sorted:
                self._items.sort(key=lambda item: (-item[0], -item[1]))
                self._sorted = True
            item = self._items[-1]
            if until is not None and item[0] > until:
                return
            if not all_ended and item[0] > time.clock_gettime_ns(SPOOL_CLOCK) - SETTLING_NS:
                return
            self._items.pop()
            self._forget(item)
            yield item

    def drop(self, name: str) -> None:
        """Forget what is left of an activity."""
        for item in self._items:
            if item[2] == name:
                self._forget(item)
        self._items = [item for item in self._items if item[2] != name]

    def state_after(self, path: str, t: int, wall_ns: int) -> tuple[Stat | None, bool]:
        """The state in which a file was at a moment in the past.

        Parameters:
            t, wall_ns: the moment, by the spool's clock and in Unix nanoseconds.
        Returns:
            The stat (None where the file was gone), and whether the content is that state's: it is not where the file
            was changed since and nobody saw how.
        """
        for turn in range(4):
            later = [met for met in self._met.get(path, {}).values() if met[0] > t]
            if later:
                return min(later, key=lambda met: met[0])[1], True
            now = settled(self.contents.place(path))
            if now is not None and now[3] <= wall_ns:
                return now, True
            if turn:
                self.contents.await_news()
            self.contents.refresh()
        return now, now is None

    def _redirected(self, t: int, name: str, what: tuple[str, Any], redirection: dict[str, Any]) -> None:
        kind, value = what
        path, mode, stat = redirection["path"], redirection.get("mode", "a"), as_stat(redirection["stat"])
        if stat is None or mode not in ("a", "w"):
            return
        if kind == "start":
            self.contents.held(name, path, stat)
        elif not value.get("survivors"):
            self.contents.let_go(name, path, t)
        self.contents.appended(stat, path, t if kind == "end" else None)
        if kind == "start" and mode == "w" and stat[2] == 0:
            self.contents.cut(stat)

    def _tell(self, op: list[Any]) -> None:
        code = op[0]
        before = as_stat(op[4] if code == "m" else op[3]) if code in "wdm" else None
        if code == "w" and before is not None:
            self._copied(before, op[5])
            if op[4] in ("append", "inherited"):
                self.contents.appended(before, op[2])
            elif op[4] == "truncate":
                self.contents.cut(before)
        elif code == "d" and before is not None:
            self._copied(before, op[4])
        elif code == "m" and before is not None:
            over = as_stat(op[5])
            if over is not None:
                self._copied(over, op[6])
            self.contents.renamed(before, op[2], op[3])

    def _copied(self, stat: Stat, name: object) -> None:
        if isinstance(name, str) and name.startswith("pre/"):
            self.contents.copied(stat, f"{self.folder}/{name}")

    def _forget(self, item: Item) -> None:
        for path, _ in _met(item[3]):
            met = self._met.get(path)
            if met is not None:
                met.pop(item[1], None)
                if not met:
                    del self._met[path]


def unknown_state(stat: Stat) -> Stat:
    """A state of a file of which only its kind and mode are known."""
    return (stat[0], -1, -1, 0, 0, stat[5])


def _redirections(what: Any) -> list[dict[str, Any]]:
    """What the calling shell had opened, in the start of an activity; as it was then, in its end."""
    kind, value = what
    if kind not in ("start", "end"):
        return []
    listed = value.start if kind == "start" else value
    return [redirection for redirection in listed.get("redirections", ()) if as_stat(redirection.get("stat"))]


def _before_redirection(redirection: dict[str, Any]) -> Stat | None:
    stat = as_stat(redirection["stat"])
    if stat is not None and redirection.get("mode") == "w" and stat[2] == 0:
        return unknown_state(stat)  # the shell emptied it before anybody could look
    return stat


def _met(what: Any) -> list[tuple[str, Stat | None]]:
    """The files that an operation met, each with the state before it."""
    if not isinstance(what, list):
        return [(r["path"], _before_redirection(r)) for r in _redirections(what)]
    code = what[0]
    if code in ("r", "w", "d"):
        return [(what[2], as_stat(what[3]))]
    if code == "m":
        return [(what[2], as_stat(what[4])), (what[3], as_stat(what[5]))]
    if code == "l":
        return [(what[2], as_stat(what[4])), (what[3], None)]
    return []
