"""What git did, as events: commits are explicit versions, and rewrites join old ones to new ones (rules 6 and 11).

It is heard of by a git hook, by a recorded command at whose end HEAD's reflog is longer than at its start, or by both.
A commit's vertices have the uid of the commit, so it is one however often and in however many clones it is met.
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.client.scrub_words import scrubbed_text
from provgraph.client.settings import read_settings
from provgraph.client.surroundings import git_folders
from provgraph.events import EventBuilder
from provgraph.events.ports import JournalPort, KnowledgePort
from provgraph.ingest.checkouts import Checkouts
from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.membership import Members, Membership
from provgraph.ingest.places import shown
from provgraph.ingest.records import Record
from provgraph.ingest.reflog import Move, moves_since, parse, rebased
from provgraph.ingest.repository import Commit, Person, Repository, is_commit
from provgraph.ingest.settle import Settler
from provgraph.ingest.state import Act
from provgraph.ingest.write import Writer

KINDS: Final = ("commit", "checkout", "merge", "rewrite")
"""The kinds of start record that git hooks write."""
MOST: Final = 500
"""Commits that one merge or rebase brings, of which each is recorded; of more, the newest."""


_LOOKED_AT: Final = 100
"""Of commits that come together, the files of so many are looked at, the newest; git tells of the others when asked."""
_COARSE_NS: Final = 5_000_000
"""Files bear times of the kernel's coarse clock, which is late by as much."""
_LOOK_BACK_BYTES: Final = 4096
"""How long a reflog was is looked at when a command has just begun: on a busy machine it may have committed by then."""
_ON_THE_WAY: Final = "# This is a combination of "
"""How the message of a commit begins that git makes within a rebase and replaces in the next step of it."""
_GIT: Final = re.compile(r"(?<![\w.-])git(?![\w./-])")
"""git as a word of a command line, also within a line for a shell."""


@dataclass(slots=True)
class Happened:
    """What one hook or command tells of a repository, until it is journaled."""

    top: str
    act: Act
    """Who tells it."""
    spool: str = ""
    """The hook's own file in the spool, which goes when all is journaled."""
    command: bool = False
    """Whether ``act`` is a recorded command, which informed the commits that were made in it."""
    noted: set[str] = field(default_factory=set)
    """Commits of which hooks noted that they ran in that command."""
    commits: dict[str, None] = field(default_factory=dict)
    ranges: list[tuple[str, str]] = field(default_factory=list)
    rebases: list[tuple[str, str]] = field(default_factory=list)
    pairs: dict[tuple[str, str], None] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    """Commits that were made then and there."""

    def add(self, moves: Sequence[Move]) -> None:
        """What lines of a reflog tell."""
        for move in moves:
            if not is_commit(move.new):
                continue
            self.commits[move.new] = None
            if not move.what.startswith(("checkout", "reset", "clone", "Branch")):
                self.made.add(move.new)
            if move.brings and is_commit(move.old):
                self.ranges.append((move.old, move.new))
            if move.amends:
                self.pairs[move.old, move.new] = None
        self.rebases += rebased(moves)


