"""Rules 2, 4, 5 and 9 of docs/semantics.md for files that a shell opened for several activities."""

import signal
import sys
from collections import Counter

import pytest
from processes import children_of, eventually, take

PROVDB = f"{sys.executable} -m provgraph"


def history(lab, path):
    """What is known of a file, oldest first: (content, command that generated it, role); nothing may be unseen."""
    lab.notice()  # what no command explains would be found here
    graph = lab.graph()
    assert graph.is_acyclic()
    found = []
    for snapshot in graph.snapshots(path):
        sequence = graph.vertices[snapshot]["sequence"]
        content = lab.provdb("restore", f"{path}@{sequence}", "-o", "-").stdout
        activity = graph.generator(snapshot)
        assert "Unseen" not in graph.vertices[activity]["labels"], (sequence, content)
        roles = {role for kind, start, _, role in graph.edges if (kind, start) == ("wasGeneratedBy", snapshot)}
        assert len(roles) == 1
        found.append((content, graph.vertices[activity]["command"], *roles))
    assert found[-1][0] == (lab.root / path).read_text()
    return graph, found


def ancestors(graph, snapshot):
    """The commands that lineage finds for a snapshot, by ``used`` and ``wasGeneratedBy`` alone."""
    found: set[str] = set()
    stack = [snapshot]
    while stack:
        activity = graph.generator(stack.pop())
        if activity is not None and activity not in found and "Command" in graph.vertices[activity]["labels"]:
            found.add(activity)
            stack += graph.targets("used", activity)
    return Counter(graph.vertices[activity]["command"] for activity in found)


def test_rule_4_a_log_that_nested_commands_inherit(lab):
    lab.write("job.sh", f"echo one\n{PROVDB} echo a\necho two\n{PROVDB} true\n{PROVDB} echo b\necho three\n")
    lab.provdb.shell(f"{PROVDB} sh job.sh > log")
    graph, found = history(lab, "log")
    assert found == [
        ("one\n", "sh job.sh", ""),
        ("one\na\n", "echo a", "appended"),
        ("one\na\ntwo\n", "sh job.sh", "appended"),
        ("one\na\ntwo\nb\n", "echo b", "appended"),
        ("one\na\ntwo\nb\nthree\n", "sh job.sh", "appended"),
    ]
    assert ancestors(graph, graph.snapshots("log")[-1]) == {"sh job.sh": 3, "echo a": 1, "echo b": 1}


def test_rule_4_who_only_runs_others_generates_nothing(lab):
    lab.write("job.sh", f"{PROVDB} true\n{PROVDB} echo a\n{PROVDB} echo b\n")
    lab.provdb.shell(f"{PROVDB} sh job.sh > log")
    _, found = history(lab, "log")
    assert found == [("a\n", "echo a", ""), ("a\nb\n", "echo b", "appended")]


def test_rule_4_who_runs_others_that_write_nothing_is_the_writer(lab):
    lab.write("job.sh", f"{PROVDB} true\necho x\n{PROVDB} true\n")
    lab.provdb.shell(f"{PROVDB} sh job.sh > log")
    assert history(lab, "log")[1] == [("x\n", "sh job.sh", "")]
    lab.write("quiet.sh", f"{PROVDB} true\n{PROVDB} true\n")
    lab.provdb.shell(f"{PROVDB} sh quiet.sh > empty")
    assert history(lab, "empty")[1] == [("", "sh quiet.sh", "")]


def test_rule_4_output_and_errors_of_nested_commands_in_two_files(lab):
    lab.write(
        "job.sh", f"echo 1; echo 2 >&2\n{PROVDB} sh -c 'echo a; echo b >&2'\necho 3; echo 4 >&2\n{PROVDB} echo c\n"
    )
    lab.provdb.shell(f"{PROVDB} sh job.sh > out 2> err")
    out, err = history(lab, "out")[1], history(lab, "err")[1]
    inner = "sh -c 'echo a; echo b >&2'"
    assert [(content, command) for content, command, _ in out] == [
        ("1\n", "sh job.sh"),
        ("1\na\n", inner),
        ("1\na\n3\n", "sh job.sh"),
        ("1\na\n3\nc\n", "echo c"),
    ]
    assert [(content, command) for content, command, _ in err] == [
        ("2\n", "sh job.sh"),
        ("2\nb\n", inner),
        ("2\nb\n4\n", "sh job.sh"),
    ]


