"""Capture by strace, where it is asked for (``run --capture strace``): its command line, and its log as operations."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from provgraph.client.path_class import ENVIRONMENT, IGNORED, Classifier
from provgraph.client.scrub_words import scrubbed_words
from provgraph.client.statwalk import Operation, Status, absolute, status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# A question mark: not every machine has all of them.
_CALLS = ",".join(
    f"?{name}"
    for name in (
        "open openat openat2 creat execve execveat rename renameat renameat2 unlink unlinkat link linkat symlink"
        " symlinkat truncate ftruncate chmod fchmod fchmodat fchmodat2 chdir fchdir clone clone3 fork vfork"
    ).split(" ")
)
_LINE = re.compile(r"(?P<pid>\d+)\s+(?P<time>\d+\.\d+) (?P<rest>.*)", re.DOTALL)
_CALL = re.compile(r"(?P<name>\w+)\((?P<rest>.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(?P<rest>.*)", re.DOTALL)
_UNFINISHED = re.compile(r"\s*<unfinished \.\.\.>\s*\Z")
_ANNOTATED = re.compile(r"(?:AT_FDCWD|\d+)<(?P<path>.*)>(?:\(deleted\))?\Z", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x(?P<hex>[0-9a-f]{2})|(?P<octal>[0-7]{1,3})|(?P<char>.))", re.DOTALL)
_CHARACTERS = {"n": b"\n", "t": b"\t", "r": b"\r", "v": b"\v", "f": b"\f", "a": b"\a", "b": b"\b", "e": b"\x1b"}
_MAX_EXECUTED = 200


class Event(NamedTuple):
    """One call that succeeded. ``arguments`` are as strace prints them."""

    pid: int
    time: float  # Unix time in seconds
    name: str
    arguments: list[str]
    result: str


def command(argv: Sequence[str], log: str, strace: str = "strace", *, seccomp_bpf: bool = True) -> list[str]:
    """``argv`` under strace, which writes to the file ``log``.

    With ``seccomp_bpf`` the kernel stops the command at the calls of interest alone (strace 5.3 and later).
    """
    speed = ["--seccomp-bpf"] if seccomp_bpf else []
    form = ["-qq", "-y", "-ttt", "-s", "4096", "-e", "signal=none", "-e", f"trace={_CALLS}"]
    return [strace, "-f", *speed, *form, "-o", log, "--", *argv]


def events(lines: Iterable[bytes]) -> Iterator[Event]:
    """The calls in a log that succeeded, with those put together that another process interrupted."""
    begun: dict[int, str] = {}
    for raw in lines:
        line = _LINE.match(raw.decode("latin-1").rstrip("\n"))
        if line is None:
            continue
        pid, rest = int(line["pid"]), line["rest"]
        resumed = _RESUMED.match(rest)
        if resumed is not None:
            rest = begun.pop(pid, "") + resumed["rest"]
        elif _UNFINISHED.search(rest):
            begun[pid] = _UNFINISHED.sub("", rest)
            continue
        call = _CALL.match(rest)
        if call is None:
            continue
        arguments, end = _arguments(call["rest"])
        result = call["rest"][end:].strip().removeprefix("=").strip()
        if result and not result.startswith(("-1", "?")):
            yield Event(pid, float(line["time"]), call["name"], arguments, result)


def _arguments(text: str) -> tuple[list[str], int]:
    """The arguments up to the call's closing parenthesis, and where what follows it begins."""
    arguments, start, depth, at = [], 0, 0, 0
    while at < len(text):
        char = text[at]
        if char == '"':
            at += 1
            while at < len(text) and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
        elif char in "[{(<":
            depth += 1
        elif char in "]}>" or (char == ")" and depth):
            depth -= 1
        elif not depth and char in ",)":
            arguments.append(text[start:at].strip())
            start = at + 1
            if char == ")":
                break
        at += 1
    return [argument for argument in arguments if argument], at + 1


