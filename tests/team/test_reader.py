"""Every question of the reader's port, asked of the embedded store and of a real server: equal answers."""

import contextlib
import dataclasses
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from reader_samples import DIGEST, at, attempt, chain, events_of, fill, send, sqlite_reader

from provgraph.graph.reader import ActivityFilter, GraphReader
from provgraph.model.identity import uuid7
from provgraph.queries.description import describe
from provgraph.queries.history import history
from provgraph.queries.outline import outline
from provgraph.queries.places import Places
from provgraph.queries.references import resolve
from provgraph.queries.versions import members_of
from provgraph.stores import EmbeddedStore, init_project
from provgraph.stores.neo4j import TeamStore
from provgraph.stores.neo4j.reader import Neo4jReader

Uids = dict[str, str]
Ask = Callable[[GraphReader, Uids], Any]


@pytest.fixture(scope="module")
def both(
    neo4j_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EmbeddedStore, TeamStore, Uids]]:
    """The same project in a store of its own and at the server."""
    from neo4j_server import remote_of

    folder = tmp_path_factory.mktemp("project")
    with contextlib.ExitStack() as opened:
        patch = opened.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        store = opened.enter_context(init_project(str(folder)))
        uids = fill(store)
        assert store.projection_error is None
        team = opened.enter_context(
            TeamStore(remote_of(neo4j_server), store.project, write=True, clones=store.clones())
        )
        team.migrate()
        send(team, store.events())
        yield store, team, uids


def rows(found: Any) -> Any:
    """Snapshot rows without the number that only a journal has."""
    return [dataclasses.astuple(dataclasses.replace(row, seq=0)) for row in found]


def lineage(names: str, **options: Any) -> Ask:
    return lambda reader, uids: reader.ancestors([uids[name] for name in names.split(",")], **options)


def tree(name: str, max_depth: int = 14, **options: Any) -> Ask:
    def ask(reader: GraphReader, uids: Uids) -> Any:
        found = reader.walk([uids[name]], **options)
        down = options.get("downstream", False)
        drawn = outline(found, [uids[name]], downstream=down, max_depth=max_depth)
        return [found.reached, drawn]

    return ask


def listed(**options: Any) -> Ask:
    return lambda reader, _: reader.activities(ActivityFilter(**options))


def named(text: str) -> Ask:
    return lambda reader, uids: resolve(reader, text.format(**uids), Places()).uids


