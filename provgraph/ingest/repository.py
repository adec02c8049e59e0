"""A git repository, asked by the ingester: commits, what they change, what their files hold. One process a question.

Nothing here writes into the repository, asks the network or takes a lock.
"""

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Final

_GIT: Final = ("git", "--no-optional-locks", "-c", "core.quotePath=false", "-c", "i18n.logOutputEncoding=UTF-8")
_TIMEOUT_S: Final = 60
_COMMIT: Final = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_FIELDS: Final = ("%H", "%P", "%aN", "%aE", "%aI", "%cN", "%cE", "%cI")
_CO_AUTHORS: Final = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x1d)"
_FORMAT: Final = "%n".join((*_FIELDS, _CO_AUTHORS, "%B"))
"""A line each, for none of them can hold a line's end; the message, which can, comes last."""
_PERSON: Final = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")
_POINTER: Final = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
_POINTER_BYTES: Final = 1024
BLOB_BYTES: Final = 1 << 30
"""Whoever clones a repository ingests its commits: larger files in it are not read to learn what they hold."""
BLOBS_BYTES: Final = 4 << 30
"""For all blobs that are asked about at once."""
LINK: Final = "120000"
FILES: Final = ("100644", "100755", LINK)
"""The modes of what a snapshot can be of; a submodule is none."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who a commit names, as .mailmap has it. ``email`` is lower case, None where git has none."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. Times are ISO 8601 in UTC."""

    id: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    co_authors: tuple[Person, ...]
    authored_at: str
    committed_at: str
    message: str
    shallow: bool = False
    """Whether its parents were not fetched: nobody here knows what it changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two trees; ``blob`` and ``mode`` are the new state's, None where it is gone."""

    path: str
    """From the work tree's top; bytes that are no UTF-8 are lone surrogates."""
    blob: str | None
    mode: str | None
    old: str | None
    """The old state's blob."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a blob holds: SHA-256 and size in bytes of its file, which where it is an LFS pointer is another one."""

    sha256: str
    size: int | None
    pointer: bool = False


def is_commit(text: object) -> bool:
    """Whether a text is a whole commit id, and not the one that stands for none."""
    return isinstance(text, str) and bool(_COMMIT.fullmatch(text)) and bool(text.strip("0"))


