"""Which ingestors a project has, without running anybody's code in the ingester: the process that runs them is asked.

Its answer is kept in ``.provdb/cache`` until a file, a package or this program changes; where something could not be
loaded, for a while. A file that ends the process as it is loaded, or never comes to an end, is left out.
"""

import contextlib
import json
import os
import select
import time
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from provgraph.client.project import trust_file
from provgraph.errors import InputError
from provgraph.ingestors.port import Unusable
from provgraph.session.interpreting.ingesting import (
    Described,
    code_key,
    describe,
    has_code,
    load,
    places_with_code,
)
from provgraph.session.interpreting.process import Answer, IngestorProcess, Limits
from provgraph.stores import files
from provgraph.stores.config import Config, read_config
from provgraph.stores.files import write_atomically
from provgraph.stores.trust import runs_code

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore

_CACHE: Final = "ingestors.json"
_AGAIN_S: Final = 30.0
"""After so long, what could not be loaded is tried again,"""
_SHARE: Final = 20
"""or after so many times as long as it took: what hangs shall not keep everybody from working."""


def limits_of(config: Config) -> Limits:
    """What the configuration allows an ingestor."""
    return Limits(
        config.ingestor_time_s,
        config.ingestor_memory_bytes,
        config.ingestor_output_bytes,
        config.ingestor_content_bytes,
    )


