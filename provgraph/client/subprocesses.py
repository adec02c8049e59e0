"""What other programs did that an activity started, where no supervisor watches: a walk before the first, one after."""

from __future__ import annotations

import os

from provgraph.client.moments import now
from provgraph.client.statwalk import Tree, differences, entries_below, inferred_reads, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from provgraph.client.audit import Watch

_MAX_FILES = 20_000
"""Where a project has more files, its folders are not walked for a subprocess: the record says so."""


class Walk:
    """The project's files before an activity started its first program.

    Parameters:
        watch: what the activity itself opened, and where operations go.

    Cost: 4 µs a file, twice.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._before = _walked(watch)
        self._commands: list[tuple[list[str], str]] = []
        if self._before is None:
            watch.activity.operation("g", "subprocess")

    def started(self, words: list[str]) -> None:
        """A program was started with these words; what `provdb` runs tells of itself."""
        if words and os.path.basename(words[0]) != "provdb":
            self._commands.append((words, os.getcwd()))

    def finish(self) -> None:
        """Write what was changed, and which files the command lines name."""
        before, watch = self._before, self._watch
        if before is None:
            return
        at = now()
        changes = [op for op in differences(before, walk(watch.classifier), at) if not watch.explains(op)]
        changed = {str(path) for op in changes for path in (op[2:4] if op[0] in ("m", "l") else op[2:3])}
        for words, cwd in self._commands:
            for op in inferred_reads(words, cwd, before, changed, watch.classifier, at):
                watch.activity.operation(str(op[0]), *op[2:])
        for op in changes:
            watch.found(op)


def _walked(watch: Watch) -> Tree | None:
    for count, _ in enumerate(entries_below(watch.classifier, ("project", "external"))):
        if count > _MAX_FILES:
            return None
    return walk(watch.classifier)
