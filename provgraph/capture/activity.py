"""One activity while it is watched: what is known of each path, and the operations not yet written to its spool."""

from __future__ import annotations

import os
import time

from provgraph.client.moments import Stat, now, stat_of, states_of
from provgraph.client.path_class import Classifier
from provgraph.client.spool import SpoolFile

Op = list[object]

_FLUSH_AT = 4000  # operations; about half a megabyte of JSON
_WRITES_NS = 100_000_000  # one operation per path and tenth of a second, however often it is opened for writing
MAX_EXECUTIONS = 200
_STATES = 64  # files whose states at the end are looked at while the caller waits; more are left to the ingester


class Activity:
    """The record of one activity under supervision.

    Parameters:
        uid: its UUIDv7.
        root: the project's root.
        classifier: sorts paths of this project.

    ``seen`` maps (folder, path as given) or an absolute path as given to what it means: None for what is never
    recorded, else the located path. ``stats`` holds under which identity a path was last recorded as read.
    """

    def __init__(self, uid: str, root: str, classifier: Classifier) -> None:
        self.uid = uid
        self.root = root
        self.folder = f"{root}/.provdb/spool"
        self.classify = classifier.classify
        self.prefix_of = classifier.environment_prefix
        self.ops: list[Op] = []
        self.seen: dict[object, str | None] = {}
        self.stats: dict[str, Stat] = {}
        self.created: set[str] = set()
        self.saved: set[str] = set()
        self._written: dict[str, int] = {}
        self._prefixes: set[str] = set()
        self._changed_prefixes: set[str] = set()
        self._gaps: set[str] = set()
        self.executions = 0
        self.rewrites = 0  # openings for writing that were not recorded one by one
        self.started = False
        self.ended = False
        self.closed = False
        self._last: list[dict[str, object]] = []
        self.recording = True
        self._spool: SpoolFile | None = None

    @property
    def spool(self) -> SpoolFile:
        """Its spool file, opened when first needed."""
        if self._spool is None:
            self._spool = SpoolFile(f"{self.folder}/{self.uid}.jsonl")
        return self._spool

    @property
    def failed(self) -> str | None:
        """Why the spool could not be written, or None."""
        return self._spool.failed if self._spool is not None else None

    def read(self, path: str, status: os.stat_result, how: str | None = None) -> None:
        """Opened for reading; recorded where this identity was not recorded before."""
        identity = stat_of(status)
        if how is not None:
            self.stats[path] = identity
            self.ops.append(["r", now(), path, identity, how])
        elif self.stats.get(path) != identity:
            self.stats[path] = identity
            self.ops.append(["r", now(), path, identity])

    def wrote(self, path: str, before: Stat | None, how: str, preimage: str | None) -> None:
        """Opened for writing, made or changed."""
        at = now()
        last = self._written.get(path)
        if last is not None and at - last < _WRITES_NS and before is not None and preimage is None and how != "mode":
            self.rewrites += 1
            return
        self._written[path] = at
        if before is None:
            self.created.add(path)
        self.ops.append(["w", at, path, before, how, preimage])

    def inherited(self, path: object, before: object) -> None:
        """It begins with a file that its caller had opened for writing: what it writes through that is not seen."""
        self.ops.append(["w", now(), path, before, "inherited", None])

    def deleted(self, path: str, before: Stat, preimage: str | None) -> None:
        """Removed."""
        self.forget(path)
        self.ops.append(["d", now(), path, before, preimage])

    def renamed(self, source: str, target: str, moved: Stat, over: Stat | None, preimage: str | None) -> None:
        """Renamed; what this activity made itself stays its own under the new name."""
        own = self.is_own(source)
        self.forget(source)
        self.forget(target)
        if own:
            self.created.add(target)
        self.ops.append(["m", now(), source, target, moved, over, preimage])

    def moved_folder(self, source: str, target: str) -> None:
        """A folder was renamed: what is known of the paths below follows."""
        prefix = source + "/"
        for paths in (self.created, self.saved):
            for path in [path for path in paths if path.startswith(prefix)]:
                paths.discard(path)
                paths.add(target + path[len(source) :])
        for known in (self._written, self.stats):
            for path in [path for path in known if path.startswith(prefix)]:
                del known[path]
        self.seen.clear()

    def is_own(self, path: str) -> bool:
        """Whether this activity made the present content, or has kept what was there before: no need to keep it."""
        return path in self.created or path in self.saved

    def states(self) -> list[dict[str, object]]:
        """The files that it wrote, as they are now, if they are few."""
        paths = self._written.keys() | self.created
        return states_of(sorted(paths)) if len(paths) <= _STATES else []

    def is_written(self, path: str) -> bool:
        """Whether an operation says that this activity wrote ``path`` under its present name."""
        return path in self._written

    @property
    def has_written(self) -> bool:
        """Whether an operation says that it wrote anything."""
        return bool(self._written)

    def forget(self, path: str) -> None:
        """What was known of ``path`` holds no longer."""
        self.created.discard(path)
        self.saved.discard(path)
        self._written.pop(path, None)
        self.stats.pop(path, None)

    def used_environment(self, path: str) -> None:
        """A file of an environment was used: its prefix is recorded once."""
        prefix = self.prefix_of(path)
        if prefix and prefix not in self._prefixes:
            self._prefixes.add(prefix)
            self.ops.append(["v", now(), prefix])

    def changed_environment(self, path: str) -> None:
        """A file of an environment was written or removed: something was installed there."""
        prefix = self.prefix_of(path)
        if prefix and prefix not in self._changed_prefixes:
            self._changed_prefixes.add(prefix)
            self.ops.append(["v", now(), prefix, "changed"])

    def gap(self, what: str) -> None:
        """Something could not be seen; recorded once."""
        if what not in self._gaps:
            self._gaps.add(what)
            self.ops.append(["g", now(), what])

    def executed(self, pid: int, argv: list[str]) -> None:
        """A program was executed; the first ones are listed."""
        self.executions += 1
        self.ops.append(["x", now(), pid, argv])

    @property
    def full(self) -> bool:
        """Whether so much is waiting that it should be written now."""
        return len(self.ops) >= _FLUSH_AT

    def sync(self) -> None:
        """Make what was written durable."""
        if self._spool is not None and self._spool.fileno() >= 0:
            try:
                os.fsync(self._spool.fileno())
            except OSError:
                pass  # the disk's trouble; the records are where they can be

    def finish(self, record: dict[str, object]) -> None:
        """Write an end or closed record after what is waiting."""
        self._last.append({**record, "t": now(), "time": time.time_ns()})

    @property
    def is_done(self) -> bool:
        """Whether it is closed, and all of it is written."""
        return self.closed and not self.is_waiting

    def release(self) -> None:
        """Nothing more is written."""
        if self._spool is not None:
            self._spool.close()

    @property
    def is_waiting(self) -> bool:
        """Whether something is to be written."""
        return bool(self.ops or self._last)

    def flush(self) -> bool:
        """Write what is waiting to the spool; False where nothing was, or it could not be written."""
        if not self.started or not self.is_waiting:
            return False
        ops, self.ops = self.ops, []
        last, self._last = self._last, []
        if not self.recording:
            return False
        written = not ops or self.spool.append({"record": "progress", "ops": ops})
        for record in last:
            written = self.spool.append(record) and written
        return written
