"""The command itself: which file it is, and how a process becomes it, as a shell's exec would."""

from __future__ import annotations

import _signal
import os
import sys
from errno import EACCES, EISDIR, ELOOP, ENOENT, ENOEXEC, ENOTDIR

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Collection, Mapping
    from typing import NoReturn

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

# Words that a shell carries out itself, where no program of that name is on PATH.
_BUILTINS = frozenset(
    ". : alias bg bind break builtin caller case cd command compgen complete continue declare dirs disown enable eval"
    " exec exit export fc fg for function getopts hash history if jobs let local logout mapfile popd pushd read"
    " readarray readonly return select set shift shopt source suspend test times trap type typeset ulimit umask unalias"
    " unset until wait while".split()
)


def find(name: str, environ: Mapping[str, str]) -> str | None:
    """The file that ``name`` runs, searched on PATH as a shell does; None where there is none.

    The first file that may be executed wins, else the first that exists (so that the error says why).
    """
    if "/" in name:
        return name
    first = None
    for folder in environ.get("PATH", _DEFAULT_PATH).split(":") if name else ():
        path = f"{folder or '.'}/{name}"
        if os.path.isfile(path):
            if os.access(path, os.X_OK):
                return path
            first = first or path
    return first


def quote(word: str) -> str:
    """``word`` as a shell reads it back."""
    plain = word and all(c.isalnum() or c in "-_./=:,+@%" for c in word)
    return word if plain else "'" + word.replace("'", "'\\''") + "'"


def say(message: str, fd: int = 2) -> None:
    """One line on standard error; nothing where that is closed."""
    try:
        os.write(fd, f"provdb: {message}\n".encode("utf-8", "surrogateescape"))
    except OSError:
        pass


def explain(name: str, argv: list[str], error: OSError | None) -> int:
    """Say on standard error why ``name`` cannot be run, as a shell would; returns the exit status for it."""
    if error is None or (error.errno == ENOENT and "/" not in name):
        line = quote(" ".join(quote(word) for word in argv))
        if name in _BUILTINS:
            say(f"{name}: only a shell can do this; try: provdb -c {line}")
        else:
            say(f"{name}: command not found (an alias, a function or a builtin of your shell? try: provdb -c {line})")
        return NOT_FOUND
    if error.errno == EACCES and os.path.isdir(name):
        say(f"{name}: {os.strerror(EISDIR)}")
    elif error.errno == ENOENT and os.path.exists(name):
        say(f"{name}: its interpreter was not found")  # the first line of a script, or the loader of a program
    else:
        say(f"{name}: {error.strerror}")
    return NOT_FOUND if error.errno in (ENOENT, ENOTDIR, ELOOP) else NOT_EXECUTABLE


def restore_signals(mask: Collection[int]) -> None:
    """Give the command the signals as the caller of provdb left them, apart from what Python itself ignores.

    Handlers become defaults, what was ignored stays ignored. SIGPIPE and SIGXFSZ, which Python ignores at its start,
    become defaults too.
    """
    for number in _signal.valid_signals():
        if callable(_signal.getsignal(number)):
            _signal.signal(number, _signal.SIG_DFL)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def become(program: str | None, argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by the command; where that fails, say why and end with 126 or 127. Never returns."""
    try:
        if program is None:
            os._exit(explain(argv[0], argv, None))
        try:
            os.execve(program, argv, environ)
        except OSError as error:
            if error.errno == ENOEXEC:  # a script without a first line that names its interpreter
                os.execve("/bin/sh", ["/bin/sh", program, *argv[1:]], environ)
            os._exit(explain(argv[0] if "/" in argv[0] else program, argv, error))
    except OSError as error:
        os._exit(explain(argv[0], argv, error))
    except ValueError as error:  # a NUL in a word: no shell can pass it, an embedding program might
        say(f"{argv[0]}: {error}")
        os._exit(NOT_EXECUTABLE)


def plain(program: str | None, argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Be the command, unrecorded."""
    sys.stdout.flush()
    restore_signals(())
    become(program, argv, environ)
