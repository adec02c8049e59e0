"""Following what running commands write: logs are read as they grow, and their points journaled about once a second.

A file that a running activity writes, and that fits an ingestor with the moment *during*, is read from where the
activity began to write it, a piece at a time, and fed to that ingestor's follower, in a process of its own. What came
of it is journaled as points of the activity's series. Whoever comes after an ingester that was killed reads the file
from its beginning once more and passes over as many points as are known. When the activity has ended, the rest is
read; what an ingestor that runs *after* it finds under the same name takes the place of it all.
"""

import base64
import contextlib
import os
import re
import stat as stat_module
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import StoreError
from provgraph.events.series import Points, add_points, settle_series
from provgraph.ingest.contents import lstat
from provgraph.ingest.growing import Running
from provgraph.ingest.lookup import iso
from provgraph.ingest.places import Places, media_type
from provgraph.ingestors.port import ActivityWords, File, Moment, Occurrence
from provgraph.session.interpreting.catalogue import Catalogue
from provgraph.session.interpreting.finding import Around, RefusedError, Scrub, check
from provgraph.session.interpreting.ingesting import Described
from provgraph.session.interpreting.interpreter import fits_words
from provgraph.session.interpreting.occurring import Recollection
from provgraph.session.interpreting.process import Answer
from provgraph.stores.reader import uid_bytes

if TYPE_CHECKING:
    from provgraph.stores import EmbeddedStore

PIECE: Final = 1 << 18
"""Bytes that a follower is fed at once."""
FILE_BYTES: Final = 256 << 20
"""Bytes of a file that are followed; an ingestor that runs after the command reads what it likes."""
REST_BYTES: Final = 4 << 20
"""Bytes that are still read once the command has ended: whoever asks waits for them."""
FILES: Final = 16
"""Files of one activity that are followed."""
SERIES: Final = 200
"""Series of one activity that are followed."""
_PENDING: Final = 200_000
"""Points after which nothing more is read before these are journaled."""
JOURNAL_S: Final = 1.0
LOOK_S: Final = 0.5
"""What runs is looked at no more often."""
YOUNG_S: Final = 0.5
"""Nothing is read of an activity that was met more recently: most are over by then."""


@dataclass(slots=True)
class _Tail:
    """One file that one ingestor follows.

    Attributes:
        offset: how far it was read. eaten: how many bytes the follower got.
        passed: points to pass over, for they are known: of each series.
        fd: the open file, -1 where it is not. finished: whether the follower knows that the file has ended.
    """

    id: int
    ingestor: Described
    absolute: str
    path: str
    begin: int
    offset: int
    eaten: int = 0
    passed: dict[str, int] = field(default_factory=dict)
    fd: int = -1
    begun: bool = False
    finished: bool = False


@dataclass(slots=True)
class _Watch:
    """One activity whose files are followed."""

    spool: str
    uid: str
    since: float
    words: ActivityWords | None = None
    files: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    """Files that were not compared with what ingestors want yet."""
    tails: list[_Tail] = field(default_factory=list)
    owners: dict[str, int] = field(default_factory=dict)
    """Series → the tail whose points they are: that of the file that named it first."""
    points: dict[tuple[str, str], tuple[list[int], list[float], list[int] | None]] = field(default_factory=dict)
    """Not journaled yet: (ingestor, series) → steps, values, times."""
    properties: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    told: int = 0
    """How many of the failures are journaled."""
    fits: dict[str, bool] = field(default_factory=dict)
    """Ingestor → whether it is for the activity's command."""
    ended: bool = False
    rest: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self.ended and not self.new and all(tail.finished for tail in self.tails)


