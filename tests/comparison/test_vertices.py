"""Two vertices: properties, relations, members."""

from typing import Any

import jsonschema
import pytest

from provgraph.errors import QuestionError, UnknownReferenceError
from provgraph.graph.comparison import Comparison
from provgraph.graph.elements import Edge, Vertex
from provgraph.graph.provgraph import ProvGraph
from provgraph.model.members import encode
from provgraph.queries.comparison import compare_vertices
from provgraph.queries.comparison.asking import compare_references
from provgraph.queries.comparison.pairs import pair_of
from provgraph.queries.comparison.properties import property_differences
from provgraph.queries.comparison.values import same_value
from provgraph.queries.graph_reader import GraphAsReader
from provgraph.queries.places import Places
from provgraph.schemas import schema


def activity(**properties: Any) -> Vertex:
    return Vertex(str(properties.get("number", "a")), ("Activity", "Command"), properties)


def member(path: str, sequence: int, digest: str) -> Vertex:
    properties = {"path": path, "sequence": sequence, "sha256": digest * 64}
    return Vertex(f"{path}{sequence}", ("Entity", "Snapshot"), properties)


def compared(vertices: list[Vertex], edges: list[Edge], first: str, second: str) -> Comparison:
    reader = GraphAsReader(ProvGraph(vertices, edges))
    one, other = reader.vertex(first), reader.vertex(second)
    assert one is not None and other is not None
    found = compare_vertices(reader, one, other)
    jsonschema.validate(found.to_json(), schema("comparison"), cls=jsonschema.Draft202012Validator)
    return found


def test_what_differs_comes_first_and_what_says_most_before() -> None:
    one = activity(number=1, name="t #1", cwd=".", host="h", duration_s=1.0, metric_acc=0.5, param_lr=1, tag="a")
    other = activity(number=2, name="t #2", cwd=".", host="h", duration_s=2.0, metric_acc=0.75, param_lr=2, tag="b")
    found = property_differences(one, other)
    assert [d.key for d in found] == ["param_lr", "metric_acc", "tag", "duration_s", "name", "number", "cwd", "host"]
    assert [d.group for d in found[3:6]] == ["measure", "incidental", "incidental"]
    assert (found[1].difference, found[1].ratio) == (0.25, 1.5)


def test_what_only_a_store_says_of_itself_is_left_out() -> None:
    here, there = (Vertex("v", ("Snapshot",), {"path": "a"} | more) for more in ({"restorable": True}, {}))
    for one, other in ((here, here), (here, there), (there, there)):
        for told in (True, False):
            assert [d.key for d in property_differences(one, other, told=told)] == ["path"]


def test_what_one_side_lacks_is_no_null() -> None:
    found = {d.key: d for d in property_differences(activity(param_a=None), activity(param_b=0, param_a=None))}
    assert (found["param_a"].state, found["param_b"].state) == ("equal", "second")
    assert found["param_b"].difference is None


def test_ratios_that_do_not_exist() -> None:
    first = activity(metric_a=0, metric_b=True, metric_c=float("nan"), metric_d=10**400)
    second = activity(metric_a=1, metric_b=False, metric_c=float("nan"), metric_d=1)
    found = {d.key: d for d in property_differences(first, second)}
    assert (found["metric_a"].difference, found["metric_a"].ratio) == (1, None)
    assert found["metric_b"].difference is None and found["metric_c"].state == "equal"
    assert found["metric_d"].difference == 1 - 10**400
    huge = property_differences(activity(metric_d=10**400), activity(metric_d=0.5))[0]
    assert (huge.difference, huge.ratio) == (None, 0.0) or huge.ratio is None


def test_a_command_is_the_same_by_itself_and_in_a_shell_line() -> None:
    """Only how it was typed differs: no word of that, nor of the commit, may pass for what makes the runs different."""
    alone = activity(argv=["python", "a.py", "x y"], command="python a.py 'x y'", git_commit="1", git_dirty=False)
    typed = activity(
        argv=["/bin/bash", "-c", "python a.py 'x y'"], command="python a.py 'x y'", wrappers=["bash"],
        line="rm b; python a.py 'x y'", element=1, git_commit="2", git_dirty=True,
    )  # fmt: skip
    found = {d.key: (d.state, d.group) for d in property_differences(alone, typed)}
    assert found == {
        "command": ("equal", "command"),
        "git_commit": ("differs", "circumstance"),
        "git_dirty": ("differs", "circumstance"),
        "line": ("second", "incidental"),
        "element": ("second", "incidental"),
    }
    assert not pair_of(alone, typed, None).differs


def test_elements_of_shell_lines_word_by_word() -> None:
    one, other = (
        activity(argv=["sh", "-c", text], command=text, line=f"{text}; b", element=0)
        for text in ("echo '{\"C\": 1}' > c.json", "echo '{\"C\": 30}' > c.json")
    )
    command = property_differences(one, other)[0]
    assert command.words == (
        ("=", "echo"), ("-", "'{\"C\": 1}'"), ("+", "'{\"C\": 30}'"), ("=", ">"), ("=", "c.json"),
    )  # fmt: skip