NEWEST = "report.md@3"
QUESTIONS: dict[str, Ask] = {
    "every vertex": lambda reader, uids: reader.vertices(list(uids.values())),
    "one vertex": lambda reader, uids: [reader.vertex(uid) for uid in uids.values()],
    "no vertex": lambda reader, _: [reader.vertex(uid) for uid in ("", "nonsense", uuid_of_nobody(), "x" * 32)],
    "a uid without dashes": lambda reader, uids: reader.vertex(uids["part"].replace("-", "").upper()),
    "edges": lambda reader, uids: [reader.edges_of(uid) for uid in uids.values()],
    "some edges": lambda reader, uids: [reader.edges_of(uids["train #4"], limit) for limit in range(9)],
    "edges of nobody": lambda reader, _: [reader.edges_of(uid) for uid in ("", uuid_of_nobody())],
    "prefixes": lambda reader, uids: [
        reader.uids_with_prefix(prefix, limit)
        for uid in list(uids.values())[:5]
        for prefix in (uid[:1], uid[:6], uid[:9].upper(), uid, uid.replace("-", ""), uid[:8] + "x", "", "-")
        for limit in (1, 10)
    ],
    "snapshots": lambda reader, _: [
        rows(reader.snapshots(path))
        for path in ("out/model.pkl", "report.md", "img", "ödd name.md", "", "nothing", "a\udcff")
    ],
    "globs": lambda reader, _: [
        rows(reader.snapshots_matching(glob))
        for glob in ("**/*", "*", "out/*", "out/m?del.*", "data/[cr]*.csv", "[!r]*", "**/*.md", "out/**", "ö*", "(",
                     "*\\E")
    ],
    "digests": lambda reader, _: [
        rows(reader.snapshots_with_digest(digest)) for digest in (DIGEST, DIGEST.upper(), "02" * 32, "", "x", "00" * 32)
    ],
    "members": lambda reader, uids: [list(reader.members(uids[name])) for name in ("img@1", "img@2", "part")],
    "members of nobody": lambda reader, _: list(reader.members(uuid_of_nobody())),
    "collections": lambda reader, _: [
        rows(reader.collections_with_member(path))
        for path in ("img/a.png", "img/sub/b.png", "img/only-1.png", "img", "a.png", "img/none.png", "", "a\udcff/b")
    ],
    "paths like": lambda reader, _: [
        reader.paths_like(path, limit) for path in ("model.pkl", "dota/raw.csv", "re", "", "ö") for limit in (1, 5)
    ],
    "activities": listed(),
    "activities since": listed(since=at(3)),
    "activities until": listed(until=at(5)),
    "activities between": listed(since="2026-11-20T12:00:02.5+00:00", until=at(5)),
    "commands": listed(unseen=False),
    "own activities": listed(own=True),
    "activities like": listed(grep="tr.in|--at 1$"),
    "few like": listed(grep="t", limit=2),
    "two": listed(limit=2),
    "none": listed(limit=0),
    "of somebody": listed(agent="BOB@x.org"),
    "of somebody at home": listed(agent="bobby", limit=1),
    "of nobody": listed(agent="eve"),
    "commits": lambda reader, _: [reader.commits(prefix) for prefix in ("abcdef", "abc", "abc0", "", "abd", "%")],
    "versions": lambda reader, uids: [
        [resolve(reader, text, Places()).uids for text in ("abcdef1212", "report.md@abcdef1212")],
        members_of(reader, uids["explicit"]),
    ],
    "numbers": lambda reader, _: [reader.nth_activity(n) for n in (-1, 0, 1, 2, 6, 7, 8, 99)],
    "agents": lambda reader, _: [
        reader.agents_named(name) for name in ("ada", "BOB ä", "bob@home.org", "tool", "eve", "")
    ],
    "lineage": lineage(NEWEST),
    "lineage of two": lineage("data/clean.csv@1,out/model.pkl@1"),
    "lineage with environments": lineage("out/model.pkl@2", environment=True),
    "lineage of an environment": lineage("environment"),
    "lineage with revisions": lineage(NEWEST, revisions=True),
    "lineage of an activity": lineage("part"),
    "lineage of an agent": lineage("ada"),
    "lineage of a version": lineage("version", revisions=True),
    "lineage downstream": lineage("data/raw.csv@1", downstream=True),
    "lineage of an environment downstream": lineage("environment", downstream=True),
    "lineage downstream with revisions": lineage("report.md@1", downstream=True, revisions=True),
    "lineage of nothing": lambda reader, _: reader.ancestors([uuid_of_nobody(), "nonsense"]),
    **{
        f"lineage {depth} far of {name}{' downstream' * down}{' with revisions' * revisions}": lineage(
            name, depth=depth, downstream=down, revisions=revisions
        )
        for depth in range(4)
        for name in (NEWEST, "report #5", "data/raw.csv@1")
        for down in (False, True)
        for revisions in (False, True)
    },
    "tree": tree(NEWEST),
    "tree with revisions": tree(NEWEST, revisions=True, environment=True),
    "shallow tree": tree(NEWEST, max_depth=2),
    "tree downstream": tree("data/raw.csv@1", downstream=True),
    "tree 2 far": tree(NEWEST, depth=2),
    "tree of an agent": tree("ada"),
    "everything": lambda reader, _: reader.whole(),
    "labels": lambda reader, _: list(reader.labels().items()),
    "keys": lambda reader, _: [(key, sorted(on)) for key, on in sorted(reader.property_keys().items())],
    "relations": lambda reader, _: list(reader.relations().items()),
    "log": lambda reader, _: history(reader, ActivityFilter()).to_json(),
    "descriptions": lambda reader, uids: [
        describe(reader, vertex) for vertex in reader.vertices(list(uids.values()))
    ],
    **{
        f"reference {text}": named(text)
        for text in ("out/model.pkl", "out/model.pkl@1", "out/model.pkl@-1", "*.md", "**/*@*", "%1", "%3", "agent:ada",
                     "img/a.png", "train #4", "out/model.pkl@2026-11-20T12:00:04.5Z", "nothing", "agent:eve", "%99")
    },
}  # fmt: skip


