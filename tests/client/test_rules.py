"""Semantics rule 4 for activities inside a process: what they share with what they are in."""

import pytest
from client.conftest import activity


def test_what_is_read_within_is_used_by_both(desk):
    for name in ("before", "within", "deep", "after"):
        desk.lab.write(name, f"{name}\n")
    desk.watched(
        """
        open("before").read()
        with provgraph.activity("outer"):
            open("within").read()
            with provgraph.activity("inner") as run:
                open("deep").read()
                open("scratch", "w").write("x")
                open("scratch").read()
                run.used("https://example.org/x.csv")
        with provgraph.activity("next"):
            pass
        open("after").read()
        """
    )
    graph = desk.graph()
    command = graph.command("program.py")
    outer, inner, following = (activity(graph, name) for name in ("outer", "inner", "next"))
    url = "https://example.org/x.csv"
    assert graph.used(inner) == {"program.py", "before", "within", "deep", url}
    assert graph.used(outer) == {"program.py", "before", "within", "deep", url}
    assert graph.used(following) == {"program.py", "before", "within", "deep", url}
    assert graph.used(command) == {"program.py", "before", "within", "deep", "after", url}
    roles = {
        graph.vertices[target]["path"]: found.get("role")
        for (kind, source, target, _), found in graph.edges.items()
        if kind == "used" and source == inner
    }
    assert (roles["before"], roles["within"], roles["deep"]) == ("inherited", "inherited", None)


@pytest.mark.parametrize("how", ["seccomp", "audit"])
def test_a_chain_through_files(desk, how):
    desk.lab.write("raw", "raw\n")
    desk.run(
        how,
        """
        with provgraph.activity("all"):
            with provgraph.activity("clean"):
                open("clean", "w").write(open("raw").read())
            with provgraph.activity("train"):
                open("model", "w").write(open("clean").read())
            with provgraph.activity("clean again"):
                open("clean", "a").write("more")
            open("report", "w").write(open("model").read())
        """,
    )
    graph = desk.graph()
    assert graph.is_acyclic()
    first, second = graph.snapshots("clean")
    assert graph.generator(first) == activity(graph, "clean")
    assert graph.generator(second) == activity(graph, "clean again")
    assert first in graph.targets("used", activity(graph, "train"))
    assert first in graph.targets("used", activity(graph, "clean again"), role="appended")
    assert graph.generated(activity(graph, "all")) == {"report"}
    assert {"raw", "clean", "model"} <= graph.used(activity(graph, "all"))


def test_a_file_that_the_program_goes_on_writing(desk):
    """An activity inside reads a checkpoint of its own program: no cycle."""
    desk.watched(
        """
        log = open("log", "w")
        log.write("one")
        log.flush()
        with provgraph.activity("look"):
            open("seen", "w").write(open("log").read())
        open("seen").read()
        log.write("two")
        log.close()
        """
    )
    graph = desk.graph()
    assert graph.is_acyclic()
    look = activity(graph, "look")
    assert "log" in graph.used(look)
    assert graph.generated(look) == {"seen"}
    assert len(graph.snapshots("log")) == 2


def test_a_file_left_open_belongs_to_the_program_from_then_on(desk):
    desk.watched(
        """
        with provgraph.activity("open"):
            log = open("log", "w")
            log.write("one")
            log.flush()
        log.write("two")
        log.close()
        """
    )
    graph = desk.graph()
    first, last = graph.snapshots("log")
    assert graph.generator(first) == activity(graph, "open")
    assert graph.generator(last) == graph.command("program.py")
    assert graph.vertices[last]["size_bytes"] == 6


@pytest.mark.parametrize("how", ["seccomp", "audit"])
def test_nested_commands_within(desk, how):
    desk.lab.write("in", "in\n")
    desk.lab.write("old", "old\n")
    desk.run(
        how,
        """
        import subprocess
        with provgraph.activity("a"):
            subprocess.run(["provdb", "cp", "in", "out"], check=True)
            subprocess.run(["provdb", "rm", "old"], check=True)
        subprocess.run(["provdb", "touch", "after"], check=True)
        """,
    )
    graph = desk.graph()
    copy = graph.command("cp in out")
    assert graph.generated(copy) == {"out"}
    assert graph.generated(activity(graph, "a")) == set()
    assert graph.targets("wasInformedBy", copy) == [activity(graph, "a")]
    assert len(graph.snapshots("out")) == 1
    (old,) = graph.snapshots("old")
    assert graph.targets("wasInvalidatedBy", old) == [graph.command("rm old")]
    after = graph.targets("wasInformedBy", graph.command("touch after"))
    assert after == ([graph.command("program.py")] if how == "seccomp" else [])


def test_many_files_read_before_are_one_collection(desk):
    (desk.root / "images").mkdir()
    for n in range(1100):
        (desk.root / "images" / f"{n:04}.png").write_text(str(n))
    desk.watched(
        """
        import os
        for name in os.listdir("images"):
            open("images/" + name).read()
        for n in range(3):
            with provgraph.activity(f"epoch{n}"):
                open(f"out{n}", "w").close()
        """
    )
    graph = desk.graph()
    for n in range(3):
        assert graph.used(activity(graph, f"epoch{n}")) == {"images", "program.py"}
