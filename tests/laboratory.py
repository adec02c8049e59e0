"""A project in a folder of its own, real commands in it, and the graph that they left, read from the journal alone."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provgraph.model.identity import Namespace
from provgraph.session.ingester import catch_up, notice
from provgraph.stores import open_store


@dataclass
class Graph:
    """Vertices and edges as the events say: a second, independent reading of them beside the projection."""

    vertices: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: dict[tuple[str, str, str, str], dict[str, Any]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)

    def of(self, label: str, **properties: Any) -> list[str]:
        """uids of the vertices with a label and these properties, in the order in which they were recorded."""
        return [
            uid
            for uid, vertex in self.vertices.items()
            if label in vertex["labels"] and all(vertex.get(key) == value for key, value in properties.items())
        ]

    def one(self, label: str, **properties: Any) -> str:
        found = self.of(label, **properties)
        assert len(found) == 1, (label, properties, [self.vertices[uid] for uid in found])
        return found[0]

    def snapshots(self, path: str) -> list[str]:
        return sorted(self.of("Snapshot", path=path), key=lambda uid: self.vertices[uid]["sequence"])

    def targets(self, type: str, source: str, **properties: Any) -> list[str]:
        return [
            target
            for (kind, start, target, _), found in self.edges.items()
            if kind == type and start == source and all(found.get(k) == v for k, v in properties.items())
        ]

    def sources(self, type: str, target: str) -> list[str]:
        return [start for (kind, start, end, _) in self.edges if kind == type and end == target for start in [start]]

    def generator(self, uid: str) -> str | None:
        found = self.targets("wasGeneratedBy", uid)
        assert len(found) <= 1, found
        return found[0] if found else None

    def used(self, activity: str) -> set[str]:
        """Paths that an activity used, environments left out."""
        return {
            self.vertices[uid]["path"]
            for uid in self.targets("used", activity)
            if "Environment" not in self.vertices[uid]["labels"]
        }

    def generated(self, activity: str) -> set[str]:
        return {self.vertices[uid]["path"] for uid in self.sources("wasGeneratedBy", activity)}

    def command(self, contains: str) -> str:
        """The one recorded command whose line contains a text."""
        found = [uid for uid in self.of("Command") if contains in self.vertices[uid]["command"]]
        assert len(found) == 1, [self.vertices[uid]["command"] for uid in self.of("Command")]
        return found[0]

    def is_acyclic(self) -> bool:
        after: dict[str, list[str]] = {}
        for kind, start, end, _ in self.edges:
            if kind in ("used", "wasGeneratedBy", "wasDerivedFrom"):
                after.setdefault(start, []).append(end)
        done: dict[str, bool] = {}
        for root in list(after):
            stack = [(root, iter(after.get(root, ())))]
            if root in done:
                continue
            done[root] = False
            while stack:
                vertex, rest = stack[-1]
                for end in rest:
                    if end not in done:
                        done[end] = False
                        stack.append((end, iter(after.get(end, ()))))
                        break
                    if not done[end]:
                        return False
                else:
                    done[vertex] = True
                    stack.pop()
        return True


class Lab:
    """A project and what one does in it. ``provdb`` is the fixture of that name: the real command."""

    def __init__(self, provdb: Any) -> None:
        self.provdb = provdb
        self.root: Path = provdb.root

    def write(self, path: str, text: str | bytes) -> Path:
        """What an editor does: nobody captures it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(textwrap.dedent(text).encode() if isinstance(text, str) else text)
        return file

    def run(self, *argv: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        """``provdb ARGV…``"""
        done: subprocess.CompletedProcess[str] = self.provdb(*argv, **options)
        return done

    def python(self, script: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """``provdb python SCRIPT``"""
        return self.run(sys.executable, script, *arguments, **options)

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """``provdb ARGV…`` beside the test."""
        command = [sys.executable, "-m", "provgraph", *argv]
        return subprocess.Popen(command, cwd=self.root, env=self.provdb.environment, text=True, **options)

    def settle(self) -> None:
        assert catch_up(str(self.root), timeout_s=240).commands == 0

    def notice(self) -> None:
        self.settle()
        notice(str(self.root))

    def graph(self) -> Graph:
        """All that the journal says."""
        self.settle()
        graph = Graph()
        with open_store(str(self.root), write=False) as store:
            namespace = Namespace(store.project)
            for event in store.events():
                uids = []
                for place, row in enumerate(event.body.get("vertices", ())):
                    uid = row[2] if len(row) > 2 else namespace.vertex(event.origin, event.origin_seq, place)
                    uids.append(uid)
                    known = graph.vertices.setdefault(uid, {"labels": set()})
                    known["labels"] |= set(row[0])
                    known.update(row[1])
                for row in event.body.get("edges", ()):
                    start, end = (uids[end] if isinstance(end, int) else end for end in row[1:3])
                    properties = row[3] if len(row) > 3 else {}
                    assert start in graph.vertices, row
                    assert end in graph.vertices, row
                    graph.edges.setdefault((row[0], start, end, properties.get("role", "")), {}).update(properties)
                for uid, properties in event.body.get("set", ()):
                    graph.vertices[uid].update(properties)
                for entry in event.body.get("facts", {}).get("members", ()):
                    end = entry["vertex"]
                    graph.members[uids[end] if isinstance(end, int) else end] = entry["chunk"]
        return graph
