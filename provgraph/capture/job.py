"""What is to be run and recorded, and what the processes of the prefix say to each other."""

from __future__ import annotations

import os
from struct import Struct

PREIMAGE_BYTES = 16 << 20  # larger old contents are kept only where the file system shares their blocks

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Mapping

    from provgraph.capture.output import KeptOutput

# A folder for PYTHONPATH: it holds `provgraph.client` for Pythons that have no ProvGraph.
CLIENT_PATH = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/client/path"
_HEAD_BYTES = 256
_PYTHONS = ("python", "ipython", "pypy", "jupyter")

SECCOMP, STAT, STRACE, NONE = "seccomp", "stat", "strace", "none"

# Messages between front end, supervisor and command: one letter, then what it needs. Sequenced packets.
LISTENER = b"L"  # command → both: element 0, its pid, time; the listener attached
REFUSED = b"X"  # command → front end: as above; → supervisor: errno, and it waits for GO
GO = b"G"
BEGAN = b"B"  # supervisor → front end: element, pid, time: write its start record
STARTED = b"S"  # front end → supervisor: element; its start record is written
UNRECORDED = b"U"  # front end → supervisor: element; it could not be written
STOPPED = b"T"  # supervisor → front end: the signal that stopped the command
ENDED = b"E"  # supervisor → front end (nested: the other way round, and back): the end of the command
DRAIN = b"D"  # front end → supervisor, and back when done: a signal that was pending for all
REGISTER = b"R"  # nested front end → supervisor: root, pid and elements; back: the enclosing activity
INSIDE = (b"I", b"J", b"K", b"W")  # provgraph.client → supervisor, see there
NOTE = b"N"  # supervisor → front end: a line for standard error, at the end

END = Struct("<idq?")  # wait status, CPU seconds, peak memory in bytes, whether processes survive
LAST_STATUS = Struct("<ii")  # in the shared page: whether the command has ended, its wait status
LAST_STATUS_AT = 512
NUMBER = Struct("<i")
ELEMENT = Struct("<iiq")  # index, pid, time
PAGE_BYTES = 4096


class Element:
    """One element of a ``-c`` line; a command that is no line is its only element.

    Parameters:
        uid: the activity's UUIDv7.
        argv: the words to record.
        line: what ``start`` records say of the line, or None.
        background: whether ``&`` follows it.
    """

    def __init__(
        self, uid: str, argv: list[str], line: dict[str, object] | None = None, background: bool = False
    ) -> None:
        self.background = background
        self.uid = uid
        self.argv = argv
        self.line = line


class Job:
    """A command to run in a project.

    Parameters:
        root: the project's root.
        program: the file to execute, None where none was found.
        argv: its words.
        elements: the activities it may become, at least one.
        method: how it is watched.
    """

    def __init__(self, root: str, program: str | None, argv: list[str], elements: list[Element], method: str) -> None:
        self.root = root
        self.program = program
        self.argv = argv
        self.elements = elements
        self.method = method
        self.shown = argv  # to be recorded: without the marks of a line
        self.cwd = os.getcwd()
        self.name: str | None = None
        self.note: str | None = None
        self.tags: dict[str, object] = {}
        self.kept: KeptOutput | None = None  # `run --keep-output`
        self.parent: str | None = os.environ.get("PROVDB_ACTIVITY")
        self.scrub: tuple[str, ...] = ()
        self.preimage_bytes = PREIMAGE_BYTES

    @property
    def spool(self) -> str:
        """The folder of spool files."""
        return f"{self.root}/.provdb/spool"

    @property
    def marks(self) -> str:
        """The folder whose files ``-c`` lines open to say where they are, with a slash at its end."""
        return f"{self.root}/.provdb/marks/"

    def _runs_python(self) -> bool:
        """Whether it is a Python program, which may want to record from within, or a line that names one."""
        if self.elements[0].line is not None:
            words = str(self.elements[0].line.get("text", "")).split()
            return any(_is_python(word.lstrip("(|;&{")) for word in words)
        if self.program is None or _is_python(self.program):
            return self.program is not None
        try:
            fd = os.open(self.program, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                head = os.read(fd, _HEAD_BYTES)
            finally:
                os.close(fd)
        except OSError:
            return False
        return head.startswith(b"#!") and b"python" in b"\n".join(head.split(b"\n", 2)[:2])

    def environment(self, supervisor: str | None) -> Mapping[str, str]:
        """The command's environment: the caller's, and where a nested provdb finds its supervisor."""
        environ = dict(os.environ)
        environ["PROVDB_ACTIVITY"] = self.elements[0].uid
        environ["PROVDB_ROOT"] = self.root
        if self._runs_python():
            own = environ.get("PYTHONPATH", "")
            if CLIENT_PATH not in own.split(":"):
                environ["PYTHONPATH"] = f"{own}:{CLIENT_PATH}" if own else CLIENT_PATH
        if supervisor is not None:
            environ["PROVDB_SUPERVISOR"] = supervisor
        else:
            environ.pop("PROVDB_SUPERVISOR", None)
        return environ


def _is_python(program: str) -> bool:
    return program.rpartition("/")[2].startswith(_PYTHONS)
