"""The grammar of references, on a store and on a graph that came as a file."""

from collections.abc import Iterator
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from graph_samples import Sample

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.elements import Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import GraphReader
from provgraph.queries.graph_reader import GraphAsReader
from provgraph.queries.places import Places
from provgraph.queries.references import resolve, resolve_all, resolve_one
from provgraph.session.disk import Disk


@pytest.fixture(params=["store", "graph"])
def reader(sample: Sample, request: pytest.FixtureRequest) -> Iterator[GraphReader]:
    with sample.open() as store:
        uids = list(sample.uids.values())
        both = [store.reader.ancestors(uids, downstream=d, revisions=True, environment=True) for d in (False, True)]
        yield store.reader if request.param == "store" else GraphAsReader(both[0].union(both[1]))


@pytest.fixture
def places(sample: Sample) -> Places:
    disk = Disk(str(sample.root), str(sample.root))
    return Places(disk.locate, disk.digest, UTC)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("model.pkl", "model.pkl@2"),
        ("./model.pkl", "model.pkl@2"),
        ("model.pkl@1", "model.pkl@1"),
        ("model.pkl@-1", "model.pkl@2"),
        ("model.pkl@-2", "model.pkl@1"),
        ("model.pkl@2026-11-20T11:00", "model.pkl@1"),
        ("model.pkl@2026-11-20 11:00:00", "model.pkl@1"),
        ("model.pkl@2026-11-20", "model.pkl@2"),
        ("model.pkl@2026-11-20T12:30Z", "model.pkl@2"),
        ("model.pkl@2026-11-20T13:00+02:00", "model.pkl@1"),
        ("%1", "train.py #5"),
        ("%2", "evaluate.py #4"),
        ("train.py #3", "train.py #3"),
        ("agent:Bob", "Bob"),
        ("agent:bob@example.org", "Bob"),
    ],
)
def test_what_names_one_thing(reader: GraphReader, places: Places, sample: Sample, reference: str, name: str) -> None:
    assert resolve(reader, reference, places).uids == (sample.uids[name],)


def test_uids_and_their_beginnings(reader: GraphReader, places: Places, sample: Sample) -> None:
    uid = sample.uids["model.pkl@1"]
    for reference in (uid, uid[:6], uid[:13], uid[:8].upper()):
        assert resolve(reader, reference, places).uids == (uid,)
    with pytest.raises(UnknownReferenceError):
        resolve(reader, uid[:5], places)


def test_globs_are_sets(reader: GraphReader, places: Places, sample: Sample) -> None:
    uids = sample.uids
    assert resolve(reader, "*.pkl@*", places).uids == (uids["model.pkl@1"], uids["model.pkl@2"])
    assert resolve(reader, "*.pkl", places).uids == (uids["model.pkl@2"],)
    assert resolve(reader, "t*.csv", places).uids == (uids["test.csv@1"], uids["train.csv@1"])
    assert resolve(reader, "*@2", places).uids == (uids["config.yaml@2"], uids["model.pkl@2"])
    with pytest.raises(UnknownReferenceError, match=r"matches '\*\.nothing'"):
        resolve(reader, "*.nothing", places)
    with pytest.raises(UnknownReferenceError, match="names 2 vertices"):
        resolve_one(reader, "*.pkl@*", places)
    assert len(resolve_all(reader, ["*.pkl@*", "model.pkl"], places).uids) == 2


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("", "empty reference"),
        ("modle.pkl", "model.pkl"),
        ("nowhere/at/all", "nothing recorded is called"),
        ("model.pkl@9", "there is model.pkl@1, model.pkl@2"),
        ("model.pkl@-3", "there is model.pkl@1, model.pkl@2"),
        ("model.pkl@0", "there is no model.pkl@0"),
        ("model.pkl@2020-01-01", "its first snapshot, model.pkl@1"),
        ("%99", "no command %99"),
        ("agent:Nobody", "no agent is called 'Nobody'"),
    ],
)
def test_what_is_not_found_says_what_is(reader: GraphReader, places: Places, reference: str, says: str) -> None:
    with pytest.raises(UnknownReferenceError) as caught:
        resolve(reader, reference, places)
    assert says in str(caught.value)


@pytest.mark.parametrize("reference", ["model.pkl@main", "model.pkl@4f3c2a1", "model.pkl@v1.0"])
def test_commits_are_refused_with_a_reason(reader: GraphReader, places: Places, reference: str) -> None:
    with pytest.raises(QuestionError, match="no number, time, commit or tag"):
        resolve(reader, reference, places)


@pytest.mark.parametrize("reference", ["%", "%0", "%x", "%-1"])
def test_a_percent_needs_a_number(reader: GraphReader, places: Places, reference: str) -> None:
    with pytest.raises(QuestionError, match="after % stands a number"):
        resolve(reader, reference, places)


