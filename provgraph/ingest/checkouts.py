"""Which files a checkout, merge or rebase changed: those that now are as git has them and were otherwise before.

No hook tells what git wrote. What differs between the two trees and has on disk the content of the new one was written
by git, unless it was so before. Whatever else changed meanwhile stays an unrecorded change (rule 5).
"""

import os
from collections.abc import Sequence
from typing import Any, Final

from provgraph.events.ports import Stat
from provgraph.ingest.contents import lstat
from provgraph.ingest.lookup import Lookup
from provgraph.ingest.notice import changed_files
from provgraph.ingest.reflog import Move
from provgraph.ingest.repository import Change, Held, Repository, is_commit
from provgraph.ingest.settle import Settler
from provgraph.ingest.sides import Sides
from provgraph.ingest.state import LINK, REGULAR, Act, Snap, Write, file_type

_KEPT_BYTES: Final = 16 << 20
"""Old contents of files that no command had touched come out of git's own store up to this size."""


class Checkouts:
    """Finds what a hook's git command wrote and removed, and enters it into the hook's activity."""

    def __init__(self, lookup: Lookup, settler: Settler) -> None:
        self.lookup, self.settler = lookup, settler

    def changed(self, act: Act, moves: Sequence[Move]) -> bool:
        """Whether the git command that a hook tells of changed files; then ``act`` bears what it did to them.

        Parameters:
            moves: what the reflog said when the hook ran.
        """
        about = act.start["about"]
        repository = Repository(str(about["dir"]))
        plain = act.start["kind"] == "commit" and not (moves and moves[-1].picks)
        if plain or about.get("rebasing") or not self._concerns(repository.top):
            return False  # of a rebase, the hook at its end tells
        sides = Sides(act)
        changes = self._changes(repository, act, moves, sides)
        t, ended_ns = (int((act.end or act.start)[key]) for key in ("t", "time"))
        held = repository.hold(one.blob for one in changes if one.blob is not None)
        written: list[dict[str, Any]] = []
        missed: dict[str, tuple[Change, Stat]] = {}

        def wrote(absolute: str, one: Change, stat: Stat) -> None:
            if not sides.is_resolution(one, stat) or self._is_committed(absolute, stat):
                self._wrote(act, absolute, one, stat, t, repository)
                written.append({"path": absolute, "stat": list(stat)})

        for one in changes:
            absolute = os.path.join(repository.top, one.path)
            stat = lstat(absolute)
            if absolute in self.lookup.dirty or (stat is not None and stat[4] > ended_ns):
                continue  # somebody else writes it, or has written it since
            if stat is None:
                self._removed(act, absolute, one, t, repository)
            elif one.blob is not None and self._has(absolute, stat, held.get(one.blob)):
                wrote(absolute, one, stat)
            elif one.blob is not None and file_type(stat) == REGULAR and not self._is_known(absolute, stat):
                missed[absolute] = one, stat
        for absolute, blob in repository.as_blobs(list(missed)).items():
            one, stat = missed[absolute]
            if blob == one.blob:
                wrote(absolute, one, stat)
        act.end = {**(act.end or {}), "written": written}
        return bool(act.writes or act.deleted)

    def _concerns(self, top: str) -> bool:
        """Whether a work tree has files of this project."""
        root = self.lookup.places.root
        return top == root or self.lookup.places.inside(top) or root.startswith(top.rstrip("/") + "/")

    def _changes(self, repository: Repository, act: Act, moves: Sequence[Move], sides: Sides) -> list[Change]:
        about, kind = act.start["about"], act.start["kind"]
        head = (act.start.get("git") or {}).get("head")
        old, new = about.get("old"), about.get("new")
        if kind == "merge":
            old, new = (moves[-1].old, moves[-1].new) if moves else (about.get("orig_head"), head)
        elif kind == "rewrite":
            old, new = (about.get("orig_head"), head) if about.get("by") == "rebase" else (None, None)
            if not is_commit(old):
                return []
        elif kind == "commit":
            old, new = moves[-1].old, moves[-1].new
        if about.get("squash") or not about.get("branch_changed", True):
            return self._staged(repository)
        if not is_commit(new) or old == new:
            return []
        found = repository.changes(str(new), str(old) if is_commit(old) else None)
        if kind == "rewrite":
            there = {one.path for one in found}
            found += [one for one in self._brought_back(repository, sides) if one.path not in there]
        return [one for one in found if self._counts(os.path.join(repository.top, one.path))]

    def _staged(self, repository: Repository) -> list[Change]:
        """Known files that are no longer as they were, as the index has them: HEAD did not move."""
        top = repository.top.rstrip("/") + "/"
        paths = [self.lookup.places.absolute(snap.path) for snap, _ in changed_files(self.lookup)]
        return repository.index([path.removeprefix(top) for path in paths if path.startswith(top)])

    def _brought_back(self, repository: Repository, sides: Sides) -> list[Change]:
        """Files that were seen to be gone or otherwise where a rebase stopped, and that are again as they were."""
        began_ns = sides.began_ns()
        if began_ns is None:
            return []
        found = []
        for one in self._staged(repository):
            absolute = os.path.join(repository.top, one.path)
            stat = lstat(absolute)
            if stat is not None and stat[4] >= began_ns and not self._is_unchanged(absolute, stat):
                found.append(one)
        return found

    def _is_unchanged(self, absolute: str, stat: Stat) -> bool:
        """Whether a file that was written anew has the bytes that it is known to have."""
        current = self.lookup.current(self.lookup.places.name(absolute))
        if current is None or current.invalidated:
            return False
        sha256, _ = self.lookup.contents.read(absolute, stat, keep=self.lookup.keeps(absolute))
        return sha256 is not None and sha256 == current.sha256

    def _counts(self, absolute: str) -> bool:
        return self.lookup.places.inside(absolute) and self.lookup.places.counts(absolute)

    def _is_known(self, absolute: str, stat: Stat) -> bool:
        current = self.lookup.current(self.lookup.places.name(absolute))
        return current is not None and current.same_file(stat)

    def _has(self, absolute: str, stat: Stat, held: Held | None) -> bool:
        """Whether a file is not as it was known, and has what git's new state holds."""
        if held is None or file_type(stat) not in (REGULAR, LINK) or self._is_known(absolute, stat):
            return False
        if held.size is not None and held.size != stat[2]:
            return False
        sha256, _ = self.lookup.contents.read(absolute, stat, keep=self.lookup.keeps(absolute))
        return sha256 == held.sha256

    def _before(self, act: Act, absolute: str, change: Change, repository: Repository) -> Snap | None:
        """The state that git replaced: the newest known one, else what a walk saw, with the content that git has."""
        name = self.lookup.places.name(absolute)
        current = self.lookup.current(name)
        if current is not None:
            return None if current.invalidated else current
        baseline = self.lookup.knowledge.baseline(name)
        if baseline is None or change.old is None:
            return None
        snap = self.lookup.new_snap(absolute, baseline.stat, None, False, baseline.seen_at)
        content = None if baseline.stat[2] > _KEPT_BYTES else repository.content(change.old, baseline.stat[2])
        if content is not None and len(content) == baseline.stat[2]:
            stored = self.lookup.contents.objects.put_bytes(content)
            snap.sha256, snap.restorable, snap.content = stored.sha256, stored.kept, None
        self.lookup.introduce(act, snap)
        return snap

    def _wrote(self, act: Act, absolute: str, change: Change, stat: Stat, t: int, repository: Repository) -> None:
        baseline = self.lookup.knowledge.baseline(self.lookup.places.name(absolute))
        current = self.lookup.current(self.lookup.places.name(absolute))
        if current is None and baseline is not None and baseline.stat[:5] == stat[:5]:
            return  # as it was before any of this
        old = self._before(act, absolute, change, repository)
        self.settler.settle_readers(absolute)
        act.writes[absolute] = Write("create" if old is None else "truncate", old, t)
        self.lookup.dirty[absolute] = act.first

    def _is_committed(self, absolute: str, stat: Stat) -> bool:
        sha256, _ = self.lookup.contents.read(absolute, stat, keep=self.lookup.keeps(absolute))
        name = self.lookup.places.name(absolute)
        return sha256 is not None and self.lookup.knowledge.committed(name, sha256) is not None

    def _removed(self, act: Act, absolute: str, change: Change, t: int, repository: Repository) -> None:
        if change.blob is not None:
            return
        last = self._before(act, absolute, change, repository)
        if last is not None:
            self.settler.settle_readers(absolute)
            last.invalidated = True
            act.deleted[absolute] = (last, t)
