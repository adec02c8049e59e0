"""Project: a folder whose history is recorded, with a method for every command."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provgraph.errors import NoProjectError, QuestionError
from provgraph.graph.answers import Description, Outline, Ways
from provgraph.graph.elements import Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.rows import Rows
from provgraph.session.opened import Opened

if TYPE_CHECKING:
    from provgraph.graph.comparison import Comparison
    from provgraph.graph.segment import Segment
    from provgraph.graph.summary import Summary
    from provgraph.session.agents import Agent, Agents
    from provgraph.session.caring import Collection
    from provgraph.session.checking import Checkup
    from provgraph.session.declaring import Declaration
    from provgraph.session.forgetting import Ask, Forgotten
    from provgraph.session.standing import Status
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
    from provgraph.capture.project import find_project

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


class Project(Opened):
    """A recorded folder. Every question first waits until what has ended is ingested, ten seconds at most."""

    @classmethod
    def open(cls, path: "str | os.PathLike[str] | None" = None, *, at: str | None = None) -> "Project":
        """As ``provgraph.open``."""
        return open(path, at=at)

    @classmethod
    def init(cls, path: "str | os.PathLike[str]" = ".", *, share: bool = False, join: str | None = None) -> "Project":
        """As ``provgraph.init``."""
        return init(path, share=share, join=join)

    def resolve(self, reference: str) -> list[Vertex]:
        """The vertices that a reference names (several for a glob).

        Raises:
            UnknownReferenceError: it names nothing, or more than one thing where one must be meant.
        """
        from provgraph.queries.references import resolve

        reader = self.reader()
        found = resolve(reader, reference, self.places())
        self.notes += found.notes
        return [vertex for uid in found.uids if (vertex := reader.vertex(uid)) is not None]

    # -- questions

    def status(self) -> "Status":
        """How the project stands: versions, changes nobody captured, what is pending, what comes next."""
        from provgraph.session.standing import status

        return status(self)

    def log(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        grep: str | None = None,
        agent: str | None = None,
        limit: int | None = None,
    ) -> Rows:
        """Activities, newest first, as rows; the columns are ``queries.history.COLUMNS``.

        Parameters:
            since, until: times; one without a zone is local, a date alone is the whole day.
            grep: a regular expression over names and commands.
            agent: a name or an e-mail address.
            limit: the newest so many.

        Raises:
            QuestionError: a time or a regular expression that is none.
        """
        from provgraph.queries.history import activity_filter, history

        asked = activity_filter(since, until, grep, agent, limit)
        return history(self.reader(), asked)

    def show(self, reference: str) -> Description:
        """One vertex: properties and relations."""
        from provgraph.queries.description import describe
        from provgraph.queries.references import resolve_one

        reader = self.reader()
        vertex, notes = resolve_one(reader, reference, self.places())
        return describe(reader, vertex, (*self.notes, *notes))

    def lineage(
        self,
        *references: str,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> ProvGraph:
        """What things came from, or what came of them, with the agents; ``graph.query["roots"]`` are their uids.

        Parameters:
            downstream: into the future instead of the past.
            depth: how many activities far.
            revisions: also along the chain of a path's snapshots.
            environment: also the installed software.
        """
        from provgraph.queries.asking import lineage_of

        reader = self.reader()
        return lineage_of(
            reader,
            references,
            self.places(),
            downstream=downstream,
            depth=depth,
            revisions=revisions,
            environment=environment,
            notes=self.notes,
        )

    def outline(self, *references: str, max_depth: int = 14, everything: bool = False, **walk: Any) -> Outline:
        """A lineage as the lines of a tree, long parts folded: what ``provdb lineage`` prints.

        Parameters:
            max_depth: levels of the tree.
            everything: fold nothing.
            walk: ``downstream``, ``depth``, ``revisions``, ``environment``, as for ``lineage``.
        """
        from provgraph.queries.asking import outline_of

        reader, notes = self.reader(), self.notes
        return outline_of(
            reader, references, self.places(), max_depth=max_depth, everything=everything, notes=notes, **walk
        )

    def ways(self, source: str, target: str, *, limit: int = 20, revisions: bool = False) -> Ways:
        """Each way between two vertices with its edges, shortest first (``lineage --path``)."""
        from provgraph.queries.asking import ways_between

        reader = self.reader()
        return ways_between(reader, source, target, self.places(), limit=limit, revisions=revisions, notes=self.notes)

    def segment(
        self,
        sources: "Iterable[str] | None" = None,
        destinations: Iterable[str] = (),
        *,
        exclude: Iterable[str] = (),
        since: str | None = None,
        until: str | None = None,
        agent: str | None = None,
        environment: bool = False,
        match: Mapping[str, Sequence[str]] | None = None,
        expand: "Mapping[str, int] | int | None" = None,
        expand_downstream: "Mapping[str, int] | int | None" = None,
        similar: bool = True,
    ) -> "Segment":
        """How ``destinations`` came from ``sources``, and what else took part in the same way.

        Parameters:
            sources, destinations: references, globs, or ``where: metric_acc > 0.7``; without sources, all roots.
            exclude: predicates like ``Activity.utility=git``; what they hold for is gone for the whole question.
            since, until, agent: only activities of that time, of that person.
            environment: also the installed software.
            match: property keys by kind that similar walks must agree on, like ``{"activity": ["command"]}``.
            expand, expand_downstream: so many activities further, from the query's vertices or from those named.
            similar: whether walks like the direct ones are in it.

        Raises:
            QuestionError: a reference names nothing or no entity, or what is asked for is excluded.
        """
        from provgraph.queries.segmenting import segment_of

        reader = self.reader()
        return segment_of(
            reader, sources, destinations, self.places(), exclude=exclude, since=since, until=until, agent=agent,
            environment=environment, match=match, expand=expand, expand_downstream=expand_downstream, similar=similar,
            notes=self.notes,
        )  # fmt: skip

    def summarize(
        self,
        destinations: Iterable[str],
        sources: "Iterable[str] | None" = None,
        *,
        keep: Mapping[str, Sequence[str]] | None = None,
        hops: int | None = None,
        resolution: str = "medium",
        **boundary: Any,
    ) -> "Summary":
        """What the segments of several snapshots have in common, and what is odd in one: a segment for each.

        Parameters:
            destinations: references and globs (``model.pkl@*``); each snapshot that they name is one segment's.
            sources: as for ``segment``, the same for all.
            keep: the property keys that stay, by kind. hops: how far the provenance type looks.
            resolution: ``coarse``, ``medium`` or ``fine``: stands for ``keep`` and ``hops`` where they are not given.
            boundary: as for ``segment``.
        """
        from provgraph.session.summarizing import summarize

        return summarize(self, destinations, sources, keep=keep, hops=hops, resolution=resolution, **boundary)

    def compare(self, first: str, second: str, **options: Any) -> "Comparison":
        """What differs between two vertices, activities, versions or collections: properties, contents, lineage.

        Parameters:
            options: as in ``provgraph.session.comparing.compare``.
        """
        from provgraph.session.comparing import compare

        return compare(self, first, second, **options)

    def cypher(
        self, query: str, parameters: Mapping[str, Any] | None = None, /, *, timeout_s: float = 60.0,
        all_projects: bool = False, **more: Any,
    ) -> Rows:  # fmt: skip
        """The rows that a read-only Cypher query gives.

        Parameters:
            parameters, more: values for ``$name``.
            timeout_s: the query is ended after so many seconds.
            all_projects: at a server, also what belongs to other projects.

        Raises:
            CypherError: it is refused, does not run, or takes too long.
        """
        values = {**(parameters or {}), **more}
        team = self.team()
        if team is not None:
            self.notes = []
            return team.cypher(query, values, timeout_s=timeout_s, all_projects=all_projects)
        if all_projects:
            raise QuestionError("the store on this disk holds one project; --all-projects goes with --at REMOTE")
        from provgraph.stores.cypher import CypherCache

        self.settle_pending()
        store = self.store()
        if self._cypher is None:
            self._cypher = CypherCache(store)
        return self._cypher.run(query, values, timeout_s=timeout_s)

    def restore(self, reference: str, output: "str | os.PathLike[str] | None" = None, *, force: bool = False) -> bytes:
        """The bytes of a snapshot; also written to ``output`` where that is given.

        Raises:
            QuestionError: the bytes are not in this store, or ``output`` is there already and ``force`` is not set.
        """
        from provgraph.queries.references import resolve_one
        from provgraph.session.restoring import content, write_file

        self.settle_pending()
        store = self.store()
        vertex, notes = resolve_one(store.reader, reference, self.places())
        self.notes += notes
        data = content(store, vertex)
        if output is not None:
            write_file(vertex, data, self.disk.absolute(os.fspath(output)), force=force)
        return data

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
