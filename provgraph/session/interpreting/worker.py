"""The process in which ingestors run: their code can fail, hang or lie, and costs nobody else anything.

It is asked by messages on its standard input, one after the other, and answers on its standard output, which the code
that it runs does not get to see. Its memory is limited; the asking process ends it where time is up. Where the asking
process itself is killed, SIGIO from the pipe ends this one.
"""

import contextlib
import fcntl
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from provgraph.errors import InputError, ProvGraphError
from provgraph.ingestors.port import Ingestor, Occurrence, Unusable, findings_document
from provgraph.session.interpreting.followers import ASKED, Followers
from provgraph.session.interpreting.frames import packed, receive, send
from provgraph.session.interpreting.ingesting import Loaded, describe, load
from provgraph.session.interpreting.occurrence_files import BEFORE, Contents, held
from provgraph.stores import files
from provgraph.stores.config import read_config
from provgraph.stores.objects import Objects

_TEXT: Final = 500
"""Characters of an error that are kept."""


def main(root: str, trusted: str, memory_bytes: str, content_bytes: str, *without: str) -> None:
    """Run ingestors until standard input closes.

    Parameters:
        without: what is not loaded.
    """
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)  # what ingestors print is nobody's answer
    for name in (signal.SIGIO, signal.SIGINT, signal.SIGPIPE):
        signal.signal(name, signal.SIG_DFL)
    fcntl.fcntl(requests, fcntl.F_SETOWN, os.getpid())
    _limit_memory(int(memory_bytes))
    config = read_config(files.store_folder(root) / files.CONFIG)

    def loading(place: str) -> None:
        """Should its code end this process, the other one knows which it was."""
        send(answers, packed({"loading": place}))

    load_all = partial(
        load,
        root,
        config if trusted == "1" else config.without_trust(),
        trusted=trusted == "1",
        without=without,
        loading=loading,
    )
    worker = _Worker(root, load_all, int(content_bytes))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            request = receive(requests)
            _die_with(requests, on=True)
            answer = worker.packed_answer(request)
            with contextlib.suppress(OSError, ValueError):  # what was printed: this process may be ended at any time
                sys.stdout.flush()
            _die_with(requests, on=False)
            send(answers, answer)


class _Worker:
    """Answers requests."""

    def __init__(self, root: str, load_all: Callable[[], Loaded], content_bytes: int) -> None:
        self.root, self.load_all, self.content_bytes = root, load_all, content_bytes
        self.objects = Objects(files.store_folder(root) / files.OBJECTS)
        self.followers = Followers(self._ingestor)
        self._loaded: Loaded | None = None

    def packed_answer(self, request: Mapping[str, Any]) -> bytes:
        """The answer to a request; a failure is one, too."""
        try:
            return packed(self._answer(request))
        except MemoryError:
            return packed({"error": "it needed more memory than it may have", "broken": True})
        except ProvGraphError as error:
            return packed({"error": str(error)[:_TEXT]})
        except BaseException as error:  # noqa: BLE001 - code of others: also one that wants to exit
            return packed({"error": f"{type(error).__name__}: {error}".strip()[:_TEXT]})

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request["do"] in ASKED:
            return self.followers.answer(request)
        return self._list(request) if request["do"] == "list" else self._run(request)

    @property
    def loaded(self) -> Loaded:
        """The project's ingestors."""
        if self._loaded is None:
            self._loaded = self.load_all()
        return self._loaded

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request.get("file"):
            return {"ingestors": [describe(one, request["file"]).to_json() for one in _of_file(request["file"])]}
        found = [describe(one, self.loaded.sources[one.name]).to_json() for one in self.loaded.ingestors]
        failures = [{"name": one.name, "where": one.where, "error": one.error} for one in self.loaded.failures]
        return {"ingestors": found, "failures": failures}

    def _ingestor(self, request: Mapping[str, Any]) -> Ingestor:
        found = _of_file(request["file"]) if request.get("file") else self.loaded.ingestors
        for one in found:
            if one.name == request["name"]:
                return one
        raise LookupError(f"there is no ingestor {request['name']} any more")

    def _run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        ingestor = self._ingestor(request)
        folder = files.store_folder(self.root) / files.CACHE
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"contents-{os.getpid()}-", dir=folder) as aside:
            contents = Contents(self.objects, Path(aside), self.content_bytes)
            occurrence = held(Occurrence.from_json(request["occurrence"]), frozenset(request["held"]), contents)
            document = findings_document(ingestor.ingest(occurrence), "ingest")
            gone = [name for name in _that_fit(ingestor, occurrence) if name in contents.gone]
            return {"findings": document, "left_out": contents.left_out, "read": contents.read, "gone": gone}


def _that_fit(ingestor: Ingestor, occurrence: Occurrence) -> Iterator[str]:
    """The files that an ingestor is about, as ``Contents.gone`` names them."""
    for path in dict.fromkeys(file.path for file in occurrence.matching(ingestor.match)):
        yield from (path, f"{path} {BEFORE}")


def _of_file(path: str) -> list[Ingestor]:
    """The ingestors of one file.

    Raises:
        InputError: it cannot be loaded.
    """
    from provgraph.ingestors.loading import load_file

    found = load_file(Path(path), path)
    for one in found:
        if isinstance(one, Unusable):
            raise InputError(f"{one.where}: {one.error}")
    return [one for one in found if isinstance(one, Ingestor)]


def _die_with(fd: int, *, on: bool) -> None:
    """Let SIGIO, which comes where the other end of ``fd`` is closed, end this process while it works."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | fcntl.FASYNC if on else flags & ~fcntl.FASYNC)
    poll = select.poll()
    poll.register(fd, 0)
    if poll.poll(0):  # it was closed before SIGIO was asked for
        sys.exit()


def _limit_memory(limit_bytes: int) -> None:
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_CORE):
        # Where memory cannot be limited (macOS), it is not.
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.getrlimit(kind)
            limit = limit_bytes if kind == resource.RLIMIT_DATA else 0
            if hard == resource.RLIM_INFINITY or limit < hard:
                resource.setrlimit(kind, (limit, limit))


def sweep(root: str) -> None:
    """Remove contents that a worker left behind which was killed."""
    for path in (files.store_folder(root) / files.CACHE).glob("contents-*"):
        try:
            os.kill(int(path.name.split("-")[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except (PermissionError, ValueError):
            continue  # somebody else's


if __name__ == "__main__":
    main(*sys.argv[1:])
