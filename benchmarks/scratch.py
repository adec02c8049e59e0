"""Projects made for one measurement: wrapping commands in them, waiting until they are ingested, asking."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import CommandFailedError, Run, run

WORKLOADS = Path(__file__).parent / "workloads"


@dataclass(frozen=True, slots=True)
class Bench:
    """What every row is given.

    Parameters:
        provdb: the command that is measured. python: the interpreter of the workloads.
        folder: where scratch projects are made.
        quick: few rounds, small inputs.
    """

    provdb: str
    python: str
    folder: Path
    quick: bool

    def rounds(self, number: int) -> int:
        """How many rounds: ``number``, or a few."""
        return min(number, 3) if self.quick else number

    def project(self, name: str) -> Scratch:
        """An empty folder ``name``, made anew, that is not a project yet."""
        root = self.folder / name
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        return Scratch(root.resolve(), self.provdb)


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder for one measurement, and later a project."""

    root: Path
    provdb: str

    def init(self) -> Scratch:
        """Make it a project."""
        run([self.provdb, "init"], self.root)
        return self

    def wrap(self, argv: Sequence[str], **streams: Any) -> Run:
        """Run a command with the prefix."""
        return run([self.provdb, *argv], self.root, **streams)

    def plain(self, argv: Sequence[str], **streams: Any) -> Run:
        """Run a command without it."""
        return run(argv, self.root, **streams)

    def text(self, *words: str) -> str:
        """What a question prints.

        Raises:
            CommandFailedError: its exit status is neither 0 nor 1.
        """
        return self.bytes(*words).decode()

    def bytes(self, *words: str) -> bytes:
        """The same, before it is decoded."""
        asked = [self.provdb, *words]
        done = subprocess.run(asked, cwd=self.root, capture_output=True, check=False)
        if done.returncode > 1:
            raise CommandFailedError(f"`{' '.join(asked)}`: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def json(self, *words: str) -> dict[str, Any]:
        """The document that a question prints with ``--json``."""
        text = self.text(*words, "--json")
        if not text:
            raise CommandFailedError(f"`provdb {' '.join(words)}` found nothing")
        found: dict[str, Any] = json.loads(text)
        return found

    def settle(self, pause_s: float = 0.3) -> None:
        """Wait until all that has ended is ingested and the ingester is idle, so that it disturbs no other run.

        Raises:
            CommandFailedError: something lies in the spool after fifteen minutes.
        """
        spool = self.root / ".provdb" / "spool"
        deadline = time.monotonic() + 900
        while any(spool.glob("*.jsonl")):
            if time.monotonic() > deadline:
                raise CommandFailedError(f"nobody ingests what lies in {spool}")
            time.sleep(0.02)
        time.sleep(pause_s)

    def rest(self) -> None:
        """Wait until no ingester runs: it stays for some seconds, ready for the next command."""
        self.settle()
        deadline = time.monotonic() + 60
        while self._ingesters() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _ingesters(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                words = _command_line(entry)
                if any("provgraph.session.ingester" in word for word in words) and str(self.root) in words:
                    found.append(int(entry.name))
        return found


def _command_line(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def tree(folder: Path, files: int, size_bytes: int, per_folder: int = 1000) -> None:
    """Make ``files`` files of incompressible, distinct bytes below ``folder``, unless they are there."""
    done = folder.with_name(f"{folder.name}.complete")
    if done.exists():
        return
    for number in range(files):
        if number % per_folder == 0:
            below = folder / f"{number // per_folder:03}"
            below.mkdir(parents=True, exist_ok=True)
        (below / f"{number:06}.bin").write_bytes(os.urandom(size_bytes))
    done.touch()


def size_of(folder: Path) -> tuple[int, int]:
    """The bytes of a folder, and the bytes of the blocks that it takes (``du --apparent-size``, ``du``)."""
    apparent = blocks = 0
    for place, _, names in os.walk(folder):
        for name in names:
            found = os.lstat(os.path.join(place, name))
            apparent += found.st_size
            blocks += found.st_blocks * 512
    return apparent, blocks
