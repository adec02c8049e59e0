"""What an ingestor finds is in the graph when the next question is asked, under the right vertices and edges."""

import sqlite3

import pytest
from processes import eventually, ingesters


def test_everything_that_findings_can_say(lab):
    lab.ingestor(
        "all",
        """
        with generated[0].open() as file:
            found.snapshot("b.txt", first=file.read(5).decode(), nested={"a": [1, {"b": 2}]})
        found.activity(param_n=len(used), words=["x", "y"]).derivation("b.txt", "a.txt", how="copied")
        found.vertex("net", ["Entity", "Model"], name="net", depth=3).edge("used", "activity", {"key": "net"}, why=1)
        found.series("activity", "loss", [1, 2, 3], [3.0, float("nan"), 1.5]).series("b.txt", "size", [0], [5])
        found.record("b.txt", 1, [{"path": "a.txt", "row": 1}]).note("line 2 is damaged")
        """,
    )
    shown = lab.copy()
    assert shown["param_n"] == 1
    assert shown["words"] == ["x", "y"]
    assert shown["metric_loss_last"] == 1.5
    assert shown["ingestor_notes"] == ["all: line 2 is damaged"]
    assert [entry.split()[0] for entry in shown["ingestors"]] == ["all"]
    graph = lab.graph()
    activity, made = graph.command("cp a.txt"), graph.snapshots("b.txt")[-1]
    assert graph.vertices[made]["first"] == "words"
    assert graph.vertices[made]["nested_json"] == '{"a": [1, {"b": 2}]}'
    assert graph.vertices[made]["metric_size_last"] == 5
    source = graph.snapshots("a.txt")[-1]
    assert graph.targets("wasDerivedFrom", made, how="copied", activity=activity, role="all") == [source]
    net = graph.one("Model", name="net", depth=3)
    assert graph.targets("used", activity, why=1) == [net]
    assert graph.is_acyclic()
    [event] = lab.events()
    assert event.body["facts"]["records"] == [{"vertex": made, "row": 1, "used": [{"vertex": source, "row": 1}]}]
    assert "violation" not in str(lab.provdb("doctor").stdout)


def test_files_are_given_as_they_were(lab):
    """The state that the command met, the one that it replaced, and of a file outside what lies there."""
    outside = lab.root.parent / "outside.txt"
    outside.write_text("from outside")
    lab.ingestor(
        "the-files",
        """
        def text(file):
            with file.open() as opened:
                return opened.read().decode()
        new = {file.path: file for file in generated}["b.txt"]
        found.activity(new=text(new), old=text(new.previous), name_of=Path(new.content).name)
        found.activity(others=sorted(text(file) for file in used), role_of=new.role)
        """,
        "Match(utility='sh')",
    )
    lab.write("b.txt", "old\n")
    lab.write("a.txt", "x" * 100_000)
    lab.ingestor("gate", "while not (here / 'go').exists(): time.sleep(0.01)", "Match(utility='sh')")
    lab.run("sh", "-c", f"cat a.txt {outside} > b.txt")
    eventually(lambda: lab.events("activity.ended"), "the end")
    lab.write("a.txt", "changed since")
    lab.write("go", "")
    shown = lab.shown()
    assert shown["new"] == "x" * 100_000 + "from outside"
    assert shown["old"] == "old\n"
    assert shown["name_of"] == "b.txt"
    assert "from outside" in shown["others"]
    assert "x" * 100_000 in shown["others"]


def test_one_runs_before(lab):
    """It sees the file as it is before the command has done anything."""
    lab.write("a.txt", "before")
    lab.write(
        "slow.py",
        """
        import pathlib, time
        while not pathlib.Path("seen").exists():
            time.sleep(0.01)
        pathlib.Path("a.txt").write_text("after")
    """,
    )
    lab.ingestor(
        "early",
        """
        text = {file.path: file.open().read().decode() for file in used}["a.txt"]
        found.activity(text_before=text)
        (here / "seen").touch()
        """,
        "Match(command='slow')",
        moment="BEFORE",
    )
    lab.python("slow.py", "a.txt")
    assert lab.shown()["text_before"] == "before"
    events = {event.kind: event.seq for event in (*lab.events(), *lab.events("activity.ended"))}
    assert events["properties.found"] < events["activity.ended"]
    assert len(lab.events()) == 1


def test_what_one_before_says_of_files_waits_for_them(lab):
    lab.ingestor("early", "found.snapshot('b.txt', made='soon')", moment="BEFORE")
    lab.copy()
    assert lab.shown("b.txt")["made"] == "soon"