def unescaped(text: str) -> str:
    """A string as strace prints it, with or without its quotes, as the path it stands for."""
    text = text[1:-1] if text[:1] == '"' else text

    def byte(match: re.Match[str]) -> str:
        if match["hex"]:
            return chr(int(match["hex"], 16))
        if match["octal"]:
            return chr(int(match["octal"], 8) & 255)
        return _CHARACTERS.get(match["char"], match["char"].encode("latin-1")).decode("latin-1")

    return os.fsdecode(_ESCAPE.sub(byte, text).encode("latin-1"))


class LogReader:
    """Turns a log into operations, as the supervisor would have written them.

    Parameters:
        classifier: sorts paths; what is ignored is left out, what is environment becomes one operation a prefix.
        cwd: the folder that the command started in.
        before: what lstat said of the project's files before the command; the log does not tell.
        offset_ns: the records' clock minus Unix time.
    """

    def __init__(self, classifier: Classifier, cwd: str, before: dict[str, Status], offset_ns: int = 0) -> None:
        self._classifier = classifier
        self._start = cwd
        self._folders: dict[int, str] = {}
        self._known: dict[str, Status | None] = dict(before)
        self._read: set[str] = set()
        self._prefixes: set[str] = set()
        self._executed = 0
        self._offset_ns = offset_ns
        self._out: list[Operation] = []
        self._t = 0

    def operations(self, lines: Iterable[bytes]) -> list[Operation]:
        """All operations of the log. Cost: 20 µs a line."""
        for event in events(lines):
            self._t = round(event.time * 1e9) + self._offset_ns
            # Calls with a folder of their own (openat) are handled as those without.
            name = event.name if event.name == "creat" else event.name.removesuffix("2").removesuffix("at")
            handle = getattr(self, f"_on_{name}", None)
            if handle is not None:
                handle(event)
        return self._out

    def _path(self, event: Event, first: int) -> str:
        """The path in argument ``first``, relative to the folder in the one before it where the call takes one."""
        arguments = event.arguments
        folder = self._folders.get(event.pid, self._start)
        if first and not arguments[first - 1].startswith('"'):
            annotated = _ANNOTATED.match(arguments[first - 1])
            if annotated is not None:
                folder = unescaped(annotated["path"])
                if arguments[first - 1].startswith("AT_FDCWD"):
                    self._folders[event.pid] = folder
        return absolute(unescaped(arguments[first]), folder)

    def _status(self, path: str) -> Status | None:
        if path not in self._known:
            inside = path.startswith(self._classifier.root.rstrip("/") + "/")
            self._known[path] = None if inside else status_of(path)
        return self._known[path]

    def _kept(self, path: str) -> bool:
        """Whether operations on the path are written; an environment's prefix is noted in passing."""
        kind = self._classifier.classify(path)
        if kind == ENVIRONMENT:
            prefix = self._classifier.environment_prefix(path)
            if prefix not in self._prefixes:
                self._prefixes.add(prefix)
                self._out.append(["v", self._t, prefix])
        return kind not in (ENVIRONMENT, IGNORED)

    def _used(self, path: str, how: str = "") -> None:
        if path in self._read or not self._kept(path):
            return
        status = self._status(path) or status_of(path)
        if status is None or os.path.isdir(path):
            return
        self._read.add(path)
        self._out.append(["r", self._t, path, list(status), *([how] if how else [])])

    def _wrote(self, path: str, how: str) -> None:
        if not self._kept(path):
            return
        status = self._status(path)
        self._out.append(["w", self._t, path, None if status is None else list(status), how, None])
        self._read.discard(path)
        self._known[path] = status_of(path) or status

    def _on_open(self, event: Event) -> None:
        first = 0 if event.name == "open" else 1
        path, flags = self._path(event, first), event.arguments[first + 1]
        annotated = _ANNOTATED.match(event.result)
        target = unescaped(annotated["path"]) if annotated else os.path.realpath(path)
        if "O_DIRECTORY" in flags or "O_PATH" in flags or "O_TMPFILE" in flags:
            return
        if target != path:
            self._used(path)  # the link itself
        writes = "O_WRONLY" in flags or "O_RDWR" in flags or "O_TRUNC" in flags
        if not writes:
            self._used(target)
        elif "O_CREAT" in flags and self._status(target) is None:
            self._wrote(target, "create")
        else:
            self._wrote(target, "truncate" if "O_TRUNC" in flags else "append" if "O_APPEND" in flags else "update")

    def _on_creat(self, event: Event) -> None:
        path = os.path.realpath(self._path(event, 0))
        self._wrote(path, "create" if self._status(path) is None else "truncate")

    def _on_execve(self, event: Event) -> None:
        first = 1 if event.name == "execveat" else 0
        words = [unescaped(word) for word in _arguments(event.arguments[first + 1][1:-1] + ")")[0]]
        if self._executed < _MAX_EXECUTED:
            self._executed += 1
            self._out.append(["x", self._t, event.pid, scrubbed_words(words)])
        self._used(self._path(event, first), "exec")

    def _on_rename(self, event: Event) -> None:
        old, new = self._pair(event)
        if not (self._kept(old) and self._kept(new)):
            return
        moved, replaced = self._status(old), self._status(new)
        listed = list(moved or status_of(new) or ())
        self._out.append(["m", self._t, old, new, listed, None if replaced is None else list(replaced), None])
        self._known[new], self._known[old] = moved, None
        self._read -= {old, new}

    def _on_link(self, event: Event) -> None:
        old, new = self._pair(event)
        if self._kept(old) and self._kept(new):
            self._out.append(["l", self._t, old, new, list(self._status(old) or status_of(old) or ())])
            self._known[new] = self._status(old)

    def _pair(self, event: Event) -> tuple[str, str]:
        at = event.name.removesuffix("2").endswith("at")
        return self._path(event, 1 if at else 0), self._path(event, 3 if at else 1)

    def _on_symlink(self, event: Event) -> None:
        self._wrote(self._path(event, 2 if event.name == "symlinkat" else 1), "symlink")

    def _on_unlink(self, event: Event) -> None:
        if any("AT_REMOVEDIR" in argument for argument in event.arguments):
            return
        path = self._path(event, 1 if event.name == "unlinkat" else 0)
        if self._kept(path):
            status = self._status(path)
            self._out.append(["d", self._t, path, None if status is None else list(status), None])
            self._known[path] = None
            self._read.discard(path)

    def _on_truncate(self, event: Event) -> None:
        self._wrote(os.path.realpath(self._path(event, 0)), "update")

    def _on_ftruncate(self, event: Event) -> None:
        self._by_descriptor(event, "update")

    def _on_chmod(self, event: Event) -> None:
        self._wrote(self._path(event, 0), "mode")

    def _on_fchmod(self, event: Event) -> None:
        if event.name == "fchmod":
            self._by_descriptor(event, "mode")
        else:
            self._wrote(self._path(event, 1), "mode")

    def _by_descriptor(self, event: Event, how: str) -> None:
        annotated = _ANNOTATED.match(event.arguments[0])
        if annotated is not None:
            self._wrote(unescaped(annotated["path"]), how)

    def _on_chdir(self, event: Event) -> None:
        self._folders[event.pid] = os.path.realpath(self._path(event, 0))

    def _on_fchdir(self, event: Event) -> None:
        annotated = _ANNOTATED.match(event.arguments[0])
        if annotated is not None:
            self._folders[event.pid] = unescaped(annotated["path"])

    def _on_clone(self, event: Event) -> None:
        child = event.result.split()[0]
        if child.isdigit() and event.pid in self._folders:
            self._folders.setdefault(int(child), self._folders[event.pid])

    _on_clone3 = _on_fork = _on_vfork = _on_clone
