"""Segments for tests: trainings that are alike, but for what a test changes in one."""

from collections.abc import Mapping, Sequence
from typing import Any

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph

KEEP = {"activity": ["script"], "entity": ["path"], "agent": ["name"]}


def training(
    n: int,
    *,
    solver: int = 1,
    lr: str = "0.1",
    who: str = "Alice",
    evaluated: bool = True,
    exit_status: int = 0,
    options: Sequence[str] | None = None,
    **more: Any,
) -> ProvGraph:
    """data.csv@1, solver.json@``solver`` → train.py → model.pkl@n → eval.py → score.txt@n.

    Each has a seed of its own; uids are shared between segments where the things are the same.
    """
    own = [f"--lr {lr}", f"--seed {n}"] if options is None else list(options)
    vertices = [
        _snapshot("data.csv", 1),
        _snapshot("solver.json", solver),
        _snapshot("model.pkl", n),
        _command("train.py", n, own, exit_status=exit_status, **more),
        Vertex(who, ("Agent", "Person"), {"name": who}),
    ]
    train, model = f"train.py{n}", f"model.pkl@{n}"
    edges = [
        Edge("used", train, "data.csv@1"),
        Edge("used", train, f"solver.json@{solver}"),
        Edge("wasGeneratedBy", model, train),
        Edge("wasAssociatedWith", train, who),
    ]
    if evaluated:
        vertices += [_command("eval.py", n, []), _snapshot("score.txt", n)]
        edges += [
            Edge("used", f"eval.py{n}", model),
            Edge("wasGeneratedBy", f"score.txt@{n}", f"eval.py{n}"),
            Edge("wasAssociatedWith", f"eval.py{n}", who),
        ]
    return ProvGraph(vertices, edges)


def _snapshot(path: str, sequence: int) -> Vertex:
    return Vertex(f"{path}@{sequence}", ("Entity", "Snapshot"), {"path": path, "sequence": sequence})


def _command(script: str, n: int, options: list[str], **more: Any) -> Vertex:
    properties: Mapping[str, Any] = {
        "name": f"{script} #{n}", "number": n, "utility": "python", "script": script, "options": options, **more,
    }  # fmt: skip
    return Vertex(f"{script}{n}", ("Activity", "Command"), properties)


def trainings(count: int, changed: Mapping[int, Mapping[str, Any]] | None = None) -> list[ProvGraph]:
    """``count`` of them; ``changed`` says what is different in some, by their numbers from 1."""
    return [training(n, **(changed or {}).get(n, {})) for n in range(1, count + 1)]


def names(count: int) -> list[str]:
    return [f"run {n}" for n in range(1, count + 1)]
