"""What is to be run and recorded, and what the processes of the prefix say to each other."""

from __future__ import annotations

import os
from struct import Struct

PREIMAGE_BYTES = 16 << 20  # larger old contents are kept only where the file system shares their blocks

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Mapping

    from provgraph.capture.output import KeptOutput

SECCOMP, STAT, STRACE, NONE = "seccomp", "stat", "strace", "none"

# Messages between front end, supervisor and command: one letter, then what it needs. Sequenced packets.
LISTENER = b"L"  # command → both: its pid, the listener attached
REFUSED = b"X"  # command → supervisor: errno; it waits for GO
GO = b"G"
BEGAN = b"B"  # supervisor → front end: element, pid, time: write its start record
STARTED = b"S"  # front end → supervisor: element; its start record is written
UNRECORDED = b"U"  # front end → supervisor: element; it could not be written
STOPPED = b"T"  # supervisor → front end: the signal that stopped the command
ENDED = b"E"  # supervisor → front end (nested: the other way round, and back): the end of the command
DRAIN = b"D"  # front end → supervisor, and back when done: a signal that was pending for all
REGISTER = b"R"  # nested front end → supervisor: root, pid and elements; back: the enclosing activity
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

    def environment(self, supervisor: str | None) -> Mapping[str, str]:
        """The command's environment: the caller's, and where a nested provdb finds its supervisor."""
        environ = dict(os.environ)
        environ["PROVDB_ACTIVITY"] = self.elements[0].uid
        environ["PROVDB_ROOT"] = self.root
        if supervisor is not None:
            environ["PROVDB_SUPERVISOR"] = supervisor
        else:
            environ.pop("PROVDB_SUPERVISOR", None)
        return environ
