"""One hook of a git repository: the lines that record, put in beside whatever is there, and taken out again.

What is there stays what it is: a shell script gets a marked block after its first line (its ``$0`` is its own, and what
it does comes last); anything else is set aside and run by a script of ours in its place.
"""

import contextlib
import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

BEGIN: Final = "# >>> provdb >>> recorded by provdb; `provdb git-hooks remove` takes this out"
END: Final = "# <<< provdb <<<"
ASIDE: Final = "provdb-chained"
"""The folder, beside the hooks, of those that are no shell scripts."""
_SHELL: Final = re.compile(
    rb"#![ \t]*(?:/usr/bin/env[ \t]+(?:-S[ \t]+)?)?(?:\S*/)?(?:sh|bash|dash|ash|ksh|zsh)(?:[ \t][^\r\n]*)?\n"
)
_BLOCK: Final = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}\n".encode(), re.DOTALL)
_CALL: Final = (
    'r="${{0%/*}}/../provdb/record"; [ -x "$r" ] || r="$(git rev-parse --git-common-dir)/provdb/record"; '
    '[ ! -x "$r" ] || exec "$r" {hook} "$@"'
)
"""Most hooks lie beside the folder with our script, and git itself takes a millisecond or two to say where that is."""

Held = Literal["absent", "alone", "beside", "chained"]
"""How the lines lie in a hook: not at all, in a file of our own, in a script, in the place of a program."""


def block(hook: str, *, more: bool) -> str:
    """The marked lines. They print nothing, end well whatever happens, and leave standard input as it was.

    Parameters:
        more: whether something follows that reads standard input too.
    """
    call = _CALL.format(hook=hook)
    if hook != "post-rewrite" or not more:
        given = "" if hook == "post-rewrite" else "</dev/null "
        return f"{BEGIN}\n({call}) {given}>/dev/null 2>&1 || :\n{END}\n"
    return (
        f"{BEGIN}\nprovdb_pairs=$(cat)\n"
        f"printf '%s\\n' \"$provdb_pairs\" | ({call}) >/dev/null 2>&1 || :\n"
        f"exec <<PROVDB_PAIRS\n$provdb_pairs\nPROVDB_PAIRS\n{END}\n"
    )


def _alone(hook: str) -> bytes:
    return f"#!/bin/sh\n{block(hook, more=False)}".encode()


def _in_place_of(hook: str) -> bytes:
    text = f'#!/bin/sh\n{block(hook, more=True)}own="${{0%/*}}/{ASIDE}/{hook}"\n[ ! -x "$own" ] || exec "$own" "$@"\n'
    return text.encode()


def redirecting(hook: str, folder: str, *, records: bool) -> bytes:
    """The script that runs a hook out of the folder that git was told to use before.

    Parameters:
        folder: as configured; where it is relative, it begins where git runs the hook, as it does for git.
    """
    ours = block(hook, more=True) if records else ""
    own = shlex.quote(folder)
    text = f'#!/bin/sh\n{ours}own={own}/{hook}\n[ ! -x "$own" ] || exec "$own" "$@"\n'
    return text.encode()


def held(path: Path, hook: str) -> Held:
    """How the lines lie in a hook."""
    data = _read(path)
    if data is None or not _BLOCK.search(data):
        return "absent"
    rest = _BLOCK.sub(b"", data)
    if rest == _BLOCK.sub(b"", _alone(hook)):
        return "alone"
    return "chained" if rest == _BLOCK.sub(b"", _in_place_of(hook)) else "beside"


def is_outdated(path: Path, hook: str) -> bool:
    """Whether other lines stand there than would be put in now."""
    data, how = _read(path) or b"", held(path, hook)
    if how == "beside":
        return block(hook, more=True).encode() not in data
    return (how == "alone" and data != _alone(hook)) or (how == "chained" and data != _in_place_of(hook))


def put_in(path: Path, hook: str) -> None:
    """Let a hook record, beside what it does. Called twice, the second time changes nothing.

    Raises:
        OSError: the file or its folder cannot be written.
    """
    how = held(path, hook)
    if how != "absent" and not is_outdated(path, hook):
        return
    if how == "chained":
        _write(path, _in_place_of(hook), 0o755)
        return
    if how == "alone" or not os.path.lexists(path):
        _write(path, _alone(hook), 0o755)
        return
    data = _read(path)
    if data is not None:
        data = _BLOCK.sub(b"", data)
    head = None if data is None else _SHELL.match(data)
    if data is not None and head is not None and not path.is_symlink() and os.access(path, os.X_OK):
        lines = block(hook, more=True).encode()
        _write(path, data[: head.end()] + lines + data[head.end() :], stat.S_IMODE(path.stat().st_mode), path)
        return
    aside = path.parent / ASIDE
    aside.mkdir(exist_ok=True)
    _move(path, aside / path.name, "../")
    _write(path, _in_place_of(hook), 0o755)


def take_out(path: Path, hook: str) -> bool:
    """Restore a hook as it was before ``put_in``; returns whether anything had to be done.

    Raises:
        OSError: the file or its folder cannot be written.
    """
    how = held(path, hook)
    if how == "absent":
        return False
    data = _read(path) or b""
    if how == "beside":
        _write(path, _BLOCK.sub(b"", data), stat.S_IMODE(path.stat().st_mode), path)
        return True
    path.unlink()
    own = path.parent / ASIDE / path.name
    if how == "chained" and os.path.lexists(own):
        _move(own, path, "")
        with contextlib.suppress(OSError):
            own.parent.rmdir()
    return True


def _move(source: Path, target: Path, up: str) -> None:
    """Move a hook; where it is a relative symbolic link, it goes on leading to the same file."""
    if source.is_symlink():
        to = os.readlink(source)
        if not to.startswith("/"):
            os.symlink(up + to if up else to.removeprefix("../"), target)
            source.unlink()
            return
    source.rename(target)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _write(path: Path, data: bytes, mode: int, as_old_as: Path | None = None) -> None:
    """Replace a hook whole; git may run it at any moment."""
    times = None if as_old_as is None else as_old_as.stat()
    new = path.with_name(f".{path.name}.provdb-{os.getpid()}")
    new.write_bytes(data)
    new.chmod(mode)
    if times is not None:
        os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
    new.replace(path)


def legacies(folder: Path, hook: str) -> Iterator[Path]:
    """Where a hook's lines may lie: under its name, and where the pre-commit framework moves what it finds there."""
    yield folder / hook
    yield folder / f"{hook}.legacy"