class Catalogue:
    """The ingestors of a project as they are now, and the process that runs them.

    Parameters:
        store: of the project.
        say: a descriptor for what ingestors print.
        anew: what could not be loaded is tried again, however short a time ago that was: somebody asks.
    """

    def __init__(self, store: "EmbeddedStore", *, say: int | None = None, anew: bool = False) -> None:
        self._root, self._say, self._anew = str(store.root), say, anew
        self.failures: list[Unusable] = []
        self._described: list[Described] | None = None
        self._asking: str | None = None
        """The key of what the process is asked for."""
        self._asked_at = 0.0
        self._until = 0.0
        """When what could not be loaded is tried again; 0 where all could."""
        self._kept_at = 0
        """When the list was kept that this one knows."""
        self._deadly: dict[str, str] = {}
        """What ended the process as it was loaded, and how."""
        self._state = self._look()
        self._take(store.config, trusted=store.trusted)

    def _take(self, config: Config, *, trusted: bool) -> None:
        self._config, self._trusted = config, trusted
        self._deadly.clear()
        self.process = self._new_process()

    def _new_process(self, without: Sequence[str] = ()) -> IngestorProcess:
        limits = limits_of(self._config)
        return IngestorProcess(self._root, trusted=self._trusted, limits=limits, say=self._say, without=without)

    def described(self) -> list[Described]:
        """All that may run, in the order in which they do. Cost: some stats; a process where code has changed."""
        while (found := self.known()) is None:
            select.select(self.process.wakes, [], [], 0.05)
        return found

    def known(self) -> list[Described] | None:
        """The same without waiting: None while the process is asked, which nobody else may ask meanwhile."""
        if self._asking is not None and not self.process.busy:
            self._asking = None  # somebody ended the process before it could answer
        state = self._look()
        if state != self._state and not self.process.busy:
            self._state = state
            self._begin_anew()
        if self._described is None and self._asking is None:
            self._described = self._read()
        if self._asking is not None and (answer := self.process.look()) is not None:
            self._described = self._listed(self._asking, answer)
        return self._described

    def try_again(self) -> None:
        """Have what could not be loaded be tried once more, where it is time, or see whether somebody has tried since.

        The process forgets what it knows.
        """
        if not self._until or self._asking is not None or self.process.busy:
            return
        if time.time() >= self._until or self._cache_changed() != self._kept_at:
            self._begin_anew()

    def _cache_changed(self) -> int:
        with contextlib.suppress(OSError):
            return os.stat(files.store_folder(self._root) / files.CACHE / _CACHE).st_mtime_ns
        return 0

    def _begin_anew(self) -> None:
        """Files have changed. A configuration that cannot be read changes nothing until it can."""
        trusted = runs_code(self._root)
        try:
            config = read_config(files.store_folder(self._root) / files.CONFIG)
        except InputError as error:
            self.failures = [Unusable("the project's rules", ".provdb/config.toml", str(error))]
            return
        self.process.close()
        self._described, self._until = None, 0.0
        self._take(config if trusted else config.without_trust(), trusted=trusted)

    def _look(self) -> tuple[Any, ...]:
        """Changes when a file does that says which ingestors there are, and which may run."""
        folder = files.store_folder(self._root)
        found: list[tuple[str, int]] = []
        with contextlib.suppress(OSError):
            found = sorted((entry.name, entry.stat().st_mtime_ns) for entry in os.scandir(folder / files.INGESTORS))
        for path in (folder / files.CONFIG, trust_file(os.environ)):
            with contextlib.suppress(OSError):
                found.append((str(path), os.stat(path).st_mtime_ns))
        return tuple(found)

    def _read(self) -> list[Described] | None:
        if not self._trusted or not has_code(self._root):
            loaded = load(self._root, self._config, trusted=self._trusted)
            self.failures = loaded.failures
            return [describe(one, loaded.sources[one.name]) for one in loaded.ingestors]
        key = code_key(self._root)
        self._kept_at = self._cache_changed()
        document = self._cached(key)
        if document is not None:
            if document["without"]:
                self._leave_out(document["without"])
            self._until = document["until"]
            return self._taken(document)
        self._asked_at = time.monotonic()
        self._ask(key)
        return None

    def _ask(self, key: str) -> None:
        self.process.ask({"do": "list"})
        self._asking = key

    def _leave_out(self, without: Sequence[str]) -> None:
        """From now on the process does not load these."""
        self.process.close()
        self.process = self._new_process(without)

    def _is_list(self, document: dict[str, Any]) -> bool:
        """Whether it tells which ingestors there are."""
        try:
            self._taken(document)
        except (LookupError, TypeError, ValueError, AttributeError):
            return False
        return True

    def _taken(self, document: dict[str, Any]) -> list[Described]:
        self.failures = [Unusable(**one) for one in document["failures"]]
        return [Described.from_json(one) for one in document["ingestors"]]

    def _listed(self, key: str, answer: Answer) -> list[Described] | None:
        """What the process lists; None where it is asked once more, without what ended it."""
        self._asking, error, place = None, answer.error, self.process.loading
        if not error and not self._is_list(answer.value):
            error = "its process said something else than which ingestors there are"
        if error and place in places_with_code(self._root) and place not in self._deadly:
            self._deadly[place] = error
            self._leave_out(list(self._deadly))
            self._ask(key)
            return None
        if error:
            document = self._without_code(error)
        else:
            listed = {part: answer.value[part] for part in ("ingestors", "failures")}
            document = {**listed, "without": list(self._deadly)}
        document["failures"] = [
            {"name": PurePath(place).stem, "where": place, "error": f"{how} while it was loaded"}
            for place, how in self._deadly.items()
        ] + document["failures"]
        if document["failures"]:
            self._until = time.time() + max(_AGAIN_S, _SHARE * (time.monotonic() - self._asked_at))
        path = files.store_folder(self._root) / files.CACHE / _CACHE
        with contextlib.suppress(OSError):
            write_atomically(path, json.dumps({**document, "key": key, "until": self._until}).encode())
        self._kept_at = self._cache_changed()
        return self._taken(document)

    def _without_code(self, error: str) -> dict[str, Any]:
        """What there is where nobody knows whose code does harm: what is described without running any."""
        without = places_with_code(self._root)
        self._leave_out(without)
        loaded = load(self._root, self._config, trusted=True, without=without)
        left = [describe(one, loaded.sources[one.name]).to_json() for one in loaded.ingestors]
        failures = [{"name": "the project's ingestors", "where": ".provdb/ingestors", "error": error}]
        failures += [{"name": one.name, "where": one.where, "error": one.error} for one in loaded.failures]
        return {"ingestors": left, "failures": failures, "without": without}

    def _cached(self, key: str) -> dict[str, Any] | None:
        """What was kept, as long as it counts."""
        try:
            document = json.loads((files.store_folder(self._root) / files.CACHE / _CACHE).read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(document, dict) or document.get("key") != key or not self._is_list(document):
            return None
        without, until = document.get("without"), document.get("until")
        if not isinstance(until, int | float) or not isinstance(without, list):
            return None
        if document["failures"] and (self._anew or time.time() >= until):
            return None
        places = places_with_code(self._root)
        return document if all(place in places for place in without) else None
