"""Series and a real server: pushed in whatever order, the same points as at home; pulled; gone with their activity."""

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from team_journals import AT, assert_same, embedded_tables, event, push, served, shuffled

from provgraph.events import Event
from provgraph.events.envelope import EventBuilder
from provgraph.events.series import Points, Standing, add_points
from provgraph.events.series_rows import Joined, joined
from provgraph.model.identity import Namespace, uuid7
from provgraph.session.forgetting import forget_there
from provgraph.stores import EmbeddedStore, init_project
from provgraph.stores.neo4j import TeamStore, migrations
from provgraph.stores.purge_bodies import GONE, Removal
from provgraph.stores.purging import purge


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStore]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    with init_project(str(tmp_path / "here"), join=uuid7()) as opened:
        yield opened


@pytest.fixture
def team(team_remote: Callable[..., Any], store: EmbeddedStore) -> Iterator[TeamStore]:
    with TeamStore(team_remote(), store.project, write=True) as opened:
        opened.migrate()
        yield opened


def runs(project: str, rng: random.Random, origins: int = 3) -> tuple[list[list[Event]], list[str]]:
    """Clones that log points of their own runs, and some of each other's; and the runs' uids."""
    ids = [uuid7() for _ in range(origins)]
    uids = [Namespace(project).vertex(origin, 1, 0) for origin in ids]
    histories = []
    for place, origin in enumerate(ids):
        row = [["Activity", "Command"], {"name": f"train #{place}", "started_at": AT}]
        history = [event(project, origin, 1, {"vertices": [row]}, "activity.begun")]
        known: dict[str, dict[str, Standing]] = {uid: {} for uid in uids}
        for number in range(2, rng.randint(3, 8)):
            uid = uids[place] if rng.random() < 0.7 else rng.choice(uids)
            builder = EventBuilder(Namespace(project), origin, number, "series.logged", AT)
            points = {rng.choice(["loss", "acc", "é\udcff"]): _points(rng, known[uid])}
            known[uid] |= add_points(builder, uid, points, known[uid], whole=rng.random() < 0.2)
            at = f"2026-11-20T12:00:0{rng.randint(0, 9)}+00:00"
            history.append(event(project, origin, number, builder.body, "series.logged", at))
        histories.append(history)
    return histories, uids


def _points(rng: random.Random, known: dict[str, Standing]) -> Points:
    count = rng.choice([1, 3, 1500])
    values = [rng.choice([rng.gauss(0, 1), math.nan, math.inf, -0.0]) for _ in range(count)]
    return Points([rng.randrange(50) for _ in values], values, [10**18] * count if rng.random() < 0.5 else None)


def short(found: dict[str, Joined]) -> dict[str, tuple[int, int, bool]]:
    """What makes series the same, in few words."""
    return {name: (len(one.values), hash(one), one.times is None) for name, one in found.items()}


def at_home(store: EmbeddedStore, uids: list[str]) -> list[dict[str, tuple[int, int, bool]]]:
    return [short(store.reader.series(uid)) for uid in uids]


def there(team: TeamStore, uids: list[str]) -> list[dict[str, tuple[int, int, bool]]]:
    return [short(team.reader.series(uid)) for uid in uids]


@pytest.mark.parametrize("seed", range(15))
def test_the_same_series_in_whatever_order(store: EmbeddedStore, team: TeamStore, seed: int) -> None:
    rng = random.Random(seed)
    found, uids = runs(store.project, rng)
    push(team, shuffled(found, rng), rng)
    store.journal.append_foreign(shuffled(found, rng))
    assert store.projection_error is None
    expected = at_home(store, uids)
    assert any(expected)
    assert there(team, uids) == expected
    assert_same(served(team), embedded_tables(store.project, store.graph))
    push(team, shuffled(found, rng), rng)
    assert there(team, uids) == expected
    name = next(name for one in expected for name in one)
    for uid in uids:
        assert short(team.reader.series(uid, name)) == short(store.reader.series(uid, name))