@pytest.mark.parametrize("operator", [">", ">>"])
def test_rule_9_each_element_of_a_line_generates_what_it_wrote(lab, operator):
    lab.provdb("sh", "-c", "echo old > log")
    lab.settle()  # nobody sees how a shell empties a file: its old bytes are those that were read in time
    lab.provdb.shell(f"{PROVDB} -c 'true; echo a; true; echo b; true' {operator} log")
    graph, found = history(lab, "log")
    old = "old\n" if operator == ">>" else ""
    first = "appended" if operator == ">>" else ""
    assert found == [
        ("old\n", "sh -c 'echo old > log'", ""),
        (f"{old}a\n", "echo a", first),
        (f"{old}a\nb\n", "echo b", "appended"),
    ]
    assert [uid for uid in graph.of("Command") if "log" in graph.used(uid)] == (
        [graph.command("echo a"), graph.command("echo b")] if old else [graph.command("echo b")]
    )


def test_rule_9_a_nested_command_in_a_line(lab):
    lab.provdb.shell(f"{PROVDB} -c 'echo a; {PROVDB} echo b; echo c' > log 2>&1")
    assert history(lab, "log")[1] == [
        ("a\n", "echo a", ""),
        ("a\nb\n", "echo b", "appended"),
        ("a\nb\nc\n", "echo c", "appended"),
    ]


def test_rule_9_a_front_end_that_is_slower_than_its_line(lab):
    """The first element began when the line did, however late the process that writes so gets to it."""
    with (lab.root / "log").open("w") as log:
        front_end = lab.start("-c", "echo a; echo b; cp log copy; touch done", stdout=log)
        while not any(children_of(supervisor) for supervisor in children_of(front_end.pid)):
            assert front_end.poll() is None
        front_end.send_signal(signal.SIGSTOP)
    eventually((lab.root / "done").exists)
    front_end.send_signal(signal.SIGCONT)
    assert front_end.wait() == 0
    graph, found = history(lab, "log")
    assert found == [("a\n", "echo a", ""), ("a\nb\n", "echo b", "appended")]
    commands = ["echo a", "echo b", "cp log copy", "touch done"]
    began = [graph.vertices[graph.command(command)]["started_at"] for command in commands]
    assert began == sorted(began)


def test_rule_9_a_line_that_reopens_what_it_inherited(lab):
    lab.provdb.shell(f"{PROVDB} -c 'echo a; echo b >> log; echo c' >> log")
    found = history(lab, "log")[1]
    assert [content for content, _, _ in found] == ["a\n", "a\nb\n", "a\nb\nc\n"]
    assert [command for _, command, _ in found] == ["echo a", "echo b >> log", "echo c"]


def test_rule_9_the_last_of_a_pipeline_and_a_group_of_commands(lab):
    lab.provdb.shell(f"{PROVDB} printf 'b\\na\\n' | {PROVDB} sort > out; ( {PROVDB} echo a; {PROVDB} echo b ) > log")
    assert history(lab, "out")[1] == [("a\nb\n", "sort", "")]
    assert history(lab, "log")[1] == [("a\n", "echo a", ""), ("a\nb\n", "echo b", "appended")]


def test_rule_9_two_that_append_at_the_same_time_are_both_generators(lab):
    """The first writes while the second, which began later, is there: nobody could say which of them it was."""
    first = "until [ -e go ]; do sleep 0.01; done; echo a; touch done"
    second = "touch go; until [ -e done ]; do sleep 0.01; done; echo b"
    lab.write("first.sh", first)
    lab.write("second.sh", second)
    lab.provdb.shell(f"{PROVDB} sh first.sh >> log & sleep 0.5; {PROVDB} sh second.sh >> log; wait")
    graph, found = history(lab, "log")
    assert {command for _, command, _ in found} == {"sh first.sh", "sh second.sh"}
    assert set(ancestors(graph, graph.snapshots("log")[-1])) == {"sh first.sh", "sh second.sh"}


