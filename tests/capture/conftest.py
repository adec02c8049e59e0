"""A bare project for tests of capture: a store with nothing in it, and no ingester that would take the records away."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import children_of, eventually

PREFIX = [sys.executable, "-m", "provgraph"]
PACKAGE_PARENT = Path(__file__).resolve().parents[2]


class Watched:
    """A project folder, the prefix to run commands with, and the records that it left."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = root / ".provdb"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PROVDB_")},
            "PYTHONPATH": str(PACKAGE_PARENT),
            "HOME": str(root.parent / "home"),
            "SHELL": "/bin/sh",
        }

    def command(self, *words: str | Path) -> list[str]:
        """The words of a prefixed command."""
        return [*PREFIX, *map(str, words)]

    def run(self, *words: str | Path | bytes, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """Run a prefixed command in the project to its end."""
        more = {"cwd": self.root, "env": self.environment, "capture_output": True, "timeout": 60, **more}
        return subprocess.run([*PREFIX, *words], check=False, **more)

    def start(self, *words: str | Path, **more: Any) -> "subprocess.Popen[bytes]":
        """Start a prefixed command."""
        more = {"cwd": self.root, "env": self.environment, "stdout": -1, "stderr": -1, **more}
        return subprocess.Popen([*PREFIX, *map(str, words)], **more)

    def spools(self) -> list[Path]:
        """The spool files, oldest first."""
        return sorted(self.store.glob("spool/*.jsonl"))

    def records(self, wait: bool = True) -> list[list[dict[str, Any]]]:
        """All records, one list per activity; with ``wait``, once every activity is closed."""
        found = eventually(lambda: all_closed(self.spools())) if wait else [read(path) for path in self.spools()]
        assert isinstance(found, list)
        return found

    def ops(self, kind: str = "", index: int = -1) -> list[list[Any]]:
        """The operations of one activity, the newest by default."""
        operations = [op for record in self.records()[index] if record["record"] == "progress" for op in record["ops"]]
        return [op for op in operations if not kind or op[0] == kind]

    def paths(self, kind: str, index: int = -1) -> set[str]:
        """The project's files that have an operation of a kind, from its root."""
        prefix = f"{self.root}/"
        return {op[2].removeprefix(prefix) for op in self.ops(kind, index) if op[2].startswith(prefix)}

    def end(self, index: int = -1) -> dict[str, Any]:
        """The end record of an activity."""
        return next(record for record in self.records()[index] if record["record"] == "end")

    def clear(self) -> None:
        """Forget all records."""
        for path in self.spools():
            path.unlink()

    def preimage(self, name: str) -> bytes:
        """The bytes of an old content that was kept."""
        return (self.store / "spool" / name).read_bytes()


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a spool file; a torn line is an error."""
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def all_closed(paths: list[Path]) -> list[list[dict[str, Any]]] | None:
    """All records if there are any and each activity is closed."""
    try:
        found = [read(path) for path in paths]
    except ValueError:  # a line is being written
        return None
    return found if found and all(records and records[-1]["record"] == "closed" for records in found) else None


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A bare project without an ingester."""
    root = tmp_path.resolve() / "project"
    for folder in ("spool/pre", "marks/element", "marks/status", "cache"):
        (root / ".provdb" / folder).mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (root / ".provdb").chmod(0o700)
    uid = "01a1f000-0000-7000-8000-000000000000"
    project = {"schema": 1, "project": uid, "origin": uid, "created_at": "2026-11-21T00:00:00+00:00", "binding": {}}
    (root / ".provdb/project.json").write_text(json.dumps(project))
    for number in range(256):
        (root / f".provdb/marks/element/{number}").touch()
        (root / f".provdb/marks/status/{number}").touch()
    with open(root / ".provdb/ingester.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Watched(root)


@pytest.fixture
def supervisor_of() -> Callable[["subprocess.Popen[bytes]"], int]:
    """The supervisor's pid of a running prefixed command, once it has one."""

    def find(process: "subprocess.Popen[bytes]") -> int:
        found = eventually(lambda: children_of(process.pid) or process.poll() is not None)
        return int(found[0]) if isinstance(found, list) else -1

    return find


@pytest.fixture
def kill() -> Callable[[int], None]:
    """End a process with SIGKILL; one that is gone already is no error."""

    def end(pid: int) -> None:
        if pid > 1:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    return end
