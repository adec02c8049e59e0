"""What users name becomes a question to the operator: on a store, and on a graph that came as a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graph_samples import Sample, at

import provgraph
from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.answers import OutlineLine
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.naming import display_name
from provgraph.graph.provgraph import ProvGraph
from provgraph.graph.reader import GraphReader
from provgraph.graph.segment import Segment, Why
from provgraph.model import members
from provgraph.queries.graph_reader import GraphAsReader
from provgraph.queries.places import Places
from provgraph.queries.segment_outline import segment_outline
from provgraph.queries.segmenting import in_segment, segment_of
from provgraph.render.segments import counts_text, segment_text
from provgraph.render.text import Page
from provgraph.render.times import Clock
from provgraph.stores import init_project


@pytest.fixture(params=["store", "graph"])
def reader(sample: Sample, request: pytest.FixtureRequest) -> Iterator[GraphReader]:
    with sample.open() as store:
        yield store.reader if request.param == "store" else GraphAsReader(store.reader.whole())


def asked(reader: GraphReader, sources: object, destinations: object, **more: object) -> Segment:
    return segment_of(reader, sources, destinations, Places(), **more)  # type: ignore[arg-type]


def names(segment: Segment, *reasons: Why) -> set[str]:
    """Of the vertices with one of these reasons, or all."""
    return {display_name(v) for v in segment if not reasons or segment.why(v.uid) in reasons}


def test_a_segment_of_references(reader: GraphReader) -> None:
    found = asked(reader, ["raw.csv"], ["metrics.json"])
    assert names(found, Why.DIRECT) == {
        "raw.csv@1", "prepare.py #1", "clean.csv@1", "split.py #2", "train.csv@1", "test.csv@1", "train.py #3",
        "model.pkl@1", "evaluate.py #4", "metrics.json@1",
    }  # fmt: skip
    assert found.found and found.query is not None and found.query["command"] == "segment"
    assert [display_name(found[uid]) for uid in found.sources] == ["raw.csv@1"]
    one_word = asked(reader, "raw.csv", "metrics.json", exclude="Agent")
    assert names(one_word) == names(found) - {"Alice"}


def test_a_path_as_a_source_is_its_snapshots_that_a_destination_reaches(reader: GraphReader) -> None:
    def sources(*texts: str, to: str = "model.pkl@*", **more: object) -> set[str]:
        found = asked(reader, texts, [to], **more)
        return {display_name(found[uid]) for uid in found.sources}

    assert sources("config.yaml") == {"config.yaml@1", "config.yaml@2"}
    assert sources("config.yaml", to="model.pkl@1") == {"config.yaml@1"}
    assert sources("config.yaml", to="metrics.json") == {"config.yaml@1"}
    assert sources("config.yaml", exclude=["Unseen"], to="model.pkl@2") == {"config.yaml@2"}
    assert sources("config.yaml@1") == {"config.yaml@1"}
    assert sources("config.yaml@*", to="model.pkl@1") == {"config.yaml@1", "config.yaml@2"}
    assert sources("c*", to="model.pkl@1") == {"clean.csv@1", "config.yaml@1"}
    assert sources("metrics.json", to="model.pkl@1") == {"metrics.json@1"}  # none is reached: the newest
    uid = next(row.uid for row in reader.snapshots("config.yaml"))
    assert sources(uid, to="model.pkl@2") == {"config.yaml@1"}


def test_a_member_as_a_source_is_the_collection_that_a_destination_reaches(place: Path) -> None:
    rows = [(f"{number}.png", f"{number + 1:064x}", 10) for number in range(1200)]
    with init_project(str(place)) as store:
        for sequence in (1, 2):
            snapshot = {"sequence": sequence, "created_at": at(f"0{sequence}:00:00")}
            with store.journal.batch() as batch:
                event = batch.event("activity.ended", at(f"0{sequence}:00:00"))
                images = event.vertex(["Entity", "Snapshot", "Collection"], {"path": "img", **snapshot})
                event.edge("specializationOf", images, event.vertex(["Entity", "Artifact"], {"path": "img"}))
                event.facts["members"] = [{"vertex": 0, "chunk": members.encode(rows)}]
                train = event.vertex(["Activity", "Command"], {"name": f"train #{sequence}"})
                model = event.vertex(["Entity", "Snapshot"], {"path": "model.pkl", **snapshot})
                event.edge("specializationOf", model, event.vertex(["Entity", "Artifact"], {"path": "model.pkl"}))
                event.edge("used", train, images)
                event.edge("wasGeneratedBy", model, train)
        for sequence in (1, 2):
            found = asked(store.reader, ["img/42.png"], [f"model.pkl@{sequence}"])
            assert names(found, Why.DIRECT) == {f"img@{sequence}", f"train #{sequence}", f"model.pkl@{sequence}"}
            assert any("img/42.png is a member of img" in note for note in found.notes)


def test_sets_lose_what_is_outside_the_boundary_and_say_so(reader: GraphReader) -> None:
    found = asked(reader, ["raw.csv"], ["model.pkl@*"], exclude=["sequence=2"])
    assert "model.pkl@2" not in names(found)
    assert "1 of the 2 that model.pkl@* names are outside the boundary" in found.notes
    where = asked(reader, ["raw.csv"], ["where: path=model.pkl"], exclude=["sequence=2"])
    assert names(where) == names(found)
    with pytest.raises(QuestionError, match=r"--to model.pkl \(model.pkl@2\) is outside the boundary"):
        asked(reader, ["raw.csv"], ["model.pkl"], exclude=["sequence=2"])
    with pytest.raises(UnknownReferenceError, match="the boundary excludes all that it holds for"):
        asked(reader, ["raw.csv"], ["where: path=model.pkl"], exclude=["path=model.pkl"])
    with pytest.raises(QuestionError, match=r"--expand config.yaml \(config.yaml@2\) is outside the boundary"):
        asked(reader, ["raw.csv"], ["model.pkl"], exclude=["path=config.yaml"], expand={"config.yaml": 1})


def test_a_path_as_a_source_whose_newest_snapshot_is_outside_is_still_those_that_are_reached(
    reader: GraphReader,
) -> None:
    def sources(text: str, **more: object) -> set[str]:
        found = asked(reader, [text], ["model.pkl@1"], exclude=["path=config.yaml and sequence=2"], **more)
        return {display_name(found[uid]) for uid in found.sources}

    assert sources("config.yaml") == {"config.yaml@1"}
    assert sources("c*") == {"clean.csv@1", "config.yaml@1"}
    with pytest.raises(QuestionError, match=r"--from config.yaml@2 is outside the boundary"):
        sources("config.yaml@2")
    with pytest.raises(QuestionError, match=r"--from config.yaml \(config.yaml@2\) is outside the boundary"):
        asked(reader, ["config.yaml"], ["clean.csv"], exclude=["path=config.yaml and sequence=2"])


def test_a_match_that_tells_nothing_apart_is_said(reader: GraphReader) -> None:
    def notes(sources: list[str] | None, match: dict[str, list[str]]) -> list[str]:
        return [note for note in asked(reader, sources, ["model.pkl"], match=match).notes if "--match" in note]

    assert notes(["raw.csv"], {"activity": ["comand"], "entity": ["path"]}) == [
        "--match activity=comand has no effect: no activity has a property called so"
    ]
    assert notes(["raw.csv"], {"activity": ["path"]}) != [] and notes(["raw.csv"], {"activity": ["name"]}) == []
    assert notes(None, {"activity": ["name"]}) == [
        "--match has no effect without --from: all that came before is direct"
    ]
    without = asked(reader, ["raw.csv"], ["model.pkl"], match={"activity": ["name"]}, similar=False)
    assert "--match has no effect with --no-similar: there are direct paths alone" in without.notes


@pytest.mark.parametrize("expand", ["2", 1.5, [1], {"model.pkl": "2"}])
def test_an_expansion_is_a_number(reader: GraphReader, expand: object) -> None:
    with pytest.raises(QuestionError, match="is no number of activities"):
        asked(reader, ["raw.csv"], ["model.pkl"], expand=expand)


def test_a_match_is_keys_by_kind(reader: GraphReader) -> None:
    with pytest.raises(QuestionError, match="are no keys by kind"):
        asked(reader, ["raw.csv"], ["model.pkl"], match="activity")


def test_where_means_artifacts_only_where_it_means_nothing_else(reader: GraphReader) -> None:
    found = asked(reader, ["where: path ~ raw*"], ["model.pkl"])
    assert names(found, Why.QUERY) == set()
    artifacts = asked(reader, ["where: Artifact and path ~ raw*"], ["model.pkl"])
    assert [v.labels for v in artifacts if artifacts.why(v.uid) is Why.QUERY and "Artifact" in v.labels]


def test_expansions(reader: GraphReader) -> None:
    plain = names(asked(reader, ["train.csv"], ["model.pkl@2"], similar=False))
    everywhere = asked(reader, ["train.csv"], ["model.pkl@2"], similar=False, expand=1)
    assert names(everywhere) - plain == {"config.yaml@2", "split.py #2", "clean.csv@1"}
    chosen = asked(reader, ["train.csv"], ["model.pkl@2"], similar=False, expand={"split.py #2": 1})
    assert names(chosen) - plain == {"split.py #2", "clean.csv@1"}
    later = asked(reader, ["train.csv"], ["model.pkl@2"], similar=False, expand_downstream={"model.pkl@1": 1})
    assert names(later) - plain == {"model.pkl@1", "evaluate.py #4", "metrics.json@1"}
    set_of = asked(reader, ["train.csv"], ["model.pkl@2"], similar=False, expand={"where: path=metrics.json": 0})
    assert names(set_of) - plain == {"metrics.json@1"}
    for k in ({"raw.csv": -1}, -1):
        with pytest.raises(QuestionError, match="--expand -1 goes nowhere"):
            asked(reader, ["train.csv"], ["model.pkl@2"], expand=k)


def test_a_question_without_ends_is_none(reader: GraphReader) -> None:
    with pytest.raises(QuestionError, match="a segment to what"):
        asked(reader, None, [])
    with pytest.raises(QuestionError, match="a segment from what"):
        asked(reader, [], ["model.pkl"])
    with pytest.raises(QuestionError, match=r"--to train.py #3 is an activity.*it generated model.pkl@1"):
        asked(reader, None, ["train.py #3"])
    with pytest.raises(QuestionError, match="--from Alice is an agent"):
        asked(reader, ["agent:Alice"], ["model.pkl"])


def test_notes_of_the_references_are_kept(reader: GraphReader) -> None:
    found = segment_of(reader, ["raw.csv"], ["model.pkl"], Places(), notes=["said before"])
    assert "said before" in found.notes


def test_what_is_explained_is_looked_for_in_the_segment_first(reader: GraphReader) -> None:
    found = asked(reader, ["raw.csv"], ["metrics.json"])
    vertex, inside = in_segment(found, "model.pkl", reader, Places())
    assert (display_name(vertex), inside) == ("model.pkl@1", True)  # though model.pkl@2 is newer
    vertex, inside = in_segment(found, "%1", reader, Places())
    assert (display_name(vertex), inside) == ("train.py #5", False)
    assert in_segment(found, "model.pkl@2", reader, Places())[1] is False
    with pytest.raises(UnknownReferenceError):
        in_segment(found, "nowhere", reader, Places())


def test_the_python_function_takes_uids_and_keeps_environments() -> None:
    vertices = [
        Vertex("data", ("Entity",)), Vertex("train", ("Activity",), {"name": "data"}), Vertex("model", ("Entity",)),
        Vertex("lib", ("Entity", "Environment")),
    ]  # fmt: skip
    edges = [Edge("used", "train", "data"), Edge("used", "train", "lib"), Edge("wasGeneratedBy", "model", "train")]
    graph = ProvGraph(vertices, edges)
    found = provgraph.segment(graph, ["data"], ["model"])
    assert {uid: found.why(uid).value for uid in found.uids} == {
        "data": "direct", "lib": "similar", "model": "direct", "train": "direct",
    }  # fmt: skip
    assert set(provgraph.segment(graph, ["data"], ["model"], environment=False).uids) == {"data", "model", "train"}
    again = provgraph.segment(found, ["lib"], ["model"])
    assert {uid: again.why(uid).value for uid in again.uids} == {
        "data": "similar", "lib": "direct", "model": "direct", "train": "direct",
    }  # fmt: skip
    assert len(provgraph.segment(graph, destinations="model")) == 4


# -- what a terminal shows


def many_trainings(count: int) -> ProvGraph:
    """A report on many trainings, each with a configuration of its own; the third also used the data."""
    vertices = [Vertex("data", ("Entity", "Snapshot"), {"path": "data.csv", "sequence": 1}),
                Vertex("report", ("Activity", "Command"), {"name": "report #0", "number": 0}),
                Vertex("table", ("Entity", "Snapshot"), {"path": "table.txt", "sequence": 1})]  # fmt: skip
    edges = [Edge("wasGeneratedBy", "table", "report")]
    for n in range(1, count + 1):
        vertices += [
            Vertex(f"t{n}", ("Activity", "Command"), {"name": f"train #{n}", "number": n}),
            Vertex(f"c{n}", ("Entity", "Snapshot"), {"path": f"config/{n:03}.json", "sequence": 1}),
            Vertex(f"m{n}", ("Entity", "Snapshot"), {"path": "model.pkl", "sequence": n}),
            Vertex(f"l{n}", ("Entity", "Snapshot"), {"path": "log.txt", "sequence": n}),
        ]
        edges += [Edge("used", "report", f"m{n}"), Edge("used", f"t{n}", f"c{n}")]
        edges += [Edge("wasGeneratedBy", f"{made}{n}", f"t{n}") for made in "ml"]
        if n == 3:
            edges.append(Edge("used", f"t{n}", "data"))
    return ProvGraph(vertices, edges)


def lines(segment: Segment, **more: bool) -> list[str]:
    from datetime import UTC, datetime

    drawn = segment_outline(segment, **more)
    return segment_text(segment, drawn, Page(100), Clock(datetime(2026, 1, 1, tzinfo=UTC), "utc")).splitlines()


def test_of_many_alike_a_few_are_drawn_and_the_direct_one_comes_first() -> None:
    segment = provgraph.segment(many_trainings(43), ["data"], ["table"])
    text = lines(segment)
    assert text[:7] == [
        "table.txt@1",
        "└─ wasGeneratedBy report #0",
        "   ├─ used model.pkl@3",
        "   │  └─ wasGeneratedBy train #3",
        "   │     ├─ used data.csv@1 (source)",
        "   │     ├─ used config/003.json@1 (similar)",
        "   │     └─ generated log.txt@3 (sibling)",
    ]
    assert text[7] == "   ├─ used model.pkl@1 (similar)"
    assert text[-3:] == [
        "   └─ used … and 38 more",
        "",
        "175 vertices: 5 direct, 127 similar, 43 siblings",
    ]
    assert len(text) == 26
    outline = segment_outline(segment)
    assert outline.total == 175 and outline.drawn == 23
    everything = segment_outline(segment, everything=True)
    assert everything.drawn == everything.total == 175


def test_every_vertex_is_drawn_once_whatever_it_is_there_for() -> None:
    segment = provgraph.segment(
        many_trainings(5), ["data", "c5"], ["m3", "l1"], expand_downstream={"m3": 1, "m4": 1}, similar=False
    )
    outline = segment_outline(segment, everything=True)

    def drawn(line: OutlineLine) -> bool:
        return line.vertex is not None and line.state == "full"

    full = [line.vertex.uid for line in outline.lines if line.vertex is not None and drawn(line)]
    assert sorted(full) == segment.uids
    text = "\n".join(lines(segment, everything=True))
    assert "log.txt@1 (on no path)" in text and "config/005.json@1 (source, on no path)" in text
    assert "table.txt@1 (expansion)" in text
    assert counts_text(segment) == "9 vertices: 3 direct, 2 on no path, 1 sibling, 3 by expansion"


def test_an_empty_answer_is_counted_too() -> None:
    graph = ProvGraph([Vertex("a", ("Entity",), {"name": "a"})], [])
    assert lines(provgraph.segment(graph, ["a"], ["a"])) == ["a (source)", "", "1 vertex: 1 direct"]


@pytest.mark.parametrize(
    ("sources", "destinations", "more", "said"),
    [
        (
            ["raw.csv"],
            ["model.pkl"],
            {"exclude": ["path=modle.pkl"]},
            "--exclude path=modle.pkl holds for nothing here",
        ),
        (None, ["model.pkl@1"], {"agent": "Bob"}, "model.pkl@1 came from nothing within the boundary"),
        (None, ["raw.csv"], {}, "raw.csv@1 came from nothing that is recorded"),
        (["model.pkl@1"], ["raw.csv"], {}, "the other way round: model.pkl@1 came from raw.csv@1"),
    ],
)
def test_what_had_no_effect_and_why_so_little_came_out(
    reader: GraphReader, sources: object, destinations: object, more: dict[str, object], said: str
) -> None:
    assert any(said in note for note in asked(reader, sources, destinations, **more).notes)
    plain = asked(reader, ["raw.csv"], ["metrics.json"])
    assert not plain.notes


def test_names_that_are_no_entities_get_a_hint(reader: GraphReader) -> None:
    with pytest.raises(QuestionError, match=r"agent:Alice|is an agent"):
        asked(reader, None, ["Alice"])
    with pytest.raises(UnknownReferenceError, match="'where: size_bytes > 3'"):
        asked(reader, None, ["size_bytes > 3"])


def test_what_is_no_graph_or_no_text() -> None:
    nothing: list[Any] = [{}, None, "graph.json"]
    for graph in nothing:
        with pytest.raises(QuestionError, match="takes a ProvGraph"):
            provgraph.segment(graph, destinations=["a"])
        with pytest.raises(QuestionError, match="takes two ProvGraphs"):
            provgraph.compare(graph, graph)
    one = ProvGraph([Vertex("a", ("Entity",))], [])
    with pytest.raises(QuestionError, match="no predicate"):
        provgraph.segment(one, destinations=["a"], exclude=[3])  # type: ignore[list-item]
    with pytest.raises(QuestionError, match="isoformat"):
        provgraph.segment(one, destinations=["a"], since=7)  # type: ignore[arg-type]


def test_many_destinations_are_not_all_drawn() -> None:
    vertices = [Vertex(f"e{n:03}", ("Entity",), {"name": f"part-{n:03}"}) for n in range(900)]
    graph = ProvGraph([*vertices, Vertex("a", ("Activity",))], [Edge("wasGeneratedBy", v.uid, "a") for v in vertices])
    found = provgraph.segment(graph, destinations=[v.uid for v in vertices])
    few, every = segment_outline(found, max_lines=100), segment_outline(found, everything=True)
    assert len(few.lines) < 120 and few.drawn < few.total == every.drawn == 901
