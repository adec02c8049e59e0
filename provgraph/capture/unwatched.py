"""The methods without a listener: the stat walk (with Python's audit hook), and strace where it is asked for."""

from __future__ import annotations

import os
import time

from provgraph.capture import job as messages
from provgraph.capture.job import Job
from provgraph.client.moments import now
from provgraph.client.path_class import Classifier

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Mapping

    from provgraph.client.statwalk import Operation, Tree


class Unwatched:
    """What is done before and after a command that no listener watches.

    Parameters:
        job: what runs.
        redirections: what the calling shell had opened.
    """

    def __init__(self, job: Job, redirections: list[dict[str, object]]) -> None:
        self._job = job
        self._redirections = redirections
        self._report = f"{job.spool}/pre/{job.elements[0].uid}.report"
        self._before: Tree | None = None
        self._started = now()

    def words(self, program: str | None, environ: Mapping[str, str]) -> tuple[str | None, list[str], Mapping[str, str]]:
        """What is executed instead of the command's own program, words and environment."""
        job = self._job
        if job.method == messages.STRACE and program is not None:
            from provgraph.capture.command import find
            from provgraph.capture.strace import command

            return find("strace", environ), command([program, *job.argv[1:]], self._report), environ
        if job.method == messages.STAT and self._make_report():
            from provgraph.capture.audit import hooked_environment

            return program, job.argv, hooked_environment(environ, self._report)
        return program, job.argv, environ

    def _make_report(self) -> bool:
        try:
            os.close(os.open(self._report, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            return False
        return True

    def begin(self, classifier: Classifier) -> None:
        """Just before the command runs."""
        if self._job.method != messages.NONE:
            from provgraph.client.statwalk import walk

            self._before = walk(classifier)
            self._started = now()

    def operations(self, classifier: Classifier) -> list[Operation]:
        """When the command has ended: what it did, as far as can be told."""
        if self._before is None:
            return []
        try:
            if self._job.method == messages.STRACE:
                return self._from_log(classifier, self._before)
            return self._from_walks(classifier, self._before)
        finally:
            try:
                os.unlink(self._report)
            except OSError:
                pass  # it was never made

    def _from_log(self, classifier: Classifier, before: Tree) -> list[Operation]:
        from provgraph.capture.strace import LogReader

        reader = LogReader(classifier, self._job.cwd, before.files, now() - time.time_ns())
        try:
            with open(self._report, "rb") as log:
                return reader.operations(log)
        except OSError:
            return []

    def _from_walks(self, classifier: Classifier, before: Tree) -> list[Operation]:
        from provgraph.capture.audit import opened_files
        from provgraph.client.statwalk import ops, walk

        return ops(
            before,
            walk(classifier),
            self._job.argv,
            self._job.cwd,
            self._redirections,
            classifier,
            started=self._started,
            ended=now(),
            opened=opened_files(self._report),
        )
