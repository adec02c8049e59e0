"""Read-only Cypher on the embedded store."""

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol, Self

import provgraph
from provgraph.errors import CypherError, ProvGraphError
from provgraph.graph.reader import GraphReader
from provgraph.graph.rows import Rows
from provgraph.stores.cypher import frames
from provgraph.stores.cypher.guard import check
from provgraph.stores.cypher.hints import notes
from provgraph.stores.cypher.mentions import mentions
from provgraph.stores.cypher.messages import engine_error
from provgraph.stores.cypher.rewriting import column, rewrite
from provgraph.stores.cypher.tokens import tokens

TIMEOUT_S: Final = 30.0
_GRACE_S: Final = 2.0
_BOOT: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; from provgraph.stores.cypher.worker import main; main(*sys.argv[1:3])"
)


class Store(Protocol):
    """What is needed of a store."""

    @property
    def root(self) -> str | os.PathLike[str]:
        """The project's folder."""

    @property
    def project(self) -> str:
        """The project's uid."""

    @property
    def reader(self) -> GraphReader:
        """For hints at misspelt names."""


class CypherCache:
    """Asks a disposable graph in a process of its own, which follows the projection from query to query.

    A context manager; ``close`` ends the process. Usable from several threads, one query at a time.
    Cost of the first query: 0.1 s, and 1 s for 100,000 vertices and 300,000 edges.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._worker: subprocess.Popen[bytes] | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None
        self._lock = threading.Lock()

    def run(self, query: str, params: Mapping[str, Any] | None = None, timeout_s: float | None = TIMEOUT_S) -> Rows:
        """The answer of a query that reads.

        Vertices, edges and paths in it are values of ``provgraph.graph``; date-times are aware. ``notes`` of the
        answer name labels, relations and properties that exist nowhere.

        Parameters:
            query: Cypher; see the page *Cypher* of the documentation for what both stores understand.
            params: values for ``$name``: None, text, numbers, booleans, date-times, lists, maps.
            timeout_s: seconds after which the query is ended; None for no limit.

        Raises:
            CypherError: the query writes, does not run, needs too much time or memory, or has a value that would
                come back changed.
            StoreError: the store cannot be read.
        """
        words = tokens(query)
        if words and words[-1].text == ";":
            query, words = query[: words[-1].start], words[:-1]
        check(words)
        given = dict(params or {})
        named = mentions(words, given)
        text, native = rewrite(query, words, given)
        keys = None if named.every_key else frozenset(named.keys)
        with self._lock:
            answer = self._ask((text, native, keys, timeout_s), timeout_s)
        if answer[0] == "rows":
            return Rows(tuple(map(column, answer[1])), answer[2], tuple(notes(named, self._store.reader)))
        if answer[0] == "refused":
            kind: type[ProvGraphError] = answer[1]
            raise kind(answer[2])
        if answer[0] == "memory":
            raise CypherError(_MEMORY)
        raise CypherError(engine_error(answer[1], moved=text != query))

    def close(self) -> None:
        """End the process. A query that runs in another thread fails."""
        if self._finalizer is not None:
            self._finalizer()
        self._worker = self._finalizer = None

    def _kill(self) -> None:
        """End the process in the midst of its work, where nothing but SIGKILL is sure to."""
        if self._worker is not None:
            self._worker.kill()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: tuple[Any, ...], timeout_s: float | None) -> Any:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        worker = self._running()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            frames.send(worker.stdin.fileno(), request)
            return frames.receive(worker.stdout.fileno(), deadline)
        except TimeoutError:
            self._kill()
            raise CypherError(
                f"the query was ended after {timeout_s:g} s; bound its paths (`*1..10`), begin at a vertex that is "
                "named by uid or path, or give it more time with `--timeout SECONDS` (timeout_s= in Python)"
            ) from None
        except (EOFError, BrokenPipeError):
            status = worker.wait()
            self.close()
            raise CypherError(_ended(status)) from None
        except BaseException:  # Ctrl-C among them
            self._kill()
            raise

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._worker is None or self._worker.poll() is not None:
            self.close()
            database = os.path.join(self._store.root, ".provdb", "graph.db")
            home = str(Path(provgraph.__file__).resolve().parents[1])
            # Not the present folder: what lies there is the user's, and no part of us.
            path = [entry for entry in sys.path if entry]
            path += [home] if home not in path else []
            self._worker = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, database, self._store.project, *path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is ours, not the worker's
            )
            self._finalizer = weakref.finalize(self, _end, self._worker)
        return self._worker


_MEMORY: Final = (
    "the query needs more memory than half of this machine's; return fewer rows (LIMIT, count), or bound its paths"
)


def _end(worker: "subprocess.Popen[bytes]") -> None:
    worker.terminate()
    try:
        worker.wait(_GRACE_S)
    except subprocess.TimeoutExpired:  # whoever measures it may have taken SIGTERM for itself
        worker.kill()
        worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            pipe.close()


def _ended(status: int) -> str:
    if status == -signal.SIGABRT:
        return _MEMORY
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    return (
        f"the Cypher engine ended {how} before it answered; nothing of the store is affected. "
        "A simpler query may work; `provdb doctor` checks the store"
    )
