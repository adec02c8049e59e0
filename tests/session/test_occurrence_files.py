"""Files that are read where they lie, and change meanwhile."""

import os
from pathlib import Path

from provgraph.graph.elements import Vertex
from provgraph.ingest.contents import lstat
from provgraph.ingestors.port import ActivityWords, File, Moment, Occurrence
from provgraph.session.interpreting.occurrence_files import Contents, held
from provgraph.session.interpreting.occurring import Given, Recorded
from provgraph.stores.objects import Objects


def test_what_nobody_read_may_change(tmp_path: Path) -> None:
    paths = [os.fspath(tmp_path / name) for name in ("read.csv", "messages.log")]
    for path in paths:
        Path(path).write_text("begin\n")
    files = tuple(File(path, path, content=path) for path in paths)
    occurrence = Occurrence(Moment.AFTER, "/", ActivityWords(), files)
    activity = Vertex("uid", ("Activity",), {})
    direct = {path: lstat(path) or () for path in paths}
    given = Given(Recorded(activity, [activity]), occurrence, frozenset(), direct)
    contents = Contents(Objects(tmp_path / "objects"), tmp_path, 1 << 20)
    first, second = held(occurrence, frozenset(), contents).used
    with first.open() as opened:
        assert opened.read() == b"begin\n"
    assert (first.path, second.absolute) == (paths[0], paths[1])
    assert contents.read == [paths[0]]

    Path(paths[1]).write_text("begin\nstill goes on\n")
    assert not given.changed(contents.read)
    Path(paths[0]).write_text("other\n bytes\n")
    assert given.changed(contents.read)