class Repository:
    """The repository of one work tree.

    Parameters:
        top: the work tree's folder.
    """

    def __init__(self, top: str) -> None:
        self.top = top
        self._shallow: frozenset[str] | None = None

    def commits(self, revisions: Sequence[str], limit: int, *, walk: bool = False) -> list[Commit]:
        """Commits, oldest first.

        Parameters:
            revisions: their ids; with ``walk`` a range as ``A``, ``^B``, of which the newest ``limit`` are taken.
        """
        if not revisions:
            return []
        how = [f"--max-count={limit}", "--topo-order"] if walk else ["--no-walk=unsorted"]
        words = [
            "log",
            "-z",
            "--use-mailmap",
            "--no-show-signature",
            "--no-color",
            f"--format={_FORMAT}",
            *how,
            "--stdin",
        ]
        wanted = revisions if walk else revisions[:limit]
        out = self._run(words, "".join(f"{one}\n" for one in wanted).encode())
        found = [self._commit(text) for text in (out or b"").decode("utf-8", "replace").split("\0") if text]
        if not walk:
            return found if found or len(wanted) == 1 else [c for one in wanted for c in self.commits([one], 1)]
        return found[::-1]

    def _commit(self, text: str) -> Commit:
        id, parents, name, email, authored, committer, committer_email, committed, more, rest = text.split("\n", 9)
        persons = [match for line in more.strip().split("\x1d") if (match := _PERSON.fullmatch(line))]
        mapped = self._mapped([f"{one[1]} <{one[2]}>" for one in persons])
        return Commit(
            id,
            tuple(parents.split()),
            _person(name, email),
            _person(committer, committer_email),
            tuple(dict.fromkeys(mapped)),
            _utc(authored),
            _utc(committed),
            rest.strip(),
            id in self.shallow(),
        )

    def _mapped(self, contacts: list[str]) -> list[Person]:
        """Who .mailmap says that people are."""
        if not contacts:
            return []
        out = self._run(["check-mailmap", "--stdin"], "".join(f"{one}\n" for one in contacts).encode())
        lines = (out or b"").decode("utf-8", "replace").splitlines() if out is not None else contacts
        return [_person(match[1], match[2]) for line in lines if (match := _PERSON.fullmatch(line))]

    def shallow(self) -> frozenset[str]:
        """The commits at which a shallow clone ends."""
        if self._shallow is None:
            path = (self._run(["rev-parse", "--git-path", "shallow"]) or b"").decode().strip()
            try:
                with open(os.path.join(self.top, path), encoding="ascii") as file:
                    self._shallow = frozenset(file.read().split()) if path else frozenset()
            except OSError:
                self._shallow = frozenset()
        return self._shallow

    def common(self) -> str:
        """The folder that all work trees of the repository share, without symbolic links; "" where this is none."""
        path = (self._run(["rev-parse", "--git-common-dir"]) or b"").decode("utf-8", "surrogateescape").strip("\n")
        return os.path.realpath(os.path.join(self.top, path)) if path else ""

    def resolve(self, text: str) -> str | None:
        """The commit that a branch, tag or shortened id names; None where it names none, or more than one."""
        if not text or text.startswith("-") or "\n" in text:
            return None
        out = self._run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}"])
        found = (out or b"").decode("ascii", "replace").strip().rpartition("\n")[2]
        return found if is_commit(found) else None

    def changes(self, new: str, old: str | None) -> list[Change]:
        """What differs between the trees of two commits; of a commit without an old one, all that is in it."""
        if old is None:
            out = self._run(["ls-tree", "-r", "-z", "--full-tree", new])
            return [] if out is None else list(_tree(out))
        words = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new]
        out = self._run(words)
        return [] if out is None else list(_raw(out))

    def index(self, paths: Sequence[str]) -> list[Change]:
        """What the index has of some paths; those that it lacks are left out."""
        if not paths:
            return []
        out = self._run(["ls-files", "-s", "-z", "--", *(f":(top,literal){path}" for path in paths)])
        return [] if out is None else list(_index(out))

    def hold(self, blobs: Iterable[str]) -> dict[str, Held]:
        """What blobs hold, read as a stream: not of large ones, nor beyond so much for all. Cost: reading them."""
        wanted = self._readable(list(dict.fromkeys(blobs)))
        if not wanted:
            return {}
        deadline = time.monotonic() + _TIMEOUT_S
        words = [*_GIT, "cat-file", "--batch"]
        found: dict[str, Held] = {}
        try:
            with subprocess.Popen(
                words, cwd=self.top, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process:  # fmt: skip
                assert process.stdin is not None
                assert process.stdout is not None
                for blob in wanted:
                    process.stdin.write(f"{blob}\n".encode())
                    process.stdin.flush()
                    held = _read_blob(process.stdout, deadline)
                    if held is not None:
                        found[blob] = held
                process.stdin.close()
        except (OSError, ValueError):
            return found
        return found

    def _readable(self, blobs: list[str]) -> list[str]:
        """Those that are not too large to be read."""
        left, found = BLOBS_BYTES, []
        for blob, size in self._sizes(blobs).items():
            if size <= min(left, BLOB_BYTES):
                left -= size
                found.append(blob)
        return found

    def _sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        """How many bytes blobs have, without reading them; those that are not here are left out."""
        if not blobs:
            return {}
        out = self._run(["cat-file", "--batch-check"], "".join(f"{blob}\n" for blob in blobs).encode())
        answers = (line.split() for line in (out or b"").decode("ascii", "replace").splitlines())
        return {words[0]: int(words[2]) for words in answers if len(words) == 3 and words[2].isdigit()}

    def blob(self, commit: str, path: str) -> str | None:
        """The blob that a commit has at a path, which begins in this folder."""
        out = self._run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:./{path}"])
        found = (out or b"").decode("ascii", "replace").strip()
        return found if is_commit(found) else None

    def content(self, blob: str, size: int) -> bytes | None:
        """The bytes of a blob; None where they are not so many."""
        return self._run(["cat-file", "blob", blob]) if self._sizes([blob]).get(blob) == size else None

    def as_blobs(self, paths: Sequence[str]) -> dict[str, str]:
        """The blobs that files on disk would be committed as, with the filters that their attributes name.

        Large ones are left out: they are read for it.
        """
        left, wanted = BLOBS_BYTES, []
        for path in paths:
            size = _size(os.path.join(self.top, path))
            if "\n" not in path and size <= min(left, BLOB_BYTES):
                left -= size
                wanted.append(path)
        if not wanted:
            return {}
        given = "".join(f"{path}\n" for path in wanted).encode("utf-8", "surrogateescape")
        blobs = (self._run(["hash-object", "--stdin-paths"], given) or b"").decode("ascii", "replace").split()
        return dict(zip(wanted, blobs, strict=True)) if len(blobs) == len(wanted) else {}

    def _run(self, words: Sequence[str], given: bytes = b"") -> bytes | None:
        """What git prints; None where it fails, or there is none."""
        try:
            done = subprocess.run(
                [*_GIT, *words], cwd=self.top, env=_environment(), input=given, capture_output=True,
                timeout=_TIMEOUT_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept |= {name: os.environ[name] for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM") if name in os.environ}
    return kept | {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _person(name: str, email: str) -> Person:
    email = email.strip().lower()
    return Person(name.strip() or email.partition("@")[0] or "nobody", email or None)


def _utc(text: str) -> str:
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC).isoformat(timespec="microseconds")  # a commit may bear any time at all


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _raw(out: bytes) -> Iterator[Change]:
    parts = out.split(b"\0")
    for head, path in zip(parts[::2], parts[1::2], strict=False):
        words = head.lstrip(b":").decode("ascii", "replace").split()
        if len(words) < 5:
            continue
        old_mode, mode, old, new = words[:4]
        gone = words[4].startswith("D") or mode not in FILES
        if gone and old_mode not in FILES:
            continue  # a submodule, before and after
        yield Change(_decoded(path), None if gone else new, None if gone else mode, old if old_mode in FILES else None)


def _tree(out: bytes) -> Iterator[Change]:
    for entry in out.split(b"\0"):
        head, tab, path = entry.partition(b"\t")
        words = head.decode("ascii", "replace").split()
        if tab and len(words) == 3 and words[0] in FILES:
            yield Change(_decoded(path), words[2], words[0], None)


def _index(out: bytes) -> Iterator[Change]:
    for entry in out.split(b"\0"):
        head, tab, path = entry.partition(b"\t")
        words = head.decode("ascii", "replace").split()
        if tab and len(words) == 3 and words[0] in FILES and words[2] == "0":
            yield Change(_decoded(path), words[1], words[0], None)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _read_blob(stream: IO[bytes], deadline: float) -> Held | None:
    """The next answer of ``cat-file --batch``.

    Raises:
        ValueError: git ended, or the time is up.
    """
    head = stream.readline().split()
    if len(head) != 3 or not head[2].isdigit():
        return None
    left = size = int(head[2])
    sha = hashlib.sha256()
    data = b""
    while left:
        data = stream.read(min(left, 1 << 20))
        if not data or time.monotonic() > deadline:
            raise ValueError("not all of a blob was read")
        sha.update(data)
        left -= len(data)
    stream.read(1)
    if size <= _POINTER_BYTES and (match := _POINTER.match(data)) is not None:
        return Held(match[1].decode("ascii"), None, pointer=True)
    return Held(sha.hexdigest(), size)
