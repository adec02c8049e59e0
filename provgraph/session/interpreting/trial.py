"""Trying an ingestor out: on a command line with files on the disk, or on its own test."""

import os
import shlex
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from provgraph.errors import InputError, QuestionError
from provgraph.ingest.places import media_type
from provgraph.ingestors import posix
from provgraph.ingestors.port import ActivityWords, File, Moment, Occurrence
from provgraph.session.disk import Disk
from provgraph.session.interpreting.finding import Around, RefusedError, check

_HASHED_BYTES: Final = 1 << 28
_REDIRECTIONS: Final = {">": "generated", ">>": "generated", "2>": "generated", "&>": "generated", "<": "used"}
_TEST_KEYS: Final = ("command", "exit_status", "used", "generated", "fires", "expected")


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying an ingestor out.

    ``why`` it fires, "" where it does not; ``findings`` as they would be recorded, None where there are none; ``error``
    is what made them impossible. ``differences`` are those from what its test expects.
    """

    name: str
    where: str
    why: str = ""
    findings: dict[str, Any] | None = None
    error: str = ""
    differences: tuple[str, ...] | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing went wrong."""
        return not self.error and not self.differences

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/ingestor-trial/1``."""
        found: dict[str, Any] = {"schema": "provgraph/ingestor-trial/1", "ok": self.is_well}
        found |= {key: getattr(self, key) for key in ("name", "where", "why", "findings", "error")}
        return found if self.differences is None else found | {"differences": list(self.differences)}


@dataclass(frozen=True, slots=True)
class Test:
    """A test that lies beside an ingestor: a command, its files, and what is to be found."""

    __test__ = False

    command: str = ""
    exit_status: int = 0
    used: Mapping[str, Any] = field(default_factory=dict)
    generated: Mapping[str, Any] = field(default_factory=dict)
    fires: bool = True
    expected: Mapping[str, Any] = field(default_factory=dict)


def imagine(
    disk: Disk, command: Sequence[str], used: Iterable[str] = (), generated: Iterable[str] = (), exit_status: int = 0
) -> Occurrence:
    """A command as if it had just ended, with files that lie on the disk.

    Where no files are named, they are those that the command's words name: behind ``>`` generated, behind ``<`` used,
    all others both.

    Parameters:
        command: its words; a single one with spaces is a shell's line.

    Raises:
        QuestionError: a file that is not there, or a line that ends within quotes.
    """
    words = list(command)
    if len(words) == 1:
        try:
            words = shlex.split(words[0], posix=True)
        except ValueError as error:
            raise QuestionError(f"{words[0]!r} is no command: {error}") from None
    line = command[0] if len(command) == 1 else shlex.join(words)
    named: dict[str, list[str]] = {"used": list(used), "generated": list(generated)}
    if not any(named.values()):
        named = _named(disk, words)
    found = posix.annotate(_without_redirections(words))
    activity = ActivityWords(
        argv=tuple(words), command=line, utility=found.utility, cwd=disk.cwd, exit_status=exit_status,
        properties=found.properties(),
    )  # fmt: skip
    files = {direction: tuple(_file(disk, path) for path in paths) for direction, paths in named.items()}
    return Occurrence(Moment.AFTER, disk.root, activity, **files)


def _named(disk: Disk, words: Sequence[str]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {"used": [], "generated": []}
    for before, word in zip(("", *words), words, strict=False):
        if os.path.isfile(disk.absolute(word)):
            for direction in [_REDIRECTIONS[before]] if before in _REDIRECTIONS else ("used", "generated"):
                named[direction].append(word)
    return named


def _without_redirections(words: Sequence[str]) -> list[str]:
    return [word for before, word in zip(("", *words), words, strict=False) if not {before, word} & {*_REDIRECTIONS}]


def _file(disk: Disk, typed: str) -> File:
    absolute = disk.absolute(typed)
    if not os.path.isfile(absolute):
        raise QuestionError(f"there is no file {typed}; name one that an ingestor can read")
    path, size = disk.locate(typed), os.path.getsize(absolute)
    sha256 = disk.digest(typed) if size <= _HASHED_BYTES else None
    return File(path, absolute, media_type(path), sha256, size, None, absolute)


def refused(document: Mapping[str, Any], occurrence: Occurrence) -> str:
    """Why findings could not be recorded; "" where they could."""
    used = {file.path: f"used {file.path}" for file in occurrence.used}
    generated = {file.path: f"generated {file.path}" for file in occurrence.generated}
    parts = dict.fromkeys((*used.values(), *generated.values()), 0)
    try:
        check(document, Around(["activity"], used, generated, parts))
    except RefusedError as error:
        return str(error)
    return ""


# -- the test that lies beside an ingestor


def read_test(path: Path) -> Test:
    """A test.

    Raises:
        InputError: it is none; the message names the key.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error
    for key, value in document.items():
        if key not in _TEST_KEYS:
            raise InputError(f"{path}: the key {key!r} is not known; known are {', '.join(_TEST_KEYS)}")
        wanted = type(getattr(Test(), key))
        if not isinstance(value, wanted):
            raise InputError(f"{path}: {key} must be a {'table' if wanted is dict else wanted.__name__}, not {value!r}")
    test = Test(**document)
    for name, content in (*test.used.items(), *test.generated.items()):
        if not isinstance(content, str) and not (isinstance(content, dict) and set(content) == {"file"}):
            raise InputError(f'{path}: {name} must be a text, or {{ file = "NAME" }} of a file beside the test')
    return test


def lay_out(test: Test, beside: Path, folder: str) -> Occurrence:
    """Write a test's files into a folder, and imagine its command there.

    Raises:
        InputError: a file that is not there, or lies elsewhere.
    """
    for name, content in (*test.used.items(), *test.generated.items()):
        target = os.path.normpath(os.path.join(folder, name))
        if not target.startswith(f"{folder}/"):
            raise InputError(
                f"{name} lies outside of the folder in which the test runs; name it like out/{os.path.basename(target)}"
            )
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            data = content.encode() if isinstance(content, str) else (beside / str(content["file"])).read_bytes()
        except OSError as error:
            raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error
        Path(target).write_bytes(data)
    disk = Disk(folder, folder)
    return imagine(disk, [test.command], test.used, test.generated, test.exit_status)


def folder_for_test() -> "tempfile.TemporaryDirectory[str]":
    """A folder that is gone afterwards, for a test's files."""
    return tempfile.TemporaryDirectory(prefix="provdb-test-")


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """Where something is not as expected. Of an object, only what is expected is looked at."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line for key, value in expected.items() for line in differences(value, found.get(key), f"{where}.{key}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for n, (one, other) in pairs for line in differences(one, other, f"{where}[{n}]")]
    return [] if expected == found else [f"{where.lstrip('.')}: expected {expected!r}, found {found!r}"]