class Commits:
    """Keeps what git hooks and commands tell until it is their turn, then journals it.

    Parameters:
        flush: journals what the looking at files has brought to light.
        many: a commit of more files has only those as members that are recorded anyway.
    """

    def __init__(
        self,
        journal: JournalPort,
        knowledge: KnowledgePort,
        lookup: Lookup,
        settler: Settler,
        writer: Writer,
        flush: Callable[[], None],
        many: int,
    ) -> None:
        self.journal, self.knowledge, self.lookup, self.writer, self.flush = journal, knowledge, lookup, writer, flush
        self.membership = Membership(lookup, knowledge, many)
        self.checkouts = Checkouts(lookup, settler)
        found = read_settings(lookup.places.root).get("scrub", ())
        self._patterns = [str(pattern) for pattern in found] if isinstance(found, list) else []
        self._hooks: dict[str, Act] = {}
        self._waiting: list[Happened] = []
        self._elsewhere: set[str] = set()
        """Commits that hooks told of which ran in no recorded command, while recorded commands ran."""

    @property
    def waiting(self) -> bool:
        """Whether something was heard of that is not journaled."""
        return bool(self._waiting)

    # -- hearing of it -----------------------------------------------------------------------------------------

    def is_hook(self, name: str, kind: str, value: Any) -> bool:
        """Whether a record is of a git hook: kept here until it is closed."""
        if kind == "start" and value.start.get("kind") in KINDS:
            self._hooks[name] = value
        return name in self._hooks

    def hook(self, name: str, kind: str, record: Record) -> Act | None:
        """The next record of a hook; at its last one the activity that changed files, where there is one."""
        if kind == "end":
            self._hooks[name].end = record
        if kind != "closed":
            return None
        act = self._hooks.pop(name)
        about = act.start["about"]
        happened = Happened(str(about["dir"]), act, spool=name)
        git = act.start.get("git") or {}
        moves = parse(str(about.get("reflog") or ""))
        if act.start["kind"] == "commit":
            happened.add(moves)
            if is_commit(git.get("head")):
                happened.commits[git["head"]] = None
                happened.made.add(git["head"])
        elif act.start["kind"] == "merge" and not about.get("squash"):
            happened.add(moves)
        elif act.start["kind"] == "checkout" and is_commit(about.get("new")):
            happened.commits[about["new"]] = None
        happened.pairs.update(dict.fromkeys(_pairs(about.get("pairs"))))
        self._waiting.append(happened)
        if not self.lookup.running:
            self._elsewhere.clear()
        elif not about.get("within"):
            self._elsewhere.update(happened.made, (new for _, new in happened.pairs))
        return act if self.checkouts.changed(act, moves) else None

    def command(self, act: Act, folder: str, *, closed: bool = False) -> None:
        """A recorded command has ended: what it did to repositories, by their reflogs and by what hooks noted of it.

        Parameters:
            folder: the spool.
            closed: what outlived it has ended too.
        """
        git = act.start.get("git") or {}
        notes = _notes(os.path.join(folder, "pre", f"{act.spool}.git"))
        tops = dict.fromkeys([*([str(git["dir"])] if "reflog" in git else []), *(note.top for note in notes)])
        for top in tops:
            happened = Happened(top, act, command=True)
            self._moved(happened, act, int(git["reflog"]) if top == git.get("dir") else None)
            lived_on = closed and (act.end is None or bool(act.end.get("survivors")))
            for note in notes:
                if note.top == top:
                    self._noted(happened, note, lived_on=lived_on)
            if happened.commits or happened.pairs:
                self._waiting.append(happened)

    def _noted(self, happened: Happened, note: "_Note", *, lived_on: bool) -> None:
        """What one hook noted. All elements of a line have their notes in one place: those of later ones are theirs."""
        happened.pairs.update(dict.fromkeys(note.pairs))
        happened.noted.update([note.head, *(new for _, new in note.pairs)])
        folders = git_folders(happened.top)
        if not is_commit(note.head) or folders is None:
            return
        ended_ns = int((happened.act.end or happened.act.start)["time"])
        if lived_on or (_made_ns(folders[2], note.head) or 0) <= ended_ns:
            happened.commits[note.head] = None
            if lived_on and note.hook == "post-commit":
                happened.made.add(note.head)

    def _moved(self, happened: Happened, act: Act, offset: int | None) -> None:
        """What the reflog says that HEAD did while a command ran.

        Parameters:
            offset: how long the reflog was when it began; None where nobody looked.
        """
        folders = git_folders(happened.top)
        if folders is None:
            return
        began_ns, ended_ns = int(act.start["time"]), int((act.end or act.start)["time"])
        earliest_s = 0 if offset is not None else began_ns // 1_000_000_000
        kept, earlier = list[Move](), set[str]()
        moves = moves_since(folders[1], max(0, (offset or 0) - _LOOK_BACK_BYTES))
        surely = len(moves_since(folders[1], offset or 0))
        for number, move in enumerate(moves):
            made_ns = _made_ns(folders[2], move.new)
            if number < len(moves) - surely and (made_ns is None or made_ns < began_ns):
                continue
            if not earliest_s <= move.at_s <= ended_ns // 1_000_000_000:
                continue
            if made_ns is not None and made_ns > ended_ns:
                continue  # the next element's of a line
            kept.append(move)
            if made_ns is not None and made_ns < began_ns - _COARSE_NS:
                earlier.add(move.new)
        happened.add(kept)
        happened.made -= earlier

    # -- journaling it -----------------------------------------------------------------------------------------

    def journaled(self) -> list[str]:
        """Journal what is waiting; returns the spool files of hooks that have nothing more to say."""
        done = []
        while self._waiting:
            happened = self._waiting.pop(0)
            self._journal(happened)
            if happened.spool:
                done.append(happened.spool)
        return done

    def _journal(self, happened: Happened) -> None:
        repository = Repository(happened.top)
        if happened.rebases and not any(new in happened.made for _, new in happened.pairs):
            for old, new in happened.rebases:
                happened.pairs.update(dict.fromkeys(_by_author(repository, old, new)))
        rewritten = [id for pair in happened.pairs for id in pair if is_commit(id)]
        wanted = [id for id in (*happened.commits, *rewritten) if not self._is_known(id)]
        found = {commit.id: commit for commit in repository.commits(list(dict.fromkeys(wanted)), 2 * MOST)}
        for old, new in happened.ranges:
            found |= {c.id: c for c in repository.commits([new, f"^{old}"], MOST, walk=True) if c.id not in found}
        kept = [commit for commit in found.values() if not commit.message.startswith(_ON_THE_WAY)]
        fresh = [commit for commit in kept if not self._is_known(commit.id)]
        fresh.sort(key=lambda commit: commit.committed_at)
        looked_at = {commit.id for commit in fresh[-_LOOKED_AT:]}
        members = {
            one.id: self.membership.of(repository, one, happened.act) if one.id in looked_at else Members()
            for one in fresh
        }
        self.flush()
        with self.journal.batch() as batch:
            for commit in fresh:
                event = batch.event("commit.recorded", _now(happened))
                self._commit(event, commit, happened, members[commit.id])
        self._informed(happened)
        self._rewritten(happened, repository)

    def _informed(self, happened: Happened) -> None:
        """Commits were made in a recorded command: in the innermost, which ends before those that it runs in.

        HEAD may also have been moved by somebody else meanwhile.
        """
        command, namespace = happened.act.first.uid, self.lookup.places.namespace
        if not happened.command or not command:
            return
        here = happened.made & happened.noted
        if _ran_git(happened.act):
            here |= happened.made - self._elsewhere
        told = [uid for uid in map(namespace.commit, sorted(here)) if self.knowledge.has_vertex(uid)]
        told = [uid for uid in told if not self.knowledge.has_edge("wasInformedBy", uid)]
        if told:
            with self.journal.batch() as batch:
                event = batch.event("commit.recorded", _now(happened))
                for uid in told:
                    event.edge("wasInformedBy", uid, command)

    def _is_known(self, commit: str) -> bool:
        return self.knowledge.has_vertex(self.lookup.places.namespace.commit(commit))

    def _commit(self, event: EventBuilder, commit: Commit, happened: Happened, members: Members) -> None:
        uid, version = event.namespace.commit(commit.id), event.namespace.version(commit.id)
        said: dict[str, Any] = {
            "commit": commit.id,
            "message": scrubbed_text(commit.message, self._patterns),
            "authored_at": commit.authored_at,
            "shallow": commit.shallow or None,
            "repository": self._repository(happened.top),
        }
        event.facts["commit"] = commit.id
        event.vertex(
            ["Activity", "Commit"],
            {
                "name": f"commit {commit.id[:8]}",
                **said,
                "utility": "git",
                "capture": "git",
                "started_at": commit.committed_at,
                "ended_at": commit.committed_at,
            },
            uid=uid,
        )
        for role, person in _roles(commit):
            properties = {"name": person.name, "email": person.email}
            event.edge("wasAssociatedWith", uid, self.writer.agent(event, "Person", properties), role=role)
        properties = {"kind": "explicit", **said, "created_at": commit.committed_at, "activity": uid}
        event.vertex(["Entity", "Version"], {**properties, **members.properties()}, uid=version)
        members.write(event, version)
        event.edge("wasGeneratedBy", version, uid, at=commit.committed_at)
        for number, parent in enumerate(commit.parents, 1):
            above = event.vertex(
                ["Entity", "Version"], {"kind": "explicit", "commit": parent}, uid=event.namespace.version(parent)
            )
            event.edge("wasDerivedFrom", version, above, prov_type="Revision", parent=number)

    def _repository(self, top: str) -> str | None:
        """Where in the project the work tree lies; None where it is the project's own."""
        root = self.lookup.places.root
        return None if root == top or root.startswith(top + "/") else shown(os.path.relpath(top, root))

    def _rewritten(self, happened: Happened, repository: Repository) -> None:
        """New commits replace old ones: between versions, and none that would lead back to where it came from."""
        pairs = [pair for pair in happened.pairs if self._is_known(pair[0]) and self._is_known(pair[1])]
        namespace = self.lookup.places.namespace
        derivations = _Derivations(self.knowledge)
        told = []
        for one, other in pairs:
            old, new = namespace.version(one), namespace.version(other)
            if not self.knowledge.has_edge("wasDerivedFrom", new, old) and not derivations.lead(old, new):
                derivations.add(new, old)
                told.append((new, old))
        if told:
            with self.journal.batch() as batch:
                event = batch.event("commits.rewritten", _now(happened))
                event.facts["pairs"] = [list(pair) for pair in pairs]
                for new, old in told:
                    event.edge("wasDerivedFrom", new, old, prov_type="Rewrite")


