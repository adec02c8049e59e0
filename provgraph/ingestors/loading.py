"""The ingestors that a project brings itself: rules of its configuration, and files in ``.provdb/ingestors``.

A ``NAME.py`` has ``INGESTOR`` or ``INGESTORS``; an executable file is a program, and ``NAME.toml`` beside it says which
commands it is for. All of it runs only where the store is trusted. What cannot be loaded is told, never raised.
"""

import contextlib
import hashlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final, NamedTuple, NoReturn, Protocol

from provgraph.errors import InputError
from provgraph.ingestors.port import (
    DIRECTIONS,
    File,
    Follower,
    Following,
    Ingestor,
    Match,
    Moment,
    Occurrence,
    Unusable,
    checked_follower,
    findings_document,
)
from provgraph.ingestors.programs import TIME_S, Program
from provgraph.ingestors.rules import rule_ingestors
from provgraph.model.ingestor_rules import NAME, IngestorRule, check_pattern

FOLDER: Final = ".provdb/ingestors"
TESTS: Final = "tests"
"""The folder in it that holds their tests."""
CONFIGURATION: Final = ".provdb/config.toml"
LOAD_S: Final = 3.0
"""Of processor time: how busy the machine is does not count. The process ends what only waits."""
_SHARE: Final = 0.8
"""A program that is slow is ended a little before the process is that runs it, and says why."""
_SPELLING: Final = "a name has small letters, digits, - and _, and begins with a letter"


class Configured(Protocol):
    """What is needed of a configuration."""

    @property
    def ingestor_rules(self) -> tuple[IngestorRule, ...]:
        """The rules, in their order."""

    @property
    def disabled_ingestors(self) -> tuple[str, ...]:
        """Names of those that shall not run."""

    @property
    def ingestor_time_s(self) -> float:
        """What one may take for a command."""


class Loaded(NamedTuple):
    """What a project brings. ``where`` says by name where each comes from, from the project's root."""

    ingestors: tuple[Ingestor, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    where: Mapping[str, str] = {}


class FileIngestor:
    """One of a Python file of the project. Its version is the digest of the file, so a changed one is applied anew."""

    def __init__(self, inner: Ingestor, version: str, path: Path) -> None:
        self.inner, self.version, self.path = inner, version, path
        self.name, self.moment, self.match = inner.name, Moment(inner.moment), inner.match
        self.description = str(getattr(inner, "description", "")).strip() or "an ingestor of this project"

    def __repr__(self) -> str:
        return f"<FileIngestor {self.name}>"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """As the file's own.

        Raises:
            InputError: it failed, and the message names the line; or it returned what are no findings.
        """
        with _telling(self.path):
            if not hasattr(self.inner, "ingest"):  # one that only follows
                return None
            returned = self.inner.ingest(occurrence)
        return findings_document(returned, "ingest")


class FollowingFileIngestor(FileIngestor):
    """One that also follows files."""

    def follow(self, occurrence: Occurrence, file: File) -> Follower:
        """As the file's own.

        Raises:
            InputError: it failed, or returned what is no follower.
        """
        assert isinstance(self.inner, Following)
        with _telling(self.path):
            follower = self.inner.follow(occurrence, file)
        return FileFollower(checked_follower(follower), self.path)


class FileFollower:
    """What follows a file for an ingestor of a Python file."""

    def __init__(self, inner: Follower, path: Path) -> None:
        self.inner, self.path = inner, path

    def feed(self, data: bytes) -> Mapping[str, Any] | None:
        """As the file's own.

        Raises:
            InputError: it failed, and the message names the line; or it returned what are no findings.
        """
        with _telling(self.path):
            returned = self.inner.feed(data)
        return findings_document(returned, "feed")


def load_project(
    root: str,
    config: Configured,
    trusted: bool,
    *,
    without: Collection[str] = (),
    loading: Callable[[str], None] = lambda _place: None,
) -> Loaded:
    """The project's own ingestors. It runs the code of its Python files: call it where that may fail, hang, or exit.

    Parameters:
        root: the project's folder.
        trusted: whether this user trusts the store as it is now; else nothing is loaded.
        without: files that are passed over, as ``where`` names them.
        loading: is told each file before its code runs, and "" at the end.

    Returns:
        Those of files by name, then those of rules as they stand; without those that the configuration disables.
    """
    if not trusted:
        return Loaded()
    ingestors: list[Ingestor] = []
    unusable: list[Unusable] = []
    where: dict[str, str] = {}
    rules: list[tuple[str, Ingestor | Unusable]] = [
        (CONFIGURATION, one) for one in rule_ingestors(config.ingestor_rules)
    ]
    files = tuple(_of_files(root, _SHARE * config.ingestor_time_s, without, loading))
    loading("")
    for place, one in (*files, *rules):
        if isinstance(one, Unusable):
            unusable.append(one)
        elif one.name in where:
            why = f"there is one of this name already, in {where[one.name]}; give one of them another name"
            unusable.append(Unusable(one.name, place, why))
        elif one.name not in config.disabled_ingestors:
            ingestors.append(one)
            where[one.name] = place
    return Loaded(tuple(ingestors), tuple(unusable), where)


def load_file(path: Path, place: str, time_s: float = TIME_S) -> list[Ingestor | Unusable]:
    """What one file holds: the ingestors of a Python file (its code runs), or the one that a program is.

    Parameters:
        path: the file.
        place: how it is called in messages.
        time_s: a program is ended after so many seconds.
    """
    name = path.name.partition(".")[0]
    try:
        if not NAME.fullmatch(name):
            raise InputError(f"{path.name!r} names no ingestor: {_SPELLING}")
        data = path.read_bytes()
        sidecar = path.with_name(f"{name}.toml")
        if _is_program(path):
            described = sidecar.read_bytes()
            return [Program(name, path, described, _digest(data, described), time_s)]
        if path.suffix == ".py":
            return [*_of_module(path, name, data)]
    except (OSError, InputError) as error:
        return [Unusable(name, place, str(error))]
    except Exception as error:  # noqa: BLE001 - properties of other people's objects
        return [Unusable(name, place, _told(error, path))]
    wanted = f"it is not executable; type `chmod +x {place}`"
    if os.access(path, os.X_OK):
        wanted = f'there is no {sidecar.name} beside it that says for which commands it is, as in utility = "python"'
    return [Unusable(name, place, wanted)]


def project_files(root: str) -> list[Path]:
    """The files of a project that hold ingestors, or are meant to. Runs nothing."""
    folder = Path(root) / FOLDER
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith((".", "_")))
    except OSError:
        return []
    described = {path.stem for path in files if path.suffix == ".toml"}
    return [
        path
        for path in files
        if path.suffix != ".toml"
        and (path.suffix == ".py" or os.access(path, os.X_OK) or path.name.partition(".")[0] in described)
    ]


