"""What a merge, a rebase or a cherry-pick brought together: the commits on either side, and what they had of a file."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from provgraph.client.surroundings import git_folders
from provgraph.events.ports import Stat
from provgraph.ingest.reflog import Move, moves_since, newest_rebase, parse
from provgraph.ingest.repository import Change, Repository, is_commit
from provgraph.ingest.state import Act

_CLOCKS_NS: Final = 20_000_000
"""The start of a process is known to a hundredth of a second, and files bear times that are late by less than that."""
_MOST_PAIRS: Final = 1000


class Sides:
    """Asked of one git command, of which a hook told or which was recorded itself."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.about: dict[str, Any] = act.start.get("about") or {}
        self.git: dict[str, Any] = act.start.get("git") or {}
        self.repository = Repository(str(self.about.get("dir") or self.git.get("dir") or ""))

    def before(self, absolute: str) -> list[str]:
        """SHA-256 of what either side had of a file that the command put together of both; none of any other."""
        return self._before.get(os.path.relpath(absolute, self.repository.top), []) if self._before else []

    def began_ns(self) -> int | None:
        """When a rebase began that may have stopped since, in Unix nanoseconds; None where its reflog is gone."""
        return self._rebase[0].at_s * 1_000_000_000 if self._rebase else None

    def is_resolution(self, change: Change, stat: Stat) -> bool:
        """Whether a file was there before ``git rebase --continue`` committed it: no git command had to write it."""
        return stat[3] < int(self.act.start["time"]) - _CLOCKS_NS and change.path in self._continued

    @cached_property
    def _before(self) -> dict[str, list[str]]:
        result, sides = self._joined
        if not is_commit(result) or not sides:
            return {}
        differs = [{one.path: one.old for one in self.repository.changes(result, side)} for side in sides]
        combined = [path for path in differs[0] if all(path in found for found in differs)]
        blobs = {path: [old for found in differs if (old := found[path]) is not None] for path in combined}
        held = self.repository.hold(blob for olds in blobs.values() for blob in olds)
        return {path: [held[blob].sha256 for blob in olds if blob in held] for path, olds in blobs.items()}

    @cached_property
    def _joined(self) -> tuple[str, list[str]]:
        """The commit that came of it, and those that it brought together."""
        kind = self.act.start.get("kind")
        if kind == "rewrite":
            found = [str(self.about.get("orig_head")), *self._onto()]
            return str(self.git.get("head")), [one for one in found if is_commit(one)]
        moves = self._moves
        if not moves or kind == "checkout" or self.about.get("squash"):
            return "", []
        if self._rebase:
            return self._rebase[-1].new, [self._rebase[0].old, self._rebase[0].new]
        if moves[0].picks:
            last = next((place for place, move in enumerate(moves) if not move.picks), len(moves)) - 1
            return moves[last].new, [moves[0].old]
        if not moves[0].brings:
            return "", []
        parents = [parent for commit in self.repository.commits([moves[0].new], 1) for parent in commit.parents]
        return moves[0].new, parents if len(parents) > 1 else []  # a fast-forward brings nothing together

    @cached_property
    def _moves(self) -> Sequence[Move]:
        """What the reflog says that the command did."""
        if self.about:
            return parse(str(self.about.get("reflog") or ""))
        folders = git_folders(self.repository.top) if "reflog" in self.git else None
        ended_s = int((self.act.end or self.act.start)["time"]) // 1_000_000_000
        moves = [] if folders is None else moves_since(folders[1], int(self.git["reflog"]))
        return [move for move in moves if move.at_s <= ended_s]

    def _onto(self) -> list[str]:
        """What the first commit that a rebase made is upon."""
        pairs = (pair for pair in self.about.get("pairs") or () if len(pair) == 2)
        new = list(dict.fromkeys(str(pair[1]) for pair in pairs if is_commit(pair[1])))
        made = self.repository.commits(new, _MOST_PAIRS)
        return next(([*commit.parents] for commit in made if not set(commit.parents) & set(new)), [])

    @cached_property
    def _rebase(self) -> list[Move]:
        """The moves of the rebase that the command ended, of which it may be but the last step."""
        if self.about:
            tip = self.git.get("head") if self.act.start.get("kind") == "rewrite" else None
        else:
            tip = next((move.new for move in self._moves if "(finish)" in move.what), None)
        folders = git_folders(self.repository.top) if is_commit(tip) else None
        return [] if folders is None else newest_rebase(moves_since(folders[1], 0), str(tip))

    @cached_property
    def _continued(self) -> frozenset[str]:
        """Paths that commits changed at which a rebase had stopped."""
        commits = [move for move in self._rebase if "(continue)" in move.what and is_commit(move.old)]
        return frozenset(one.path for move in commits for one in self.repository.changes(move.new, move.old))
