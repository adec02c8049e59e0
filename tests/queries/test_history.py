"""What the log says of activities."""

from typing import Any

import pytest

from provgraph.graph.elements import Vertex
from provgraph.queries.history import state

ENDED = {"started_at": "2026-11-20T09:00:00+00:00", "ended_at": "2026-11-20T09:00:01+00:00", "capture": "seccomp"}


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({**ENDED, "exit_status": 0}, "ok"),
        ({**ENDED, "exit_status": 137}, "exit 137"),
        ({"started_at": ENDED["started_at"]}, "running"),
        ({**ENDED, "interrupted": True}, "interrupted"),
        (ENDED, "ended"),
        ({**ENDED, "capture": "declared"}, "declared"),
        ({**ENDED, "capture": "declared", "exit_status": 0}, "ok"),
    ],
)
def test_ok_is_only_said_of_status_0(properties: dict[str, Any], says: str) -> None:
    assert state(Vertex("a", ("Activity", "Command"), properties)) == says
    assert state(Vertex("a", ("Activity", "Unseen"), properties)) == "unrecorded"
