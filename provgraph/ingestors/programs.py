"""Ingestors that are programs of their own, in any language: the occurrence as JSON on standard input, findings as JSON
on standard output.

``.provdb/ingestors/NAME`` (any extension) is the program, ``NAME.toml`` beside it says which commands it is for, in the
words of a rule. A file and not an answer of the program: so nothing runs to find out whether it must run, and a script
of three lines need not read options.
"""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from provgraph.errors import InputError
from provgraph.ingestors.port import Match, Moment, Occurrence
from provgraph.model.ingestor_rules import match_entry

TIME_S: Final = 8.0
OUTPUT_BYTES: Final = 8 * 1024 * 1024
_ERRORS_BYTES: Final = 4_096
_CHUNK: Final = 1 << 16
_LISTED: Final = 100
_ENVIRONMENT: Final = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")
_DIE_WITH_PARENT: Final = 1
_KEYS: Final = ("description", "moment", "utility", "command", "files", "media_types", "direction")


class ProgramError(InputError):
    """A program that failed, was too slow, or printed no findings."""


class Program:
    """The ingestor that a program is.

    Parameters:
        path: of the program.
        sidecar: the text of its ``NAME.toml``.
        version: changes with their bytes.
        time_s: the program is ended after so many seconds.

    Raises:
        InputError: the sidecar is none.
    """

    def __init__(self, name: str, path: Path, sidecar: bytes, version: str, time_s: float = TIME_S) -> None:
        entry = _sidecar(path.with_name(f"{name}.toml").name, sidecar)
        self.name, self.version, self.path = name, version, path
        self.moment = Moment(entry.pop("moment", "after"))
        self.description = entry.pop("description", "") or f"the program {path.name}"
        self.match = Match(**entry)
        self._time_s = time_s

    def __repr__(self) -> str:
        return f"<Program {self.path}>"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """What the program prints.

        Raises:
            ProgramError: it fails, takes too long, or prints something else than an object of JSON.
        """
        document = json.dumps(occurrence.to_json()).encode()
        environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
        environment |= {"PROVDB_DISABLE": "1", "PROVDB_PROJECT": occurrence.project}
        environment |= {"PROVDB_COMMAND": occurrence.activity.command, "PROVDB_FILES": _listed(occurrence, self.match)}
        environment = {key: value.replace("\0", "") for key, value in environment.items()}
        output = run([str(self.path)], document, environment, occurrence.project, self._time_s)
        if not output.strip():
            return None
        try:
            found = json.loads(output)
        except (ValueError, RecursionError) as error:
            raise ProgramError(f"what it printed is no JSON: {error}; it begins with {output[:60]!r}") from None
        if not isinstance(found, dict):
            raise ProgramError(f'it printed {type(found).__name__}, not an object like {{"activity": {{"lr": 0.1}}}}')
        return found


def _sidecar(name: str, text: bytes) -> dict[str, Any]:
    try:
        entry = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no TOML: {error}") from error
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise InputError(f"{name}: the key {unknown[0]!r} is not known; known are {', '.join(_KEYS)}")
    moments = (str(Moment.AFTER), str(Moment.BEFORE))
    if entry.get("moment", "after") not in moments:
        raise InputError(f"{name}: moment is {entry['moment']!r}; it must be one of {', '.join(moments)}")
    return match_entry(name, entry)


def _listed(occurrence: Occurrence, match: Match) -> str:
    """For shells, which read no JSON: a line with direction, path and content of each file that fits."""
    lines = []
    for file in occurrence.matching(match)[:_LISTED]:
        direction = "generated" if any(file is one for one in occurrence.generated) else "used"
        words = (direction, file.path, file.content or "")
        if not any(mark in word for word in words for mark in "\t\n"):
            lines.append("\t".join(words) + "\n")
    return "".join(lines)


def run(argv: list[str], document: bytes, environment: Mapping[str, str], cwd: str, time_s: float) -> bytes:
    """What a program prints that is given a document; it and all that it started are gone then.

    Raises:
        ProgramError: it cannot be started, fails, takes too long or prints too much.
    """
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=dict(environment),
            start_new_session=True, preexec_fn=_with_parent(),  # noqa: PLW1509 - no threads here
        )  # fmt: skip
    except OSError as error:
        hint = "; its first line must name an interpreter, as in #!/bin/sh" if error.errno == 8 else ""
        raise ProgramError(f"it cannot be started: {error.strerror}{hint}") from None
    try:
        with _without_sigpipe():
            output, errors = _talk(process, document, time_s)
    finally:
        _end(process)
    if process.returncode != 0:
        how = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
        said = errors.decode(errors="replace").strip()
        raise ProgramError(f"it ended with {how}" + (f": {said}" if said else ""))
    return output


def _with_parent() -> Callable[[], None] | None:
    """Ends the program where this process is killed, as it is when it takes too long itself."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):  # no Linux
        return None
    return lambda: prctl(_DIE_WITH_PARENT, signal.SIGKILL)


@contextlib.contextmanager
def _without_sigpipe() -> Iterator[None]:
    """A program that does not read to the end must not end this process. Only the main thread can say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)


def _talk(process: "subprocess.Popen[bytes]", document: bytes, time_s: float) -> tuple[bytes, bytes]:
    """Write to a process and read from it, until it ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    output, errors, until = bytearray(), bytearray(), time.monotonic() + time_s
    left = memoryview(document)
    with selectors.DefaultSelector() as selector:
        for stream, events in (
            (process.stdin, selectors.EVENT_WRITE),
            (process.stdout, selectors.EVENT_READ),
            (process.stderr, selectors.EVENT_READ),
        ):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, events)
        while selector.get_map():
            if time.monotonic() > until:
                raise ProgramError(f"it was ended after {time_s:g} s")
            ready = selector.select(0.05)
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    left = _written(selector, process.stdin, left)
                elif key.fileobj is process.stdout:
                    _read(selector, process.stdout, output)
                else:
                    _read(selector, process.stderr, errors)
            if len(output) > OUTPUT_BYTES:
                raise ProgramError(f"it printed more than {OUTPUT_BYTES >> 20} MiB")
            del errors[:-_ERRORS_BYTES]
            if not ready and process.poll() is not None:
                break  # something that it started holds its output open
    while process.poll() is None:
        if time.monotonic() > until:
            raise ProgramError(f"it was ended after {time_s:g} s")
        time.sleep(0.005)
    return bytes(output), bytes(errors)


def _written(selector: selectors.BaseSelector, stream: IO[bytes], left: memoryview) -> memoryview:
    try:
        left = left[os.write(stream.fileno(), left[:_CHUNK]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:  # it does not want to read on
        left = left[:0]
    if not left:
        selector.unregister(stream)
        stream.close()
    return left


def _read(selector: selectors.BaseSelector, stream: IO[bytes], into: bytearray) -> None:
    data = os.read(stream.fileno(), _CHUNK)
    into += data
    if not data:
        selector.unregister(stream)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
