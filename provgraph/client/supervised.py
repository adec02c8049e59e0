"""Telling the supervisor that watches this process which of its activities does what.

One connection for each process, over the abstract socket whose name is in PROVDB_SUPERVISOR; sequenced packets. The
other side is :mod:`provgraph.capture.inside`, which says what each message holds.
"""

from __future__ import annotations

import os
from _thread import RLock, get_ident
from struct import Struct

from provgraph.client.light_json import dumps
from provgraph.client.moments import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

# One letter, then the uid of an activity, then:
BEGIN = b"I"  # its thread, b"1" where it is that of the whole process (else b"0"), the uid of the activity inside this
#               process that it is in (or 36 blanks), the root; back: the uid of the recorded activity that it is in
STARTED = b"J"  # whether its start record is written (b"1" or b"0"); no answer
FINISH = b"K"  # the body of its end record, as JSON; back when the end is written
SWITCH = b"W"  # a thread, which is at this activity from now on (36 blanks: at none of its own); back when it is
KNOCK = "knock"  # a file in the folder of marks: opening it makes the supervisor look at its messages
UNRECORDED = b"U"  # the answer to BEGIN of a process that is not watched
THREAD = Struct("<i")
UID_BYTES = 36
NOBODY = b" " * UID_BYTES

_ANSWER_MS = 5000
_MESSAGE_BYTES = 65_536
_CREDENTIALS = Struct("<iii")  # pid, uid, gid
_SO_PEERCRED = 17
_BODY_BYTES = 32_768

asking: set[int] = set()
"""Threads that knock: no hook of ours shall look at that."""
_links: dict[int, Link | None] = {}


def link() -> Link | None:
    """This process's connection to its supervisor; None where there is none, or it does not answer."""
    name = os.environ.get("PROVDB_SUPERVISOR")
    if not name:
        return None
    pid = os.getpid()
    if pid not in _links or _is_gone(_links[pid]):
        _links.clear()  # an inherited one is the parent's
        try:
            _links[pid] = Link(name)
        except Exception:
            _links[pid] = None
    return _links[pid]


def _is_gone(known: Link | None) -> bool:
    return known is not None and known.gone


class Link:
    """A connection to the supervisor that listens as ``name``.

    Raises:
        OSError: nobody does.
    """

    def __init__(self, name: str) -> None:
        import _socket

        self._socket: _socket.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        self._socket.connect(b"\0" + os.fsencode(name))
        peer = self._socket.getsockopt(_socket.SOL_SOCKET, _SO_PEERCRED, _CREDENTIALS.size)
        self.supervisor: int = _CREDENTIALS.unpack(peer)[0]
        self._inode = os.fstat(self._socket.fileno()).st_ino
        self._lock = RLock()
        self._door = os.path.join(os.environ.get("PROVDB_ROOT", "/"), ".provdb", "marks", KNOCK)
        self.gone = False

    def begin(self, root: str, uid: str, parent: str | None, shared: bool) -> str | None:
        """An activity begins in this thread; what is opened from now on is its own.

        Parameters:
            parent: uid of the one inside this process that it is in.
            shared: whether threads that are at its parent are at it, too.
        Returns:
            uid of the recorded activity that it is in ("" where it is in none); None where nobody watches.
        """
        within = parent.encode() if parent else NOBODY
        where = THREAD.pack(thread()) + (b"1" if shared else b"0")
        answer = self._ask(BEGIN, uid, where + within + os.fsencode(root))
        return None if answer is None or answer[:1] != BEGIN else answer[1 + UID_BYTES :].decode()

    def started(self, uid: str, recorded: bool) -> None:
        """Its start record is written, or could not be."""
        self._send(STARTED + uid.encode() + (b"1" if recorded else b"0"))

    def end(self, uid: str, body: dict[str, object]) -> bool:
        """It ended; the supervisor writes that, after all that it saw. False where it is gone."""
        text = dumps(body)
        return self._ask(FINISH, uid, text if len(text) < _BODY_BYTES else dumps({**body, "error": None})) is not None

    def switch(self, uid: str | None) -> None:
        """What this thread opens from now on belongs to another of the open activities."""
        self._ask(SWITCH, uid or NOBODY.decode(), THREAD.pack(thread()))

    def _ask(self, kind: bytes, uid: str, rest: bytes) -> bytes | None:
        import select

        with self._lock:
            if not self._send(kind + uid.encode() + rest):
                return None
            self._knock()
            probe = select.poll()
            probe.register(self._socket.fileno(), select.POLLIN)
            deadline = now() + _ANSWER_MS * 1_000_000
            while now() < deadline and probe.poll(_ANSWER_MS):
                try:
                    answer = self._socket.recv(_MESSAGE_BYTES)
                except OSError:
                    break
                if not answer:
                    break
                if answer[1 : 1 + UID_BYTES] == uid.encode() and answer[:1] in (kind, UNRECORDED):
                    return answer  # others answer what an exception of the user's has interrupted
            self.gone = True
            return None

    def _knock(self) -> None:
        """Open a file that the supervisor knows, and that is not there: it waits for calls, not for messages."""
        thread_ident = get_ident()
        asking.add(thread_ident)
        try:
            os.close(os.open(self._door, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            pass
        finally:
            asking.discard(thread_ident)

    def _send(self, message: bytes) -> bool:
        try:
            if not self.gone and os.fstat(self._socket.fileno()).st_ino == self._inode:
                self._socket.send(message)
                return True
        except OSError:
            pass
        self.gone = True
        return False

    def abandon(self) -> None:
        """In a forked child: the connection is the parent's."""
        self.gone = True
        try:
            if os.fstat(self._socket.fileno()).st_ino == self._inode:
                self._socket.close()
        except OSError:
            pass


def thread() -> int:
    """The kernel's number of the calling thread."""
    from _thread import get_native_id

    return get_native_id()


def _in_child() -> None:
    for known in _links.values():
        if known is not None:
            known.abandon()
    _links.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
