"""``provdb show --follow``: on a terminal a picture that is drawn anew, else a line for each point."""

import shutil
import sys
import time
from collections.abc import Iterator, Sequence

from provgraph.cli.output import NOTHING_FOUND, clock, note, stdout_page
from provgraph.cli.sources import project
from provgraph.session.glances import Glance


def follow_series(reference: str, names: Sequence[str], *, as_json: bool, columns: int | None) -> int:
    """Show series as they come; returns the exit status. Ctrl-C ends it, never what is followed."""
    seen = _Seen()
    draws = sys.stdout.isatty() and not as_json
    try:
        with project("local") as here:
            glances = seen.watched(here.follow(reference, *names), at_once=not draws)
            if draws:
                _draw(glances, columns)
            else:
                _lines(glances, as_json=as_json)
            note(here.notes)
            if not seen.points and seen.uid:
                here.series(seen.uid, *names)  # of a name that is none, it says which there are
    except KeyboardInterrupt:
        sys.stdout.flush()
        return 0
    finally:
        seen.tell()
    if seen.points:
        return 0
    note(["no series: nothing that logs points step by step was read of it"])
    return NOTHING_FOUND


class _Seen:
    """What the glances had that no curve shows: which ingestors failed, and whether there was any point."""

    def __init__(self) -> None:
        self.points, self.uid = False, ""
        self._failed: dict[str, bool] = {}
        """Failures, and whether they were told."""

    def watched(self, glances: Iterator[Glance], *, at_once: bool) -> Iterator[Glance]:
        """The same glances; ``at_once``: nothing is drawn that messages would spoil."""
        for glance in glances:
            self.points, self.uid = self.points or bool(glance.series), glance.vertex.uid
            for failure in glance.vertex.properties.get("ingestors_failed") or ():
                self._failed.setdefault(str(failure), False)
            if at_once:
                self.tell()
            yield glance

    def tell(self) -> None:
        """Say of each failure on standard error, once."""
        new = [failure for failure, told in self._failed.items() if not told]
        note(f"an ingestor failed: {failure}" for failure in new)
        self._failed.update(dict.fromkeys(new, True))


def _lines(glances: Iterator[Glance], *, as_json: bool) -> None:
    from provgraph.render.following import point_lines

    for glance in glances:
        for line in point_lines(glance.new, as_json=as_json):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _draw(glances: Iterator[Glance], columns: int | None) -> None:
    from provgraph.render.following import Screen, frame

    screen = Screen(sys.stdout.write)
    try:
        for glance in glances:
            size = shutil.get_terminal_size((80, 24))
            page = stdout_page(columns or size.columns)
            screen.show(frame(glance.vertex, glance.series, page, size.lines, clock(), ended=glance.ended))
            sys.stdout.flush()
            time.sleep(0)
    finally:
        screen.leave()
        sys.stdout.flush()
