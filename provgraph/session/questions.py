"""What a project is asked: a method for every command that asks."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provgraph.errors import QuestionError
from provgraph.graph.answers import Description, Outline, Ways
from provgraph.graph.elements import Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.rows import Rows
from provgraph.session.opened import Opened

if TYPE_CHECKING:
    from provgraph.graph.blame import Blame
    from provgraph.graph.comparison import Comparison
    from provgraph.graph.segment import Segment
    from provgraph.graph.series import AllSeries
    from provgraph.graph.summary import Summary
    from provgraph.session.glances import Glance
    from provgraph.session.standing import Status


class Questions(Opened):
    """The questions. Every one first waits until what has ended is ingested, ten seconds at most."""

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
            since, until: times, commits or tags; a time without a zone is local, a date alone is the whole day.
            grep: a regular expression over names and commands.
            agent: a name or an e-mail address.
            limit: the newest so many.

        Raises:
            QuestionError: a time or a regular expression that is none.
        """
        from provgraph.queries.history import activity_filter, history
        from provgraph.queries.versions import limit as moment_of

        reader, places = self.reader(), self.places() if since or until else None
        if places is not None:
            since = moment_of(reader, since, places) if since else since
            until = moment_of(reader, until, places, end=True) if until else until
        return history(reader, activity_filter(since, until, grep, agent, limit))

    def show(self, reference: str) -> Description:
        """One vertex: properties and relations."""
        from provgraph.queries.description import describe
        from provgraph.queries.references import resolve_one

        reader = self.reader()
        vertex, notes = resolve_one(reader, reference, self.places())
        return describe(reader, vertex, (*self.notes, *notes))

    def series(self, reference: str, *names: str) -> "AllSeries":
        """What a vertex's metrics were step by step: a mapping of names to NumPy arrays; ``.to_pandas()``.

        Parameters:
            reference: a run, as a rule; whatever an ingestor gave series to.
            names: which ones, also as globs; all where there are none.

        Raises:
            QuestionError: there is none of a name.
        """
        from provgraph.queries.references import resolve_one
        from provgraph.queries.series import series_of

        reader = self.reader()
        vertex, notes = resolve_one(reader, reference, self.places())
        return series_of(reader, vertex, names, (*self.notes, *notes))

    def follow(self, reference: str, *names: str) -> "Iterator[Glance]":
        """A running activity's series as they come: glances at once, whenever there is more, each second, at its end.

        Parameters:
            reference: what runs here; ``%1`` is the newest. names: of the series, also as globs.
        """
        from provgraph.queries.references import resolve_one
        from provgraph.session.glances import await_beginnings, follow

        self.settle_pending()
        await_beginnings(self)
        vertex, notes = resolve_one(self.store().reader, reference, self.places())
        self.notes += notes
        return follow(self, vertex, names)

    def lineage(
        self,
        *references: str,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
        since: str | None = None,
        until: str | None = None,
    ) -> ProvGraph:
        """What things came from, or what came of them, with the agents; ``graph.query["roots"]`` are their uids.

        Parameters:
            downstream: into the future instead of the past.
            depth: how many activities far.
            revisions: also along the chain of a path's snapshots.
            environment: also the installed software.
            since, until: times, commits or tags; past no activity that ended before, or started later.
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
            since=since,
            until=until,
            notes=self.notes,
        )

    def outline(self, *references: str, max_depth: int = 14, everything: bool = False, **walk: Any) -> Outline:
        """A lineage as the lines of a tree, long parts folded: what ``provdb lineage`` prints.

        Parameters:
            max_depth: levels of the tree.
            everything: fold nothing.
            walk: ``downstream``, ``depth``, ``revisions``, ``environment``, ``since``, ``until``, as for ``lineage``.
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

    def order(self, notebook: str | None = None, *, session: str | None = None) -> Rows:
        """Which cells of a notebook ran out of order, or used what has changed since, as rows.

        Parameters:
            notebook: its path; without it (and without ``session``), the one that ran last.
            session: a kernel session, or the beginning of its name; without it the newest one.

        Raises:
            QuestionError: no cell of it was recorded.
        """
        from provgraph.session.ordering import order

        return order(self, notebook, session=session)

    def blame(self, reference: str) -> "Blame":
        """Each line of a text file with the snapshot, the activity and the agent that last changed it.

        Parameters:
            reference: a file as it is now, or a snapshot. git is asked for commits where the file is in a repository.

        Raises:
            UnknownReferenceError: it names nothing. QuestionError: no text, or nobody has its bytes.
        """
        from provgraph.session.blaming import blame

        return blame(self, reference)

    def restore(self, reference: str, output: "str | os.PathLike[str] | None" = None, *, force: bool = False) -> bytes:
        """The bytes of a snapshot; also written to ``output`` where that is given.

        Of ``PATH@COMMIT`` that nobody recorded they are git's, with a note; no other state stands for it.

        Raises:
            QuestionError: the bytes are not in this store, or ``output`` is there already and ``force`` is not set.
        """
        from provgraph.session.restoring import restored, write_file

        self.settle_pending()
        found = restored(self.store(), reference, self.places(), self.git_references())
        self.notes += found.notes
        if output is not None:
            write_file(found, self.disk.absolute(os.fspath(output)), force=force)
        return found.data
