"""The commands as users type them: what they print, where to, and how they end."""

import json
import os
import pty
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from graph_samples import Sample

from provgraph.cli.words import AVAILABLE, LATER, RESERVED
from provgraph.schemas import schema

Run = Callable[..., Any]


@pytest.fixture
def ask(sample: Sample, provdb: Run) -> Run:
    """``provdb`` in the sample project."""
    return provdb


def test_log_is_a_table_newest_first(ask: Run) -> None:
    lines = ask("log", "--times", "utc", env={"COLUMNS": "100"}).stdout.splitlines()
    assert " ".join(lines[1].split()) == "%1 train.py #5 2026-11-20 12:03:00Z 1.92 s ok Bob python train.py"
    assert "unrecorded change of config.yaml" in lines[2]
    assert len(lines) == 7
    assert len(ask("log", "--limit", "2").stdout.splitlines()) == 3
    assert ask("log", "--grep", "nothing at all", check=1).stdout == ""


@pytest.mark.parametrize("columns", ["40", "80"])
def test_everything_is_readable_in_few_columns(ask: Run, columns: str) -> None:
    for words in (["log"], ["lineage", "model.pkl"], ["lineage", "metrics.json"]):
        out = ask(*words, "--width", columns).stdout
        assert max(len(line) for line in out.splitlines()) <= max(int(columns), 56 if words == ["log"] else 0)
        assert "train.py #" in out


def test_lineage_is_a_tree(ask: Run) -> None:
    text = ask("lineage", "model.pkl", "--times", "utc").stdout
    assert text.splitlines()[:3] == [
        "model.pkl@2",
        "└─ wasGeneratedBy train.py #5 (Bob, 2026-11-20 12:03Z, exit 0)",
        "   ├─ used config.yaml@2",
    ]
    assert "raw.csv@1" in text
    assert "generated model.pkl@2" in ask("lineage", "raw.csv", "--downstream").stdout


def test_lineage_path_prints_each_way_with_its_edges(ask: Run) -> None:
    text = ask("lineage", "--path", "metrics.json", "raw.csv").stdout
    assert text.count("metrics.json@1") == 2
    assert "   wasGeneratedBy → evaluate.py #4" in text and "   used → model.pkl@1" in text
    assert "no way leads" in ask("lineage", "--path", "model.pkl@2", "metrics.json", check=1).stderr


