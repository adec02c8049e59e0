"""Series on the embedded store: whole and fast, whoever writes them, and again after a rebuild."""

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgraph.events.series import Points, add_points, extended
from provgraph.stores import EmbeddedStore, open_store
from provgraph.stores.purge_bodies import Removal, merged
from provgraph.stores.purging import purge

AT = "2026-11-20T12:00:00.000000+00:00"


@pytest.fixture
def run(store: EmbeddedStore) -> str:
    with store.journal.batch() as batch:
        return batch.event("activity.begun", AT).vertex(["Activity", "Command"], {"name": "train #1", "started_at": AT})


def log(store: EmbeddedStore, uid: str, steps: list[int], values: list[float], name: str = "loss", **how: Any) -> None:
    with store.journal.batch() as batch:
        event = batch.event("series.logged", AT)
        add_points(event, uid, {name: Points(steps, values)}, store.knowledge.series(uid), **how)


def read(store: EmbeddedStore, uid: str) -> dict[str, tuple[list[int], list[float]]]:
    found = {name: series.points for name, series in store.reader.series(uid).items()}
    return {name: (list(points.steps), list(points.values)) for name, points in found.items()}


def test_points_in_the_order_in_which_they_came(store: EmbeddedStore, run: str) -> None:
    log(store, run, [0, 1, 2], [3.0, 2.0, math.nan])
    log(store, run, [1, 2, 2], [math.inf, 1.5, 1.0])
    log(store, run, [0], [0.5], "acc")
    (accuracy, loss) = store.reader.series(run).values()
    assert list(accuracy.points.values) == [0.5]
    assert list(loss.points.steps) == [0, 1, 2, 1, 2, 2]
    assert repr(list(loss.points.values)) == "[3.0, 2.0, nan, inf, 1.5, 1.0]"
    assert set(store.reader.series(run, "acc")) == {"acc"}
    assert store.reader.series(run, "nothing") == {}
    vertex = store.reader.vertex(run)
    assert vertex is not None
    seen = {key: value for key, value in vertex.properties.items() if key.startswith("metric_loss")}
    assert repr(seen) == repr({
        "metric_loss": 1.0, "metric_loss_last": 1.0, "metric_loss_min": 1.0, "metric_loss_max": math.inf,
        "metric_loss_count": 6, "metric_loss_steps": [0, 1, 2, 1, 2, 2],
        "metric_loss_values": [3.0, 2.0, math.nan, math.inf, 1.5, 1.0],
    })  # fmt: skip


def test_a_rebuilt_projection_and_a_replayed_event_are_the_same(store: EmbeddedStore, run: str) -> None:
    for n in range(10):
        log(store, run, [n], [1 / (n + 1)])
    before, digest = read(store, run), store.digest()
    assert store.rebuild() == digest
    assert read(store, run) == before
    store.graph.execute("UPDATE meta SET value = '3' WHERE key = 'seq'")  # as if it had never got further
    store.graph.execute("UPDATE meta SET value = ? WHERE key = 'event'", (store.journal.uid_at(3),))
    store.apply()
    assert read(store, run) == before


def test_what_is_known_is_what_was_written(store: EmbeddedStore, run: str) -> None:
    for n in range(0, 3000, 500):
        log(store, run, list(range(n, n + 500)), [math.sin(i) for i in range(n, n + 500)])
        expected = extended(None, Points(range(n + 500), [math.sin(i) for i in range(n + 500)]))
        assert store.knowledge.series(run) == {"loss": expected}
    log(store, run, [0, 1], [1.0, 2.0], by="", whole=True)
    assert store.knowledge.series(run)["loss"].count == 2
    with open_store(store.root, write=False) as other:
        assert other.knowledge.series(run) == store.knowledge.series(run)
    assert store.knowledge.series("no uid") == {}


