"""What this process opens, renames and removes, seen by Python's audit hook, where no supervisor watches.

Files that compiled libraries open themselves (Parquet, HDF5) stay invisible, and so does what other programs do: where
an activity starts one, the project's files are compared before and after (:mod:`provgraph.client.subprocesses`).
"""

from __future__ import annotations

import os
import stat
import sys

from provgraph.client.files import chain, located
from provgraph.client.moments import now, stat_of
from provgraph.client.path_class import ENVIRONMENT, IGNORED
from provgraph.client.preimages import PreImages
from provgraph.client.recording import Activity, current
from provgraph.client.settings import project_classifier
from provgraph.client.start_record import lend_environment, restore_environment
from provgraph.client.starting import busy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from provgraph.client.moments import Stat
    from provgraph.client.path_class import Classifier
    from provgraph.client.subprocesses import Walk

_CREATING = os.O_CREAT | os.O_TRUNC
_STATES = 64
"""Files whose states are looked at when an activity ends; more are left to the ingester."""
_WRITES_NS = 100_000_000
"""One operation for each path and tenth of a second, however often it is opened for writing."""
_MAX_EXECUTIONS = 200
_SPAWNING = {"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"}
_classifiers: dict[str, Classifier] = {}


_installed: list[bool] = []


class Watch:
    """What is known of the files that one activity has opened.

    Parameters:
        activity: whose operations are written.
    """

    def __init__(self, activity: Activity) -> None:
        self.activity = activity
        if activity.root not in _classifiers:
            _classifiers[activity.root] = project_classifier(activity.root)
        self.classifier = _classifiers[activity.root]
        self.walk: Walk | None = None
        self._preimages = PreImages(activity.root, activity.uid)
        self._read: dict[str, Stat] = {}
        self._written: dict[str, int] = {}
        self._own: set[str] = set()
        self.removed_paths: set[str] = set()
        self.of_others: set[str] = set()
        """What activities inside this one wrote or removed."""
        self._executions = 0
        _install()

    def counts(self, path: str) -> bool:
        """Whether a path is recorded; that of an environment is, once, as its prefix."""
        return self.classifier.classify(path) not in (IGNORED, ENVIRONMENT)

    # -- operations ----------------------------------------------------------------------------------------------

    def opened(self, path: str, flags: int) -> None:
        """About to be opened."""
        writes = flags & (os.O_ACCMODE | _CREATING) != os.O_RDONLY
        last: tuple[str, os.stat_result] | None = None
        for at, status in chain(located(path)):
            last = at, status
            if stat.S_ISLNK(status.st_mode) or (not writes and stat.S_ISREG(status.st_mode)):
                self._reads(at, status)
        if writes:
            self._writes(located(path) if last is None else last[0], last[1] if last else None, flags)

    def _reads(self, path: str, status: os.stat_result) -> None:
        identity = stat_of(status)
        if self._read.get(path) != identity and self.counts(path):
            self._read[path] = identity
            self.activity.operation("r", path, identity)

    def _writes(self, path: str, before: os.stat_result | None, flags: int) -> None:
        if (before is not None and not stat.S_ISREG(before.st_mode)) or not self.counts(path):
            return
        if before is None:
            if flags & os.O_CREAT and os.access(os.path.dirname(path) or "/", os.W_OK | os.X_OK):
                self.wrote(path, None, "create")
        elif not flags & os.O_EXCL and os.access(path, os.W_OK):
            if flags & os.O_ACCMODE == os.O_RDWR and not flags & os.O_TRUNC:
                self._reads(path, before)
            if flags & os.O_TRUNC or flags & os.O_ACCMODE != os.O_RDONLY:
                how = "truncate" if flags & os.O_TRUNC else "append" if flags & os.O_APPEND else "update"
                self.wrote(path, before, how)

    def wrote(self, path: str, before: os.stat_result | None, how: str) -> None:
        """About to be written, or made."""
        at = now()
        if at - self._written.get(path, -_WRITES_NS) < _WRITES_NS and before is not None and how != "mode":
            return
        keeps = before is not None and how in ("truncate", "update") and path not in self._own
        kept = self._preimages.copy(path, before) if keeps and before is not None else None
        self._written[path] = at
        self._own.add(path)
        self.activity.operation("w", path, None if before is None else stat_of(before), how, kept)

    def removed(self, path: str) -> None:
        """About to be removed."""
        status = _lstat(path)
        if status is None or stat.S_ISDIR(status.st_mode) or not self.counts(path):
            return
        kept = None if path in self._own else self._preimages.copy(path, status)
        self._forget(path)
        self.activity.operation("d", path, stat_of(status), kept)

    def renamed(self, source: str, target: str) -> None:
        """About to be renamed."""
        moved, over = _lstat(source), _lstat(target)
        if moved is None or not (self.counts(source) or self.counts(target)):
            return
        if over is not None and (over.st_dev, over.st_ino) == (moved.st_dev, moved.st_ino):
            return
        kept = None
        if over is not None and stat.S_ISREG(over.st_mode) and target not in self._own:
            kept = self._preimages.copy(target, over)
        if source in self._own:
            self._own.add(target)
        self._forget(source)
        self._written[target] = now()
        before = None if over is None or stat.S_ISDIR(over.st_mode) else stat_of(over)
        self.activity.operation("m", source, target, stat_of(moved), before, kept)

    def linked(self, source: str, target: str) -> None:
        """About to get a second name."""
        status = _lstat(source)
        if status is not None and _lstat(target) is None and self.counts(target):
            self.activity.operation("l", source, target, stat_of(status))

    def executed(self, words: list[str]) -> None:
        """About to start another program."""
        from provgraph.client.scrub_words import scrubbed_words
        from provgraph.client.subprocesses import Walk

        if self.walk is None:
            self.walk = Walk(self)
        self.walk.started(words)
        lend_environment(self.activity.uid, self.activity.root)
        if self._executions < _MAX_EXECUTIONS:
            self._executions += 1
            self.activity.operation("x", os.getpid(), scrubbed_words(words))

    def _forget(self, path: str) -> None:
        self._own.discard(path)
        self.removed_paths.add(path)
        self._written.pop(path, None)
        self._read.pop(path, None)

    def knows(self, path: str) -> bool:
        """Whether an operation says that this activity wrote a file."""
        return path in self._written

    def found(self, op: list[object]) -> None:
        """Another program that this activity started did this."""
        if op[0] != "d":
            self._written[str(op[3] if op[0] in ("m", "l") else op[2])] = now()
        self.activity.operation(str(op[0]), *op[2:], "found")

    def explains(self, op: list[object]) -> bool:
        """Whether what a walk found is known already: this activity did it itself, or one inside of it."""
        paths = [str(path) for path in (op[2:4] if op[0] in ("m", "l") else op[2:3])]
        if any(path in self._written or path in self.of_others for path in paths):
            return True
        return op[0] in ("d", "m") and paths[0] in self.removed_paths

    def finish(self) -> list[dict[str, object]]:
        """At the end: what other programs did; the files that were written, as they are now, if they are few."""
        busy.now = True
        try:
            if self.walk is not None:
                restore_environment(self.activity.uid)
                self.walk.finish()
            outer = self.activity.parent
            if outer is not None and outer.watch is not None:
                outer.watch.of_others |= self.removed_paths | self.of_others | self._written.keys()
            found: list[dict[str, object]] = []
            for path in sorted(self._written) if len(self._written) <= _STATES else ():
                status = _lstat(path)
                if status is not None:
                    found.append({"path": path, "stat": stat_of(status)})
            return found
        finally:
            busy.now = False


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None


