"""Every vertex has a readable name."""

import pytest

from provgraph.graph.elements import Vertex
from provgraph.graph.naming import display_name, plain_name

UID = "01993b1e-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("labels", "properties", "name"),
    [
        (["Entity", "Snapshot"], {"path": "solver.prototxt", "sequence": 2}, "solver.prototxt@2"),
        (["Activity", "Command"], {"name": "train.py #14", "number": 14}, "train.py #14"),
        (["Activity", "Command"], {"name": "train.py", "number": 14}, "train.py #14"),
        (["Activity", "Unseen"], {"name": "unrecorded change"}, "unrecorded change"),
        (["Agent", "Person"], {"name": "Alice", "email": "alice@example.org"}, "Alice"),
        (["Entity", "Artifact"], {"path": "data.csv"}, "data.csv"),
        (["Entity", "Version"], {"kind": "implicit"}, "version 01993b1e"),
        (["Entity"], {}, "entity 01993b1e"),
        (["Entity"], {"name": "weight-v2"}, "weight-v2"),
    ],
)
def test_names(labels: list[str], properties: dict[str, object], name: str) -> None:
    assert display_name(Vertex(UID, tuple(labels), properties)) == name


def test_another_clones_snapshot_says_whose() -> None:
    assert display_name(Vertex(UID, ("Entity", "Snapshot"), {"path": "a", "sequence": 1}, "c0ffee")) == "c0ffee:a@1"
    train = Vertex(UID, ("Activity", "Command"), {"name": "train", "number": 3}, "c0ffee")
    assert (display_name(train), plain_name(train)) == ("c0ffee:train #3", "train #3")
    assert display_name(Vertex(UID, ("Agent", "Person"), {"name": "ada"}, "Ada")) == "Ada"
