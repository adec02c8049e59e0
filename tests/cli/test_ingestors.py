"""``provdb ingestors``, and each way to add one, from the command line to the graph."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import provgraph
from provgraph.schemas import validator

RULE = """
[[ingestors.rule]]
name = "loss"
files = ["*.txt"]
direction = "generated"
regex = 'at (?P<step>\\d+): (?P<quality>[\\d.]+)'
series = true
"""
PYTHON = '''
from provgraph.ingestors.port import Findings, Match, Moment

class Words:
    """Counts words."""
    name, version, description = "words", "1", "counts words"
    moment, match = Moment.AFTER, Match(files=("*.txt",), direction="generated")

    def ingest(self, occurrence):
        findings = Findings()
        for file in occurrence.matching(self.match):
            with file.open() as stream:
                findings.snapshot(file.path, words=len(stream.read().split()))
        return findings

INGESTOR = Words()
'''
AWK = """#!/bin/sh
printf '%s' "$PROVDB_FILES" | while IFS="$(printf '\\t')" read -r direction path content; do
    awk -v path="$path" 'END {
        printf "{\\"schema\\": \\"provgraph/findings/1\\", \\"snapshots\\": [{\\"path\\": \\"%s\\", ", path
        printf "\\"properties\\": {\\"lines\\": %d}}]}\\n", NR
    }' "$content"
done
"""
WRITE = ["sh", "-c", "echo at 1: 0.5 > out.txt; echo at 2: 0.25 >> out.txt"]


def configure(provdb: Any, text: str) -> None:
    with (provdb.root / ".provdb/config.toml").open("a") as file:
        file.write(text)
    provdb("trust", ".")


def put(provdb: Any, name: str, text: str, mode: int = 0o600) -> Path:
    path: Path = provdb.root / ".provdb/ingestors" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def activity(provdb: Any) -> dict[str, Any]:
    (row,) = provdb.rows("MATCH (a:Command) RETURN a ORDER BY a.started_at DESC LIMIT 1")
    found: dict[str, Any] = row[0]["properties"]
    return found


def snapshot(provdb: Any, path: str) -> dict[str, Any]:
    (row,) = provdb.rows("MATCH (s:Snapshot {path: $path}) RETURN s ORDER BY s.sequence DESC LIMIT 1", path=path)
    found: dict[str, Any] = row[0]["properties"]
    return found


# -- each way to add one


def test_a_rule(provdb: Any, project: Path) -> None:
    configure(provdb, RULE)
    provdb(*WRITE)
    found = activity(provdb)
    assert (found["metric_quality"], found["metric_quality_count"]) == (0.25, 2)
    assert "ingestors_failed" not in found


def test_a_python_file(provdb: Any, project: Path) -> None:
    put(provdb, "words.py", PYTHON)
    provdb("trust", ".")
    provdb(*WRITE)
    assert snapshot(provdb, "out.txt")["words"] == 6


def test_a_program_in_another_language(provdb: Any, project: Path) -> None:
    put(provdb, "lines.sh", AWK, 0o700)
    put(provdb, "lines.toml", 'files = ["*.txt"]\ndirection = "generated"\n')
    provdb("trust", ".")
    provdb(*WRITE)
    assert snapshot(provdb, "out.txt")["lines"] == 2


def test_an_entry_point(provdb: Any, project: Path, tmp_path: Path, checkout: Path) -> None:
    """A package with a plug-in, installed beside provgraph: in an environment of the test's own."""
    package = tmp_path / "package"
    (package / "words-1.dist-info").mkdir(parents=True)
    (package / "words_plugin.py").write_text(
        "from provgraph.plugins import hookimpl\n" + PYTHON
        + "\n@hookimpl\ndef provgraph_ingestors():\n    return [INGESTOR]\n"
    )  # fmt: skip
    (package / "words-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: words\nVersion: 1\n")
    (package / "words-1.dist-info/entry_points.txt").write_text("[provgraph]\nwords = words_plugin\n")
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env/bin/python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    paths = [
        str(package),
        str(Path(provgraph.__file__).parents[1]),
        *(path for path in sys.path if "site-packages" in path),
    ]
    Path(site, "test.pth").write_text("\n".join(paths) + "\n")
    ours = tmp_path / "bin/provdb"
    ours.parent.mkdir()
    ours.write_text(f'#!/bin/sh\nexec {python} -I -m provgraph "$@"\n')
    ours.chmod(0o700)
    provdb.command([ours, "trust", "."])
    listed = json.loads(provdb.command([ours, "ingestors", "list", "--json"]).stdout)
    assert [one["source"] for one in listed["ingestors"] if one["name"] == "words"] == ["entry point words"]
    provdb.command([ours, *WRITE])
    provdb.command([ours, "status"])
    assert snapshot(provdb, "out.txt")["words"] == 6