class _Derivations:
    """What versions were derived from, looked up once each."""

    def __init__(self, knowledge: KnowledgePort) -> None:
        self._knowledge = knowledge
        self._known: dict[str, set[str]] = {}

    def add(self, new: str, old: str) -> None:
        """Add one that is about to be journaled."""
        self._of(new).add(old)

    def lead(self, start: str, goal: str) -> bool:
        """Whether a version was derived from another, over however many between."""
        met, left = {start}, [start]
        while left and goal not in met:
            fresh = self._of(left.pop()) - met
            met |= fresh
            left += fresh
        return goal in met

    def _of(self, version: str) -> set[str]:
        if version not in self._known:
            self._known[version] = set(self._knowledge.derived_from(version))
        return self._known[version]


def _ran_git(act: Act) -> bool:
    """Whether git was among the programs of a command, or is named by its command line where those were not seen."""
    part: Act | None = act
    while part is not None:
        if any(words and os.path.basename(words[0]).partition("-")[0] == "git" for words in part.programs):
            return True
        part = part.informed_by if part.whole is not None else None
    return any(_GIT.search(str(word)) for word in act.start.get("argv") or ())


def _made_ns(common: str, commit: str) -> int | None:
    """When git wrote a commit (Unix nanoseconds; a reflog only knows the second); None where it is packed."""
    try:
        return os.stat(f"{common}/objects/{commit[:2]}/{commit[2:]}").st_mtime_ns
    except OSError:
        return None


