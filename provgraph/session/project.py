"""Project: a folder whose history is recorded, with a method for every command (what asks is in ``questions``)."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provgraph.errors import NoProjectError, QuestionError
from provgraph.graph.elements import Vertex
from provgraph.session.questions import Questions

if TYPE_CHECKING:
    from provgraph.session.agents import Agent, Agents
    from provgraph.session.caring import Collection
    from provgraph.session.checking import Checkup
    from provgraph.session.declaring import Declaration
    from provgraph.session.forgetting import Ask, Forgotten
    from provgraph.session.git_hooks import GitHooks
    from provgraph.session.syncing import Pulled, Pushed
    from provgraph.stores import EmbeddedStore


def open(path: "str | os.PathLike[str] | None" = None, *, at: str | None = None) -> "Project":
    """The nearest project: the folder ``path`` (the present one by default) or an ancestor that holds ``.provdb``.

    ``PROVDB_PROJECT`` names one elsewhere, where no path is given.

    Parameters:
        at: the remote whose server answers questions; ``local`` for the store here, None for what the configuration
            says.

    Raises:
        NoProjectError: there is none; `init` makes one.
        StoreError: it cannot be read, or belongs to somebody else.
    """
    from provgraph.client.project import find_project

    start = os.path.abspath(os.curdir if path is None else path)
    root = find_project(start, os.environ if path is None else {})
    if root is None:
        named = os.environ.get("PROVDB_PROJECT") if path is None else None
        where = f"PROVDB_PROJECT={named} is no project" if named else f"{start} is in no project"
        raise NoProjectError(f"{where}; type `provdb init` in the folder that shall be one")
    return Project(root, cwd=start, at=at)


def init(path: "str | os.PathLike[str]" = ".", *, share: bool = False, join: str | None = None) -> "Project":
    """Make a folder a project; one that is a project stays what it is.

    Parameters:
        share: also write ``.provdb-project``, to be committed, so that every clone is the same project.
        join: the project's uid, where this folder shall belong to a project that exists.
    """
    from provgraph.stores import init_project

    root = os.path.realpath(path)
    init_project(root, share=share, join=join).close()
    return Project(root)


class Project(Questions):
    """A recorded folder. Every question first waits until what has ended is ingested, ten seconds at most."""

    @classmethod
    def open(cls, path: "str | os.PathLike[str] | None" = None, *, at: str | None = None) -> "Project":
        """As ``provgraph.open``."""
        return open(path, at=at)

    @classmethod
    def init(cls, path: "str | os.PathLike[str]" = ".", *, share: bool = False, join: str | None = None) -> "Project":
        """As ``provgraph.init``."""
        return init(path, share=share, join=join)

    # -- what adds to the history

    def run(
        self,
        argv: Sequence[str],
        *,
        name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        note: str | None = None,
        capture: str | None = None,
        keep_output: bool = False,
    ) -> Vertex:
        """Run a command and record it, as the prefix does; returns its activity when it has ended.

        The command shares this process's standard streams. Its exit status is the activity's ``exit_status``.
        """
        from provgraph.session.running import run

        return run(self, argv, name=name, tags=tags, note=note, capture=capture, keep_output=keep_output)

    def record(
        self, declaration: "Declaration | None" = None, /, *, used: Iterable[str] = (), generated: Iterable[str] = (),
        params: Mapping[str, Any] | None = None, metrics: Mapping[str, Any] | None = None, **more: Any,
    ) -> Vertex:  # fmt: skip
        """Declare what was used and generated where the wrapper could not see it; returns the activity.

        Parameters:
            used: paths, references or URLs. generated: paths or URLs.
            params, metrics: become ``param_*`` and ``metric_*``.
            more: ``tags``, ``name``, ``command``, ``note``, ``exit_status``, ``started_at``, ``ended_at``.
        """
        from provgraph.session.background import push_later
        from provgraph.session.declaring import Declaration, declare
        from provgraph.session.writing import writing

        if declaration is None:
            declaration = Declaration(tuple(used), tuple(generated), params or {}, metrics or {}, **more)
        self.settle_pending()
        store = self.store(write=True)
        uid = declare(writing(self, store), declaration)
        push_later(store)
        return self._vertex(store, uid)

    def annotate(self, reference: str, properties: Mapping[str, Any] | None = None, /, **more: Any) -> Vertex:
        """Add properties to a vertex (None takes one away); returns it as it is then.

        Raises:
            QuestionError: a key of the base's own.
        """
        from provgraph.queries.references import resolve_one
        from provgraph.session.background import push_later
        from provgraph.session.declaring import annotate
        from provgraph.session.writing import writing

        self.settle_pending()
        store = self.store(write=True)
        vertex, notes = resolve_one(store.reader, reference, self.places())
        self.notes += notes
        annotate(store, vertex.uid, {**(properties or {}), **more}, writing(self, store).person[0])
        push_later(store)
        return self._vertex(store, vertex.uid)

    def agents(self) -> "Agents":
        """Who is who: people under their several names, and programs."""
        from provgraph.session.agents import agents

        self.settle_pending()
        return agents(self.store(), self.notes)

    def merge_agents(self, first: str, second: str | None) -> "Agent":
        """Let ``first`` be the same as ``second``, under whose name both are listed; None undoes it. Returns the one.

        Raises:
            UnknownReferenceError: nobody is called so, or more than one. QuestionError: they are one already.
        """
        from provgraph.session.agents import merge_agents, split_agent
        from provgraph.session.background import push_later
        from provgraph.session.writing import person

        self.settle_pending()
        store, by = self.store(write=True), person(self)[0]
        found = split_agent(store, first, by) if second is None else merge_agents(store, first, second, by)
        push_later(store)
        return found

    @staticmethod
    def _vertex(store: "EmbeddedStore", uid: str) -> Vertex:
        found = store.reader.vertex(uid)
        if found is None:
            raise QuestionError(f"{uid} is in the journal but not yet in the projection; `provdb doctor` tells why")
        return found

    # -- git

    def git_hooks(self) -> "GitHooks":
        """Which hooks of the git repository here record (``provdb git-hooks status``).

        Raises:
            QuestionError: there is no repository.
        """
        from provgraph.session.git_hooks import status

        return status(self.disk.cwd)

    def install_git_hooks(self) -> "GitHooks":
        """Let them record, beside the hooks that are there; called again, it renews them."""
        from provgraph.session.git_hooks import install

        return install(self.disk.cwd)

    def remove_git_hooks(self) -> "GitHooks":
        """Restore the hooks as they were."""
        from provgraph.session.git_hooks import remove

        return remove(self.disk.cwd)

    # -- the team's server

    def push(self, remote: str | None = None) -> "Pushed":
        """Send to a team's server what it has not got yet, this clone's events and those of others alike.

        Parameters:
            remote: its name; None for the one that is configured, or the only one.

        Raises:
            RemoteError: it cannot be reached, or refuses. TrustError: this store's configuration is not trusted.
        """
        from provgraph.session.syncing import push

        return push(self, remote)

    def pull(self, remote: str | None = None) -> "Pulled":
        """Take into this store what colleagues sent to a team's server.

        Parameters:
            remote: as for ``push``.

        Raises:
            RemoteError, TrustError: as for ``push``.
        """
        from provgraph.session.syncing import pull

        return pull(self, remote)

    # -- care

    def gc(self, *, budget_bytes: int | None = None, dry_run: bool = False) -> "Collection":
        """Give space back: bytes that no commit refers to, oldest first, until the budget is kept."""
        from provgraph.session.caring import collect_garbage

        self.settle_pending()
        return collect_garbage(self.store(write=True), budget_bytes=budget_bytes, dry_run=dry_run)

    def forget(
        self, *references: str, pattern: str | None = None, agent: str | None = None, contents: bool = False,
        dry_run: bool = False, ask: "Ask | None" = None,
    ) -> "Forgotten":  # fmt: skip
        """Remove for good: contents or commands, a text wherever it stands, or a person; a tombstone stays.

        Parameters:
            references: snapshots lose their bytes and digests, activities their words.
            pattern: a regular expression; what matches becomes ``***``.
            agent: name or e-mail address of a person, who becomes a pseudonym.
            contents: kept contents in which ``pattern`` matches go, whole.
            dry_run: only say what would go.
            ask: is shown what would go, and says whether it shall.
        """
        from provgraph.session.forgetting import Wanted, forget

        return forget(self, Wanted(references, pattern, agent, contents), dry_run=dry_run, ask=ask)

    def doctor(self, *, rebuild: bool = False, backup: "str | os.PathLike[str] | None" = None) -> "Checkup":
        """Check the store and the capture methods.

        Parameters:
            rebuild: make the projection anew from the journal.
            backup: write a consistent copy of the store to this file.
        """
        from provgraph.session.checking import check

        return check(self, rebuild=rebuild, backup=None if backup is None else os.fspath(backup))

    def trust(self) -> None:
        """Let this store run code, send data and change scrubbing, though it is not mine or came with a clone."""
        from provgraph.session.capture_settings import publish
        from provgraph.stores.trust import trust

        trust(self.root)
        self.close()
        publish(self.store())


__all__ = ["Project", "init", "open"]
