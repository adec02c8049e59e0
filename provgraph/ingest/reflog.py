"""HEAD's reflog: where HEAD went, and by what. It tells what git did where no hook does (git-reflog(1))."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from provgraph.ingest.repository import is_commit

_LINE: Final = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) .*?> (\d+) [+-]\d{4}(?:\t(.*))?")
_MOST_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Move:
    """One line: HEAD went from one commit to another at a time (Unix seconds)."""

    old: str
    new: str
    at_s: int
    message: str

    @property
    def what(self) -> str:
        """What moved it: ``commit``, ``commit (amend)``, ``merge``, ``pull``, ``rebase (pick)``, and so on."""
        return self.message.partition(":")[0].split(" --")[0].strip()

    @property
    def brings(self) -> bool:
        """Whether the commits between the two came with it."""
        return self.what.split(" ")[0] in ("merge", "pull") and "rebase" not in self.message.partition(":")[0]

    @property
    def amends(self) -> bool:
        """Whether the new commit replaces the old one."""
        return self.what == "commit (amend)" and is_commit(self.old) and is_commit(self.new)

    @property
    def picks(self) -> bool:
        """Whether a commit of another branch was taken over, or one taken back."""
        return self.what in ("cherry-pick", "revert") and is_commit(self.old) and is_commit(self.new)


def parse(text: str) -> list[Move]:
    """The moves that lines of a reflog tell, oldest first; what is no such line is left out."""
    found = (_LINE.fullmatch(line) for line in text.split("\n"))
    return [Move(match[1], match[2], int(match[3]), match[4] or "") for match in found if match is not None]


def moves_since(git: str, offset: int) -> list[Move]:
    """What was written to a reflog after its first so many bytes.

    Parameters:
        git: the git folder of the work tree.
    """
    try:
        with open(f"{git}/logs/HEAD", "rb") as file:
            size = file.seek(0, 2)
            if size < offset:  # it was made anew, by `git reflog expire`
                return []
            file.seek(max(offset, size - _MOST_BYTES))
            return parse(file.read().decode("utf-8", "replace"))
    except OSError:
        return []


def rebased(moves: Iterable[Move]) -> list[tuple[str, str]]:
    """(old tip, new tip) of each rebase that began and was finished."""
    found, begun = list[tuple[str, str]](), ""
    for move in moves:
        what = move.message.partition(":")[0]
        if "rebase" not in what:
            continue
        if "(start)" in what:
            begun = move.old
        elif "(finish)" in what and begun:
            found.append((begun, move.new))
            begun = ""
    return [(old, new) for old, new in found if is_commit(old) and is_commit(new) and old != new]


def newest_rebase(moves: Sequence[Move], tip: str) -> list[Move]:
    """The moves of the newest rebase that ended at a commit, from its start on; none where its start is not there."""
    found: list[Move] = []
    for move in reversed(moves):
        what = move.message.partition(":")[0]
        if "rebase" in what and (found or ("(finish)" in what and move.new == tip)):
            found.append(move)
            if "(start)" in what:
                return found[::-1]
    return []
