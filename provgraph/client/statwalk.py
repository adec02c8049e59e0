"""The stat walk: what a command wrote, by comparing the project's files before and after it.

It sees writes, deletes and renames below the project's root, on any system; what was read is inferred from the
command's words and its redirections, and from a hook in its Python processes (:mod:`provgraph.capture.audit`).
"""

from __future__ import annotations

import os
import stat

from provgraph.client.path_class import ENVIRONMENT, EXTERNAL, IGNORED, PROJECT, Classifier

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Iterable, Iterator, Sequence

Status = tuple[int, int, int, int, int, int]  # device, inode, size, mtime_ns, ctime_ns, mode, as lstat gave them
Operation = list[object]

# Their operands are names, not inputs.
# fmt: off
_NOT_READING = frozenset({
    "rm", "rmdir", "unlink", "mv", "mkdir", "touch", "chmod", "chown", "chgrp", "ln", "ls", "stat", "test", "[", "echo",
    "printf", "du", "df", "basename", "dirname", "realpath", "readlink", "kill", "mktemp", "truncate",
})
# fmt: on
_IN_PLACE = ("-i", "--in-place", "--inplace", "--fix", "--write")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})


class Tree:
    """The files and folders of a project at one moment; ``files`` maps paths to what lstat says."""

    __slots__ = ("files", "folders")

    def __init__(self, files: dict[str, Status], folders: dict[tuple[int, int, int], str]) -> None:
        self.files = files
        self.folders = folders  # by device, inode and mtime_ns: an inode alone may be used again


