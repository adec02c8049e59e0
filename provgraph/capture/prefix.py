"""The wrapping path: ``provdb CMD ARGS…``, ``provdb -c LINE`` and ``provdb run [OPTIONS] -- CMD…``.

Whatever keeps a command from being recorded (no project, a store of somebody else, a full disk) costs one line on
standard error and nothing else: the command runs as it would have without us.
"""

from __future__ import annotations

import os
import sys

from provgraph.capture import job as messages
from provgraph.capture.command import find, plain, say
from provgraph.capture.faults import note
from provgraph.capture.job import Element, Job
from provgraph.client.project import find_project, unusable
from provgraph.client.spool import new_activity_uid

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from typing import NoReturn

    from provgraph.capture.run_options import Tags

_NO_PROJECT = "not recorded: no project here; `provdb init` makes one"


class Options:
    """What ``provdb run`` was told. ``line``: the command is one line for a shell."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.note: str | None = None
        self.tags: dict[str, object] = {}
        self.method: str | None = None
        self.keep_output = False
        self.line = False


def main(argv: list[str]) -> NoReturn:
    """Run and record ``argv``, or the shell line after ``-c``. Never returns; ends as the command does."""
    options = Options()
    if argv[0] == "-c":
        if len(argv) < 2:
            say("-c needs a line: provdb -c 'sort a | uniq > b'")
            os._exit(2)
        options.line = True
        argv = argv[1:]
    start(argv, options)


def start(argv: list[str], options: Options) -> NoReturn:
    """Run ``argv`` with ``options``, recorded where that can be."""
    words = shell_words(argv) if options.line else argv
    program = find(words[0], os.environ)
    root = _project()
    if root is None:
        plain(program, words, os.environ)
    try:
        job = _job(root, program, words, options)
    except Exception as error:  # whatever is wrong with us, the command runs
        note(root, error)
        say(f"not recorded: {error}")
        plain(program, words, os.environ)
    supervisor = os.environ.get("PROVDB_SUPERVISOR")
    if supervisor and job.method == messages.SECCOMP:
        from provgraph.capture.nested import run_nested

        run_nested(job, supervisor)  # returns where that supervisor is gone
    from provgraph.capture.frontend import run as run_supervised

    run_supervised(job)


def shell_words(argv: list[str]) -> list[str]:
    """The shell that carries out a ``-c`` line: bash where that is the user's, else sh."""
    mine = os.environ.get("SHELL", "")
    bash = mine if mine.rpartition("/")[2] == "bash" and os.access(mine, os.X_OK) else None
    return [bash or "sh", "-c", *argv]


def _project() -> str | None:
    """The project's root if this command is to be recorded; else None, after the line that says why."""
    if os.environ.get("PROVDB_DISABLE", "0") not in ("", "0"):
        return None
    try:
        root = find_project(os.getcwd(), os.environ)
    except OSError:
        root = None
    if root is None:
        named = os.environ.get("PROVDB_PROJECT")
        say(f"not recorded: PROVDB_PROJECT={named} is no project" if named else _NO_PROJECT)
        return None
    reason = unusable(root)
    if reason is not None:
        say(f"not recorded: {reason}")
        return None
    return root


def _job(root: str, program: str | None, words: list[str], options: Options) -> Job:
    """The command as a job in the project at ``root``."""
    from provgraph.client.settings import read_settings

    settings = read_settings(root)
    scrub = settings.get("scrub", ())
    patterns = tuple(str(pattern) for pattern in scrub) if isinstance(scrub, list) else ()
    method = _method(root, program, words, options, settings)
    if options.line:
        from provgraph.capture.shell_driver import elements_of

        marked, elements = elements_of(root, words, patterns, method == messages.SECCOMP)
    else:
        marked, elements = words, [Element(new_activity_uid(), words)]
    job = Job(root, program, marked, elements, method)
    job.shown = words
    job.name, job.note, job.tags = options.name, options.note, options.tags
    if options.keep_output:
        from provgraph.capture.output import KeptOutput

        job.kept = KeptOutput()
    job.scrub = patterns
    limit = settings.get("preimage_bytes")
    if isinstance(limit, int):
        job.preimage_bytes = limit
    if _pipes_into_the_void():
        _hint(root)
    return job


def _method(root: str, program: str | None, words: list[str], options: Options, settings: dict[str, object]) -> str:
    """How the command is watched: as asked for, else by the self-test's result, unless it gains privileges."""
    if options.method is not None:
        if options.method == messages.STRACE and find("strace", os.environ) is None:
            say("run: strace is not installed; without --capture another method is taken")
            os._exit(2)
        return options.method
    from provgraph.capture.privileged import reason
    from provgraph.capture.remembered import is_remembered
    from provgraph.client.settings import method

    chosen = method(root, _supervision_works, settings=settings)
    if chosen == messages.SECCOMP and is_remembered(settings, words):
        return messages.STAT
    configured = settings.get("unsupervised", ())
    names = [str(name) for name in configured] if isinstance(configured, list) else []
    if chosen == messages.SECCOMP and program is not None and reason(program, names) is not None:
        return messages.STAT
    return chosen


def _supervision_works() -> bool:
    from provgraph.capture.probe import supervision_works

    return supervision_works()


def _pipes_into_the_void() -> bool:
    """Whether the shell pipes our output into a command that nobody records, on a terminal."""
    try:
        return os.isatty(2) and os.fstat(1).st_mode & 0o170000 == 0o010000
    except OSError:
        return False


def _hint(root: str) -> None:
    """Once per project: what a pipe of the calling shell hides."""
    try:
        os.close(os.open(f"{root}/.provdb/cache/hinted", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return
    say("only this command is recorded, not what its output is piped into; `provdb -c 'a | b > c'` records the line")


def run(argv: list[str], tags: Tags) -> NoReturn:
    """``provdb run [OPTIONS] [--] CMD…``; ``argv`` begins after ``run``. Never returns.

    Parameters:
        tags: see :func:`provgraph.capture.run_options.parse`.
    """
    from provgraph.capture.run_options import parse

    options, command = parse(argv, tags)
    start(command, options)


if __name__ == "__main__":
    main(sys.argv[1:])
