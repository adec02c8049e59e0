"""Segments and summaries at the server: equal to those of the embedded store, whatever is asked, and no more read."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from operators.random_graphs import Seeded, random_graph
from operators.random_questions import question
from reader_samples import attempt, chain, events_of, send, sqlite_reader

from provgraph.graph.reader import GraphReader
from provgraph.model.identity import uuid7
from provgraph.queries.places import Places
from provgraph.queries.segmenting import segment_of
from provgraph.queries.summarization.asking import summary_of
from provgraph.stores.neo4j import TeamStore
from provgraph.stores.neo4j.reader import Neo4jReader

WHERE = (
    "where: n > 1", "where: type=data", "where: type=log and utility=git", "where: utility=train", "where: not n",
    "where: Snapshot", "where: n", "where: n=1 or type=data", "where: agent=Bob", "where: nowhere=1", "where: Command",
    "where: type=none", "where: n < x", "where: used.role=model", "where: Activity.n", "where: version=abcdef",
)  # fmt: skip
EXCLUDED = (
    "utility=none", "used.role=none", "relation=alternateOf", "nowhere=1", "Actvity.n=1", "n < x", "agent=Eve",
    "type=data and n=1", "not utility=git", "role=model", "version=abcdef", "Environment", "role=inherited",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_equal_to_the_embedded_answer(team_remote: Callable[..., Any], seed: int) -> None:
    """Random graphs, every option in every combination, errors and notes included."""
    rng, project = random.Random(seed), uuid7()
    events, graph = events_of(random_graph(rng, 16), project, uuid7(), rng)
    embedded = sqlite_reader(project, events)
    with TeamStore(team_remote(), project, write=True) as team:
        team.migrate()
        send(team, events)
        for _ in range(12):
            asked = question(Seeded(rng), graph)
            if asked is None:
                return
            options = dict(asked.options)
            ends, starts = options.pop("destinations"), options.pop("sources", None)
            if rng.random() < 0.15:
                ends = [rng.choice(WHERE)]
            if rng.random() < 0.15:
                starts = [rng.choice(WHERE)]
            if rng.random() < 0.2:
                options["exclude"] = [*options.get("exclude", ()), rng.choice(EXCLUDED)]
            options["environment"] = rng.random() < 0.5

            def ask(reader: GraphReader, ends: Any = ends, starts: Any = starts, options: Any = options) -> Any:
                return segment_of(reader, starts, ends, Places(), **options)

            here, there = (attempt(lambda reader=reader: ask(reader)) for reader in (embedded, team.reader))
            assert there == here, (ends, starts, options)


@pytest.mark.parametrize("seed", range(10))
def test_summaries_are_equal(team_remote: Callable[..., Any], seed: int) -> None:
    rng, project = random.Random(100 + seed), uuid7()
    events, graph = events_of(random_graph(rng, 16), project, uuid7(), rng)
    embedded = sqlite_reader(project, events)
    with TeamStore(team_remote(), project, write=True) as team:
        team.migrate()
        send(team, events)
        entities = [v.uid for v in graph if v.kind == "Entity"]
        ends = rng.sample(entities, min(3, len(entities)))
        keep, hops = {"activity": ["utility"], "entity": ["type"]}, rng.randint(0, 2)

        def ask(reader: GraphReader) -> Any:
            return summary_of(reader, ends, None, Places(), keep=keep, hops=hops)

        assert attempt(lambda: ask(team.reader)) == attempt(lambda: ask(embedded))


class Counting:
    """Counts queries, and the vertices that come with them."""

    def __init__(self, team: TeamStore) -> None:
        self._team, self.queries, self.uids = team, 0, set[str]()

    def run(self, query: str, /, **parameters: Any) -> Any:
        self.queries += 1
        found = self._team.run(query, **parameters)
        self._note(found)
        return found

    def _note(self, value: Any) -> None:
        if isinstance(value, list | tuple):
            for item in value:
                self._note(item)
        elif isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
            self.uids.add(value)


def test_only_what_is_within_the_boundary_is_read(team_remote: Callable[..., Any]) -> None:
    """Of a chain of 4,000 runs the last 20 are asked for: the others stay where they are."""
    project = uuid7()
    events, last = chain(project, uuid7(), 4_000)
    with TeamStore(team_remote(), project, write=True) as team:
        team.migrate()
        send(team, events)
        counting = Counting(team)
        reader = Neo4jReader(counting, project)
        found = segment_of(reader, None, [last], Places(), exclude=["sequence <= 3980"])
        assert len(found) == 40
        assert len(counting.uids) < 500
        asked = counting.queries
        for uid in found.uids:  # as a tree is drawn: vertex by vertex
            assert found[uid].properties
            assert found.out_edges(uid) or found.in_edges(uid)
        assert counting.queries - asked <= 6
        counting = Counting(team)
        found = segment_of(Neo4jReader(counting, project), None, [last], Places())
        assert len(found) == 8_000
        assert counting.queries < 60
