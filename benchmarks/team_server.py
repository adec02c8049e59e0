"""A Neo4j of a benchmark's own, and the graph of a store for those who put it there by other means."""

from __future__ import annotations

import contextlib
import importlib.util
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "neo4j.py"
TIMES = ("started_at", "ended_at", "created_at", "at")


def script() -> ModuleType:
    """``scripts/neo4j.py``, under a name that hides no driver."""
    spec = importlib.util.spec_from_file_location("neo4j_script", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def server(folder: Path, heap: str = "1g") -> Iterator[Any]:
    """A fresh server; ``url``, ``user``, ``password``."""
    started = script().start(folder, heap=heap)
    try:
        yield started
    finally:
        started.stop()


def wipe(server: Any) -> None:
    """Remove everything but the program's own constraints, so that one run does not see another's."""
    import neo4j  # noqa: PLC0415 - only these rows need it

    with neo4j.GraphDatabase.driver(server.url, auth=(server.user, server.password)) as driver, driver.session() as s:
        s.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1000 ROWS").consume()


def elements(root: Path) -> tuple[dict[tuple[str, ...], list[Any]], dict[str, list[Any]]]:
    """The vertices of a store by their labels, [uid, properties], and its edges by relation, [uid, uid, properties]."""
    from provgraph.model.identity import Namespace  # noqa: PLC0415 - only these rows need the library
    from provgraph.stores import open_store  # noqa: PLC0415

    vertices: dict[tuple[str, ...], dict[str, Any]] = defaultdict(dict)
    edges: dict[str, list[Any]] = defaultdict(list)
    with open_store(str(root), write=False) as store:
        namespace = Namespace(store.project)
        for event in store.events():
            uids = []
            own = {"project": store.project, "origin": event.origin}
            for place, row in enumerate(event.body.get("vertices", ())):
                uids.append(row[2] if len(row) > 2 else namespace.vertex(event.origin, event.origin_seq, place))
                sent = {key: value for key, value in row[1].items() if key != "restorable"}
                vertices[tuple(row[0])].setdefault(uids[-1], {}).update(sent | own)
            for type, *ends, held in (row if len(row) > 3 else [*row, {}] for row in event.body.get("edges", ())):
                edges[type].append([*(uids[end] if isinstance(end, int) else end for end in ends), held])
    return {labels: [[*pair] for pair in found.items()] for labels, found in vertices.items()}, dict(edges)


def prov_json(vertices: Mapping[tuple[str, ...], list[Any]], edges: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The same graph as PROV-JSON. Times have no zone: prov2neo ends with a TypeError where they have one."""
    document: dict[str, Any] = {"prefix": {"x": "urn:x:"}}
    names = {"Entity": "entity", "Activity": "activity", "Agent": "agent"}
    for labels, rows in vertices.items():
        section = document.setdefault(names[labels[0]], {})
        for uid, properties in rows:
            held = {f"x:{key}": value for key, value in properties.items() if not isinstance(value, list)}
            section[f"x:{uid}"] = {
                key: value.removesuffix("+00:00") if isinstance(value, str) else value for key, value in held.items()
            }
    for relation, rows in edges.items():
        first, second = ENDS[relation]
        document[relation] = {
            f"_:{relation}{place}": {first: f"x:{source}", second: f"x:{target}"}
            for place, (source, target, _) in enumerate(rows)
        }
    return document


ENDS = {
    "used": ("prov:activity", "prov:entity"),
    "wasGeneratedBy": ("prov:entity", "prov:activity"),
    "wasAssociatedWith": ("prov:activity", "prov:agent"),
    "wasAttributedTo": ("prov:entity", "prov:agent"),
    "wasDerivedFrom": ("prov:generatedEntity", "prov:usedEntity"),
}
