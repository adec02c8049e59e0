"""Rules 9 to 12 of docs/semantics.md: what becomes an edge."""

import os
import sys

import pytest


def test_rule_9_append_update_truncate(lab):
    for name in ("appended", "updated", "truncated", "same", "replaced"):
        lab.write(name, "0123456789\n")
    lab.write(
        "change.py",
        """
        import os
        open("appended", "a").write("more\\n")
        with open("updated", "r+") as f:
            f.seek(3); f.write("x")
        open("truncated", "w").write("new\\n")
        os.close(os.open("same", os.O_WRONLY))
        open("scratch", "w").write("over\\n"); os.replace("scratch", "replaced")
        """,
    )
    lab.python("change.py")
    graph = lab.graph()
    activity = graph.command("change.py")
    assert graph.used(activity) == {"change.py", "appended", "updated"}
    assert graph.generated(activity) == {"appended", "updated", "truncated", "replaced"}
    for name, role in (("appended", "appended"), ("updated", "updated")):
        new = graph.snapshots(name)[-1]
        assert graph.targets("wasGeneratedBy", new, role=role) == [activity]
    assert graph.targets("used", activity, role="appended") == [graph.snapshots("appended")[0]]
    for name in ("appended", "updated", "truncated", "replaced"):
        old, new = graph.snapshots(name)
        assert graph.targets("wasDerivedFrom", new, prov_type="Revision", activity=activity) == [old]
    assert len(graph.snapshots("same")) <= 1


def test_rule_9_a_failed_opening_is_nothing(lab):
    lab.run("cat", "missing", check=1)
    lab.run("sh", "-c", "for f in a b c; do [ -e $f ] && cat $f; done; true")
    graph = lab.graph()
    assert all(not graph.used(uid) for uid in graph.of("Command"))
    assert not graph.of("Snapshot", path="missing")


def test_rule_10_delete_and_rename(lab):
    lab.write("a", "content\n")
    lab.write("b", "gone\n")
    lab.run("sh", "-c", "mv a c; rm b")
    graph = lab.graph()
    activity = graph.of("Command")[0]
    a, b, c = (graph.snapshots(name)[0] for name in "abc")
    assert graph.used(activity) == {"a"}
    assert graph.generated(activity) == {"c"}
    assert graph.targets("wasDerivedFrom", c, prov_type="Rename") == [a]
    assert graph.vertices[a]["sha256"] == graph.vertices[c]["sha256"]
    assert graph.targets("wasInvalidatedBy", a) == graph.targets("wasInvalidatedBy", b) == [activity]
    assert graph.vertices[b]["restorable"] is True, "its bytes were set aside before it was deleted"


def test_rule_10_a_folder_is_renamed_file_by_file(lab):
    lab.write("old/x/1", "one\n")
    lab.write("old/2", "two\n")
    lab.run("cat", "old/x/1", "old/2")
    lab.run("mv", "old", "new")
    graph = lab.graph()
    move = graph.command("mv old")
    assert graph.generated(move) == {"new/x/1", "new/2"}
    assert graph.used(move) == {"old/x/1", "old/2"}
    moved = graph.snapshots("new/x/1")[0]
    assert graph.targets("wasDerivedFrom", moved, prov_type="Rename") == graph.snapshots("old/x/1")
    assert graph.vertices[moved]["sha256"] == graph.vertices[graph.snapshots("old/x/1")[0]]["sha256"]


@pytest.mark.slow
def test_rule_10_a_folder_of_100k_files_is_renamed(lab):
    folder = lab.root / "old"
    folder.mkdir()
    for number in range(100_000):
        fd = os.open(folder / f"{number:06}.txt", os.O_CREAT | os.O_WRONLY)
        os.close(fd)
    lab.run("init")
    lab.run("mv", "old", "new")
    graph = lab.graph()
    move = graph.command("mv old")
    assert len(graph.vertices) < 100, "two collections, not 200,000 snapshots"
    new, old = graph.snapshots("new")[0], graph.snapshots("old")[0]
    assert graph.vertices[new]["members_count"] == graph.vertices[old]["members_count"] == 100_000
    assert graph.generator(new) == move
    assert graph.targets("wasInvalidatedBy", old) == [move]
    assert old in graph.targets("used", move)
    assert graph.targets("wasDerivedFrom", new, prov_type="Rename") == [old]


def test_rule_11_derivations_are_revision_copy_or_rename(lab):
    lab.write("a", "content\n")
    lab.write("b", "other\n")
    lab.run("sh", "-c", "cp a copy; cat a b > both; sort b > sorted")
    graph = lab.graph()
    kinds = {properties.get("prov_type") for (type, *_), properties in graph.edges.items() if type == "wasDerivedFrom"}
    assert kinds <= {"Revision", "Copy", "Rename"}
    assert graph.targets("wasDerivedFrom", graph.snapshots("copy")[0]) == graph.snapshots("a")
    assert not graph.targets("wasDerivedFrom", graph.snapshots("both")[0])


def test_rule_12_revisions_are_no_ancestry(lab):
    for number in range(4):
        lab.write("in", f"{number}\n")
        lab.run("sh", "-c", "cat in > out")
    graph = lab.graph()
    newest = graph.snapshots("out")[-1]
    with_revisions = lab.provdb.json("lineage", newest, "--revisions")
    plain = lab.provdb.json("lineage", newest)
    found = {vertex["uid"] for vertex in plain["vertices"]}
    assert found.isdisjoint(graph.snapshots("out")[:-1])
    assert set(graph.snapshots("out")) <= {vertex["uid"] for vertex in with_revisions["vertices"]}
    assert {edge["type"] for edge in plain["edges"]} <= {
        "used",
        "wasGeneratedBy",
        "wasAssociatedWith",
        "wasAttributedTo",
    }
    assert any("Person" in vertex["labels"] for vertex in plain["vertices"])


def test_the_calling_shells_redirections_belong_to_the_command(lab):
    lab.write("in", "2\n1\n")
    lab.provdb.shell(f"{sys.executable} -m provgraph sort < in > out; {sys.executable} -m provgraph sort in >> out")
    graph = lab.graph()
    first, second = graph.of("Command")
    assert graph.used(first) == {"in"}
    assert graph.generated(first) == {"out"}
    assert graph.used(second) == {"in", "out"}
    assert graph.targets("wasGeneratedBy", graph.snapshots("out")[1], role="appended") == [second]


def test_rule_9_what_a_caller_wrote_into_a_shared_log_is_not_the_commands(lab):
    provdb = f"{sys.executable} -m provgraph"
    lab.provdb.shell(f"(echo before; {provdb} true; {provdb} echo inside; {provdb} true; echo after) > log 2>&1")
    graph = lab.graph()
    first, second, third = graph.of("Command")
    assert [graph.generated(command) for command in (first, second, third)] == [set(), {"log"}, set()]
    written = graph.targets("wasGeneratedBy", graph.snapshots("log")[1], role="appended")
    assert written == [second]
    assert lab.provdb("restore", "log@2", "-o", "-").stdout == "before\ninside\n"


def test_operands_of_the_command_line_are_linked_to_their_snapshots(lab):
    lab.write("in", "2\n1\n")
    lab.write("more", "3\n")
    lab.run("sort", "-o", "out", "in", "./more")
    lab.run("sh", "-c", "cat in > out2")
    graph = lab.graph()
    named, unnamed = graph.command("sort -o"), graph.command("out2")
    assert set(graph.targets("used", named, operand=True)) == {*graph.snapshots("in"), *graph.snapshots("more")}
    assert not graph.targets("used", unnamed, operand=True)