def status_of(path: str) -> Status | None:
    """What lstat says, or None where there is nothing."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode)


def walk(classifier: Classifier) -> Tree:
    """The regular files and symlinks of the project, without what is ignored or environment.

    Folders that cannot be read are passed over. Cost: 4 µs a file.
    """
    files: dict[str, Status] = {}
    folders: dict[tuple[int, int, int], str] = {}
    for path, found in entries_below(classifier, (PROJECT, EXTERNAL)):
        mode = found.st_mode
        if stat.S_ISDIR(mode):
            folders[found.st_dev, found.st_ino, found.st_mtime_ns] = path
        else:
            size, mtime_ns, ctime_ns = found.st_size, found.st_mtime_ns, found.st_ctime_ns
            files[path] = (found.st_dev, found.st_ino, size, mtime_ns, ctime_ns, mode)
    return Tree(files, folders)


def entries_below(classifier: Classifier, classes: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
    """The folders, regular files and symlinks of these path classes below the project's root, with what lstat says.

    What is in a folder of another class is not looked at; folders that cannot be read are passed over.
    """
    waiting = [classifier.root]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # gone in the meantime
                path, mode = entry.path, found.st_mode
                if stat.S_ISDIR(mode):
                    if classifier.classify_folder(path) in classes:
                        waiting.append(path)
                        yield path, found
                elif (stat.S_ISREG(mode) or stat.S_ISLNK(mode)) and classifier.classify(path) in classes:
                    yield path, found


def differences(before: Tree, after: Tree, t: int) -> list[Operation]:
    """Renames, links, deletes and writes between two walks, in an order in which they may have happened."""
    operations, old = _moved_folders(before, after, t)
    gone = {path for path in old if path not in after.files}
    sources = {old[path][:2]: path for path in sorted(gone, reverse=True)}
    kept = {old[path][:2]: path for path in sorted(old) if path in after.files and after.files[path][1] == old[path][1]}
    moves: list[Operation] = []
    writes: list[Operation] = []
    for path in sorted(after.files):
        new, was = after.files[path], old.get(path)
        if new == was:
            continue
        source = sources.get(new[:2])
        if source is not None and _same_content(old[source], new):
            del sources[new[:2]]
            gone.discard(source)
            moves.append(["m", t, source, path, list(old[source]), _listed(was), None])
        elif was is None and new[:2] in kept:
            moves.append(["l", t, kept[new[:2]], path, list(old[kept[new[:2]]])])
        else:
            writes.append(["w", t, path, _listed(was), _how(was, new), None])
    deletes: list[Operation] = [["d", t, path, list(old[path]), None] for path in sorted(gone)]
    return operations + moves + deletes + writes


def _listed(status: Status | None) -> list[int] | None:
    return None if status is None else list(status)


def _same_content(old: Status, new: Status) -> bool:
    """Whether a file under a new name is the old one: rename keeps all but ctime."""
    return (old[:4], old[5]) == (new[:4], new[5])


def _how(was: Status | None, new: Status) -> str:
    if was is None:
        return "symlink" if stat.S_ISLNK(new[5]) else "create"
    return "mode" if was[:4] == new[:4] and was[5] != new[5] else "truncate"


def _moved_folders(before: Tree, after: Tree, t: int) -> tuple[list[Operation], dict[str, Status]]:
    """Renames of whole folders, and the old files under their new names."""
    there = set(after.folders.values())
    moves: list[tuple[str, str]] = []
    operations: list[Operation] = []
    for identity, path in sorted(before.folders.items(), key=lambda item: item[1]):
        now = after.folders.get(identity)
        if now is None or now == path or path in there or _renamed(path, moves) == now:
            continue
        moves.append((path + "/", now + "/"))
        status = status_of(now)
        if status is not None:
            operations.append(["m", t, path, now, list(status), None, None])
    if not moves:
        return [], before.files
    return operations, {_renamed(path, moves): status for path, status in before.files.items()}


def _renamed(path: str, moves: list[tuple[str, str]]) -> str:
    for old, new in moves:
        if path.startswith(old):
            path = new + path[len(old) :]
    return path


def operands(argv: Sequence[str]) -> Iterable[str]:
    """The words of a command that may name an input: operands, option-arguments, values behind ``=`` or ``@``."""
    if not argv or os.path.basename(argv[0]) in _NOT_READING:
        return
    words = argv[1:]
    if os.path.basename(argv[0]) in _SHELLS and "-c" in words:
        line = words[words.index("-c") + 1] if words[-1] != "-c" else ""
        words = "".join(" " if c in "|&;<>()\"'`\n" else c for c in line).split()
    for word in words:
        if not word.startswith("-"):
            yield word
        elif not word.startswith("--") and len(word) > 2:
            yield word[2:]
        _, equals, value = word.partition("=")
        if equals and value:
            yield value
        if word.startswith("@"):
            yield word[1:]


def inferred_reads(
    argv: Sequence[str], cwd: str, before: Tree, changed: set[str], classifier: Classifier, t: int
) -> list[Operation]:
    """Reads of files that the command's words name.

    Parameters:
        before: the project's files before the command; what did not exist then was not read.
        changed: paths that the command wrote, moved or deleted: their mention is taken for the target's, but where
            an option says that it is edited in place.
    """
    in_place = any(word.startswith(_IN_PLACE) for word in argv[1:])
    reads: list[Operation] = []
    seen: set[str] = set()
    for word in operands(argv):
        path = absolute(word, cwd)
        if path in seen or "\0" in path or (path in changed and not in_place):
            continue
        seen.add(path)
        reads += read_of(path, before, classifier, t)
    return reads


def absolute(path: str, cwd: str) -> str:
    """``path`` as records hold it: the folder without symbolic links, the last component as it is."""
    folder, _, name = os.path.join(cwd, path).rstrip("/").rpartition("/")
    if name in (".", "..", ""):
        return os.path.realpath(os.path.join(cwd, path))
    return f"{os.path.realpath(folder or '/').rstrip('/')}/{name}"


def read_of(path: str, before: Tree, classifier: Classifier, t: int, how: str = "inferred") -> list[Operation]:
    """Operations for one file that was read, and for its target where it is a symlink; [] where it is no file."""
    kind = classifier.classify(path)
    status = before.files.get(path)
    if status is None and not path.startswith(classifier.root.rstrip("/") + "/"):
        status = status_of(path)
    if kind == IGNORED or status is None:
        return []
    if kind == ENVIRONMENT:
        return [["v", t, classifier.environment_prefix(path)]]
    if stat.S_ISLNK(status[5]):
        target = os.path.realpath(path)
        return [
            ["r", t, path, list(status), how],
            *(read_of(target, before, classifier, t, how) if target != path else []),
        ]
    return [["r", t, path, list(status), how]] if stat.S_ISREG(status[5]) else []


def ops(
    before: Tree,
    after: Tree,
    argv: Sequence[str],
    cwd: str,
    redirections: Sequence[dict[str, object]],
    classifier: Classifier,
    *,
    started: int,
    ended: int,
    opened: Iterable[tuple[str, str]] = (),
) -> list[Operation]:
    """All that the stat method can tell of a command: reads first, then what the walk found.

    Parameters:
        redirections: those of the start record, each with ``path``, ``mode`` and ``stat``.
        started, ended: in the unit of the records' ``t``.
        opened: (mode, path) pairs that Python processes reported, see :func:`provgraph.capture.audit.opened_files`.
    """
    found = differences(before, after, ended)
    changed = {str(path) for op in found for path in (op[2:4] if op[0] in ("m", "l") else op[2:3])}
    reads: list[Operation] = []
    program = _program(argv[0], cwd) if argv else None
    if program is not None:
        reads += read_of(program, before, classifier, started, "exec")
    for redirection in redirections:
        path, mode = str(redirection["path"]), redirection["mode"]
        if mode in ("r", "rw"):
            reads += read_of(path, before, classifier, started)
        if mode != "r" and path not in changed and classifier.classify(path) not in (IGNORED, ENVIRONMENT):
            how = {"w": "truncate", "a": "append"}.get(str(mode), "update")
            found.append(["w", ended, path, redirection.get("stat"), how, None])
    reads += inferred_reads(argv, cwd, before, changed, classifier, started)
    for mode, path in opened:
        reads += read_of(absolute(path, cwd), before, classifier, started) if mode == "r" else []
    return _once(reads) + found


def _program(word: str, cwd: str) -> str | None:
    if "/" in word:
        return absolute(word, cwd)
    for folder in os.environ.get("PATH", os.defpath).split(":"):
        path = os.path.join(folder or cwd, word)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return absolute(path, cwd)
    return None


def _once(reads: list[Operation]) -> list[Operation]:
    seen: set[str] = set()
    kept = []
    for op in reads:
        key = f"{op[0]}{op[2]}"
        if key not in seen:
            seen.add(key)
            kept.append(op)
    return kept
