"""Events of other origins in a journal: verbatim, without gaps, once; and what they make of the projection."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from two_clones import AT, foreign, pull, run_command, two_clones

from provgraph.errors import StoreError
from provgraph.model.identity import Namespace, uuid7
from provgraph.stores import EmbeddedStore, init_project
from provgraph.stores.checks import check_store


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[EmbeddedStore, EmbeddedStore]]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with two_clones(tmp_path) as found:
        yield found


def test_events_arrive_verbatim_and_once(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    a, b = clones
    run_command(a, "train", writes=("model",))
    sent = foreign(a, b)
    assert b.journal.append_foreign(sent[:3]) == 3
    assert b.journal.append_foreign(sent) == len(sent) - 3
    assert b.journal.append_foreign(sent) == 0
    got = [event for event in b.events() if event.origin == a.origin]
    assert [replace(event, seq=0) for event in got] == [replace(event, seq=0) for event in sent]
    assert [event.seq for event in b.events()] == list(range(1, b.journal.last_seq() + 1))
    digest = b.digest()
    assert b.rebuild() == digest
    assert not [finding for finding in check_store(b) if finding.severity == "error"]


def test_own_events_go_on_between_others(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    a, b = clones
    for number in range(3):
        run_command(a, "train", writes=(f"a{number}",))
        pull(b, a)
        run_command(b, "test", writes=(f"b{number}",), person="b")
        pull(a, b)
    assert {(e.origin, e.origin_seq, e.uid) for e in a.events()} == {
        (e.origin, e.origin_seq, e.uid) for e in b.events()
    }
    for store in clones:
        digest = store.digest()
        assert store.rebuild() == digest
        assert store.journal.lineage().keys() == {store.origin}


@pytest.mark.parametrize("wrong", ["a gap", "own", "another project's", "no shape", "no time", "a place"])
def test_what_is_refused_changes_nothing(clones: tuple[EmbeddedStore, EmbeddedStore], wrong: str) -> None:
    a, b = clones
    run_command(a, "train", writes=("model",))
    sent = foreign(a, b)
    last, before = sent[-1], b.journal.last_seq()
    if wrong == "a gap":
        sent = [*sent[:-2], last]
    elif wrong == "own":
        sent = [*sent, replace(last, origin=b.origin, origin_seq=99)]
    elif wrong == "another project's":
        sent[-1] = replace(last, uid=Namespace(uuid7()).event(last.origin, last.origin_seq))
    elif wrong == "no shape":
        sent[-1] = replace(last, body={"vertices": [["Entity"]]})
    elif wrong == "no time":
        sent[-1] = replace(last, time="yesterday")
    else:
        sent[-1] = replace(last, body={"edges": [["used", 0, 1]]})
    with pytest.raises(StoreError, match=str(sent[-1].origin_seq)):
        b.journal.append_foreign(sent)
    assert b.journal.last_seq() == before


def test_an_event_of_a_kind_that_this_program_does_not_know_arrives(
    clones: tuple[EmbeddedStore, EmbeddedStore],
) -> None:
    a, b = clones
    sent = foreign(a, b)
    number = sent[-1].origin_seq + 1
    body = {"vertices": [[["Entity", "Moon"], {"phase": "full"}]]}
    uid = a.namespace.event(a.origin, number)
    b.journal.append_foreign(
        [*sent, replace(sent[-1], uid=uid, origin_seq=number, kind="moon.risen", schema=7, body=body)]
    )
    assert b.projection_error is None
    assert b.reader.labels()["Moon"] == 1
    assert b.graph.execute("SELECT known, events FROM event_kind WHERE kind = 'moon.risen'").fetchall() == [(0, 1)]


def test_a_third_clone_gets_everything_from_one(clones: tuple[EmbeddedStore, EmbeddedStore], tmp_path: Path) -> None:
    a, b = clones
    run_command(a, "train", writes=("model",))
    pull(b, a)
    run_command(b, "test", writes=("report",), person="b")
    (tmp_path / "c").mkdir()
    with init_project(str(tmp_path / "c"), join=a.project) as c:
        assert pull(c, b) == b.journal.last_seq()
        assert [row.path for row in c.reader.snapshots_matching("*")] == ["model", "report"]
        assert len(c.clones().names) == 3


def test_an_edge_whose_end_comes_later(clones: tuple[EmbeddedStore, EmbeddedStore], tmp_path: Path) -> None:
    a, b = clones
    model = run_command(a, "train", writes=("model",))["model"]
    pull(b, a)
    run_command(b, "test", reads=(model,), writes=("report",), person="b")
    (tmp_path / "c").mkdir()
    with init_project(str(tmp_path / "c"), join=a.project) as c:
        mine = [event for event in b.events() if event.origin == b.origin]
        c.journal.append_foreign(mine)
        assert c.reader.vertex(model) is None
        c.journal.append_foreign([event for event in a.events() if event.origin == a.origin])
        assert c.reader.vertex(model) is not None
        found = c.reader.ancestors([c.reader.snapshots("report")[0].uid])
        assert model in found
        digest = c.digest()
        assert c.rebuild() == digest


def test_origins_tell_where_they_are(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    a, b = clones
    pull(b, a)
    begun = b.journal.begun(a.origin)
    assert begun["folder"] == "a" and begun["host"]
    assert b.clones().hosts.keys() == {a.origin, b.origin}
    assert begun["host"] not in b.clones().by_name  # both are on this machine
    assert b.clones().names == {a.origin: a.origin[-6:], b.origin: b.origin[-6:]}
    assert b.clones().mark(a.origin) == a.origin[-6:] and b.clones().mark(b.origin) == ""


def test_time(clones: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    """The time of an event is its own, wherever it lies."""
    a, b = clones
    run_command(a, "train", at=AT)
    pull(b, a)
    assert [event.time for event in b.events() if event.kind == "activity.ended"] == [AT]
