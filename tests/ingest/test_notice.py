"""Which changes that no command explains are left for later."""

import contextlib
import os
import time

from processes import eventually

from provgraph.session.ingester import ingestion_lock, wire
from provgraph.stores import open_store


def test_an_emptied_file_waits_for_the_command_that_writes_it(provdb, project):
    """As for ``provdb … > log``: the shell empties the file, and a busy machine takes a while to start the command."""
    provdb("sh", "-c", "echo old > log; echo old > notes")
    root = os.fspath(project)
    with ingestion_lock(root, 10) as held, open_store(root, write=True) as store:
        assert held
        with contextlib.closing(wire(store)) as ingester:
            eventually(lambda: not ingester.step() and store.reader.snapshots("notes"))
            (project / "log").write_text("")
            (project / "notes").write_text("typed\n")
            time.sleep(0.6)
            assert not ingester.notice(patient=True)
            assert [len(store.reader.snapshots(path)) for path in ("log", "notes")] == [1, 2]
            eventually(lambda: ingester.notice(patient=True))
            assert len(store.reader.snapshots("log")) == 2
