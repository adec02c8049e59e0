"""What ingestors found reads the same at the team's server as at home, also what took its place later."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from interpreting_samples import write_ingestor

from provgraph.graph.reader import ActivityFilter
from provgraph.session.interpreting.replaying import replay
from provgraph.session.project import Project
from provgraph.stores.neo4j import TeamStore

pytestmark = pytest.mark.usefixtures("folders")

FIRST = """
found.activity(kept=1, gone=2).snapshot("b.txt", lines=1, old=True).note("from the first")
found.derivation("b.txt", "a.txt", rate=1).vertex("net", ["Entity", "Model"], name="net", shape=[3, 4])
found.edge("used", "activity", {"key": "net"}, why="x").series("activity", "loss", [1, 2], [2.0, 1.0])
found.vertex("s", ["Entity", "Snapshot", "Source"], path="https://example.org/x").edge("used", "activity", {"key": "s"})
"""
SECOND = """
found.activity(kept=10, new="é").snapshot("b.txt", lines=1).derivation("b.txt", "a.txt", other=2)
found.vertex("net", ["Entity", "Model"], name="net").series("activity", "loss", [1, 2, 3], [2.0, 1.0, 0.5])
"""


def seen(project: Project, remote: str | None) -> dict[str, Any]:
    """Vertices and edges around the command, as one of the two stores has them."""
    reader = project.reader() if remote is None else Project(project.root, at=remote).reader()
    [activity] = [one for one in reader.activities(ActivityFilter()) if one.properties.get("utility") == "cp"]
    found: dict[str, Any] = {}
    ready, done = [activity.uid], set[str]()
    while ready:
        uid = ready.pop()
        if uid in done:
            continue
        done.add(uid)
        vertex = reader.vertex(uid)
        assert vertex is not None
        found[uid] = (vertex.labels, {k: v for k, v in vertex.properties.items() if k != "restorable"})
        for edge in reader.edges_of(uid):
            found[edge.uid] = (edge.type, edge.source, edge.target, dict(edge.properties))
            ready += [edge.source, edge.target]
    found["series"] = {name: list(one.values) for name, one in reader.series(activity.uid).items()}
    return found


def test_the_same_at_home_and_at_the_server(clone: Callable[[str], Project], team: TeamStore) -> None:
    alice = clone("alice")
    Path(alice.root, "a.txt").write_text("words\n")
    write_ingestor(Path(alice.root), "reader", FIRST)
    alice.trust()
    activity = alice.run(["cp", "a.txt", "b.txt"])
    assert activity.properties["kept"] == 1
    alice.push("team")
    assert seen(alice, None) == seen(alice, "team")
    write_ingestor(Path(alice.root), "reader", SECOND)
    alice.trust()
    assert len(replay(alice).changes) == 1
    alice.push("team")
    at_home = seen(alice, None)
    assert at_home == seen(alice, "team")
    properties = at_home[activity.uid][1]
    assert (properties["kept"], properties["new"], "gone" in properties) == (10, "é", False)
    bob = clone("bob")
    bob.pull("team")
    assert seen(bob, None) == at_home