_APPEND = """
import sys
from provgraph.events.series import Points, add_points
from provgraph.stores import open_store
root, uid, start = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open_store(root, write=True) as store:
    for n in range(start, start + 40):
        with store.journal.batch() as batch:
            event = batch.event("series.logged", "2026-11-20T12:00:00.000000+00:00")
            add_points(event, uid, {"loss": Points([n], [float(n)])}, store.knowledge.series(uid))
"""


def test_two_processes_append_and_no_point_is_lost(store: EmbeddedStore, run: str) -> None:
    workers = [subprocess.Popen([sys.executable, "-c", _APPEND, store.root, run, str(start)]) for start in (0, 1000)]
    assert [worker.wait() for worker in workers] == [0, 0]
    store.apply()
    steps, values = read(store, run)["loss"]
    assert sorted(steps) == [*range(40), *range(1000, 1040)]
    assert values == [float(step) for step in steps]
    assert [step for step in steps if step < 1000] == list(range(40))
    vertex = store.reader.vertex(run)
    assert vertex is not None
    assert vertex.properties["metric_loss_count"] == 80
    assert vertex.properties["metric_loss_last"] == values[-1]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.lists(st.floats(allow_nan=False), min_size=1, max_size=9), min_size=1, max_size=9))
def test_a_series_is_its_parts(store: EmbeddedStore, parts: list[list[float]]) -> None:
    with store.journal.batch() as batch:
        uid = batch.event("activity.begun", AT).vertex(["Activity"], {"name": "x"})
    with store.journal.batch() as batch:  # several events of one batch, each after the one before
        known = dict(store.knowledge.series(uid))
        for part in parts[:3]:
            event = batch.event("series.logged", AT)
            known |= add_points(event, uid, {"a": Points(range(len(part)), part)}, known)
    for part in parts[3:]:
        log(store, uid, list(range(len(part))), part, "a")
    assert read(store, uid)["a"] == ([n for p in parts for n in range(len(p))], [value for p in parts for value in p])


def test_points_of_a_vertex_that_the_same_event_brings(store: EmbeddedStore) -> None:
    with store.journal.batch() as batch:
        event = batch.event("properties.found", AT)
        uid = event.vertex(["Entity", "Model"], {"name": "net"})
        add_points(event, uid, {"loss": Points([1], [2.0])}, {}, by="caffe", whole=True)
    assert read(store, uid) == {"loss": ([1], [2.0])}
    assert store.knowledge.series(uid)["loss"].by == "caffe"


def test_forgetting_an_activity_takes_its_points_and_leaves_others(store: EmbeddedStore, run: str) -> None:
    with store.journal.batch() as batch:
        other = batch.event("activity.begun", AT).vertex(["Activity", "Command"], {"name": "other #2"})
    with store.journal.batch() as batch:
        event = batch.event("properties.found", AT)
        for uid in (run, other):
            add_points(event, uid, {"secret_loss": Points([0], [0.125]), "acc": Points([0], [0.5])}, {})
    log(store, run, [1], [0.75], "acc")
    purge(store, Removal("vertex", activities=frozenset([run])), by="Ada", at=AT)
    assert store.reader.series(run) == {}
    assert set(store.reader.series(other)) == {"acc", "secret_loss"}
    vertex = store.reader.vertex(run)
    assert vertex is not None
    assert not [key for key in vertex.properties if key.startswith("metric_")]
    assert [row["vertex"] for e in store.events() for row in e.body.get("facts", {}).get("series", ())] == [other] * 2


def test_what_two_purges_leave_of_points(store: EmbeddedStore) -> None:
    rows = [{"vertex": name, "name": name, "first": 0, "steps": name, "values": "AA=="} for name in "abc"]
    one, other = {"series": rows[:2]}, {"series": [{**rows[0], "name": "***"}, rows[2]]}
    assert merged(one, other) == {"series": [{**rows[0], "name": "***"}]}
    assert merged(other, one) == {"series": [{**rows[0], "name": "***"}]}
