"""Rules 2, 4 and 17 of docs/semantics.md for an activity that reads back what comes of its own: it goes on in parts."""

import sys

import pytest

PROVDB = f"{sys.executable} -m provgraph"
INSIDE = """
    with open("in.txt") as file:
        text = file.read()
    with open("a.txt", "w") as file:
        file.write(text + "a\\n")
    with provgraph.activity("inner"):
        with open("a.txt") as file:
            text = file.read()
        with open("b.txt", "w") as file:
            file.write(text + "b\\n")
    with open("b.txt") as file:
        text = file.read()
    with open("c.txt", "w") as file:
        file.write(text + "c\\n")
"""
"""A program that has a part of its own use what it wrote, reads the result and goes on."""
SHELL = f"cat in.txt >a.txt\n{PROVDB} cp a.txt b.txt\n{{ cat b.txt; }} >c.txt\n"


def parts(graph):
    """Who generated what, first part first: the activities that stand for one, joined as rule 4 has it."""
    (last,) = (graph.generator(uid) for uid in graph.snapshots("c.txt"))
    first = graph.vertices[last]["whole"]
    assert graph.vertices[first].get("whole") is None
    assert graph.targets("wasInformedBy", last) == [first]
    return first, last


def past(lab, path):
    return {vertex["properties"].get("path") for vertex in lab.provdb.json("lineage", path)["vertices"]}


def check(lab, generator):
    """c.txt comes of b.txt, that of a.txt, and all of in.txt; the activity has ended, whichever part one looks at."""
    graph = lab.graph()
    assert graph.is_acyclic()
    first, last = parts(graph)
    assert graph.used(last) == {"b.txt"}
    assert graph.generated(last) == {"c.txt"}
    assert graph.generated(first) == {"a.txt"}
    assert "in.txt" in graph.used(first)
    (inner,) = (graph.generator(uid) for uid in graph.snapshots("b.txt"))
    assert generator in (graph.vertices[inner].get("command") or graph.vertices[inner]["name"])
    assert "a.txt" in graph.used(inner)
    assert {"a.txt", "b.txt", "c.txt", "in.txt"} <= past(lab, "c.txt")
    assert {"b.txt", "c.txt"}.isdisjoint(past(lab, "a.txt"))
    for part in (graph.vertices[first], graph.vertices[last]):
        assert part["exit_status"] == 0
        assert part["ended_at"] > part["started_at"]
        assert part["duration_s"] > 0
        assert "interrupted" not in part
    lab.notice()  # what no activity explains would be found here
    assert [len(lab.graph().snapshots(path)) for path in ("a.txt", "b.txt", "c.txt")] == [1, 1, 1]


def test_rule_4_a_script_that_reads_back_what_it_had_another_make(lab):
    lab.write("in.txt", "in\n")
    lab.write("run.sh", SHELL)
    lab.run("sh", "run.sh")
    check(lab, "cp a.txt b.txt")
    rows = lab.provdb.json("log")
    found = [dict(zip(rows["columns"], row, strict=True)) for row in rows["rows"]]
    assert [row["name"] for row in found if "#" in row["name"]] == ["cp #2", "run.sh #1"]


@pytest.mark.parametrize("around", [True, False], ids=["in a command", "alone"])
def test_rule_4_a_program_that_reads_back_what_a_part_of_it_made(lab, around):
    lab.write("in.txt", "in\n")
    if around:
        lab.write("job.py", f"import provgraph\nif True:{INSIDE}")
        lab.python("job.py")
    else:
        lab.write("job.py", f"import provgraph\nwith provgraph.activity('outer'):{INSIDE}")
        lab.provdb.shell(f"{sys.executable} job.py")
    check(lab, "inner")


