"""Who is who: uids of vertices, edges, events, projects and origins (semantics rules 22 and 23).

Uids are strings of 36 characters. All but fresh UUIDv7 are UUIDv5 (RFC 9562) in the project's own namespace, over the
parts joined by NUL, so replaying an event changes nothing.
"""

import hashlib
import os
import time
import uuid

_ROOT = uuid.uuid5(uuid.NAMESPACE_DNS, "provgraph")


def uuid7(now_ns: int | None = None) -> str:
    """A fresh UUIDv7: sorts by time to the millisecond. ``now_ns`` is Unix time in nanoseconds."""
    milliseconds = (time.time_ns() if now_ns is None else now_ns) // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def digest_uid(*parts: str) -> str:
    """A UUIDv5 over ``parts`` outside any project: the identity of a project over its root commits."""
    return str(uuid.uuid5(_ROOT, "\0".join(parts)))


class Namespace:
    """Uids within one project. Cost: one SHA-1 each, 0.5 µs.

    Parameters:
        project: the project's uid.
    """

    def __init__(self, project: str) -> None:
        self.project = project
        self._sha1 = hashlib.sha1(uuid.UUID(project).bytes, usedforsecurity=False)

    def _uid(self, text: str) -> str:
        sha1 = self._sha1.copy()
        sha1.update(text.encode("utf-8", "surrogateescape"))
        raw = bytearray(sha1.digest()[:16])
        raw[6] = raw[6] & 0x0F | 0x50
        raw[8] = raw[8] & 0x3F | 0x80
        h = raw.hex()
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

    def artifact(self, path: str, host: str | None = None) -> str:
        """An artifact, by path from the project's root; outside of it by host and absolute path."""
        return self._uid(f"artifact\0{path}" if host is None else f"artifact\0{host}\0{path}")

    def person(self, email: str) -> str:
        """A person, by e-mail address (compared in lower case)."""
        return self._uid(f"person\0{email.lower()}")

    def version(self, commit: str) -> str:
        """An explicit version, by commit."""
        return self._uid(f"version\0{commit}")

    def commit(self, commit: str) -> str:
        """The activity that made a commit: one in all clones, for all that is said of it stands in the commit."""
        return self._uid(f"commit\0{commit}")

    def event(self, origin: str, origin_seq: int) -> str:
        """An event, by origin and its number there."""
        return self._uid(f"event\0{origin}\0{origin_seq}")

    def vertex(self, origin: str, origin_seq: int, number: int) -> str:
        """Any other vertex: the ``number``-th one (from 0) that an event brings."""
        return self._uid(f"vertex\0{origin}\0{origin_seq}\0{number}")

    def edge(self, type: str, source: str, target: str, role: str = "") -> str:
        """An edge, by type, source, target and role."""
        return self._uid(f"edge\0{type}\0{source}\0{target}\0{role}")