def uuid_of_nobody() -> str:
    return "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("name", QUESTIONS)
def test_both_stores_answer_the_same(both: tuple[EmbeddedStore, TeamStore, Uids], name: str) -> None:
    store, team, uids = both
    here = attempt(lambda: QUESTIONS[name](store.reader, uids))
    assert attempt(lambda: QUESTIONS[name](team.reader, uids)) == here


@pytest.mark.parametrize("seed", range(25))
def test_random_graphs_are_read_the_same(team_remote: Callable[..., Any], seed: int) -> None:
    """Every lineage, tree and neighbourhood of graphs at random."""
    from operators.random_graphs import random_graph

    rng, project = random.Random(seed), uuid7()
    events, graph = events_of(random_graph(rng, 14), project, uuid7(), rng)
    embedded = sqlite_reader(project, events)
    with TeamStore(team_remote(), project, write=True) as team:
        team.migrate()
        send(team, events)
        assert attempt(team.reader.whole) == attempt(embedded.whole)
        for _ in range(12):
            starts = rng.sample(graph.uids, min(len(graph), rng.randint(1, 3)))
            options = {
                "downstream": rng.random() < 0.5, "depth": rng.choice([None, 0, 1, 2, 3]),
                "revisions": rng.random() < 0.5, "environment": rng.random() < 0.5,
            }  # fmt: skip
            for one in (lineage_of(starts, options), *(tree_of(uid, options) for uid in starts)):
                assert attempt(partial(one, team.reader)) == attempt(partial(one, embedded)), (starts, options)


def lineage_of(uids: list[str], options: dict[str, Any]) -> Callable[[GraphReader], Any]:
    return lambda reader: reader.ancestors(uids, **options)


def tree_of(uid: str, options: dict[str, Any]) -> Callable[[GraphReader], Any]:
    return lambda reader: tree("x", **options)(reader, {"x": uid})


def test_projects_do_not_see_each_other(
    both: tuple[EmbeddedStore, TeamStore, Uids], team_remote: Callable[..., Any]
) -> None:
    """Another project of the same database: nothing of the first is found, by whatever name."""
    _, _, uids = both
    with TeamStore(team_remote(), uuid7()) as other:
        reader = other.reader
        assert reader.vertices(list(uids.values())) == []
        for uid in uids.values():
            assert not reader.edges_of(uid)
            assert not reader.edges_of(uid, 5)
            assert not reader.uids_with_prefix(uid)
            assert len(reader.ancestors([uid])) == len(reader.ancestors([uid], downstream=True)) == 0
            assert list(reader.members(uid)) == []
        found = [
            reader.snapshots("out/model.pkl"), reader.snapshots_matching("**/*"), reader.snapshots_with_digest(DIGEST),
            reader.collections_with_member("img/a.png"), reader.activities(ActivityFilter()),
            reader.agents_named("ada"), reader.paths_like("model.pkl"), reader.labels(), reader.relations(),
            reader.property_keys(),
        ]  # fmt: skip
        assert not any(found)
        assert not len(reader.whole())


def test_a_chain_takes_few_round_trips(team_remote: Callable[..., Any]) -> None:
    """A narrow and deep past is read many levels at a time."""
    project = uuid7()
    events, last = chain(project, uuid7(), 3_000)
    with TeamStore(team_remote(), project, write=True) as team:
        team.migrate()
        send(team, events)
        asked: list[str] = []

        class Counting:
            def run(self, query: str, /, **parameters: Any) -> Any:
                asked.append(query)
                return team.run(query, **parameters)

        graph = Neo4jReader(Counting(), project).ancestors([last])
        assert len(graph) == 6_000
        assert len(asked) < 40