# -- new


@pytest.mark.parametrize("language", ["python", "sh", "perl", "rule"])
def test_a_new_one_works_and_its_test_is_green(provdb: Any, project: Path, language: str) -> None:
    created = provdb.json("ingestors", "new", "mine", "--language", language)
    validator("ingestor-created")(created)
    assert created["trusted"]
    assert all((project / path).is_file() for path in created["files"])
    assert provdb("ingestors", "test", "mine").stdout == "mine: its test passes\n"
    provdb("sh", "-c", "echo score=0.75 > first.result")
    assert activity(provdb)["metric_score"] == 0.75
    assert provdb("status").stderr == ""


def test_a_changed_skeleton_makes_its_test_fail(provdb: Any, project: Path) -> None:
    provdb("ingestors", "new", "mine")
    path = project / ".provdb/ingestors/mine.py"
    path.write_text(path.read_text().replace("float(value)", "2 * float(value)"))
    done = provdb("ingestors", "test", ".provdb/ingestors/mine.py", check=2)
    assert "activity.metric_score: expected 0.93, found 1.86" in done.stderr
    assert "metric_score = 1.86" in done.stdout
    done = provdb("ingestors", "test", "mine", check=3)
    assert "is not trusted as it is now" in done.stderr


def test_what_is_there_is_not_written_over(provdb: Any, project: Path) -> None:
    provdb("ingestors", "new", "mine")
    provdb("ingestors", "new", "rule", "--language", "rule")
    assert "mine is there already, in .provdb/ingestors/mine.py" in provdb("ingestors", "new", "mine", check=2).stderr
    assert "rule is there already, in .provdb/config.toml" in provdb("ingestors", "new", "rule", check=2).stderr
    assert "'Mine' names no ingestor" in provdb("ingestors", "new", "Mine", check=2).stderr
    provdb("ingestors", "new", "other", "--language", "rule")
    assert (project / ".provdb/config.toml").read_text().startswith("# Configuration of this provdb project")


# -- list, show, test


def test_the_list_says_what_fires_and_why(provdb: Any, project: Path) -> None:
    configure(provdb, RULE)
    put(provdb, "words.py", PYTHON)
    put(provdb, "broken.py", "import nowhere\n")
    provdb("trust", ".")
    (project / "out.txt").write_text("x")
    plain = provdb.json("ingestors", "list")
    validator("ingestors")(plain)
    assert {"loss", "loss-live", "words", "training-log"} <= {one["name"] for one in plain["ingestors"]}
    assert all(one["fires"] is None for one in plain["ingestors"])
    assert [(one["name"], one["where"]) for one in plain["unusable"]] == [("broken", ".provdb/ingestors/broken.py")]
    asked = json.loads(provdb("ingestors", "list", "--json", "--", "sh", "-c", "true > nowhere").stdout)
    fires = {one["name"]: (one["fires"], one["why"]) for one in asked["ingestors"]}
    assert fires["words"] == (None, "it fires where the command writes *.txt")
    asked = json.loads(provdb("ingestors", "list", "--json", "--generated", "out.txt", "--", "sh", "a.sh").stdout)
    fires = {one["name"]: (one["fires"], one["why"]) for one in asked["ingestors"]}
    assert fires["words"] == (True, "it generated out.txt")
    assert "broken cannot be loaded, from .provdb/ingestors/broken.py: broken.py, line 1:" in provdb("ingestors").stdout
    assert "not trusted" not in provdb("ingestors", "list").stderr
    doctor = {one["subject"]: one for one in provdb.json("doctor")["findings"] if one["check"] == "ingestors"}
    assert doctor["broken"]["state"] == "warning"


