"""Rules 13 to 19 of docs/semantics.md: contents, path classes, many files, running activities."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from processes import end_ingesters, take

from provgraph.model.members import decode


def test_rule_13_an_edit_in_the_middle_of_a_training(lab):
    lab.write("config", "rate = 0.1\n")
    lab.write(
        "train.py",
        """
        import pathlib, time
        rate = pathlib.Path("config").read_text()
        pathlib.Path("started").write_text("")
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
        pathlib.Path("model").write_text(rate)
        """,
    )
    training = lab.start(sys.executable, "train.py")
    _wait_for(lab.root / "started")
    digest = hashlib.sha256(b"rate = 0.1\n").hexdigest()
    _wait_for(lab.root / ".provdb/objects" / digest[:2] / digest[2:])
    lab.write("config", "rate = 0.9\n")
    lab.write("go", "")
    assert training.wait(30) == 0
    lab.notice()
    graph = lab.graph()
    train = graph.command("train.py")
    config = next(uid for uid in graph.targets("used", train) if graph.vertices[uid]["path"] == "config")
    assert graph.vertices[config]["sha256"] == hashlib.sha256(b"rate = 0.1\n").hexdigest()
    assert graph.vertices[config]["restorable"] is True
    assert [graph.vertices[uid]["sha256"] for uid in graph.snapshots("config")][-1] == hashlib.sha256(
        b"rate = 0.9\n"
    ).hexdigest()


def test_rule_13_never_a_digest_that_was_not_read(lab):
    lab.write(
        "racer.py",
        """
        import os
        open("racing", "w").write("first")
        for turn in range(300):
            open("racing").read()
            with open("racing", "w") as f:
                f.write(str(turn) * 10)
        """,
    )
    lab.write(
        "reader.py",
        """
        for turn in range(300):
            try:
                open("racing").read()
            except FileNotFoundError:
                pass
        """,
    )
    writer = lab.start(sys.executable, "racer.py")
    reader = lab.start(sys.executable, "reader.py")
    assert writer.wait(60) == 0
    assert reader.wait(60) == 0
    graph = lab.graph()
    possible = {hashlib.sha256((str(turn) * 10).encode()).hexdigest() for turn in range(300)}
    possible |= {hashlib.sha256(text).hexdigest() for text in (b"first", b"")}
    for uid in graph.snapshots("racing"):
        vertex = graph.vertices[uid]
        assert vertex.get("sha256") in possible or vertex["content"] == "unknown"
    assert graph.is_acyclic()


def test_rule_14_200_overwritten_contents_are_restorable(lab):
    for number in range(200):
        lab.write(f"files/{number}", f"old {number}\n")
    lab.write(
        "overwrite.py",
        """
        import os
        for number in range(200):
            path = f"files/{number}"
            if number % 4 == 0:
                open(path, "w").write("new")
            elif number % 4 == 1:
                os.truncate(path, 0)
            elif number % 4 == 2:
                open("scratch", "w").write("new"); os.replace("scratch", path)
            else:
                os.unlink(path)
        """,
    )
    lab.python("overwrite.py")
    graph = lab.graph()
    for number in range(200):
        old = graph.snapshots(f"files/{number}")[0]
        expected = f"old {number}\n".encode()
        assert graph.vertices[old].get("sha256") == hashlib.sha256(expected).hexdigest(), number
        assert graph.vertices[old]["restorable"] is True
    assert lab.run("restore", graph.snapshots("files/7")[0]).stdout == "old 7\n"
    assert lab.run("restore", "files/8@1").stdout == "old 8\n"


def test_rule_15_path_classes(lab, tmp_path):
    outside = tmp_path / "outside.csv"
    outside.write_text("external\n")
    for path in (".git/x", "__pycache__/y.pyc", ".mypy_cache/z", "data/ignored.csv", "own.txt"):
        lab.write(path, "text\n")
    lab.write(".provdbignore", "data/ignored*\n")
    lab.run(
        "cat",
        ".git/x",
        "__pycache__/y.pyc",
        ".mypy_cache/z",
        "data/ignored.csv",
        "own.txt",
        str(outside),
        "/etc/hostname",
    )
    graph = lab.graph()
    assert graph.used(graph.command("cat")) == {"own.txt", str(outside)}
    external = graph.snapshots(str(outside))[0]
    assert graph.vertices[external]["restorable"] is False
    assert graph.vertices[external]["sha256"] == hashlib.sha256(b"external\n").hexdigest()


def test_rule_16_init_takes_no_bytes(lab):
    lab.write("big.bin", os.urandom(100_000))
    lab.run("init")
    objects = lab.root / ".provdb/objects"
    assert not [path for path in objects.rglob("*") if path.is_file()]
    lab.run("cat", "big.bin", text=False)
    lab.settle()
    assert len([path for path in objects.rglob("*") if path.is_file()]) == 1


def test_rule_17_many_files_are_one_collection(lab):
    lab.write(
        "make.py",
        """
        import os
        os.makedirs("img", exist_ok=True)
        for number in range(1500):
            open(f"img/{number:05}.png", "w").write(f"image {number}")
        """,
    )
    lab.write(
        "train.py",
        """
        import os, sys
        n = int(sys.argv[1])
        total = sum(len(open(f"img/{number:05}.png").read()) for number in range(n))
        open("model", "w").write(str(total))
        """,
    )
    lab.python("make.py")
    lab.python("train.py", "1500")
    lab.python("train.py", "1500")
    lab.python("train.py", "1200")
    graph = lab.graph()
    make = graph.command("make.py")
    trainings = [uid for uid in graph.of("Command") if "train.py" in graph.vertices[uid]["command"]]
    whole, part = graph.snapshots("img")
    assert graph.generated(make) == {"img"}
    assert "Collection" in graph.vertices[whole]["labels"]
    assert graph.vertices[whole]["members_count"] == 1500
    assert whole in graph.targets("used", trainings[0])
    assert whole in graph.targets("used", trainings[1])
    assert part in graph.targets("used", trainings[2])
    gathering = graph.generator(part)
    assert "Gathering" in graph.vertices[gathering]["labels"]
    assert graph.targets("used", gathering) == [whole]
    members = {path: sha256 for path, sha256, _ in decode(graph.members[whole])}
    assert members["00042.png"] == hashlib.sha256(b"image 42").hexdigest()
    lab.run("cat", "img/00042.png")
    graph = lab.graph()
    assert graph.generator(graph.snapshots("img/00042.png")[0]) == make


def test_rule_17_members_that_were_touched_alone_and_written_again_with_all(lab):
    lab.write(
        "make.py",
        """
        import os, sys
        os.makedirs("img", exist_ok=True)
        for number in range(1100):
            open(f"img/{number}.txt", "w").write(sys.argv[1] if number % 500 == 0 else "same")
        """,
    )
    lab.python("make.py", "one")
    lab.settle()
    lab.run("cat", "img/500.txt")
    lab.run("cat", "img/1000.txt")
    lab.python("make.py", "two")
    lab.run("cat", "img/500.txt")  # by a command
    lab.notice()  # by a walk
    graph = lab.graph()
    first, second = (graph.command(f"make.py {word}") for word in ("one", "two"))
    assert [graph.generator(uid) for uid in graph.snapshots("img")] == [first, second]
    for path in ("img/0.txt", "img/500.txt", "img/1000.txt"):
        old, new = graph.snapshots(path)
        assert (graph.generator(old), graph.generator(new)) == (first, second)
        assert graph.targets("wasDerivedFrom", new) == [old]
    lab.write("img/500.txt", "one")  # as it was before, but nobody recorded that
    lab.notice()
    graph = lab.graph()
    assert "Unseen" in graph.vertices[graph.generator(graph.snapshots("img/500.txt")[2])]["labels"]


def test_rule_17_a_folder_of_many_files_is_deleted(lab, wait_for):
    folder = lab.root / "img"
    folder.mkdir()
    for number in range(1200):
        (folder / f"{number}.txt").write_text("x")
    lab.run("init")
    with open(lab.root / ".provdb/ingester.lock", "a") as lock:
        wait_for(lambda: take(lock), "the end of the ingester")  # what goes on for long is journaled in between
        lab.run("rm", "-r", "img")
    graph = lab.graph()
    gone = graph.one("Collection", path="img")
    assert graph.targets("wasInvalidatedBy", gone) == [graph.command("rm -r")]
    assert len(graph.of("Snapshot")) < 10


def test_rule_19_running_activities_are_visible(lab):
    lab.write("in", "1\n")
    running = lab.start("sh", "-c", "cat in; sleep 60")
    try:
        limit = time.monotonic() + 60
        while True:
            graph = lab.graph()
            found = graph.of("Command")
            if found and graph.used(found[0]):
                break
            assert time.monotonic() < limit, "the running activity did not become visible"
            time.sleep(0.1)
        assert "ended_at" not in graph.vertices[found[0]]
        assert graph.used(found[0]) == {"in"}
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)
    graph = lab.graph()
    assert graph.vertices[found[0]]["exit_status"] == 143


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, which delays a call: apt-get install strace")
def test_rule_19_what_came_before_a_slow_start_is_not_hidden(lab):
    """The command reads and falls silent before the supervisor hears that the record of its start is written."""
    lab.write("in", "1\n")
    slowly = ["strace", "-qq", "-o", os.devnull, "-e", "trace=sendto", "-e", "inject=sendto:delay_enter=2000000"]
    command = [*slowly, sys.executable, "-m", "provgraph", "sh", "-c", "cat in; sleep 60"]
    with subprocess.Popen(command, cwd=lab.root, env=lab.provdb.environment, start_new_session=True) as running:
        try:
            _wait_for_spool(lab, os.fsencode(f'{lab.root}/in"'), seconds=9)
        finally:
            os.killpg(running.pid, signal.SIGKILL)


def test_rule_19_an_end_that_nobody_saw(lab):
    """As when the machine goes down: the supervisor, the front end and the command are gone at once."""
    lab.write("in", "1\n")
    running = lab.start("sh", "-c", "cat in; sleep 60", start_new_session=True)
    _wait_for_spool(lab, os.fsencode(f'{lab.root}/in"'))
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(20)
    limit = time.monotonic() + 60
    while True:
        lab.notice()
        graph = lab.graph()
        found = graph.of("Command")
        if found and graph.vertices[found[0]].get("interrupted"):
            break
        assert time.monotonic() < limit, "nobody noticed that the command is gone"
        time.sleep(0.2)
    assert "ended_at" not in graph.vertices[found[0]]
    assert graph.used(found[0]) == {"in"}


def test_rule_19_the_first_question_after_the_machine_went_down(lab):
    lab.write("in", "1\n")
    running = lab.start("sh", "-c", "cat in; sleep 60", start_new_session=True)
    _wait_for_spool(lab, os.fsencode(f'{lab.root}/in"'))
    os.killpg(running.pid, signal.SIGKILL)
    end_ingesters(lab.root)
    running.wait(20)
    rows = json.loads(lab.provdb("cypher", "MATCH (a:Command) RETURN a.command, a.interrupted", "--json").stdout)[
        "rows"
    ]
    assert rows == [["sh -c 'cat in; sleep 60'", True]]


def _wait_for(path, seconds=30.0):
    limit = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < limit, f"{path} did not appear"
        time.sleep(0.01)


def _wait_for_spool(lab, text, seconds=20.0):
    limit = time.monotonic() + seconds
    while not any(text in file.read_bytes() for file in (lab.root / ".provdb/spool").glob("*.jsonl")):
        assert time.monotonic() < limit, f"no {text!r} in the spool"
        time.sleep(0.01)