def test_names_that_differ_as_commands_do_are_not_told_again() -> None:
    one = activity(name="a.py #1", argv=["python", "a.py"], command="python a.py", options=[], script="a.py")
    other = activity(name="b.py #2", argv=["python", "b.py"], command="python b.py", options=["-x"], script="b.py")
    found = [d for d in property_differences(one, other) if d.state != "equal"]
    assert [(d.key, d.group) for d in found] == [("command", "command"), ("name", "incidental")]
    assert found[0].words == (("=", "python"), ("-", "a.py"), ("+", "b.py"))
    named = property_differences(activity(name="base"), activity(name="wide"))
    assert named[0].group == "property", "a name that was given tells something"


def test_json_texts_are_compared_inside() -> None:
    found = property_differences(activity(x_json='{"a": 1}'), activity(x_json='{"a": 2}'))
    assert [change.path for change in found[0].changes] == ["a"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, 1.0, True), (True, 1, False), ([1, [2]], (1, [2.0]), True), ({"a": 1}, {"a": True}, False), ("1", 1, False)],
)
def test_equality(one: object, other: object, same: bool) -> None:
    assert same_value(one, other) is same


def test_activities_are_compared_by_what_they_touched() -> None:
    vertices = [
        activity(number=1), activity(number=2),
        member("c.json", 1, "a"), member("c.json", 2, "b"), member("d.csv", 1, "c"), member("copy.csv", 1, "d"),
        member("old.txt", 1, "e"), Vertex("Alice", ("Agent", "Person"), {"name": "Alice"}),
    ]  # fmt: skip
    edges = [
        Edge("used", "1", "c.json1"), Edge("used", "2", "c.json2"), Edge("used", "1", "d.csv1"),
        Edge("used", "2", "d.csv1"), Edge("wasGeneratedBy", "copy.csv1", "2"), Edge("used", "1", "old.txt1"),
        Edge("wasAssociatedWith", "1", "Alice"), Edge("wasAssociatedWith", "2", "Alice"),
        Edge("used", "1", "c.json1", {"role": "inherited"}),
    ]  # fmt: skip
    found = compared(vertices, edges, "1", "2")
    told = [(r.relation, r.state, r.first and r.first.uid, r.second and r.second.uid) for r in found.related]
    assert told == [
        ("used", "differs", "c.json1", "c.json2"),
        ("used", "equal", "d.csv1", "d.csv1"),
        ("used", "first", "old.txt1", None),
        ("wasGeneratedBy", "second", None, "copy.csv1"),
        ("wasAssociatedWith", "equal", "Alice", "Alice"),
    ]


def test_an_agent_who_was_merged_into_the_other_s_is_the_same() -> None:
    people = [
        Vertex("home", ("Agent", "Person"), {"name": "ada", "email": "ada@home.org", "same_as": "work"}),
        Vertex("work", ("Agent", "Person"), {"name": "Ada", "email": "ada@work.org"}),
        Vertex("bob", ("Agent", "Person"), {"name": "Bob", "email": "bob@work.org"}),
    ]
    vertices = [activity(number=1), activity(number=2), activity(number=3), *people]
    edges = [Edge("wasAssociatedWith", str(number), who.uid) for number, who in enumerate(people, 1)]
    (same,) = compared(vertices, edges, "1", "2").related
    assert (same.state, same.first, same.second) == ("equal", people[0], people[1])
    assert {r.state for r in compared(vertices, edges, "1", "3").related} == {"first", "second"}


def test_environments_by_what_is_installed() -> None:
    def environment(sequence: int, text: str) -> Vertex:
        properties = {"path": ".venv", "sequence": sequence, "distributions_json": text, "distributions_count": 1}
        return Vertex(f"env{sequence}", ("Entity", "Snapshot", "Environment"), properties)

    vertices = [environment(1, '{"numpy": "1.26"}'), environment(2, '{"numpy": "2.0"}')]
    found = compared(vertices, [], "env1", "env2")
    content = found.both[0].content
    assert content is not None and (content.changes[0].path, content.changes[0].second) == ("numpy", "2.0")
    assert found.both[0].telling == ()


def test_collections_by_their_members() -> None:
    def collection(uid: str, *members: tuple[str, str | None, int]) -> Vertex:
        properties = {"path": "img", "members_chunk": encode(members), "sha256": uid * 64, "members_count": 2}
        return Vertex(uid, ("Entity", "Snapshot", "Collection"), properties)

    one = collection("a", ("0.png", "1" * 64, 1), ("1.png", "2" * 64, 1), ("2.png", None, 1))
    other = collection("b", ("0.png", "1" * 64, 1), ("1.png", "3" * 64, 1), ("2.png", None, 1), ("3.png", "4" * 64, 1))
    found = compared([one, other], [], "a", "b")
    assert found.members is not None
    assert (found.members.added, found.members.changed, found.members.equal_count) == (
        ("3.png",), (("1.png", "1.png"),), 2,
    )  # fmt: skip
    assert any("never read" in note for note in found.notes)
    assert not found.both[0].telling


