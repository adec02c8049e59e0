"""A query can be ended, and nothing is left of it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from provgraph.errors import CypherError
from provgraph.stores.cypher import CypherCache, worker

ENDLESS = "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN count(x + y)"

ASKER = """
import sys, threading
from provgraph.stores import open_store
from provgraph.stores.cypher import CypherCache
cache = CypherCache(open_store(sys.argv[1], write=False))
cache.run("RETURN 1")
print(cache._worker.pid, flush=True)
try:
    cache.run(sys.argv[2], timeout_s=None)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _gone(pid: int) -> bool:
    """Wait until a process is gone; the time is only there so that a failing test ends."""
    for _ in range(600):
        if not _alive(pid):
            return True
        time.sleep(0.05)
    return False


def _pid(cache: CypherCache) -> int:
    assert cache._worker is not None
    return cache._worker.pid


@pytest.fixture
def asker(graph: Any) -> Any:
    """A process of its own that asks an endless question, and the pid of its worker."""
    process = subprocess.Popen(
        [sys.executable, "-c", ASKER, graph.store.root, ENDLESS], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    # The query has begun when the worker works.
    while _ticks(pid) < 20:
        time.sleep(0.02)
    yield process, pid
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.communicate()


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_time_out_says_what_to_do(cache: CypherCache) -> None:
    cache.run("RETURN 1")
    pid = _pid(cache)
    with pytest.raises(CypherError, match=r"ended after 0\.5 s.*--timeout"):
        cache.run(ENDLESS, timeout_s=0.5)
    assert not _alive(pid)
    assert cache.run("RETURN 2").rows == ((2,),)


def test_no_time_at_all(cache: CypherCache) -> None:
    with pytest.raises(CypherError, match="ended after 0 s"):
        cache.run("RETURN 1", timeout_s=0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_ctrl_c_ends_the_query_and_its_process(asker: Any) -> None:
    process, pid = asker
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output == "interrupted\n"
    assert process.returncode == 0
    assert _gone(pid)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_a_killed_asker_leaves_no_worker(asker: Any) -> None:
    process, pid = asker
    process.kill()
    process.wait()
    assert _gone(pid)


def test_closing_ends_the_process(graph: Any) -> None:
    cache = CypherCache(graph.store)
    cache.run("RETURN 1")
    pid = _pid(cache)
    cache.close()
    assert not _alive(pid)
    assert cache.run("RETURN 2").rows == ((2,),)
    pid = _pid(cache)
    del cache  # nobody closed it
    assert _gone(pid)


def test_an_engine_that_dies_is_an_error_and_the_next_query_runs(cache: CypherCache) -> None:
    cache.run("RETURN 1")
    os.kill(_pid(cache), signal.SIGSTOP)
    pid = _pid(cache)
    # Killed while it holds a request: what a crash of the engine looks like.
    subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -SEGV {pid}; kill -CONT {pid}"])
    with pytest.raises(CypherError, match=r"ended by signal 11.*nothing of the store is affected"):
        cache.run("RETURN 2")
    assert cache.run("RETURN 3").rows == ((3,),)


def test_a_worker_that_died_between_two_queries_is_replaced(cache: CypherCache) -> None:
    cache.run("RETURN 1")
    os.kill(_pid(cache), signal.SIGKILL)
    assert _gone(_pid(cache))
    assert cache.run("RETURN 2").rows == ((2,),)


def test_memory_is_bounded(cache: CypherCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all of the machine's memory the test would hurt, so the worker is given less before it begins."""
    import resource

    if not hasattr(resource, "prlimit"):
        pytest.skip("limits of another process need Linux")
    cache.run("RETURN 1")
    limit = 300 << 20
    resource.prlimit(_pid(cache), resource.RLIMIT_DATA, (limit, limit))
    with pytest.raises(CypherError, match="more memory"):
        cache.run("UNWIND range(1, 100000000) AS x RETURN collect('abc' + toString(x)) AS l")
    assert cache.run("RETURN 2").rows == ((2,),)
    assert worker.memory_limit() >= 1 << 30


def test_it_works_in_a_thread_and_for_several(cache: CypherCache) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: cache.run("RETURN $n AS n", {"n": n}).rows[0][0], range(12)))
    assert found == list(range(12))


def test_a_store_that_vanished_is_a_store_error(graph: Any, cache: CypherCache, tmp_path: Path) -> None:
    from provgraph.errors import StoreError

    (graph.store.folder / "graph.db").unlink()
    with pytest.raises(StoreError, match=r"graph\.db"):
        cache.run("RETURN 1")