def test_a_graph_goes_through_a_pipe_and_back(ask: Run, tmp_path: Path) -> None:
    printed = ask("lineage", "model.pkl", "--json").stdout
    elsewhere = tmp_path / "no-project"
    elsewhere.mkdir()
    again = ask("lineage", "model.pkl", "--graph", "-", "--json", cwd=elsewhere, input=printed).stdout
    first, second = json.loads(printed), json.loads(again)
    assert first["vertices"] == second["vertices"] and first["edges"] == second["edges"]
    (elsewhere / "g.json").write_text(printed)
    assert "train.py #5" in ask("lineage", "model.pkl", "--graph", "g.json", cwd=elsewhere).stdout
    assert "model.pkl@2" in ask("show", "model.pkl", "--graph", "g.json", cwd=elsewhere).stdout
    (elsewhere / "half.json").write_text(printed[: len(printed) // 2])
    failed = ask("lineage", "x", "--graph", "half.json", cwd=elsewhere, check=2)
    assert failed.stderr.startswith("provdb: half.json: this is no JSON")


DOCUMENTS: list[tuple[list[str], str]] = [
    (["log", "--json"], "rows"),
    (["lineage", "model.pkl", "--json"], "graph"),
    (["lineage", "*.pkl@*", "--revisions", "--environment", "--json"], "graph"),
    (["lineage", "--path", "metrics.json", "raw.csv", "--json"], "ways"),
    (["show", "model.pkl", "--json"], "vertex"),
    (["show", "%1", "--json"], "vertex"),
    (["show", "agent:Bob", "--json"], "vertex"),
    (["status", "--json"], "status"),
    (["annotate", "model.pkl", "stage=prod", "--json"], "recorded"),
    (["record", "--used", "model.pkl", "--json"], "recorded"),
    (["gc", "--dry-run", "--json"], "gc"),
    (["doctor", "--json"], "doctor"),
    (["doctor", "--rebuild", "--json"], "doctor"),
    (["cypher", "MATCH (a:Activity) RETURN a, a.name, a.started_at", "--json"], "rows"),
]


@pytest.mark.parametrize(
    ("words", "name"), DOCUMENTS, ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_every_document_fits_its_schema(ask: Run, words: list[str], name: str) -> None:
    document = json.loads(ask(*words).stdout)
    assert document["schema"] == f"provgraph/{name}/1"
    jsonschema.validate(document, schema(name), cls=jsonschema.Draft202012Validator)


def test_csv(ask: Run) -> None:
    lines = ask("log", "--csv").stdout.splitlines()
    assert lines[0].startswith("n,uid,name,started_at")
    assert lines[1].startswith("1,")


def test_restore_gives_the_bytes_to_a_pipe(ask: Run, sample: Sample) -> None:
    assert ask("restore", "model.pkl@1").stdout == "model one"
    ask("restore", "model.pkl@1", "-o", "old.pkl")
    assert (sample.root / "old.pkl").read_text() == "model one"
    assert "is there already" in ask("restore", "model.pkl@2", "-o", "old.pkl", check=2).stderr
    ask("restore", "model.pkl@2", "-o", "old.pkl", "--force")
    assert (sample.root / "old.pkl").read_text() == "model two"


def test_on_a_terminal_restore_writes_the_file_and_colour_is_shown(ask: Run, sample: Sample) -> None:
    (sample.root / "model.pkl").unlink()
    out = _on_terminal(ask, ["restore", "model.pkl@1"])
    assert "9 bytes of model.pkl@1" in out
    assert (sample.root / "model.pkl").read_text() == "model one"
    assert "\x1b[" in _on_terminal(ask, ["log"])
    assert "\x1b[" not in _on_terminal(ask, ["log"], NO_COLOR="1")


def _on_terminal(ask: Any, words: list[str], **environment: str) -> str:
    master, slave = pty.openpty()
    more = {**ask.environment, "TERM": "xterm", **environment}
    started = subprocess.Popen(
        [*_command(), *words], cwd=ask.root, env=more, stdin=slave, stdout=slave, stderr=slave, close_fds=True
    )
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:
        pass  # the terminal's other end is closed
    os.close(master)
    assert started.wait(60) == 0
    return text.decode()


def _command() -> list[str]:
    import sys

    script = Path(sys.executable).parent / "provdb"
    return [str(script)] if script.exists() else [sys.executable, "-m", "provgraph"]


def test_record_takes_json_on_standard_input(ask: Run, sample: Sample) -> None:
    (sample.root / "out.txt").write_text("x")
    document = {"used": ["model.pkl"], "generated": ["out.txt"], "params": {"lr": 0.5}, "name": "remote job"}
    assert "remote job #6" in ask("record", "-", input=json.dumps(document)).stdout
    assert "remote job #6" in ask("lineage", "out.txt").stdout
    assert "no JSON" in ask("record", "-", input="{", check=2).stderr
    assert "this is no record" in ask("record", "-", input='{"usd": []}', check=2).stderr


def test_annotations_keep_numbers(ask: Run) -> None:
    ask("annotate", "model.pkl", "score=0.5", "count=3", "stage=prod")
    properties = json.loads(ask("show", "model.pkl", "--json").stdout)["vertex"]["properties"]
    assert (properties["score"], properties["count"], properties["stage"]) == (0.5, 3, "prod")
    assert "property of the base" in ask("annotate", "model.pkl", "sha256=1", check=2).stderr
    ask("annotate", "model.pkl", "--remove", "stage")
    assert "stage" not in json.loads(ask("show", "model.pkl", "--json").stdout)["vertex"]["properties"]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["lineage", "nowhere.pkl"], 2, "nothing recorded is called 'nowhere.pkl'"),
        (["lineage", "modle.pkl"], 2, "near: model.pkl"),
        (["lineage"], 2, "lineage of what?"),
        (["lineage", "model.pkl@main"], 2, "no number, time, commit or tag"),
        (["log", "--since", "soon"], 2, "is no time"),
        (["log", "--frobnicate"], 2, "provdb log --help"),
        (["show"], 2, "Missing argument 'REF'"),
        (["search", "a"], 2, "comes with a later version"),
        (["annotate", "model.pkl"], 2, "nothing to annotate"),
    ],
)
def test_wrong_questions_end_with_2_and_say_what_to_type(ask: Run, words: list[str], status: int, says: str) -> None:
    done = ask(*words, check=status)
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.splitlines()[-1].startswith("provdb: ")