def test_of_a_recorded_command_all_files_are_known(provdb: Any, project: Path) -> None:
    configure(provdb, RULE)
    provdb(*WRITE)
    listed = provdb.json("ingestors", "list", "--of", "%1")
    validator("ingestors")(listed)
    fires = {one["name"]: (one["fires"], one["why"]) for one in listed["ingestors"]}
    assert fires["loss"] == (True, "it generated out.txt")
    assert fires["training-log"] == (False, "the command wrote no *.log *.out *.log.[0-9]* *.out.[0-9]*")
    assert "is no activity" in provdb("ingestors", "list", "--of", "out.txt", check=2).stderr
    assert "either --of REF or a command" in provdb("ingestors", "list", "--of", "%1", "--", "x", check=2).stderr


def test_one_is_shown(provdb: Any, project: Path) -> None:
    configure(provdb, RULE)
    shown = provdb.json("ingestors", "show", "loss")
    validator("ingestors")(shown)
    (row,) = shown["ingestors"]
    assert (row["source"], row["match"]["files"]) == (".provdb/config.toml", ["*.txt"])
    assert ".provdb/config.toml" in provdb("ingestors", "show", "loss").stdout
    assert "there is no ingestor 'los'" in provdb("ingestors", "show", "los", check=2).stderr


def test_one_is_tried_out_and_nothing_is_recorded(provdb: Any, project: Path) -> None:
    configure(provdb, RULE)
    (project / "out.txt").write_text("at 1: 0.5\nat 2: 0.25\n")
    provdb("true")
    before = provdb.json("log")["rows"]
    done = provdb("ingestors", "test", "loss", "python train.py > out.txt")
    assert done.stdout == "series quality of activity, 2 points\n  1: 0.5  2: 0.25\n"
    for name in ("loss", "loss-live"):
        trial = json.loads(
            provdb("ingestors", "test", "--json", "--generated", "out.txt", name, "python", "t.py").stdout
        )
        validator("ingestor-trial")(trial)
        assert trial["findings"]["series"][0]["values"] == [0.5, 0.25]
    assert "does not fire" in provdb("ingestors", "test", "loss", "sort", "a", check=1).stderr
    (project / "out.txt").write_text("")
    assert "finds nothing" in provdb("ingestors", "test", "loss", "python a > out.txt", check=1).stderr
    assert "there is no file nowhere.txt" in provdb(
        "ingestors", "test", "--used", "nowhere.txt", "loss", "a", check=2
    ).stderr  # fmt: skip
    assert provdb.json("log")["rows"] == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('boom')", "bad.py, line 1: RuntimeError: boom"),
        (PYTHON.replace("len(", "1 / len("), ""),
        (PYTHON.replace("findings.snapshot(file.path, words", "findings.snapshot('x.txt', words"), "it names 'x.txt'"),
        (PYTHON.replace("words=len", "sha256=len"), "'sha256' is a property of the base"),
        (PYTHON.replace("return findings", "return {'schema': 'x'}"), "it does not fit the schema"),
        (PYTHON.replace("return findings", "import os; os._exit(3)"), "status 3"),
        (PYTHON.replace("stream.read().split()", "stream.nothing"), "bad.py, line 13: AttributeError"),
    ],
)
def test_the_exact_error_is_said(provdb: Any, project: Path, text: str, said: str) -> None:
    path = project / "bad.py"
    path.write_text(text)
    (project / "out.txt").write_text("a b")
    done = provdb("ingestors", "test", "--generated", "out.txt", "bad.py", "sh", "x", check=2 if said else 0)
    assert said in done.stderr


def test_what_one_prints_is_seen_where_it_is_tried_out(provdb: Any, project: Path) -> None:
    (project / "out.txt").write_text("a b")
    (project / "w.py").write_text(PYTHON.replace("findings = Findings()", "print('looking'); findings = Findings()"))
    assert "looking" in provdb("ingestors", "test", "--generated", "out.txt", "w.py", "sh", "x").stderr


# -- what is wrong costs a record on the activity, and nothing else


def test_a_rule_that_is_none_is_said(provdb: Any, project: Path) -> None:
    config = project / ".provdb/config.toml"
    config.write_text(RULE.replace("(?P<quality>", "("))
    done = provdb("ingestors", "list", check=2)
    assert "rule loss" in done.stderr
    assert "config.toml" in done.stderr
    assert provdb(*WRITE, check=0).stderr == ""
    config.write_text(RULE)
    provdb("trust", ".")
    provdb("ingestors", "replay", check=None)  # an ingester may have looked between the two
    assert activity(provdb)["metric_quality"] == 0.25