def test_a_remote_source_is_one_vertex(lab):
    body = """
        found.vertex("s", ["Entity", "Snapshot", "Source"], path="https://bob:secret@example.org/x.csv", etag="1")
        found.edge("used", "activity", {"key": "s"})
    """
    lab.ingestor("source", body)
    lab.copy()
    lab.copy()
    graph = lab.graph()
    source = graph.one("Source", path="https://example.org/x.csv", etag="1")
    assert len(graph.sources("used", source)) == 2
    assert graph.one("Artifact", path="https://example.org/x.csv")
    assert "cp" in lab.run("lineage", "https://example.org/x.csv", "--downstream").stdout


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://h.org?mail=me@other.net", "https://h.org?mail=me@other.net"),
        ("https://bob:se@cret@h.org/@me?mail=me@other.net#@", "https://h.org/@me?mail=me@other.net#@"),
        ("https://bob:hunter2@[h.org/x", "https://[h.org/x"),
    ],
)
def test_of_a_url_only_user_and_password_go(lab, url, path):
    lab.ingestor("one", f"found.vertex('s', ['Entity', 'Snapshot', 'Source'], path={url!r})")
    lab.copy()
    assert lab.graph().one("Artifact", path=path)


def test_what_was_recorded_when_it_ran_wins(lab):
    """A tag that the user gave to the command, and what an ingestor would say in its place."""
    lab.ingestor("guess", "found.activity(param_lr=0.5, param_new=1)")
    lab.write("a.txt", "a")
    lab.run("run", "--tag", "param_lr=0.1", "--", "cp", "a.txt", "b.txt")
    shown = lab.shown()
    assert (shown["param_lr"], shown["param_new"]) == (0.1, 1)
    assert lab.events()[0].body["facts"]["yielded"] == ["param_lr"]


def test_secrets_stay_out(lab):
    lab.ingestor(
        "leaky",
        """
        found.activity(param_password="hunter2hunter2", text="Authorization: Bearer abcdefgh12345678")
        found.note("token=ghp_0123456789012345678901234567890123456789")
        found.vertex("s", ["Entity", "Snapshot"], path="https://example.org/x.csv?n=1&token=abcdefgh12345679")
        found.edge("used", "activity", {"key": "s"})
    """,
    )
    lab.ingestor("breaks", "raise RuntimeError('no answer with token=ghp_0123456789012345678901234567890123456780')")
    lab.ingestor("refused", "found.snapshot('--password=hunter2hunter2', x=1)")
    shown = lab.copy()
    assert shown["param_password"] == "<scrubbed>"
    breaks, refused = shown["ingestors_failed"]
    assert breaks.endswith("RuntimeError: no answer with token=<scrubbed>")
    assert refused.startswith("refused: it names '--password=")
    assert lab.graph().one("Artifact", path="https://example.org/x.csv?n=1&token=<scrubbed>")
    lab.provdb("status")
    everything = b"".join(path.read_bytes() for path in (lab.root / ".provdb").glob("*.db*"))
    database = sqlite3.connect(lab.root / ".provdb/graph.db")
    text = everything.decode("latin-1") + "".join(map(str, database.execute("SELECT properties FROM vertex")))
    assert "hunter2" not in text
    assert "ghp_0123" not in text
    assert "abcdefgh1234567" not in text


def test_no_process_where_nothing_fits(lab):
    """Which ingestors there are is asked once; after that their code is not even loaded without need."""
    file = lab.ingestor("counted", "found.activity(a=1)")
    file.write_text(file.read_text() + "\nopen('{}', 'a').write('loaded ')\n".format(lab.root / "count"))
    lab.provdb("trust", ".")
    lab.run("true")
    lab.settle()
    assert (lab.root / "count").read_text() == "loaded "
    eventually(lambda: not ingesters(lab.root), "the ingester's leaving")
    lab.run("true")
    lab.settle()
    assert (lab.root / "count").read_text() == "loaded "
    lab.write("a.txt", "words\n")
    lab.run("-c", "cp a.txt b.txt; cp a.txt c.txt")
    lab.settle()
    assert [lab.shown(copy)["a"] for copy in ("%1", "%2")] == [1, 1]
    assert (lab.root / "count").read_text() == "loaded loaded "


def test_an_ingester_that_runs_takes_a_new_ingestor(lab):
    lab.run("true")
    lab.ingestor("late", "found.activity(late=True)")
    assert lab.copy()["late"] is True


@pytest.mark.parametrize("trusted", [False, True])
def test_nothing_of_the_project_runs_without_trust(lab, trusted):
    file = lab.ingestor("marked", "found.activity(ran=True)", trust=False)
    file.write_text(file.read_text() + f"\nopen({str(lab.root / 'marker')!r}, 'w')\n")
    if trusted:
        lab.provdb("trust", ".")
    shown = lab.copy()
    assert shown.get("ran") is (True if trusted else None)
    assert (lab.root / "marker").exists() is trusted


def test_capture_of_others_does_not_wait(lab):
    """While an ingestor works on one command, the next one is journaled."""
    lab.ingestor(
        "slow",
        """
        while not (here / "go").exists():
            time.sleep(0.01)
        found.activity(slow=True)
    """,
    )
    lab.write("a.txt", "a")
    lab.run("cp", "a.txt", "b.txt")
    lab.run("echo", "next")

    def ended() -> int:
        return len(lab.events("activity.ended"))

    eventually(lambda: ended() == 2, "the end of both")
    assert not lab.events()
    (lab.root / "go").touch()
    assert lab.shown("%2")["slow"] is True