def test_rule_9_many_that_append_at_the_same_time(lab):
    lab.provdb.shell("; ".join(f"{PROVDB} echo {number} >> log &" for number in range(6)).replace("&;", "&") + " wait")
    graph, found = history(lab, "log")
    assert {command for _, command, _ in found} == {f"echo {number}" for number in range(6)}
    assert len(ancestors(graph, graph.snapshots("log")[-1])) == 6


def test_rule_2_who_was_there_before_and_after_another(lab):
    lab.write("long.sh", "echo a; touch a; until [ -e b ]; do sleep 0.01; done; echo c")
    line = f"{PROVDB} sh long.sh & until [ -e a ]; do sleep 0.01; done; {PROVDB} echo b; touch b; wait"
    lab.provdb.shell(f"( {line} ) > log")
    graph, found = history(lab, "log")
    assert found == [
        ("a\n", "sh long.sh", ""),
        ("a\nb\n", "echo b", "appended"),
        ("a\nb\nc\n", "sh long.sh", "appended"),
    ]
    assert ancestors(graph, graph.snapshots("log")[-1]) == {"sh long.sh": 2, "echo b": 1}


def test_rule_2_what_outlives_a_command_is_written_to_a_file_that_others_hold(lab):
    job = "sh -c '(sleep 1; echo late) & echo now'"
    lab.provdb.shell(f"( {PROVDB} {job}; {PROVDB} echo b ) > log; until grep -q late log; do sleep 0.1; done")
    _, found = history(lab, "log")
    assert [(content, command) for content, command, _ in found] == [
        ("now\n", job),
        ("now\nb\n", "echo b"),
        ("now\nb\nlate\n", job),
    ]


def test_rule_9_a_reader_between_two_writers(lab):
    lab.provdb.shell(f"{PROVDB} -c 'echo a; cp log kept; echo b' > log")
    graph, found = history(lab, "log")
    assert found == [("a\n", "echo a", ""), ("a\nb\n", "echo b", "appended")]
    assert graph.targets("used", graph.command("cp log kept")).count(graph.snapshots("log")[0]) == 1


def test_rule_2_what_outlives_an_element_of_a_line(lab):
    late = "{ (sleep 1; echo late) & }"
    lab.provdb.shell(f"{PROVDB} -c '{late}; echo a' > log; until grep -q late log; do sleep 0.1; done")
    _, found = history(lab, "log")
    assert [(content, command) for content, command, _ in found] == [("a\n", "echo a"), ("a\nlate\n", late)]


def test_rule_9_a_file_in_the_place_of_the_one_that_is_held(lab):
    lab.provdb.shell(f"{PROVDB} -c 'echo a; rm log; echo b > log; echo c' > log")
    lab.notice()
    graph = lab.graph()
    assert not graph.of("Unseen")
    assert [graph.generator(uid) for uid in graph.snapshots("log")] == [
        graph.command("echo a"),
        graph.command("echo b > log"),
    ]
    assert lab.provdb("restore", "log", "-o", "-").stdout == "b\n"


def test_rule_9_a_file_that_was_opened_for_reading_and_writing(lab):
    lab.provdb.shell(f"{PROVDB} -c 'echo a >&3; true; echo b >&3' 3<> log")
    assert [(content, command) for content, command, _ in history(lab, "log")[1]] == [
        ("a\n", "echo a >&3"),
        ("a\nb\n", "echo b >&3"),
    ]


