"""Git's own answers about the history of numpy, from our operators.

Git's parents become ancestry: each commit is an activity that generates the state it makes and used its parents'
states; a commit without parents used the empty tree. Then what ``git rev-list COMMIT`` lists are the activities in the
lineage of COMMIT's state, and in the segment from the empty tree to it; what ``git rev-list --ancestry-path A..B``
lists are the activities on direct paths from B's state to A's. Each of the 40 questions in ``oracle.json`` has git's
count and the SHA-256 of the sorted names, a line each.
"""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from operators.closed_form import similar_or_direct

import provgraph
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.queries.lineage import lineage

pytestmark = [pytest.mark.slow, pytest.mark.repeats]

NOTHING = "the empty tree"


@dataclass(frozen=True)
class Numpy:
    """The files as they are, and the history as ancestry."""

    kinds: Counter[str]
    relations: Counter[str]
    graph: ProvGraph
    oracle: dict[str, Any]


def rows(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            yield line.rstrip("\n").split("\t")


def state(commit: str) -> str:
    return f"state after {commit}"


@pytest.fixture(scope="module")
def numpy_history(shared_testdata: Path) -> Numpy:
    folder = shared_testdata / "git-history-numpy"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    nodes = {number: (kind, name) for number, kind, name, *_ in rows(folder / "nodes.tsv.gz")}
    edges = list(rows(folder / "edges.tsv.gz"))
    parents: dict[str, list[str]] = {name: [] for kind, name in nodes.values() if kind == "activity"}
    for source, target, relation in edges:
        if relation == "wasInformedBy":
            parents[nodes[source][1]].append(nodes[target][1])
    oracle = json.loads((folder / "oracle.json").read_text(encoding="utf-8"))
    kinds, relations = Counter(kind for kind, _ in nodes.values()), Counter(relation for *_, relation in edges)
    return Numpy(kinds, relations, as_ancestry(parents), oracle)


def as_ancestry(parents: dict[str, list[str]]) -> ProvGraph:
    """Activities, their states, and the empty tree."""
    vertices = [Vertex(NOTHING, ("Entity",))]
    edges = []
    for commit, before in parents.items():
        vertices += [Vertex(commit, ("Activity",)), Vertex(state(commit), ("Entity",))]
        edges.append(Edge("wasGeneratedBy", state(commit), commit))
        used = [state(parent) for parent in before] or [NOTHING]
        edges += [Edge("used", commit, uid) for uid in used]
    return ProvGraph(vertices, edges)


def counted(commits: Iterable[str]) -> dict[str, Any]:
    names = sorted(commits)
    return {"count": len(names), "sha256_sorted": hashlib.sha256("\n".join(names).encode()).hexdigest()}


def gits(question: dict[str, Any]) -> dict[str, Any]:
    return {key: question[key] for key in ("count", "sha256_sorted")}


def commits(graph: ProvGraph) -> set[str]:
    return {v.uid for v in graph if v.kind == "Activity"}


def asked(history: Numpy, what: str) -> list[dict[str, Any]]:
    return [question for question in history.oracle["queries"] if question["q"] == what]


def test_the_files_are_those_that_the_oracle_is_about(numpy_history: Numpy) -> None:
    assert numpy_history.kinds == numpy_history.oracle["nodes"]
    assert numpy_history.relations == numpy_history.oracle["edges"]
    assert Counter(question["q"] for question in numpy_history.oracle["queries"]) == {
        "ancestors-inclusive": 25,
        "ancestry-path": 15,
    }


def test_ancestors_are_the_lineage(numpy_history: Numpy) -> None:
    for question in asked(numpy_history, "ancestors-inclusive"):
        found = lineage(numpy_history.graph, [state(question["commit"])])
        assert counted(commits(found)) == gits(question), question


def test_ancestors_are_the_segment_from_the_beginning(numpy_history: Numpy) -> None:
    """From the empty tree, named or left out: it is the one root. Similar paths add nothing: all is on a direct one."""
    for number, question in enumerate(asked(numpy_history, "ancestors-inclusive")):
        options: dict[str, Any] = {"similar": number % 2 == 0}
        if number % 3:
            options["sources"] = [NOTHING]
        found = provgraph.segment(numpy_history.graph, destinations=[state(question["commit"])], **options)
        assert counted(commits(found)) == gits(question), question
        assert set(found.sources) == {NOTHING}


def test_ancestry_paths_are_the_direct_paths(numpy_history: Numpy) -> None:
    for number, question in enumerate(asked(numpy_history, "ancestry-path")):
        sources, destinations = [state(question["excl"])], [state(question["incl"])]
        found = provgraph.segment(numpy_history.graph, sources, destinations, similar=number % 2 == 0)
        direct = {uid for uid in commits(found) if found.why(uid) == "direct"}
        assert counted(direct) == gits(question), question


def test_similar_paths_follow_the_closed_form(numpy_history: Numpy) -> None:
    """On the questions whose destination has the shortest past: the sets of lengths are written out here."""
    sizes = {q["commit"]: q["count"] for q in asked(numpy_history, "ancestors-inclusive")}
    early = sorted(sizes, key=sizes.__getitem__)[:4]
    added = 0
    for commit in early:
        destination = state(commit)
        past = sorted(commits(lineage(numpy_history.graph, [destination])))
        for source in (state(past[0]), state(past[len(past) // 2])):
            found = provgraph.segment(numpy_history.graph, sources=[source], destinations=[destination])
            assert set(found.uids) == similar_or_direct(numpy_history.graph, [source], destination)
            added += sum(found.why(uid) == "similar" for uid in found.uids)
    assert added > 0