def python_files(root: str) -> list[str]:
    """The files of a project whose code runs when they are loaded, from its root. Runs nothing."""
    return [f"{FOLDER}/{path.name}" for path in project_files(root) if path.suffix == ".py" and not _is_program(path)]


def _is_program(path: Path) -> bool:
    return os.access(path, os.X_OK) and path.with_name(f"{path.name.partition('.')[0]}.toml").is_file()


def _of_files(
    root: str, time_s: float, without: Collection[str], loading: Callable[[str], None]
) -> Iterator[tuple[str, Ingestor | Unusable]]:
    files = project_files(root)
    for path in files:
        place = f"{FOLDER}/{path.name}"
        if place in without:
            continue
        loading(place)
        for one in load_file(path, place, time_s):
            yield place, one
    programs = {path.name.partition(".")[0] for path in files}
    for sidecar in sorted((Path(root) / FOLDER).glob("[!._]*.toml")):
        if sidecar.stem not in programs:
            place = f"{FOLDER}/{sidecar.name}"
            yield place, Unusable(sidecar.stem, place, f"there is no program {sidecar.stem} beside it")


def _of_module(path: Path, name: str, data: bytes) -> Iterator[Ingestor]:
    """Run a Python file. No byte code is written: that would be another file in the folder that is trusted."""
    module = ModuleType(f"provgraph_project_ingestor_{name.replace('-', '_')}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look there
    try:
        with _within(LOAD_S):
            exec(compile(data, str(path), "exec"), module.__dict__)  # noqa: S102 - trusted
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise InputError(_told(error, path)) from error
    several: Sequence[Any] | None = getattr(module, "INGESTORS", None)
    if several is None:
        if not hasattr(module, "INGESTOR"):
            raise InputError("it has neither INGESTOR nor INGESTORS; end it with INGESTOR = YourClass()")
        several = [module.INGESTOR]
    for one in several:
        _check(one)
        yield (FollowingFileIngestor if isinstance(one, Following) else FileIngestor)(one, _digest(data), path)


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Interrupt Python code that works longer, so that the others still load. Only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(_number: int, _frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"it took over {seconds:g} s of processor time to load")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _check(one: Any) -> None:
    """Refuse what is no ingestor.

    Raises:
        InputError: it says what it lacks.
    """
    kind = one.__name__ if isinstance(one, type) else type(one).__name__
    if isinstance(one, type):
        raise InputError(f"{kind} is a class; end the file with INGESTOR = {kind}()")
    follows = getattr(one, "moment", None) == Moment.DURING
    for attribute in ("name", "moment", "match", *(() if follows else ("ingest",))):
        if not hasattr(one, attribute):
            raise InputError(f"{kind} has no {attribute}; `provdb ingestors new NAME` shows what an ingestor has")
    if not isinstance(one.name, str) or not NAME.fullmatch(one.name):
        raise InputError(f"{kind} has the name {one.name!r}: {_SPELLING}")
    if one.moment not in tuple(Moment):
        raise InputError(f"{kind} has the moment {one.moment!r}; it must be one of {', '.join(Moment)}")
    if Moment(one.moment) is Moment.DURING and not isinstance(one, Following):
        raise InputError(f"{kind} has the moment during, but no method follow(occurrence, file)")
    match: Any = one.match
    if not isinstance(match, Match):
        raise InputError(f"{kind} has the match {match!r}; it must be a Match of provgraph.ingestors.port")
    if match.direction not in DIRECTIONS:
        raise InputError(f"{kind} has the direction {match.direction!r}; it must be one of {', '.join(DIRECTIONS)}")
    lists: tuple[Any, ...] = (match.files, match.media_types)
    for globs in lists:
        if not isinstance(globs, tuple) or not all(isinstance(glob, str) for glob in globs):
            raise InputError(f'{kind} has the files {globs!r}; they must be a tuple of strings, as in ("*.log",)')
    check_pattern(f"{kind}: utility", match.utility)
    check_pattern(f"{kind}: command", match.command)


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Have failures of a Python file name the line.

    Raises:
        InputError: it failed.
    """
    try:
        yield
    except (MemoryError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError(_told(error, path)) from error


def _told(error: BaseException, path: Path) -> str:
    """An exception with the line of the file that it comes from."""
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        line = error.lineno
    said = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    return f"{path.name}, line {line}: {said}" if line else said


def _digest(*parts: bytes) -> str:
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8) + part)
    return sha.hexdigest()[:16]