def test_an_unknown_path_is_found_by_its_content(
    reader: GraphReader, places: Places, sample: Sample, tmp_path: Path
) -> None:
    copy = tmp_path / "mailed.pkl"
    copy.write_text("model one")
    found = resolve(reader, str(copy), places)
    assert found.uids == (sample.uids["model.pkl@1"],)
    assert "its content is that of model.pkl@1" in found.notes[0]
    copy.write_text("something else")
    with pytest.raises(UnknownReferenceError, match="neither its path nor its content"):
        resolve(reader, str(copy), places)


def test_paths_begin_where_the_user_stands(reader: GraphReader, sample: Sample) -> None:
    below = sample.root / "notebooks"
    below.mkdir()
    disk = Disk(str(sample.root), str(below))
    places = Places(disk.locate, disk.digest)
    uid = sample.uids["model.pkl@2"]
    assert resolve(reader, "../model.pkl", places).uids == (uid,)
    assert resolve(reader, str(sample.root / "model.pkl"), places).uids == (uid,)
    assert resolve(reader, "model.pkl", places).uids == (uid,), "as listings print it"


def test_times_without_zone_are_local(reader: GraphReader, sample: Sample) -> None:
    places = Places(zone=timezone(timedelta(hours=3)))
    assert resolve(reader, "model.pkl@2026-11-20T15:00", places).uids == (sample.uids["model.pkl@1"],)
    assert resolve(reader, "model.pkl@2026-11-20T15:05", places).uids == (sample.uids["model.pkl@2"],)


def snapshot(uid: str, path: str, sequence: int, **more: object) -> Vertex:
    properties = {"path": path, "sequence": sequence, "created_at": f"2026-01-0{sequence}T00:00:00+00:00", **more}
    return Vertex(uid, ("Entity", "Snapshot"), properties)


def test_file_names_with_at_signs() -> None:
    plain = GraphAsReader(ProvGraph([snapshot("s1", "a@b", 1), snapshot("s2", "a@b", 2)], []))
    assert resolve(plain, "a@b@-1", Places()).uids == ("s2",)
    assert resolve(plain, "a@b@1", Places()).uids == ("s1",)
    assert resolve(plain, "a@b", Places()).uids == ("s2",), "nothing else could be meant"
    both = GraphAsReader(ProvGraph([snapshot("s1", "a@2", 1), snapshot("t1", "a", 1), snapshot("t2", "a", 2)], []))
    assert resolve(both, "a@2", Places()).uids == ("t2",), "split at the last @"
    assert resolve(both, "a@2@-1", Places()).uids == ("s1",)


def test_an_exact_uid_wins_over_every_other_reading() -> None:
    graph = GraphAsReader(ProvGraph([snapshot("model.pkl", "other", 1), snapshot("x", "model.pkl", 1)], []))
    assert resolve(graph, "model.pkl", Places()).uids == ("model.pkl",)


def test_a_deleted_path_names_its_last_snapshot_with_a_note() -> None:
    from provgraph.graph.elements import Edge

    vertices = [snapshot("s1", "gone", 1), Vertex("a", ("Activity",))]
    graph = GraphAsReader(ProvGraph(vertices, [Edge("wasInvalidatedBy", "s1", "a")]))
    found = resolve(graph, "gone", Places())
    assert found.uids == ("s1",)
    assert found.notes == ("gone was deleted; gone@1 is its last snapshot",)


def test_another_clones_third_and_ambiguous_numbers() -> None:
    graph = GraphAsReader(ProvGraph([snapshot("m", "f", 1, origin="mine"), snapshot("t", "f", 1, origin="theirs")], []))
    places = Places(origin="mine", origins={"c0ffee": "theirs"})
    assert resolve(graph, "f@1", places).uids == ("m",)
    assert resolve(graph, "c0ffee:f@1", places).uids == ("t",)
    assert resolve(graph, "c0ffee:f", places).uids == ("t",)
    with pytest.raises(UnknownReferenceError, match="is in 2 clones"):
        resolve(graph, "f@1", Places())


def test_names_in_graphs_from_elsewhere() -> None:
    graph = GraphAsReader(ProvGraph([Vertex("x", ("Entity",), {"name": "weight-v2"})], []))
    assert resolve(graph, "weight-v2", Places()).uids == ("x",)


def test_two_people_of_one_name_are_listed() -> None:
    people = [Vertex(u, ("Agent", "Person"), {"name": "Kim", "email": f"{u}@example.org"}) for u in ("a", "b")]
    with pytest.raises(UnknownReferenceError, match=r"2 agents are called 'Kim'.*a@example.org"):
        resolve(GraphAsReader(ProvGraph(people, [])), "agent:Kim", Places())