def test_rule_4_again_and_again(lab):
    """Each result that comes back ends a part; what another reads in between is of the part that has used it."""
    lab.write(
        "run.sh",
        f"""
        echo 0 >f0
        for n in 1 2 3; do
            {PROVDB} sh -c "cat f$((n - 1)) >g$n"
            {{ cat g$n; echo $n; }} >f$n
        done
        """,
    )
    lab.run("sh", "run.sh")
    graph = lab.graph()
    assert graph.is_acyclic()
    files = {f"{letter}{n}" for letter in "fg" for n in range(4)} - {"g0"}
    for n in range(4):
        later = {f"{letter}{m}" for letter in "fg" for m in range(n + 1, 4)}
        assert past(lab, f"f{n}") & files == files - later, n
    assert len({graph.generator(uid) for n in range(4) for uid in graph.snapshots(f"f{n}")}) == 4


def test_rule_2_what_is_told_of_all_parts(lab):
    """Of each part the same is told: programs, scratch files, gaps; a version holds what any of them generated."""
    for name in ("in", "old", "gone"):
        lab.write(f"{name}.txt", f"{name}\n")
    lab.write(
        "run.sh",
        f"""
        echo 1 >scratch; rm scratch old.txt gone.txt; cp in.txt a.txt
        {PROVDB} cp a.txt b.txt
        {{ cat b.txt; }} >c.txt
        echo 2 >scratch; rm scratch; echo new >old.txt
        """,
    )
    lab.run("sh", "run.sh")
    graph = lab.graph()
    first, last = parts(graph)
    assert graph.generated(first) == {"a.txt"}
    assert graph.generated(last) == {"c.txt", "old.txt"}
    for part in (graph.vertices[first], graph.vertices[last]):
        assert part["scratch_files"] == 2
        assert "cp in.txt a.txt" in part["programs_json"].replace('", "', " ")
        assert "cat b.txt" in part["programs_json"].replace('", "', " ")
    (gone,) = graph.snapshots("gone.txt")
    (deleter,) = graph.targets("wasInvalidatedBy", gone)
    assert deleter in (first, last)
    old, new = graph.snapshots("old.txt")
    assert graph.targets("wasDerivedFrom", new, prov_type="Revision") == [old]
    members = {
        graph.vertices[uid]["path"]
        for version in graph.of("Version", activity=first)
        for uid in graph.targets("hadMember", version)
    }
    assert {"a.txt", "c.txt", "old.txt", "in.txt"} <= members


def test_rule_4_an_update_of_what_another_made_of_it(lab):
    """What was written before is of the first part, and once alone."""
    lab.write(
        "run.sh",
        f"""
        echo 1 >x.txt; echo p >p.txt
        {PROVDB} sh -c 'echo 2 >>x.txt'
        sleep 0.1; echo 3 >>x.txt; echo q >q.txt; sleep 0.1
        """,
    )
    lab.run("sh", "run.sh")
    graph = lab.graph()
    assert graph.is_acyclic()
    one, two, three = (graph.generator(uid) for uid in graph.snapshots("x.txt"))
    assert graph.vertices[three]["whole"] == one
    assert two not in (one, three)
    for part in (graph.vertices[one], graph.vertices[three]):  # it is at the end that it is split
        assert part["exit_status"] == 0
        assert part["duration_s"] > 0
        assert "interrupted" not in part
    assert [graph.generator(uid) for path in ("p.txt", "q.txt") for uid in graph.snapshots(path)] == [one, three]


def test_rule_17_many_files_that_were_read_before_a_part_ends(lab):
    """They are one collection still, and the part that had read them used it."""
    for n in range(1001):
        lab.write(f"in/{n}.txt", f"{n}\n")
    lab.write("run.sh", f"cat in/*.txt >a.txt\n{PROVDB} cp a.txt b.txt\n{{ cat b.txt; }} >c.txt\n")
    lab.run("sh", "run.sh")
    graph = lab.graph()
    assert graph.is_acyclic()
    first, last = parts(graph)
    assert "in" in graph.used(first)
    assert graph.used(last) == {"b.txt"}
    assert "in" in past(lab, "c.txt")