def test_one_that_fails_is_recorded(provdb: Any, project: Path) -> None:
    put(provdb, "words.py", PYTHON.replace("len(", "1 / 0 * len("))
    put(provdb, "lines.sh", "#!/bin/sh\necho broken >&2; exit 7\n", 0o700)
    put(provdb, "lines.toml", 'files = ["*.txt"]\n')
    configure(provdb, RULE)
    provdb(*WRITE)
    found = activity(provdb)
    assert found["metric_quality"] == 0.25
    failed = " ".join(found["ingestors_failed"])
    assert "words.py, line 13: ZeroDivisionError" in failed
    assert "it ended with status 7: broken" in failed


def test_an_endless_expression_is_ended(provdb: Any, project: Path) -> None:
    text = "[ingestors]\ntime_s = 1\n[[ingestors.rule]]\nname = 'slow'\nfiles = ['*.txt']\nregex = '^(?P<a>(a+)+)$'\n"
    config = project / ".provdb/config.toml"
    config.write_text(text + RULE)
    provdb("trust", ".")
    provdb("sh", "-c", f"echo {'a' * 60}b > slow.txt; echo at 1: 0.5 > out.txt; echo at 2: 0.25 >> out.txt")
    found = activity(provdb)
    assert found["metric_quality"] == 0.25
    assert [text for text in found["ingestors_failed"] if "slow" in text]


def test_nothing_runs_until_it_is_trusted(provdb: Any, project: Path) -> None:
    put(provdb, "words.py", PYTHON)
    with (project / ".provdb/config.toml").open("a") as file:
        file.write(RULE)
    provdb(*WRITE)
    assert "words" not in snapshot(provdb, "out.txt")
    assert "metric_quality" not in activity(provdb)
    listed = provdb("ingestors", "list")
    assert ".provdb/ingestors/words.py is not used" in listed.stderr
    assert ".provdb/config.toml is not used" in listed.stderr
    for name in ("words", "loss"):
        assert "is not trusted as it is now" in provdb("ingestors", "show", name, check=3).stderr
    assert "words" not in [one["name"] for one in provdb.json("ingestors", "list")["ingestors"]]
    provdb("trust", ".")
    replayed = provdb.json("ingestors", "replay")
    validator("replayed")(replayed)
    assert {"words", "loss"} <= {one["ingestor"] for one in replayed["changes"] if one["found"]}
    assert snapshot(provdb, "out.txt")["words"] == 6
    assert activity(provdb)["metric_quality"] == 0.25


def test_a_changed_file_is_applied_to_the_past(provdb: Any, project: Path) -> None:
    path = put(provdb, "words.py", PYTHON)
    provdb("trust", ".")
    provdb(*WRITE)
    assert snapshot(provdb, "out.txt")["words"] == 6
    assert provdb("ingestors", "replay", "words", check=1).stdout == "1 activity was looked at, no results new\n"
    path.write_text(PYTHON.replace("words=", "words=100 + "))
    provdb("trust", ".")
    said = provdb("ingestors", "replay", "words", "--on", "%1").stdout
    assert "words: found something, in the place of an earlier version's" in said
    assert snapshot(provdb, "out.txt")["words"] == 106
    assert "there is no ingestor 'none'" in provdb("ingestors", "replay", "none", check=2).stderr


def test_one_that_is_disabled_does_not_run(provdb: Any, project: Path) -> None:
    (project / ".provdb/config.toml").write_text('[ingestors]\ndisabled = ["loss", "training-log"]\n' + RULE)
    provdb("trust", ".")
    provdb(*WRITE)
    assert "metric_quality" not in activity(provdb)
    assert not {"loss", "training-log"} & {one["name"] for one in provdb.json("ingestors", "list")["ingestors"]}


# -- training logs


def test_a_training_log_becomes_series(provdb: Any, project: Path) -> None:
    with (project / "train.log").open("w") as log:
        provdb("sh", "-c", "for n in 1 2 3; do echo epoch $n loss 0.$n acc 0.9$n; done", stdout=log)
    found = activity(provdb)
    assert (found["metric_loss"], found["metric_loss_steps"], found["metric_acc_max"]) == (0.3, [1, 2, 3], 0.93)


