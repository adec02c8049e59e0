"""The asking side of the process that runs ingestors: started when it is first needed, ended where it does wrong."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from provgraph.session.interpreting.frames import LENGTH, packed, unpacked
from provgraph.session.interpreting.worker import sweep

_PACKAGE_PARENT: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1));"
    " import runpy; runpy.run_module('provgraph.session.interpreting.worker', run_name='__main__', alter_sys=True)"
)
_PIECE: Final = 1 << 20
_SLOWEST: Final = 20
"""On a machine that has no time for it, a run may take so many times the limit."""


class Limits(NamedTuple):
    """What an ingestor may take for one command."""

    time_s: float = 10.0
    memory_bytes: int = 1 << 30
    output_bytes: int = 32 << 20
    content_bytes: int = 256 << 20


class Answer(NamedTuple):
    """What came of a request: ``value``, or ``error``."""

    value: dict[str, Any]
    error: str = ""


def checked(answer: Answer) -> Answer:
    """What an ingestor's run comes to, its paths seen to be paths: whoever answers may have been made to lie."""
    for part in ("read", "left_out", "gone"):
        paths = answer.value.get(part) or []
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            return Answer({}, f"it said something else than an answer: {part!r} is no list of paths")
    return answer


class IngestorProcess:
    """Answers one request after the other.

    Parameters:
        root: the project's folder. trusted: whether code of the project and of other packages may run.
        say: a descriptor that what ingestors print goes to; nowhere where it is None.
        without: what it shall not load.
    """

    def __init__(
        self, root: str, *, trusted: bool, limits: Limits, say: int | None = None, without: Sequence[str] = ()
    ) -> None:
        self._root, self._trusted, self._limits, self._say, self._without = root, trusted, limits, say, without
        self._process: subprocess.Popen[bytes] | None = None
        self._unsent = memoryview(b"")
        self._answer = bytearray()
        self._began = 0.0
        self._waited_s = 0.0
        self.busy = False
        self.loading = ""
        """What it loads, or loaded when it ended; empty where it does something else."""

    @property
    def alive(self) -> bool:
        """Whether the process that answered last is still there, with what it remembers."""
        return self._process is not None

    @property
    def wakes(self) -> list[int]:
        """Descriptors that become readable when there is something to look at."""
        return [self._output] if self.busy else []

    @property
    def _output(self) -> int:
        assert self._process is not None and self._process.stdout is not None  # noqa: PT018
        return self._process.stdout.fileno()

    def ask(self, request: dict[str, Any]) -> None:
        """Begin a request; one at a time. Cost: 0.2 s for the first, which starts the process."""
        assert not self.busy
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._start()
        self._unsent, self._answer = memoryview(packed(request)), bytearray()
        self._began, self._waited_s, self.busy, self.loading = time.monotonic(), self._waiting_s(), True, ""
        with contextlib.suppress(EOFError):  # it is gone: look() tells
            self._send()

    def _start(self) -> None:
        sweep(self._root)
        numbers = int(self._trusted), self._limits.memory_bytes, self._limits.content_bytes
        words = (self._root, *map(str, numbers), *self._without)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, _PACKAGE_PARENT, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if self._say is None else self._say,
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)

    def look(self) -> Answer | None:
        """What came of the request; None while it is worked on. What does wrong is ended."""
        try:
            ended = self._exchange()
            answer = self._said()
        except ValueError as error:
            return self._failed(f"it said something that is no JSON: {error}")
        if answer is not None or ended:
            return answer or self._failed(self._how_it_ended())
        used_s = time.monotonic() - self._began
        waited_s = max(0.0, self._waiting_s() - self._waited_s)
        if used_s - waited_s > self._limits.time_s or used_s > _SLOWEST * self._limits.time_s:
            return self._failed(f"it took over {self._limits.time_s:g} s")
        return None

    def wait(self) -> Answer:
        """What came of the request, once it has."""
        while (answer := self.look()) is None:
            select.select(self.wakes, [self._input] if self._unsent else [], [], 0.05)
        return answer

    def _exchange(self) -> bool:
        """Write and read what can be. Returns whether the process has closed its end."""
        ended = False
        for do in (self._send, self._receive):  # what is gone may have said something before
            try:
                do()
            except EOFError:
                ended = True
        return ended

    def _said(self) -> Answer | None:
        """The answer, once it is there. What is said before it tells what is loaded.

        Raises:
            ValueError: it is no JSON.
        """
        while len(self._answer) >= LENGTH:
            size = int.from_bytes(self._answer[:LENGTH], "little")
            if size > self._limits.output_bytes:
                return self._failed(f"it said {size:,} bytes, over the limit of {self._limits.output_bytes:,}")
            if len(self._answer) < LENGTH + size:
                break
            value = unpacked(self._answer[LENGTH : LENGTH + size])
            if not isinstance(value, dict) or "loading" not in value:
                return self._done(value)
            self.loading = str(value["loading"])
            del self._answer[: LENGTH + size]
        return None

    @property
    def _input(self) -> int:
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018
        return self._process.stdin.fileno()

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                try:
                    sent = os.write(self._input, self._unsent[:_PIECE])
                except BrokenPipeError:
                    raise EOFError from None
                self._unsent = self._unsent[sent:]

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while len(self._answer) <= self._limits.output_bytes + LENGTH:
                piece = os.read(self._output, _PIECE)
                if not piece:
                    raise EOFError
                self._answer += piece

    def _done(self, value: Any) -> Answer:
        self.busy, self._answer = False, bytearray()
        if not isinstance(value, dict):
            return self._failed("it said something else than an answer")
        if value.get("broken"):
            self.close()
        return Answer({}, str(value["error"])) if "error" in value else Answer(value)

    def _failed(self, why: str) -> Answer:
        self.close()
        return Answer({}, why)

    def _how_it_ended(self) -> str:
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(1)
            if status < 0:
                return f"its process was ended by {_name_of(-status)}"
            return f"its process ended with status {status}"
        return "it closed its output"

    def _waiting_s(self) -> float:
        """For how long the process would have worked and had no processor: what keeps the machine busy goes first."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            assert self._process is not None
            with open(f"/proc/{self._process.pid}/schedstat") as file:
                return int(file.read().split()[1]) / 1e9
        return 0.0

    def close(self) -> None:
        """End the process, and what it has started."""
        process, self._process, self.busy = self._process, None, False
        self._unsent, self._answer = memoryview(b""), bytearray()
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()
        sweep(self._root)


def _name_of(number: int) -> str:
    """A signal's; most of the real-time ones have none."""
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
