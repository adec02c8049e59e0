"""Starting the ingester: one for a project, whoever asks and however often."""

import os
import subprocess
import sys
import time
from pathlib import Path

from processes import ingesters

from provgraph.capture.wake import wake
from provgraph.client.bell import ring

INGEST = "import sys; from provgraph.session.ingester import run; run(sys.argv[1]); print('done', flush=True); input()"


def test_many_wakes_start_one(project, wait_for):
    for _ in range(12):
        wake(str(project))
    started = wait_for(lambda: ingesters(project))  # has its command line a moment after it was spawned
    assert len(started) == 1
    wait_for(lambda: ingesters(project) == [] or _listens(project))
    for _ in range(3):
        wake(str(project))
        time.sleep(0.01)
    assert ingesters(project) == started, "it heard the bell"
    wait_for(lambda: not ingesters(project))
    wake(str(project))
    assert len(wait_for(lambda: ingesters(project))) == 1, "the lock was let go with its end"


def _listens(root: Path) -> bool:
    try:
        os.close(os.open(root / ".provdb/bell", os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def test_one_that_is_about_to_end_does_not_hear_the_bell(project, wait_for):
    """Its process may take long to go; a wake in that time must start another."""
    with subprocess.Popen([sys.executable, "-c", INGEST, project], stdin=-1, stdout=-1, text=True) as ending:
        assert ending.stdout is not None
        assert ending.stdout.readline() == "done\n"
        assert not ring(str(project))
        wake(str(project))
        wait_for(lambda: set(ingesters(project)) - {ending.pid}, "the start of another")
        ending.communicate("\n", timeout=60)