def test_other_output_of_a_training_command(provdb: Any, project: Path) -> None:
    (project / "train.sh").write_text("for n in 1 2 3; do echo epoch $n loss 0.$n; done\n")
    with (project / "results").open("w") as file:
        provdb("sh", "train.sh", stdout=file)
    assert activity(provdb)["metric_loss_values"] == [0.1, 0.2, 0.3]


# -- the same from Python


def test_the_same_from_python(project: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local/share"))
    with provgraph.open(project) as here:
        created = here.ingestors.new("mine", "rule")
        assert created.files[0] == ".provdb/config.toml"
        assert here.ingestors.test("mine").is_well
        assert here.ingestors.show("mine").described.source == ".provdb/config.toml"
        assert [row.fires for row in here.ingestors.list(["x"]).rows if row.described.name == "mine"] == [None]
        assert here.ingestors.replay().changes == ()
        with pytest.raises(provgraph.ProvGraphError, match="no skeleton in cobol"):
            here.ingestors.new("other", "cobol")
    assert os.path.isfile(project / ".provdb/ingestors/tests/mine.toml")


def test_everything_is_explained(provdb: Any, checkout: Path) -> None:
    pages: Callable[[str], str] = lambda name: (checkout / "docs" / name).read_text()  # noqa: E731
    for word in ("list", "show", "test", "new", "replay"):
        assert f"provdb ingestors {word}" in pages("ingestors_write.md")


def test_lost_trust_and_failures_are_said_where_people_look(provdb: Any) -> None:
    provdb("init")
    put(provdb, "words.py", PYTHON)
    provdb("trust", ".")
    provdb("true")
    assert "not used" not in provdb("status").stderr
    put(provdb, "words.py", PYTHON.replace("findings = Findings()", "raise OSError('no disk')"))
    for words in (("status",), ("ingestors", "replay")):
        said = provdb(*words, check=None).stderr
        assert "own ingestors are not used (.provdb/ingestors/words.py)" in said
        assert "provdb trust" in said
    provdb("trust", ".")
    provdb(*WRITE)
    status = provdb("status")
    assert "not used" not in status.stderr
    assert "the ingestor words: words.py, line 10: OSError: no disk" in status.stderr
    assert any("no disk" in one for one in provdb.json("status")["notes"])


def test_one_that_takes_the_place_of_a_built_in_one_says_so(provdb: Any) -> None:
    provdb("init")
    done = provdb("ingestors", "new", "caffe")
    assert "takes the place of the built-in caffe" in done.stderr
    assert provdb.json("ingestors", "new", "mine")["replaces"] is False


def test_doctor_tells_a_rule_that_is_none_once(provdb: Any, project: Path) -> None:
    with (project / ".provdb/config.toml").open("a") as file:
        file.write("[[ingestors.rule]]\nname = 'everything'\nregex = '--lr (?P<lr>.)'\n")
    out = provdb("doctor", check=3).stdout
    assert out.count("ingestors.rule everything does not say what it is for") == 1
    assert "; so ingestors, remote could not be checked" in out


def test_trying_one_that_tells_its_points_piece_by_piece(provdb: Any) -> None:
    provdb("init")
    put(
        provdb,
        "drip.py",
        """
from provgraph.ingestors.port import Findings, Match, Moment

class Follower:
    def __init__(self): self.step = 0
    def feed(self, data):
        self.step += 1
        return Findings().series("activity", "loss", [self.step], [1.0 / self.step]).activity(**{f"at_{self.step}": 1})

class Drip:
    name, version, description = "drip", "1", "a point for each piece"
    moment, match = Moment.DURING, Match(files=("*.log",), direction="generated")
    def follow(self, occurrence, file): return Follower()

INGESTOR = Drip()
""",
    )
    provdb("trust", ".")
    (provdb.root / "a.log").write_text("x" * 1_000_000)
    tried = json.loads(provdb("ingestors", "test", "--json", "--generated", "a.log", "drip", "train").stdout)
    assert tried["error"] == ""
    [series] = tried["findings"]["series"]
    assert series["steps"] == list(range(1, len(series["steps"]) + 1))
    assert len(series["steps"]) > 2
    assert len(tried["findings"]["activity"]) == len(series["steps"])