def _now(happened: Happened) -> str:
    return iso(int((happened.act.end or happened.act.start)["time"]))


def _roles(commit: Commit) -> list[tuple[str, Person]]:
    """Who did what; who is author and committer in one is named once."""
    first = [("author", commit.author)]
    committer = [("committer", commit.committer)] if commit.committer != commit.author else []
    return [*first, *committer, *(("co-author", one) for one in commit.co_authors if one != commit.author)]


def _pairs(listed: object) -> list[tuple[str, str]]:
    rows = listed if isinstance(listed, list) else []
    found = [(str(row[0]), str(row[1])) for row in rows if isinstance(row, list) and len(row) == 2]
    return [(old, new) for old, new in found if is_commit(old) and is_commit(new) and old != new]


@dataclass(slots=True)
class _Note:
    """What one hook noted beside the spool file of the command that it ran in."""

    hook: str
    top: str
    """The work tree."""
    head: str
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """(old, new) of what was rewritten."""


def _notes(path: str) -> list[_Note]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().split("\n")
    except OSError:
        return []
    found: list[_Note] = []
    for line in lines:
        words = line.split("\t")
        if len(words) >= 3:
            found.append(_Note(words[0], words[1], words[2]))
        elif found:
            found[-1].pairs.extend(_pairs([line.split()[:2]]))
    return found


def _by_author(repository: Repository, old: str, new: str) -> list[tuple[str, str]]:
    """Which commits a rebase made of which, where no hook tells: it keeps who wrote a commit, and when."""
    before = repository.commits([old, f"^{new}"], MOST, walk=True)
    after = repository.commits([new, f"^{old}"], MOST, walk=True)
    made = {(one.author, one.authored_at): one.id for one in after}
    found = [(one.id, made.get((one.author, one.authored_at))) for one in before]
    return [(one, other) for one, other in found if other is not None]