def test_rule_13_output_that_is_replaced_before_anybody_could_read_it(lab, wait_for):
    lab.run("true")
    lab.settle()
    with open(lab.root / ".provdb/ingester.lock", "a") as lock:
        wait_for(lambda: take(lock), "the end of the ingester")
        lab.provdb.shell(f"{PROVDB} echo one > log; {PROVDB} echo three > log; {PROVDB} echo a >> out; echo bcd > out")
    lab.notice()
    graph = lab.graph()
    log, out = ([graph.vertices[uid] for uid in graph.snapshots(path)] for path in ("log", "out"))
    assert [(found["size_bytes"], found.get("content")) for found in log] == [(4, "unknown"), (6, None)]
    assert [(found["size_bytes"], found.get("content")) for found in out] == [(2, "unknown"), (4, None)]


def test_rule_13_a_result_that_the_shell_replaces_at_once(lab):
    lab.run("true")
    line = f"{PROVDB} sh -c 'echo result > file'; : > file; {PROVDB} sh -c 'echo moved > other'; rm other"
    for _ in range(5):
        lab.provdb.shell(line)
    lab.notice()
    graph = lab.graph()
    for path, size in (("file", 7), ("other", 6)):
        own = [uid for uid in graph.snapshots(path) if "Command" in graph.vertices[graph.generator(uid)]["labels"]]
        assert [graph.vertices[uid]["size_bytes"] for uid in own] == [size] * 5


def test_rule_4_a_line_opens_the_file_that_nested_commands_inherit(lab):
    """The line's own shell opens it, where the calling shell could not be seen to."""
    lab.write("job.sh", f"{PROVDB} true\necho done\n{PROVDB} true\n")
    lab.run("-c", "sh job.sh > out")
    assert history(lab, "out")[1] == [("done\n", "sh job.sh > out", "")]
    lab.write("talk.sh", f"{PROVDB} echo a\necho b\n{PROVDB} echo c\n")
    lab.run("-c", "sh talk.sh > out")
    graph, found = history(lab, "out")
    assert found[1:] == [
        ("a\n", "echo a", ""),
        ("a\nb\n", "sh talk.sh > out", "appended"),
        ("a\nb\nc\n", "echo c", "appended"),
    ]
    assert graph.targets("wasDerivedFrom", graph.snapshots("out")[1], prov_type="Revision") == [
        graph.snapshots("out")[0]
    ]


@pytest.mark.parametrize("mode", ["w", "a"])
def test_rule_4_a_program_opens_the_file_that_nested_commands_inherit(lab, mode):
    lab.write("old.sh", "echo old > sub.log")
    lab.run("sh", "old.sh")
    lab.write(
        "job.py",
        f"""
        import subprocess, sys
        with open("sub.log", "{mode}") as log:
            subprocess.run([*"{PROVDB} true".split()], stdout=log)
            print("one", file=log, flush=True)
            subprocess.run([*"{PROVDB} true".split()], stdout=log)
            subprocess.run([*"{PROVDB} echo two".split()], stdout=log)
            print("three", file=log)
        """,
    )
    lab.python("job.py")
    graph, found = history(lab, "sub.log")
    old, role = ("old\n", "appended") if mode == "a" else ("", "")
    assert [(content, command.rpartition(" ")[2], role) for content, command, role in found] == [
        ("old\n", "old.sh", ""),
        (f"{old}one\n", "job.py", role),
        (f"{old}one\ntwo\n", "two", "appended"),
        (f"{old}one\ntwo\nthree\n", "job.py", "appended"),
    ]
    nested = [uid for uid in graph.of("Command") if graph.vertices[uid]["command"] == "true"]
    assert len(nested) == 2
    assert not any(graph.generated(uid) for uid in nested)


def test_rule_4_two_levels_below_the_one_that_opened_the_file(lab):
    lab.write("inner.sh", f"{PROVDB} true\necho b\n")
    lab.write("middle.sh", f"echo a\n{PROVDB} sh inner.sh\necho c\n")
    lab.write("outer.sh", f"{PROVDB} sh middle.sh > log; echo d >> log\n")
    lab.run("sh", "outer.sh")
    assert [(content, command) for content, command, _ in history(lab, "log")[1]] == [
        ("a\n", "sh middle.sh"),
        ("a\nb\n", "sh inner.sh"),
        ("a\nb\nc\n", "sh middle.sh"),
        ("a\nb\nc\nd\n", "sh outer.sh"),
    ]
