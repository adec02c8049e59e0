"""``Project.run``: the prefix, as a process of its own, and then its activity."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provgraph.client.project import find_project
from provgraph.errors import CaptureError, QuestionError
from provgraph.graph.elements import Vertex
from provgraph.graph.reader import ActivityFilter
from provgraph.session.values import own_properties

if TYPE_CHECKING:
    from provgraph.session.project import Project

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_ENTRY = "import sys; sys.path.insert(0, sys.argv.pop(1)); from provgraph.cli.entry import main; sys.exit(main())"
"""Finds this very package without a variable that the command would inherit."""


def run(
    project: "Project",
    argv: Sequence[str],
    *,
    name: str | None,
    tags: Mapping[str, Any] | None,
    note: str | None,
    capture: str | None,
    keep_output: bool,
) -> Vertex:
    """Run a command under the prefix and return its activity.

    Raises:
        QuestionError: no command, or a tag with a key of the base.
        CaptureError: it ran, and nothing was recorded.
    """
    if isinstance(argv, str) or not argv:
        raise QuestionError('run takes a list of words, like ["python", "train.py"]')
    words = [sys.executable, "-c", _ENTRY, _PACKAGE, "run"]
    for option, value in (("--name", name), ("--note", note), ("--capture", capture)):
        words += [option, value] if value is not None else []
    for key, value in own_properties(tags or {}).items():
        words += ["--tag", f"{key}={json.dumps(value)}"] if value is not None else []
    words += ["--keep-output"] if keep_output else []
    environment = dict(os.environ)
    if find_project(project.disk.cwd, environment) != project.root:
        environment["PROVDB_PROJECT"] = project.root
    before = project.now()
    subprocess.run([*words, "--", *map(str, argv)], cwd=project.disk.cwd, env=environment, check=False)
    project.settle_pending()
    wanted = [os.fspath(word) for word in argv]
    # Scrubbed words differ from what was asked for; their number does not.
    found = [
        activity
        for activity in project.store().reader.activities(ActivityFilter(since=before, unseen=False, own=True))
        if len(activity.properties.get("argv") or ()) == len(wanted)
    ]
    if found:
        same = [activity for activity in found if activity.properties["argv"] == wanted]
        return (same or found)[-1]  # what it ran itself began later
    raise CaptureError(f"{wanted[0]} ran, but was not recorded; `provdb doctor` tells why")