# -- the hook ----------------------------------------------------------------------------------------------------


def _install() -> None:
    """Put the hook in, once: it can never be taken out, and does nothing where no activity is open."""
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    handler = _HANDLERS.get(event)
    if handler is None or busy.now:
        return
    busy.now = True
    try:
        activity = current()
        while activity is not None and activity.watch is None:
            activity = activity.parent
        if activity is not None and activity.watch is not None and activity.audit and activity.recorded:
            handler(activity.watch, *arguments)
    except Exception:
        pass  # the program that is watched goes first
    finally:
        busy.now = False


def _text(path: Any, folder: int = -1) -> str | None:
    """A path as the call names it; None where it is a descriptor, or nobody knows what it is relative to."""
    if path is None or isinstance(path, int):
        return None
    text = os.fsdecode(path)
    if folder < 0 or text.startswith("/"):
        return text
    return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)


def _on_open(watch: Watch, path: Any, mode: Any, flags: int) -> None:
    text = _text(path)
    if text is not None:
        watch.opened(text, flags)
    elif str(mode).startswith("w") and not _SPAWNING.isdisjoint(sys.modules):
        watch.executed([sys.executable, "multiprocessing"])  # a worker is sent what it shall do; no event tells of it


def _on_remove(watch: Watch, path: Any, folder: int = -1) -> None:
    text = _text(path, folder)
    if text is not None:
        watch.removed(located(text))


def _on_rename(watch: Watch, source: Any, target: Any, from_folder: int = -1, to_folder: int = -1) -> None:
    old, new = _text(source, from_folder), _text(target, to_folder)
    if old is not None and new is not None:
        watch.renamed(located(old), located(new))


def _on_link(watch: Watch, source: Any, target: Any, from_folder: int = -1, to_folder: int = -1) -> None:
    old, new = _text(source, from_folder), _text(target, to_folder)
    if old is not None and new is not None:
        watch.linked(located(old), located(new))


def _on_symlink(watch: Watch, _source: Any, target: Any, folder: int = -1) -> None:
    text = _text(target, folder)
    if text is not None and _lstat(located(text)) is None and watch.counts(located(text)):
        watch.wrote(located(text), None, "symlink")


def _on_truncate(watch: Watch, path: Any, length: int) -> None:
    text = _text(path)
    for at, status in [] if text is None else list(chain(located(text)))[-1:]:
        if stat.S_ISREG(status.st_mode) and watch.counts(at):
            watch.wrote(at, status, "update" if length else "truncate")


def _on_chmod(watch: Watch, path: Any, mode: int, folder: int = -1) -> None:
    text = _text(path, folder)
    for at, status in [] if text is None else list(chain(located(text)))[-1:]:
        changes = stat.S_ISREG(status.st_mode) and (status.st_mode ^ mode) & 0o7777
        if changes and watch.counts(at) and not watch.knows(at):
            watch.wrote(at, status, "mode")


def _on_popen(watch: Watch, _program: Any, words: Any, *_: Any) -> None:
    shown = [words] if isinstance(words, (str, bytes, os.PathLike)) else list(words)
    watch.executed([os.fsdecode(word) for word in shown])


def _on_spawn(watch: Watch, _program: Any, words: Any, *_: Any) -> None:
    watch.executed([os.fsdecode(word) for word in words])


def _on_system(watch: Watch, line: Any) -> None:
    watch.executed(["sh", "-c", os.fsdecode(line)])


_HANDLERS: dict[str, Callable[..., None]] = {
    "open": _on_open,
    "os.remove": _on_remove,
    "os.rename": _on_rename,
    "os.link": _on_link,
    "os.symlink": _on_symlink,
    "os.truncate": _on_truncate,
    "os.chmod": _on_chmod,
    "subprocess.Popen": _on_popen,
    "os.posix_spawn": _on_spawn,
    "os.system": _on_system,
}
