"""Files that were too large to be hashed in time are hashed when there is nothing else to do (rule 18)."""

import time

from provgraph.events.ports import JournalPort, ObjectsPort
from provgraph.ingest.contents import lstat
from provgraph.ingest.lookup import Lookup, iso


def hash_one(journal: JournalPort, objects: ObjectsPort, lookup: Lookup, not_again: set[str]) -> bool:
    """Hash one such file, as long as it is still what it was.

    Parameters:
        not_again: absolute paths that were tried already; added to.
    Returns:
        Whether one was hashed.
    """
    for known in lookup.knowledge.unhashed():
        absolute = lookup.places.absolute(known.path)
        if known.stat is None or absolute in not_again or lstat(absolute) != known.stat:
            continue
        not_again.add(absolute)
        try:
            stored = objects.digest_file(absolute, known.stat)
        except OSError:
            continue
        if stored.sha256 is None:
            continue
        with journal.batch() as batch:
            event = batch.event("content.hashed", iso(time.time_ns()))
            event.set(known.uid, sha256=stored.sha256, content=None)
        lookup.forget()
        return True
    return False