def test_what_cypher_sees_is_the_same(store: EmbeddedStore, team: TeamStore) -> None:
    from provgraph.stores.cypher import CypherCache

    rng = random.Random(4)
    found, _ = runs(store.project, rng)
    push(team, shuffled(found, rng), rng)
    store.journal.append_foreign(shuffled(found, rng))
    query = (
        "MATCH (a:Activity) WHERE a.metric_loss_count > 0 RETURN a.uid, a.metric_loss, a.metric_loss_last, "
        "a.metric_loss_min, a.metric_loss_max, a.metric_loss_count, size(a.metric_loss_steps), a.metric_loss_values "
        "ORDER BY a.uid"
    )
    cache = CypherCache(store)
    mine, theirs = cache.run(query, {}, timeout_s=60), team.cypher(query)
    assert len(mine.rows) > 0
    assert repr(mine.rows) == repr(theirs.rows)


def test_they_are_pulled_and_their_order_is_kept(store: EmbeddedStore, team: TeamStore, tmp_path: Path) -> None:
    found, uids = runs(store.project, random.Random(9))
    store.journal.append_foreign(e for history in found for e in history)
    send(team, store)
    (tmp_path / "there").mkdir()
    with init_project(str(tmp_path / "there"), join=store.project) as other:
        for events in (found for origin in team.received() for found in team.fetch_origin(origin)):
            other.journal.append_foreign(events)
        assert at_home(other, uids) == at_home(store, uids)


def send(team: TeamStore, store: EmbeddedStore) -> None:
    received = team.received()
    for origin in store.journal.lasts():
        batch = [event for event, _ in store.journal.of_origin(origin, received.get(origin, 0))]
        if batch:
            forget_there(store, team, batch)
            team.send(batch)


def test_forgotten_with_their_activity(store: EmbeddedStore, team: TeamStore) -> None:
    rng = random.Random(11)
    found, uids = runs(store.project, rng)
    store.journal.append_foreign(e for history in found for e in history)
    send(team, store)
    kept = at_home(store, uids[1:])
    purge(store, Removal("vertex", activities=frozenset(uids[:1])), by="Ada", at=AT)
    send(team, store)
    assert there(team, uids) == at_home(store, uids) == [{}, *kept]
    query = "MATCH (s:ProvgraphSeries {of: $p, vertex: $uid}) RETURN count(s)"
    assert team.run(query, p=store.project, uid=uids[0]) == [[0]]
    assert_same(served(team), embedded_tables(store.project, store.graph))


def test_a_name_that_goes_goes_from_series_too(store: EmbeddedStore, team: TeamStore) -> None:
    import re

    with store.journal.batch() as batch:
        begun = batch.event("activity.begun", AT)
        uid = begun.vertex(["Activity", "Command"], {"name": "train #1", "started_at": AT})
        add_points(begun, uid, {"SECRET_loss": Points([0], [0.5])}, {})
    send(team, store)
    purge(store, Removal("pattern", ((re.compile("SECRET"), GONE),)), by="Ada", at=AT)
    send(team, store)
    assert list(store.reader.series(uid)) == list(team.reader.series(uid)) == [f"{GONE}_loss"]
    assert_same(served(team), embedded_tables(store.project, store.graph))


def test_a_database_of_the_version_before_gets_what_is_new(make_neo4j: Callable[..., Any]) -> None:
    from neo4j_server import remote_of

    remote = remote_of(make_neo4j())
    with TeamStore(remote, uuid7(), write=True) as team:
        assert migrations.migrate(team.connection, version=1) == 1
        assert migrations.migrate(team.connection) == migrations.VERSION - 1
        names = {row[0] for row in team.run("SHOW INDEXES YIELD name")}
        assert {"provgraph_provgraphseries_uid", "provgraph_provgraphseries_vertex"} <= names


def test_the_whole_of_nothing(store: EmbeddedStore, team: TeamStore) -> None:
    assert team.reader.series("no uid") == store.reader.series("no uid") == joined([]) == {}
