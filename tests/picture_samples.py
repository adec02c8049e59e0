"""What the tests of pictures share: names that nobody should have, and a small history with everything in it."""

from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph

HOSTILE = (
    "a<b>&\"c'.csv",
    "</svg><script>alert(1)</script>",
    "]]><!-- -- -->",
    "line\nbreak\rtab\t",
    "\x00\x07\x1b[31mred\x7f",
    "byte \udce9",
    "\ufffe\uffff\u202eevil",
    'quote " \\ backslash \\n',
    "end; subgraph x[y]{z}|w| --> %% #quot;",
    "`code` **bold** 1. 2) - +",
    "1. first",
    "- item",
    "数据" * 80 + ".csv",
    "x" * 500,
    " ",
    "",
)


def snapshot(uid: str, path: str, sequence: int = 1, **more: object) -> Vertex:
    return Vertex(uid, ("Entity", "Snapshot"), {"path": path, "sequence": sequence, **more})


def history() -> ProvGraph:
    """Data and a script trained to two models by two people; the second configuration nobody saw changed."""
    vertices = [
        snapshot("data", "data.csv"),
        snapshot("script", "train.py"),
        snapshot("config1", "config.json"),
        snapshot("config2", "config.json", 2, content="unknown"),
        snapshot("model1", "model.pkl"),
        snapshot("model2", "model.pkl", 2),
        Vertex("train1", ("Activity", "Command"), {"name": "train.py #1", "number": 1, "exit_status": 0}),
        Vertex("train2", ("Activity", "Command"), {"name": "train.py #2", "number": 2, "exit_status": 3}),
        Vertex("rm", ("Activity", "Command"), {"name": "rm #3", "number": 3, "exit_status": 0}),
        Vertex("unseen", ("Activity", "Unseen"), {"name": "unrecorded change"}),
        Vertex("alice", ("Agent", "Person"), {"name": "Alice"}),
        Vertex("bob", ("Agent", "Person"), {"name": "Bob"}),
        Vertex("python", ("Agent", "SoftwareAgent"), {"name": "python"}),
    ]
    edges = [
        Edge("wasGeneratedBy", "model1", "train1"),
        Edge("wasGeneratedBy", "model2", "train2"),
        Edge("wasGeneratedBy", "config2", "unseen"),
        Edge("used", "unseen", "config1"),
        Edge("used", "train1", "config1"),
        Edge("used", "train2", "config2"),
        Edge("wasDerivedFrom", "config2", "config1", {"prov_type": "Revision"}),
        Edge("wasDerivedFrom", "model2", "model1", {"prov_type": "Revision"}),
        Edge("used", "rm", "model1"),
        Edge("wasInvalidatedBy", "model1", "rm"),
        Edge("wasAssociatedWith", "train1", "alice"),
        Edge("wasAssociatedWith", "train2", "bob"),
        Edge("wasAssociatedWith", "rm", "bob"),
    ]
    for train in ("train1", "train2"):
        edges += [Edge("used", train, "data"), Edge("used", train, "script", {"role": "script"})]
        edges.append(Edge("wasAssociatedWith", train, "python", {"role": "program"}))
    return ProvGraph(vertices, edges, {"command": "lineage", "references": ["model.pkl"], "roots": ["model2"]})


def hostile() -> ProvGraph:
    """Every hostile name as a file, a command, an agent and a property of an edge."""
    vertices, edges = [], []
    for number, name in enumerate(HOSTILE):
        vertices += [
            snapshot(f"e{number}", name),
            Vertex(f"a{number}", ("Activity", "Command"), {"name": name, "command": name}),
            Vertex(f"g{number}", ("Agent", "Person"), {"name": name}),
        ]
        edges += [
            Edge("wasGeneratedBy", f"e{number}", f"a{number}", {"prov_type": name}),
            Edge("wasAssociatedWith", f"a{number}", f"g{number}"),
            Edge("wasInformedBy", f"a{number}", f"a{(number + 1) % len(HOSTILE)}"),
        ]
    return ProvGraph(vertices, edges, {"command": "lineage", "references": list(HOSTILE)}, HOSTILE)