def test_outside_a_project_questions_end_with_3(provdb: Run) -> None:
    done = provdb("log", check=3)
    assert "provdb init" in done.stderr


def test_status_says_what_changed_and_what_comes_next(ask: Run, sample: Sample) -> None:
    (sample.root / "config.yaml").write_text("lr: 9\n")
    text = ask("status").stdout
    assert "5 commands recorded" in text
    assert "Unrecorded changes since then:\n  config.yaml" in text
    assert "Next:" in text


def test_init_says_so_and_is_idempotent(provdb: Run) -> None:
    assert "is now a provdb project" in provdb("init").stdout
    assert "is a provdb project" in provdb("init").stdout
    assert "no command was recorded" not in provdb("status").stdout


def test_a_word_that_is_also_a_program_says_which_ran(ask: Run, tmp_path: Path) -> None:
    program = tmp_path / "bin/log"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = ask("log", env={"PATH": f"{program.parent}:{os.environ['PATH']}"})
    assert done.stderr == f"provdb: this is provdb's own `log`; `provdb run -- log …` runs {program}\n"
    assert done.stdout


def test_backup_is_a_project_again(ask: Run, sample: Sample, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tar"
    ask("doctor", "--backup", str(copy))
    assert "is there already" in ask("doctor", "--backup", str(copy), check=2).stderr
    target = tmp_path / "unpacked"
    target.mkdir()
    with tarfile.open(copy) as archive:
        archive.extractall(target, filter="data")
    (target / ".provdb").chmod(0o700)
    assert "train.py #5" in ask("lineage", "model.pkl", cwd=target).stdout
    assert ask("restore", "model.pkl@1", cwd=target).stdout == "model one"


def test_a_damaged_object_is_named(ask: Run, sample: Sample) -> None:
    with sample.open() as store:
        vertex = store.reader.vertex(sample.uids["model.pkl@1"])
        assert vertex is not None
        path = store.objects.path_of(vertex.properties["sha256"])
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    done = ask("doctor", check=3)
    assert "BAD      objects" in done.stdout and "model.pkl@1" in done.stdout
    assert "provdb doctor" in ask("restore", "model.pkl@1", check=3).stderr


def test_reserved_words_have_commands_and_help(ask: Run) -> None:
    assert frozenset(AVAILABLE) | frozenset(LATER) == RESERVED
    text = ask("--help").stdout
    for word in AVAILABLE:
        assert f"\n  {word}" in text
        assert "Usage: provdb" in ask(word, "--help").stdout
    assert ask("--version").stdout.startswith("provdb 0.")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_know_every_word(ask: Run, shell: str) -> None:
    script = ask("completion", shell).stdout
    for word in AVAILABLE:
        assert word in script
    if shell == "bash":
        completes = {"lineage --dow": "--downstream", "completion b": "bash", "help lin": "lineage", "show mod": ""}
        for typed, found in completes.items():
            line = f'COMP_WORDS=(provdb {typed}); COMP_CWORD=2; _provdb; echo "${{COMPREPLY[@]}}"'
            assert ask.command(["bash", "-c", f"{script}\n{line}"]).stdout == f"{found}\n"  # type: ignore[attr-defined]


def test_file_names_cannot_move_the_cursor(ask: Run, sample: Sample) -> None:
    name = "a\n\x1b[31mb.txt"
    (sample.root / name).write_text("x")
    ask("record", "--generated", name)
    out = ask("lineage", "%1", "--downstream").stdout
    assert "a\\n\\e[31mb.txt@1" in out and "\x1b" not in out


def test_a_reader_that_goes_away_is_no_error(ask: Run) -> None:
    done = ask.command(["sh", "-c", "provdb lineage model.pkl --json | head -1"], env={"PATH": _path()})  # type: ignore[attr-defined]
    assert done.stdout == "{\n" and done.stderr == ""


def _path() -> str:
    return f"{Path(_command()[0]).parent}:{os.environ['PATH']}"
