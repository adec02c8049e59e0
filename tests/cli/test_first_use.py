"""What somebody meets who types a command for the first time, and what their terminal does to it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_samples import Sample

Run = Callable[..., Any]


@pytest.fixture
def ask(sample: Sample, provdb: Run) -> Run:
    """``provdb`` in the sample project."""
    return provdb


def properties(ask: Any, reference: str) -> dict[str, Any]:
    found: dict[str, Any] = ask.json("show", reference)["vertex"]["properties"]
    return found


def test_help_is_a_command_too(provdb: Run) -> None:
    assert provdb("help").stdout == provdb("--help").stdout
    assert provdb("help", "lineage").stdout == provdb("lineage", "--help").stdout
    assert "comes with a later version" in provdb("help", "search", check=2).stderr
    assert "'frob' is no command of provdb's" in provdb("help", "frob", check=2).stderr


@pytest.mark.parametrize("word", ["segment", "summarize", "compare"])
def test_help_begins_with_lines_to_copy(provdb: Run, word: str) -> None:
    text = provdb("help", word).stdout
    before, _, _ = text.partition("Options:")
    lines = [line for line in before.splitlines() if line.startswith(f"  provdb {word} ")]
    assert len(lines) >= 4, "a paragraph that is folded has fewer"


@pytest.mark.parametrize("word", ["--bogus", "-x", "--json"])
def test_an_unknown_option_is_no_command_to_run(provdb: Run, word: str) -> None:
    done = provdb(word, check=2)
    assert f"No such option '{word}'" in done.stderr
    assert "`provdb --help` explains" in done.stderr


def test_two_dashes_before_a_command_whatever_its_name(provdb: Any, project: Path) -> None:
    assert provdb("--", "echo", "hello").stdout == "hello\n"
    assert "log: command not found" in provdb("--", "log", check=127).stderr
    assert "no command" in provdb("--", check=2).stderr
    assert provdb.rows("MATCH (a:Command) RETURN a.utility ORDER BY a.number") == [["echo"], ["log"]]


def test_one_rule_for_values_wherever_they_are_typed(ask: Any) -> None:
    words = ["n=12", 't="12"', "l=[64, 32]", 'o={"a": 1}', 'm=[1, "x"]', "yes=true", "none=null", "half=[1", "v=v12"]
    kept = {
        "n": 12, "t": "12", "l": [64, 32], "o_json": '{"a": 1}', "m_json": '[1, "x"]', "yes": True, "none": "null",
        "half": "[1", "v": "v12",
    }  # fmt: skip
    said = ask("annotate", "model.pkl", *words).stdout
    assert said == "model.pkl@2: half, l, m_json, n, none, o_json, t, v, yes\n"
    assert kept.items() <= properties(ask, "model.pkl").items()
    for option, prefix in (("--param", "param_"), ("--tag", "")):
        ask("record", *(part for word in words for part in (option, word)), "--command", "x")
        assert {prefix + key: value for key, value in kept.items()}.items() <= properties(ask, "%1").items()
    ask("run", *(part for word in words for part in ("--tag", word)), "--", "true")
    assert kept.items() <= properties(ask, "%1").items()


def test_what_is_not_there_cannot_be_removed(ask: Any) -> None:
    assert "has no 'stage' to remove" in ask("annotate", "model.pkl", "--remove", "stage", check=2).stderr
    assert "both given and removed" in ask("annotate", "model.pkl", "a=1", "--remove", "a", check=2).stderr


@pytest.mark.parametrize("value", ["good", "true", "nan", "[1]", '"0.9"', ""])
def test_a_metric_is_a_number(ask: Any, value: str) -> None:
    before = ask("log", "--csv").stdout
    done = ask("record", "--metric", f"f1={value}", check=2)
    assert "the metric f1 is" in done.stderr and "--param f1=" in done.stderr
    assert "the metric f1 is 'x'" in ask("record", "-", input='{"metrics": {"f1": "x"}}', check=2).stderr
    assert ask("log", "--csv").stdout == before


def test_states_say_no_more_than_is_known(ask: Any) -> None:
    ask("record", "--used", "model.pkl", "--name", "by hand")
    ask("record", "--used", "model.pkl", "--exit-status", "2")
    ask("sh", "-c", "exit 3", check=3)
    document = ask.json("log", "--limit", "3")
    rows = [dict(zip(document["columns"], row, strict=True)) for row in document["rows"]]
    assert [(row["state"], row["exit_status"]) for row in rows] == [("exit 3", 3), ("exit 2", 2), ("declared", None)]
    assert " declared " in ask("log", "--limit", "3").stdout


def test_record_without_anything_says_what_to_name(ask: Any) -> None:
    assert "nothing was declared" in ask("record", check=2).stderr
    assert "--used nowhere.txt: there is no such file" in ask("record", "--used", "nowhere.txt", check=2).stderr
    assert "is no time" in ask("record", "--command", "x", "--started", "", check=2).stderr


def test_a_recorded_file_outside_is_the_artifact_that_a_command_meets(ask: Any, tmp_path: Path, sample: Sample) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("1\n")
    second.write_text("2\n")
    (sample.root / os.fsdecode(b"caf\xe9")).write_text("3\n")
    with sample.open() as store:
        host = os.uname().nodename
        uids = [store.namespace.artifact(str(path), host) for path in (first, second)]
        uids.append(store.namespace.artifact(os.fsdecode(b"caf\xe9")))
    ask("record", "--used", first, "--used", os.fsdecode(b"caf\xe9"))
    ask("cat", first, second)
    second.write_text("changed\n")
    ask("record", "--used", second)
    found = ask.rows("MATCH (a:Artifact) WHERE a.uid IN $uids RETURN a.uid", uids=uids)
    assert sorted(row[0] for row in found) == sorted(uids)
    paths = ask.rows("MATCH (a:Artifact) RETURN a.path")
    assert [paths.count([str(path)]) for path in (first, second)] == [1, 1]
    assert properties(ask, "caf%E9")["path_bytes"] == "Y2Fm6Q=="
    ask("doctor", "--json")


def test_a_recorded_link_comes_back_as_a_link(ask: Any, sample: Sample) -> None:
    (sample.root / "newest.pkl").symlink_to("model.pkl")
    ask("record", "--generated", "newest.pkl")
    ask("restore", "newest.pkl", "-o", "again.pkl")
    assert os.readlink(sample.root / "again.pkl") == "model.pkl"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("/nowhere/at/all/x.tar", "there is no folder /nowhere/at/all; make it"),
        ("model.pkl/x.tar", "there is no folder"),
        (".provdb/x.tar", "lies within the store"),
        ("", "names no file"),
        (".", "is there already"),
    ],
)
def test_a_backup_that_cannot_be_is_refused_first(ask: Any, target: str, says: str) -> None:
    done = ask("doctor", "--backup", target, check=2)
    assert says in done.stderr and done.stdout == ""


def test_a_time_of_today(ask: Any) -> None:
    (ask.root / "new.txt").write_text("x")
    ask("record", "--generated", "new.txt", "--started", "0:00", "--ended", "00:00:01")
    assert properties(ask, "new.txt@23:59:59")["sequence"] == 1
    assert "was not known at 0:00" in ask("show", "new.txt@0:00", check=2).stderr
    assert "'25:00' is no time" in ask("show", "new.txt@25:00", check=2).stderr
    assert ask("log", "--since", "0:00").stdout.splitlines()[1:][0].startswith("%1  declared #6")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["log", "--since", ""], "'' is no time"),
        (["log", "--agent", ""], "an agent without a name"),
        (["log", "--csv", "--json"], "either --json or --csv"),
        (["cypher", "RETURN 1", "--csv", "--json"], "either --json or --csv"),
        (["completion"], "Choose from: bash, zsh, fish"),
    ],
)
def test_nothing_is_passed_over_in_silence(ask: Any, words: list[str], says: str) -> None:
    done = ask(*words, check=2)
    assert says in done.stderr and done.stdout == ""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("provdb log >&-", 0),
        ("provdb record <&-", 2),
        ("provdb show model.pkl --graph - <&-", 2),
        ("provdb log --since x 2>&-", 2),
        ("provdb log >&- 2>&- <&-", 0),
        ("provdb log >/dev/full", 3),
    ],
)
def test_closed_streams(ask: Any, line: str, status: int) -> None:
    assert "Traceback" not in ask.shell(line, check=status).stderr


@pytest.mark.parametrize("words", ["cypher --examples", "completion bash", "restore model.pkl", "log --csv", "help"])
def test_a_reader_that_reads_nothing_is_no_error(ask: Any, words: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        assert ask.shell(f"provdb {words}", stdout=write).stderr == ""
    finally:
        os.close(write)


def test_a_folder_that_is_gone(provdb: Any, place: Path) -> None:
    line = "mkdir gone && cd gone && rmdir ../gone && provdb log"
    assert "is not there any more; `cd`" in provdb.shell(line, check=3).stderr


def test_copies_of_a_command_that_was_set_aside_stay_as_long_as_it_does(provdb: Any, project: Path) -> None:
    spool = project / ".provdb/spool"
    uid = "01a1fd60-0000-7000-8000-000000000001"
    copy = spool / "pre" / f"{uid}.1"
    copy.write_bytes(b"old bytes")
    os.utime(copy, (0, 0))
    # As a newer program might write it.
    (spool / f"{uid}.jsonl").write_text('{"record":"start"}\n{"record":"closed"}\n')
    provdb("status")
    failed = spool / f"{uid}.jsonl.failed"
    assert failed.exists()
    checks = {finding["check"] for finding in json.loads(provdb("doctor", "--json", check=3).stdout)["findings"]}
    assert "spool" not in checks
    assert provdb.json("gc")["removed"] == 0 and copy.exists()
    failed.unlink()
    found = [f for f in json.loads(provdb("doctor", "--json", check=None).stdout)["findings"] if f["check"] == "spool"]
    assert [(f["state"], f["remedy"]) for f in found] == [("note", "provdb gc")]
    assert provdb.json("gc", "--dry-run")["removed"] == 1 and copy.exists()
    size = copy.stat().st_blocks * 512
    done = provdb.json("gc")
    assert (done["removed"], done["freed_bytes"]) == (1, size)
    assert not copy.exists()


@pytest.mark.parametrize("columns", ["40", "64"])
def test_a_narrow_log_keeps_times_and_states_whole(ask: Any, columns: str) -> None:
    ask("sh", "-c", "exit 127", check=127)
    lines = ask("log", "--width", columns, "--times", "utc").stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["activity", "started"], ["%1", "sh"]]
    assert "exit 127" in lines[1] and " 2026-11-20 12:03Z  ok " in lines[2]
    assert max(map(len, lines)) <= max(int(columns), 56)


def test_show_cuts_nothing_that_would_be_copied(ask: Any) -> None:
    line = "echo " + " ".join(f"word{number}" for number in range(150))
    ask(*line.split())
    text = ask("show", "%1", "--width", "40").stdout
    assert line in text and ask.json("show", "%1")["vertex"]["uid"] in text
    ask("echo", "x" * 30_000)
    text = ask("show", "%1").stdout
    assert "(30,005 characters; --json has all)" in text
    assert max(map(len, text.splitlines())) < 3000
    assert max(map(len, ask("log").stdout.splitlines())) <= 200
    assert len(ask.json("show", "%1")["vertex"]["properties"]["command"]) == 30_005


def test_a_log_of_two_thousand_commands(ask: Any, sample: Sample) -> None:
    with sample.open() as store, store.journal.batch() as batch:
        for number in range(6, 2006):
            at = f"2026-11-20T{13 + number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}+00:00"
            event = batch.event("activity.ended", at)
            names = {"name": f"step #{number}", "number": number, "command": f"step {number}", "capture": "seccomp"}
            event.vertex(["Activity", "Command"], {**names, "exit_status": 0, "started_at": at, "ended_at": at})
    done = ask("log")
    assert len(done.stdout.splitlines()) == 26 and "the newest 25; --limit N shows more" in done.stderr
    assert len(ask("log", "--limit", "2000").stdout.splitlines()) == 2001
    rows = ask.json("log")["rows"]
    assert [row[0] for row in rows if row[0]] == list(range(1, 2006))
    assert ask.json("log", "--grep", "^step 6$")["rows"][0][0] == 2000
    assert len(ask("log", "--csv").stdout.splitlines()) == 2007
    assert ask.json("show", "%2000")["name"] == "step #6"
    assert "2,005 commands recorded" in ask("status").stdout


def test_what_is_named_twice_is_recorded_once(ask: Any) -> None:
    for name in ("a.txt", "b.txt"):
        (ask.root / name).write_text(name)
    ask("record", "--used", "a.txt", "--used", "./a.txt", "--generated", "b.txt", "--generated", "b.txt")
    found = ask.rows("MATCH (s:Snapshot) WHERE s.path IN ['a.txt', 'b.txt'] RETURN s.path, s.sequence ORDER BY s.path")
    assert found == [["a.txt", 1], ["b.txt", 1]]


@pytest.mark.parametrize("before", ["unknown", "used", "generated", "changed"])
def test_a_file_that_is_used_and_generated_has_two_states(ask: Any, before: str) -> None:
    (ask.root / "a.txt").write_text("1\n")
    if before != "unknown":
        ask("record", "--used" if before == "used" else "--generated", "a.txt")
    if before == "changed":
        (ask.root / "a.txt").write_text("two\n")
    ask("record", "--used", "a.txt", "--generated", "a.txt", "--name", "update")
    (edges,) = ask.rows(
        "MATCH (new:Snapshot)-[:wasGeneratedBy]->(a:Command)-[:used]->(old:Snapshot) WHERE a.name STARTS WITH 'update' "
        "MATCH (new)-[d:wasDerivedFrom]->(old) RETURN old.sequence, new.sequence, d.prov_type"
    )
    assert edges == ([2, 3, "Revision"] if before == "changed" else [1, 2, "Revision"])
    assert ask("doctor").stdout.count("BAD") == 0
    assert len(ask.json("show", "a.txt")["snapshots"]) == edges[1]
