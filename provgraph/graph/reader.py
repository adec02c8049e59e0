"""The port through which questions reach a store. The embedded store and a team's server implement it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from provgraph.events.series_rows import Joined
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.region import Region

if TYPE_CHECKING:
    from provgraph.graph.provgraph import ProvGraph


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """What reference resolution needs to know of a snapshot."""

    uid: str
    path: str
    sequence: int
    sha256: str | None
    created_at: str
    """End time of the generating activity, else when it was first seen; ISO 8601 UTC."""
    origin: str
    seq: int
    invalidated: bool
    labels: tuple[str, ...]
    own: bool | None = None
    """Whether this disk recorded it, not another clone; None where a graph does not know who asks."""


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What ``log`` asks for. Times are ISO 8601 in UTC; ``grep`` is a regular expression over name and command."""

    since: str | None = None
    until: str | None = None
    grep: str | None = None
    agent: str | None = None
    limit: int | None = None
    unseen: bool = True
    own: bool = False
    """Only what this disk recorded."""


class Neighbourhood(Protocol):
    """A lineage that can be walked, vertex by vertex. A ``ProvGraph`` is one; a store's need not have read it all.

    What it need not know: vertices that no edge has led to yet, and edges against the direction that was asked for.
    """

    @property
    def reached(self) -> int:
        """How many vertices there are, agents left out."""

    def __getitem__(self, uid: str) -> Vertex:
        """A vertex."""

    def out_edges(self, uid: str) -> list[Edge]:
        """Edges that start at a vertex, by (type, source, target, uid)."""

    def in_edges(self, uid: str) -> list[Edge]:
        """Edges that end at a vertex, by (type, source, target, uid)."""


class GraphReader(Protocol):
    """Every question that a store answers. All results are in a fixed order; unknown uids are left out."""

    def vertex(self, uid: str) -> Vertex | None:
        """The vertex with this uid."""

    def vertices(self, uids: Collection[str]) -> list[Vertex]:
        """The vertices with these uids, sorted by uid."""

    def edges_of(self, uid: str, limit: int | None = None) -> list[Edge]:
        """All edges that start or end at a vertex, sorted by (type, source, target)."""

    def uids_with_prefix(self, prefix: str, limit: int = 10) -> list[str]:
        """Uids that start so, sorted."""

    def snapshots(self, path: str) -> list[SnapshotRow]:
        """The snapshots of the artifact at ``path`` (from the project's root, or absolute), oldest first.

        By (created_at, sequence, origin, uid): the same in every clone, whoever's events came first.
        """

    def snapshots_matching(self, glob: str) -> list[SnapshotRow]:
        """The snapshots whose path matches a shell glob (``*`` does not cross ``/``, ``**`` does)."""

    def snapshots_with_digest(self, sha256: str) -> list[SnapshotRow]:
        """The snapshots with these bytes, newest first."""

    def collections_with_member(self, path: str) -> list[SnapshotRow]:
        """The Collection snapshots that hold ``path``, newest first."""

    def members(self, uid: str) -> Iterator[tuple[str, str | None]]:
        """The (path, SHA-256) pairs of a Collection snapshot, by path; the digest is None where it was never read."""

    def series(self, uid: str, name: str | None = None) -> dict[str, Joined]:
        """A vertex's series by name, whole; only the one of that name where it is given."""

    def paths_like(self, path: str, limit: int = 5) -> list[str]:
        """Known artifact paths that look like ``path``, best first."""

    def activities(self, filter: ActivityFilter) -> list[Vertex]:
        """Activities, newest first by (started_at, number, uid); parts of a split one are listed once, as the first."""

    def nth_activity(self, n: int) -> Vertex | None:
        """``%n``: the n-th newest command of this disk (1 is the newest); unseen changes do not count."""

    def agents_named(self, name: str) -> list[Vertex]:
        """Agents with this name or e-mail address; one that was merged into another one is that one."""

    def ancestors(
        self,
        uids: Sequence[str],
        *,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> "ProvGraph":
        """What ``uids`` came from (or what came from them), with the agents of what was found (rule 12).

        ``depth`` counts activities. Cost: one recursive query, linear in the answer.
        """

    def walk(
        self,
        uids: Sequence[str],
        *,
        downstream: bool = False,
        depth: int | None = None,
        revisions: bool = False,
        environment: bool = False,
    ) -> Neighbourhood:
        """The same, of which only what is looked at need be read."""

    def whole(self) -> "ProvGraph":
        """The whole graph, for what walks all of it: properties are read when somebody looks.

        The value outlives the store. Cost: what changed since the last time, and 1 s for 10,000,000 edges.
        """

    def region(self) -> Region:
        """The part of the graph that a question will walk, of which nothing was read yet, or all of it."""

    def commits(self, prefix: str) -> list[Vertex]:
        """The explicit versions of commits whose ids begin so, sorted by uid."""

    def labels(self) -> dict[str, int]:
        """Every label in use, with its number of vertices."""

    def property_keys(self) -> dict[str, set[str]]:
        """Every property key in use, with the labels (or relations) that it stands on."""

    def relations(self) -> dict[str, int]:
        """Every relation in use, with its number of edges."""