def version(uid: str, *removed: str) -> Vertex:
    return Vertex(uid, ("Entity", "Version"), {"kind": "implicit", **({"removed": list(removed)} if removed else {})})


def test_versions_by_the_chain_of_differences() -> None:
    """v1 {a1, b1, c1} ← v2 {a2} ← v3 {−b, d1}; a fork v4 {a3} of v1."""
    vertices = [
        version("v1"), version("v2"), version("v3", "b"), version("v4"), version("other"),
        member("a", 1, "1"), member("a", 2, "2"), member("a", 3, "1"), member("b", 1, "3"), member("c", 1, "4"),
        member("d", 1, "5"),
    ]  # fmt: skip
    chain = [("v2", "v1"), ("v3", "v2"), ("v4", "v1")]
    held = [("v1", "a1"), ("v1", "b1"), ("v1", "c1"), ("v2", "a2"), ("v3", "d1"), ("v4", "a3")]
    edges = [Edge("wasDerivedFrom", *pair) for pair in chain] + [Edge("hadMember", *pair) for pair in held]

    def members(first: str, second: str) -> tuple[Any, ...]:
        found = compared(vertices, edges, first, second).members
        assert found is not None
        return found.added, found.removed, found.changed

    assert members("v1", "v3") == (("d@1",), ("b@1",), (("a@1", "a@2"),))
    assert members("v3", "v1") == (("b@1",), ("d@1",), (("a@2", "a@1"),))
    assert members("v4", "v3") == (("d@1",), ("b@1",), (("a@3", "a@2"),))
    assert members("v1", "v4") == ((), (), ()), "another snapshot with the same bytes is no change"
    unrelated = compared(vertices, edges, "other", "v2")
    assert unrelated.members is not None and unrelated.members.added == ("a@2", "b@1", "c@1")
    assert any("no version came before both" in note for note in unrelated.notes)


def test_kinds_that_have_nothing_in_common() -> None:
    found = compared([activity(number=1), member("a", 1, "1")], [], "1", "a1")
    assert found.related == () and "only their properties" in found.notes[0]


def test_references() -> None:
    reader = GraphAsReader(ProvGraph([activity(number=1), member("a", 1, "1"), member("a", 2, "2")], []))
    assert compare_references(reader, ("a@1", "a"), Places()).second == "a@2"
    with pytest.raises(UnknownReferenceError, match="'b'"):
        compare_references(reader, ("a", "b"), Places())
    with pytest.raises(UnknownReferenceError, match="names 2"):
        compare_references(reader, ("a", "a@*"), Places())
    with pytest.raises(QuestionError, match="--lineage"):
        compare_references(reader, ("a", "a@1"), Places(), depth=1)
    with pytest.raises(QuestionError, match="-1"):
        compare_references(reader, ("a", "a@1"), Places(), depth=-1, lineage=True)
    same = compare_references(reader, ("a", "a@2"), Places())
    assert not same and "both are a@2" in same.notes


def test_only_so_many_contents_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provgraph.queries.comparison.pairs.MOST_CONTENTS", 3)
    files = [member(f"f{n}.txt", number, f"{number}") for n in range(9) for number in (1, 2)]
    edges = [Edge("used", str(v.properties["sequence"]), v.uid) for v in files]
    reader = GraphAsReader(ProvGraph([activity(number=1), activity(number=2), *files], edges))
    asked: list[str] = []

    def read(vertex: Vertex) -> bytes:
        asked.append(vertex.uid)
        return vertex.uid.encode()

    one, other = reader.vertex("1"), reader.vertex("2")
    assert one is not None and other is not None
    found = compare_vertices(reader, one, other, contents=read)
    assert len(asked) == 6 and [r.state for r in found.related] == ["differs"] * 9


def test_versions_from_elsewhere_may_call_anything_removed() -> None:
    versions = [Vertex(f"v{n}", ("Entity", "Version"), {"kind": "explicit", "removed": 0.5}) for n in (1, 2)]
    assert not compared(versions, [], "v1", "v2").members


def test_a_collection_speaks_for_its_files_and_pairs_come_first() -> None:
    """Files of a collection get snapshots of their own when one of them is looked at; 4,000 of them tell nothing."""
    runs = [activity(number=n) for n in (1, 2)]
    folders = [
        Vertex(f"imgs{n}", ("Entity", "Snapshot", "Collection"), {"path": "imgs", "sequence": n, "members_count": 3})
        for n in (1, 2)
    ]
    files = [member(f"imgs/{name}.txt", 1, "a") for name in "abc"]
    aside = [member("a.csv", 1, "a"), member("imgs.txt", 1, "b"), member("imgs.txt", 2, "c")]
    edges = [Edge("wasGeneratedBy", made.uid, "1") for made in (folders[0], *files, aside[0], aside[1])]
    edges += [Edge("wasGeneratedBy", made.uid, "2") for made in (folders[1], aside[2])]
    found = compared([*runs, *folders, *files, *aside], edges, "1", "2")
    assert [(r.first and r.first.uid, r.second and r.second.uid) for r in found.related] == [
        ("imgs.txt1", "imgs.txt2"), ("imgs1", "imgs2"), ("a.csv1", None),
    ]  # fmt: skip