class Follows:
    """Implements ``ingest.growing.Growing``, and of ``ingest.interpreting.Interpreting`` what concerns the end.

    Parameters:
        store: open for writing. places: of its project.
        catalogue: of its ingestors; nobody else asks its process.
        scrub: takes secrets out of texts.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        store: "EmbeddedStore",
        places: Places,
        catalogue: Catalogue,
        scrub: Scrub = lambda _, text: text,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._places, self._scrub, self._clock = store, places, scrub, clock
        self._catalogue, self._process = catalogue, catalogue.process
        self._watched: dict[str, _Watch] = {}
        self._asked: tuple[_Watch, _Tail] | None = None
        """What the process works on."""
        self.log: list[str] = []
        """Failures of our own."""
        self._turn = 0
        self._looked = -LOOK_S
        self._number = 0
        self._journaled = 0.0

    # -- what ingestion tells

    def look(self, running: Iterable[Running]) -> None:
        """These activities run now, and write these files."""
        now = self._clock()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        for one in running:
            watch = self._watched.get(one.spool)
            if watch is None:
                watch = self._watched[one.spool] = _Watch(one.spool, one.uid, now)
            for absolute, begin in one.files.items():
                if absolute not in watch.files:
                    watch.files[absolute] = watch.new[absolute] = begin

    def ended(self, spool: str, uid: str) -> bool:
        """An activity has ended and is journaled. Returns whether the rest of its files is still to be read."""
        watch = self._watched.get(spool)
        try:
            watch = watch or self._recalled(spool, uid)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - as in ``step``
            self.log.append(f"the rest of {uid} is not followed: {type(error).__name__}: {error}")
        if watch is None:
            return False
        watch.ended, watch.rest = True, REST_BYTES
        if not watch.tails and not watch.new:
            del self._watched[spool]
            return False
        return True

    def _recalled(self, spool: str, uid: str) -> _Watch | None:
        """An activity that an ingester followed which was killed before it had read the rest.

        Its files are read as long as they are what it left; but not an appended one: nobody knows where it begins.
        """
        known = self._store.knowledge.series(uid)
        if not known or not {one.by for one in known.values()} & {one.name for one in self._during() or ()}:
            return None
        recollection = Recollection(self._store, self._places)
        recorded = recollection.recorded(uid)
        if recorded is None:
            return None
        files = {}
        for file in recollection.given(recorded, Moment.AFTER).occurrence.generated:
            raw = uid_bytes(recorded.generated[file.path])
            presence = None if raw is None else self._store.local.presence(raw)
            if presence is not None and file.role != "appended" and lstat(file.absolute) == presence[0]:
                files[file.absolute] = 0
        if not files:
            return None
        watch = self._watched[spool] = _Watch(spool, recorded.uid, self._clock(), files=files, new=dict(files))
        return watch

    @property
    def busy(self) -> bool:
        """Whether there is something to do before the next second is over."""
        return self._process.busy or any(watch.ended for watch in self._watched.values())

    @property
    def wakes(self) -> list[int]:
        """Descriptors that become readable when there is something to look at."""
        return self._process.wakes

    def step(self) -> list[str]:
        """Read a piece, take what was found, journal what is due; returns the spools of activities that are done."""
        try:
            if self._watched and self._during() is None:
                return self._journal()
            if self._process.busy:
                answer = self._process.look()
                if answer is not None:
                    self._take(answer)
            if not self._process.busy:
                self._ask()
            return self._journal()
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - it costs what would have been followed, and nothing that is recorded
            self.log.append(f"what runs is not followed any more: {type(error).__name__}: {error}")
            ended = [watch.spool for watch in self._watched.values() if watch.ended]
            self.close()
            return ended

    def close(self) -> None:
        """Let go of files and of the process."""
        for watch in self._watched.values():
            for tail in watch.tails:
                _close(tail)
        self._watched.clear()
        self._process.close()

    # -- asking

    def _ask(self) -> None:
        """Begin the next request, if there is one: each file in its turn."""
        now = self._clock()
        watches = [one for one in self._watched.values() if one.ended or now - one.since > YOUNG_S]
        for watch in watches:
            self._match(watch)
        if sum(len(points[0]) for watch in watches for points in watch.points.values()) > _PENDING:
            return
        tails = [(watch, tail) for watch in watches for tail in watch.tails if not tail.finished]
        for place in range(len(tails)):
            watch, tail = tails[(self._turn + place) % len(tails)]
            if self._feed(watch, tail):
                self._turn = (self._turn + place + 1) % len(tails)
                return

    def _match(self, watch: _Watch) -> None:
        """Begin to follow those of an activity's new files that an ingestor is for."""
        if not watch.new:
            return
        if watch.words is None:
            watch.words = self._words(watch.uid)
        ingestors = self._during()
        if ingestors is None:
            return
        new, watch.new = watch.new, {}
        for absolute, begin in new.items():
            file = self._file(absolute)
            for ingestor in ingestors:
                if len({tail.absolute for tail in watch.tails} | {absolute}) > FILES:
                    return
                if self._fits(watch, ingestor, Occurrence(Moment.DURING, self._places.root, watch.words, (), (file,))):
                    self._number += 1
                    watch.tails.append(_Tail(self._number, ingestor, absolute, file.path, begin, begin))

    def _during(self) -> list[Described] | None:
        """The ingestors that follow files; None until it is known. Where code has changed, there is another process."""
        known = self._catalogue.known()
        found = None if known is None else [one for one in known if one.moment is Moment.DURING]
        if self._catalogue.process is not self._process:
            self._process = self._catalogue.process
            self._begin_anew()
        return found

    def _begin_anew(self) -> None:
        """The process is gone, and what it had read: what is known is passed over when it is fed once more."""
        for watch in self._watched.values():
            self._journal_one(watch)
            for tail in watch.tails:
                tail.begun = tail.begun and tail.finished
                _close(tail)

    def _file(self, absolute: str) -> File:
        path = self._places.name(absolute)
        return File(path, absolute, media_type(path), content=absolute)

    def _words(self, uid: str) -> ActivityWords:
        recollection = Recollection(self._store, self._places)
        recorded = recollection.recorded(uid)
        return ActivityWords(uid=uid) if recorded is None else recollection.words(recorded)

    @staticmethod
    def _fits(watch: _Watch, ingestor: Described, occurrence: Occurrence) -> bool:
        (file,) = occurrence.generated
        match = ingestor.match
        if match.direction == "used" or not match.fits_file(file.path, file.media_type):
            return False
        if ingestor.name not in watch.fits:
            watch.fits[ingestor.name] = False
            with contextlib.suppress(TimeoutError, re.error):  # it is told where it is asked what the command meant
                watch.fits[ingestor.name] = fits_words(match, occurrence)
        return watch.fits[ingestor.name]

    def _feed(self, watch: _Watch, tail: _Tail) -> bool:
        """Begin a request about a file; False where there is nothing to say of it now."""
        if not tail.begun:
            self._begin(watch, tail)
            return True
        data = self._read(watch, tail)
        if not data and not watch.ended:
            return False
        tail.finished = not data
        tail.eaten += len(data)
        self._asked = watch, tail
        self._process.ask({"do": "feed", "id": tail.id, "data": base64.b64encode(data).decode("ascii")})
        return True

    def _begin(self, watch: _Watch, tail: _Tail) -> None:
        known = self._store.knowledge.series(watch.uid)
        tail.passed = {name: one.count for name, one in known.items() if one.by == tail.ingestor.name}
        tail.offset, tail.eaten, tail.begun = tail.begin, 0, True
        assert watch.words is not None
        occurrence = Occurrence(
            Moment.DURING, self._places.root, watch.words, (), (self._file(tail.absolute),)
        ).to_json()
        self._asked = watch, tail
        request = {"do": "follow", "id": tail.id, "name": tail.ingestor.name, "occurrence": occurrence}
        self._process.ask(request)

    def _read(self, watch: _Watch, tail: _Tail) -> bytes:
        """The next bytes of a file. One that was cut short, or replaced by a new one, is read from its beginning."""
        with contextlib.suppress(OSError):
            if tail.fd < 0:
                tail.fd = os.open(tail.absolute, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
                if not stat_module.S_ISREG(os.fstat(tail.fd).st_mode):
                    _close(tail)
                    return b""
            limit = min(PIECE, FILE_BYTES - tail.eaten, watch.rest if watch.ended else PIECE)
            held = os.fstat(tail.fd)
            if held.st_size < tail.offset:
                tail.offset = 0
            data = os.pread(tail.fd, limit, tail.offset) if limit > 0 else b""
            tail.offset += len(data)
            if watch.ended:
                watch.rest -= len(data)
            if not data and limit > 0 and not os.path.samestat(held, os.stat(tail.absolute)):
                _close(tail)  # it was renamed, and there is a new one
                tail.offset = 0
                return self._read(watch, tail) if self._is_there(tail) else b""
            return data
        return b""

    @staticmethod
    def _is_there(tail: _Tail) -> bool:
        return os.path.isfile(tail.absolute)

    # -- what comes of it

    def _take(self, answer: Answer) -> None:
        """Take what the process has said."""
        asked, self._asked = self._asked, None
        assert asked is not None
        watch, tail = asked
        if answer.error:
            self._give_up(watch, tail, answer.error)
            return
        if answer.value.get("lost"):
            tail.finished = False
            self._begin_anew()
            return
        findings = answer.value.get("findings")
        if findings:
            try:
                self._note(watch, tail, findings)
            except (RefusedError, ValueError, TypeError, AttributeError) as error:  # it may have any shape
                self._give_up(watch, tail, str(error))
        if tail.finished:
            _close(tail)

    def _give_up(self, watch: _Watch, tail: _Tail, why: str) -> None:
        """Follow a file no longer. Where the process is gone, the other files' followers are: they begin anew."""
        said = f"{tail.ingestor.name}: {self._scrub('', why)}"
        if said not in watch.failed:
            watch.failed.append(said)
        tail.finished = True
        _close(tail)
        if not self._process.alive:
            self._begin_anew()

    def _note(self, watch: _Watch, tail: _Tail, document: Mapping[str, Any]) -> None:
        """Keep what a follower has found: the activity's series and properties. What is of files comes at the end."""
        kept = {key: document[key] for key in ("schema", "activity") if key in document}
        series = document.get("series") or []
        if isinstance(series, list):  # what is no series stays, to be refused
            series = [one for one in series if not isinstance(one, dict) or one.get("of") == "activity"]
        kept["series"] = series
        found = check(kept, Around((watch.uid,), {}, {}, {}), self._scrub)
        for properties in found.properties.values():
            watch.properties.update(properties)
        for by_name in found.series.values():
            for name, points in by_name.items():
                if name not in watch.owners and len(watch.owners) >= SERIES:
                    continue
                if watch.owners.setdefault(name, tail.id) == tail.id:
                    self._add(watch, tail, name, points)

    @staticmethod
    def _add(watch: _Watch, tail: _Tail, name: str, points: Points) -> None:
        passed = min(tail.passed.get(name, 0), len(points.values))
        if passed:
            tail.passed[name] -= passed
        times = None if points.times is None else list(points.times[passed:])
        steps, values = list(points.steps[passed:]), list(points.values[passed:])
        if not values:
            return
        held = watch.points.get((tail.ingestor.name, name))
        if held is None:
            watch.points[tail.ingestor.name, name] = (steps, values, times)
            return
        both = held[2] + times if held[2] is not None and times is not None else None
        watch.points[tail.ingestor.name, name] = (held[0] + steps, held[1] + values, both)

    # -- journaling

    def _journal(self) -> list[str]:
        """Journal what is due; returns the spools of the activities that are done."""
        now = self._clock()
        done = [watch for watch in self._watched.values() if watch.done and not self._works_on(watch)]
        due = now - self._journaled >= JOURNAL_S
        for watch in self._watched.values():
            if watch in done or due:
                self._journal_one(watch, last=watch in done)
        if due:
            self._journaled = now
        for watch in done:
            del self._watched[watch.spool]
        return [watch.spool for watch in done]

    def _works_on(self, watch: _Watch) -> bool:
        return self._process.busy and self._asked is not None and self._asked[0] is watch

    def _journal_one(self, watch: _Watch, *, last: bool = False) -> None:
        """Journal the points of one activity and what failed; at its end also what goes with them."""
        failed = len(watch.failed) > watch.told
        if not watch.points and not watch.properties and not failed and not (last and watch.owners):
            return
        with self._store.journal.batch() as batch:
            event = batch.event("series.logged", iso(time.time_ns()))
            event.facts["activity"] = watch.uid
            known = dict(self._store.knowledge.series(watch.uid))
            for (by, name), (steps, values, times) in watch.points.items():
                known |= add_points(event, watch.uid, {name: Points(steps, values, times)}, known, by=by)
            if watch.properties:
                event.set(watch.uid, **watch.properties)
            if last:
                names = {tail.ingestor.name for tail in watch.tails}
                settle_series(event, watch.uid, {name: one for name, one in known.items() if one.by in names})
            if failed:
                self._tell_failures(event, watch)
        watch.points.clear()
        watch.properties.clear()

    def _tell_failures(self, event: Any, watch: _Watch) -> None:
        watch.told = len(watch.failed)
        vertex = self._store.reader.vertex(watch.uid)
        there = vertex.properties.get("ingestors_failed") if vertex is not None else None
        told: Sequence[str] = there if isinstance(there, list) else ()
        event.set(watch.uid, ingestors_failed=list(dict.fromkeys([*told, *watch.failed])))


def _close(tail: _Tail) -> None:
    if tail.fd >= 0:
        with contextlib.suppress(OSError):
            os.close(tail.fd)
        tail.fd = -1
