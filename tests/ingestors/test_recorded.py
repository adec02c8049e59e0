"""The ingestors at work: what real commands leave in the graph."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provgraph.session.checking import mended
from provgraph.session.ingester import ingestion_lock

CAFFE = """#!/bin/sh
cat solver.prototxt trainval.prototxt cifar-10-batches-py/train/data.mdb > /dev/null
cat {log} >&2
echo early > _iter_10000.caffemodel
echo late > _iter_64000.caffemodel
"""


@pytest.fixture
def caffe(project: Path, training_folder: Path) -> str:
    """A command that does what a training with Caffe does to files, and says what a real one said."""
    for name in ("solver.prototxt", "trainval.prototxt"):
        shutil.copyfile(training_folder / name, project / name)
    (project / "cifar-10-batches-py/train").mkdir(parents=True)
    (project / "cifar-10-batches-py/train/data.mdb").write_text("images")
    (log,) = (training_folder / "logs").iterdir()
    script = project / "caffe"
    script.write_text(CAFFE.format(log=log))
    script.chmod(0o755)
    return "./caffe train --solver=solver.prototxt 2> train.log"


def test_caffe_is_found_by_each_natural_question(provdb: Any, caffe: str) -> None:
    provdb("-c", caffe)
    (run,) = provdb.rows(
        "MATCH (a:Activity) WHERE a.metric_test_Accuracy > 0.9 RETURN a.param_base_lr, a.metric_loss_count, "
        "a.metric_loss_min, a.metric_train_loss_steps[3], a.ingestors_failed"
    )
    assert run == [0.1, 641, 0.00189151, 300, None]
    derived = provdb.rows(
        "MATCH (w:Snapshot)-[d:wasDerivedFrom]->(s:Snapshot) WHERE d.param_lr_policy = 'multistep' "
        "RETURN w.path, s.path, d.iteration, d.metric_test_Accuracy, d.activity"
    )
    causes = ("cifar-10-batches-py/train/data.mdb", "solver.prototxt", "trainval.prototxt")
    assert sorted(row[:4] for row in derived) == [
        [f"_iter_{iteration}.caffemodel", cause, iteration, accuracy]
        for iteration, accuracy in ((10_000, 0.871172), (64_000, 0.917031))
        for cause in causes
    ]
    activity = provdb.json("show", "%1")["vertex"]["uid"]
    assert {row[4] for row in derived} == {activity}
    assert provdb.rows(
        "MATCH (s:Snapshot) WHERE s.param_base_lr = 0.1 RETURN s.path, s.metric_test_Accuracy, s.metrics_from"
    ) == [["solver.prototxt", 0.917031, activity]]
    found = provdb.rows("MATCH (s:Snapshot) WHERE s.metric_loss < 0.01 RETURN s.path ORDER BY s.path")
    assert found == [["_iter_64000.caffemodel"], ["solver.prototxt"], ["train.log"]]
    assert provdb.rows("MATCH (n) WHERE n.net_name IS NOT NULL RETURN n.path, n.layers_count") == [
        ["trainval.prototxt", 98]
    ]


def test_broken_files_are_a_note_and_the_command_is_as_it_was(provdb: Any, project: Path) -> None:
    (project / "s.prototxt").write_text("base_lr: 0.1\nnet: {\n")
    (project / "c.json").write_text("{")
    (project / "t.csv").write_bytes(b'a,b\n"' + b"x" * 200_000)
    done = provdb(
        "sh", "-c", "head -c 4 s.prototxt; cat s.prototxt c.json t.csv > /dev/null; touch w.caffemodel; exit 7", check=7
    )
    assert (done.stdout, done.stderr) == ("base", "")
    ((notes, failed),) = provdb.rows(
        "MATCH (a:Activity) WHERE a.number = 1 RETURN a.ingestor_notes, a.ingestors_failed"
    )
    assert failed is None
    assert "caffe: s.prototxt: line 2, column 6: the text ends before the '}' of what is opened here" in notes
    assert "tables: t.csv: row 1: field larger than field limit (131072)" in notes


def test_a_diverged_training(provdb: Any, project: Path) -> None:
    line = "I0814 00:26:16.5 1 solver.cpp:1] Iteration {}, loss = {}"
    (project / "lines").write_text(
        "\n".join([line.format(0, 2.5), line.format(10, "nan"), line.format(20, "-nan"), ""])
    )
    (project / "s.prototxt").write_text("base_lr: 10")
    provdb("sh", "-c", "cat s.prototxt > /dev/null; cat lines > train.log")
    rows = provdb.rows(
        "MATCH (a:Activity) WHERE a.param_base_lr = 10 "
        "RETURN a.metric_loss_count, a.metric_loss_min, a.ingestors_failed"
    )
    assert rows == [[3, 2.5, None]]


SLOW = """
cat s.prototxt > /dev/null
echo "I0814 00:26:16.5 1 solver.cpp:228] Iteration 0, loss = 2.5"
echo "I0814 00:26:17.5 1 sgd_solver.cpp:106] Iteration 0, lr = 0.1"
while [ ! -e go ]; do sleep 0.05; done
echo "I0814 00:26:18.5 1 solver.cpp:228] Iteration 100, loss = 1.5"
"""


def test_a_log_is_followed_while_it_grows(provdb: Any, project: Path, wait_for: Any) -> None:
    (project / "s.prototxt").write_text("base_lr: 0.1")
    (project / "train.sh").write_text(SLOW)
    environment = {**provdb.environment}
    with subprocess.Popen(["provdb", "sh", "-c", "sh train.sh > train.log"], cwd=project, env=environment) as running:
        wait_for(lambda: not provdb("show", "%1", check=None).returncode)
        following = ["provdb", "show", "%1", "--follow"]
        with subprocess.Popen(following, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as follower:
            assert follower.stdout is not None
            first = {follower.stdout.readline() for _ in range(2)}
            (project / "go").touch()
            rest = follower.stdout.readlines()
        assert running.wait(60) == 0
    assert first == {"loss 0 2.5\n", "learning_rate 0 0.1\n"}
    assert rest == ["loss 100 1.5\n"]
    rows = provdb.rows("MATCH (a:Activity) WHERE a.param_base_lr = 0.1 RETURN a.metric_loss_values, a.ingestors_failed")
    assert rows == [[[2.5, 1.5], None]]


def test_a_configuration_that_was_edited(provdb: Any, project: Path) -> None:
    for pool in ("MAX", "AVG"):
        (project / "net.yaml").write_text(f"layer:\n  pool: {pool}\n")
        provdb("cat", "net.yaml")
        provdb("status")  # its bytes are taken before they change
    assert provdb.rows(
        "MATCH (s:Snapshot) WHERE s.path = 'net.yaml' RETURN s.sequence, s.changes ORDER BY s.sequence"
    ) == [
        [1, None],
        [2, ["layer.pool: MAX → AVG"]],
    ]
    provdb("sed", "-i", "s/AVG/SUM/", "net.yaml")
    assert provdb.rows("MATCH (s:Snapshot {sequence: 3}) RETURN s.changes") == [[["layer.pool: AVG → SUM"]]]


# -- what an ingestor of the project's own says


STAGES = """
from provgraph.ingestors.port import Findings, Match, Moment

class Stages:
    name, version, description = "stages", "1", "stages of a command"
    moment, match = Moment.AFTER, Match(utility="true")

    def ingest(self, occurrence):
        findings = Findings().activity(large=2**70, few=7)
        findings.vertex("stage", ["Activity", "Stage"], name="preparing")
        return findings.edge("wasInformedBy", {"key": "stage"}, "activity")

INGESTOR = Stages()
"""


def test_an_activity_that_an_ingestor_tells_of_is_no_line_of_the_log(provdb: Any, project: Path) -> None:
    own = project / ".provdb/ingestors/stages.py"
    own.parent.mkdir()
    own.write_text(STAGES)
    provdb("trust", ".")
    provdb("true")
    provdb("true")
    assert len(provdb.rows("MATCH (s:Stage) RETURN s.name")) == 2
    assert [row[0] for row in provdb.json("log")["rows"] if row[0]] == [1, 2]
    assert "running" not in provdb("log").stdout
    assert "preparing" not in provdb("log").stdout
    assert "there is no command %3" in provdb("show", "%3", check=2).stderr


def test_integers_of_more_than_64_bits_are_text(provdb: Any, project: Path) -> None:
    own = project / ".provdb/ingestors/stages.py"
    own.parent.mkdir()
    own.write_text(STAGES)
    provdb("trust", ".")
    provdb("true")
    (project / "solver.prototxt").write_text("base_lr: 0.1\nmax_iter: 99999999999999999999999999\n")
    provdb("cat", "solver.prototxt")
    provdb("annotate", "solver.prototxt", "mine=1180591620717411303424", "small=12")
    ((large, few),) = provdb.rows("MATCH (a:Command {few: 7}) RETURN a.large, a.few")
    assert (large, few) == ("1180591620717411303424", 7)
    ((iterations, mine, small),) = provdb.rows(
        "MATCH (s:Snapshot {path: 'solver.prototxt'}) RETURN s.param_max_iter, s.mine, s.small"
    )
    assert (iterations, mine, small) == ("99999999999999999999999999", "1180591620717411303424", 12)


def test_what_is_to_be_mended() -> None:
    assert mended("entry point mylab") == "mend or uninstall the package that offers the entry point mylab"
    assert mended("mine.py").startswith("mend mine.py; `provdb ingestors test`")


def test_a_test_whose_file_lies_outside_is_told_a_name_within(provdb: Any, project: Path) -> None:
    provdb("ingestors", "new", "mine")
    (project / ".provdb/ingestors/tests/mine.toml").write_text(
        'command = "true"\n[generated]\n"../../../evil.txt" = "x"\n'
    )
    said = provdb("ingestors", "test", ".provdb/ingestors/mine.py", check=2).stderr
    assert "../../../evil.txt lies outside of the folder in which the test runs; name it like out/evil.txt" in said


# -- logs


ROTATING = """
import logging, logging.handlers, sys
handler = logging.handlers.RotatingFileHandler("train.log", maxBytes=300, backupCount=20)
first = int(sys.argv[1])
for epoch in range(first, first + 40):
    handler.emit(logging.makeLogRecord({"msg": f"epoch {epoch} loss {1 / epoch:.3f}"}))
"""


def test_all_parts_of_a_rotated_log_count(provdb: Any, project: Path) -> None:
    (project / "train.py").write_text(ROTATING)
    for first in (1, 41):
        provdb(sys.executable, "train.py", str(first))
        steps = provdb.json("show", "%1", "--series", "loss")["series"][0]["steps"]
        assert steps == list(range(first, first + 40))
    said = provdb("show", "train.log", "--series", check=1).stderr
    assert "which wrote it, has loss: `provdb show 'train.py #2' --series`" in said


def test_the_output_of_a_job_around_a_training_is_passed_over(provdb: Any, project: Path, tmp_path: Path) -> None:
    (project / "train.py").write_text("import sys; sys.stderr.write('epoch 1 loss 1\\nepoch 2 loss 2\\n')\n")
    for _ in range(2):
        with (tmp_path / "job").open("a") as job:
            provdb(sys.executable, "train.py", stderr=job)
            job.write("epoch 5 loss 5\n")
    provdb("status")
    for reference in ("%1", "%2"):
        properties = provdb.json("show", reference)["vertex"]["properties"]
        assert "ingestors_failed" not in properties
        assert not [note for note in properties.get("ingestor_notes", ()) if "/job" in note]
        assert "metric_loss" not in properties or properties["metric_loss_steps"] == [1, 2]


def test_tables_and_parameters(provdb: Any, project: Path) -> None:
    (project / "make.py").write_text(
        "import sys\nopen('t.csv', 'w').write('id,share\\n1,0.5\\n')\nprint(len(open('t.csv').read()), sys.argv[1:])\n"
    )
    provdb(sys.executable, "make.py", "--lr", "0.1", "--resume")
    provdb("-c", f"{sys.executable} make.py lr=0.2 > out.txt")
    rows = provdb.rows(
        "MATCH (t:Snapshot)-[:wasGeneratedBy]->(a) WHERE t.path = 't.csv' "
        "RETURN t.columns, t.column_types, t.rows_count, a.param_lr, a.param_resume ORDER BY a.number"
    )
    assert rows == [
        [["id", "share"], ["integer", "number"], 1, lr, resume] for lr, resume in ((0.1, True), (0.2, None))
    ]


# -- downloads


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine, with two files."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.csv").write_text("x,y\n1,2\n")
    (folder / "b.csv").write_text("x,y\n3,4\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{served.server_address[1]}"
        served.shutdown()


def test_downloads(provdb: Any, project: Path, server: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    url = f"http://{server}/a.csv"
    provdb("curl", "-sS", "-o", "a.csv", f"http://me:p4ssw0rd@{server}/a.csv")
    provdb("-c", f"curl -sS {url} > again.csv")
    provdb("cp", "a.csv", "train.csv")
    derived = provdb.rows(
        "MATCH (f:Snapshot)-[d:wasDerivedFrom]->(s:Snapshot) WHERE d.prov_type = 'PrimarySource' "
        "RETURN f.path, s.path, s.sequence"
    )
    assert sorted(derived) == [["a.csv", url, 1], ["again.csv", url, 1]]
    ((artifact, labels),) = provdb.rows(
        "MATCH (s:Snapshot {path: $url})-[:specializationOf]->(a) RETURN a.uid, labels(a)", url=url
    )
    assert set(labels) == {"Entity", "Artifact"}
    assert url in provdb("lineage", "train.csv").stdout
    # What a user declares of the same URL is about the same artifact.
    provdb("record", "--used", url, "--generated", "train.csv", "--name", "by hand")
    assert provdb.rows(
        "MATCH (a:Activity)-[:used]->()-[:specializationOf]->(u) WHERE a.name STARTS WITH 'by hand' RETURN u.uid"
    ) == [[artifact]]
    assert not any(b"p4ssw0rd" in path.read_bytes() for path in (project / ".provdb").rglob("*") if path.is_file())


def test_wget(provdb: Any, project: Path, server: str) -> None:
    if shutil.which("wget") is None:
        pytest.skip("wget is not installed")
    provdb("wget", "-q", f"http://{server}/a.csv", f"http://{server}/b.csv?token=abcdef123456", "-P", "data")
    rows = provdb.rows("MATCH (f:Snapshot)-[:wasDerivedFrom]->(s:Snapshot) RETURN s.path")
    assert [f"http://{server}/a.csv"] in rows
    assert "abcdef123456" not in json.dumps(rows)
    sources = provdb.rows("MATCH (a:Activity)-[:used]->(s:Snapshot) WHERE s.path STARTS WITH 'http' RETURN s.path")
    assert sorted(sources) == [[f"http://{server}/a.csv"], [f"http://{server}/b.csv?token=<scrubbed>"]]


# -- installations


def wheel(folder: Path, version: str) -> Path:
    """A package that pip can install without a network."""
    path, info = folder / f"tiny-{version}-py3-none-any.whl", f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


@pytest.fixture
def environment(project: Path) -> str:
    """An environment in the project, with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / "env"], check=True)
    return os.fspath(project / "env/bin/python")


def installed(provdb: Any) -> list[list[Any]]:
    """Each snapshot of the environment: what is installed, what generated it, with what it was asked for."""
    rows = provdb.rows(
        "MATCH (e:Environment) WHERE e.path = 'env' OPTIONAL MATCH (e)-[:wasGeneratedBy]->(a) "
        "RETURN e.sequence, e.distributions_json, a.packages_action, a.packages ORDER BY e.sequence"
    )
    return [[number, json.loads(found), *words] for number, found, *words in rows]


def test_pip(provdb: Any, project: Path, environment: str) -> None:
    pip = [sys.executable, "-m", "pip", "--python", environment]
    if provdb.command([*pip, "--version"], check=None).returncode:
        pytest.skip("pip is not installed")
    for version in ("1.0", "1.1"):
        wheel(project, version)
        provdb(*pip, "install", "-q", "--no-index", f"./tiny-{version}-py3-none-any.whl")
        provdb("status")  # what has been overtaken before anybody looked is not known
    provdb(environment, "-c", "import tiny; open('v', 'w').write(tiny.VERSION)")
    first, second = (f"./tiny-{version}-py3-none-any.whl" for version in ("1.0", "1.1"))
    *_, before, after = installed(provdb)
    assert before[1:] == [{"tiny": "1.0"}, "install", [first]]
    assert after == [before[0] + 1, {"tiny": "1.1"}, "install", [second]]
    uses = provdb.rows(
        "MATCH (v:Snapshot {path: 'v'})-[:wasGeneratedBy]->()-[:used]->(e:Environment) RETURN e.path, e.sequence"
    )
    assert uses == [["env", after[0]]]


def test_pip_of_another_environment(provdb: Any, project: Path, environment: str, tmp_path: Path) -> None:
    """Whatever its path is: here it comes before the one that is installed in."""
    other = tmp_path / "a"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", other], check=True)
    assert os.fspath(other) < os.fspath(project)
    pip = [os.fspath(other / "bin/python"), "-m", "pip", "--python", environment]
    if provdb.command([*pip, "--version"], check=None).returncode:
        pytest.skip("pip is not installed")
    wheel(project, "1.0")
    provdb(*pip, "install", "-q", "--no-index", "./tiny-1.0-py3-none-any.whl")
    [[_, *found]] = installed(provdb)
    assert found == [{"tiny": "1.0"}, "install", ["./tiny-1.0-py3-none-any.whl"]]


def test_one_install_is_overtaken_by_the_next_before_anybody_looks(
    provdb: Any, project: Path, environment: str
) -> None:
    pip = [sys.executable, "-m", "pip", "--python", environment]
    if provdb.command([*pip, "--version"], check=None).returncode:
        pytest.skip("pip is not installed")
    with ingestion_lock(os.fspath(project), 10) as held:
        assert held
        for version in ("1.0", "1.1"):
            wheel(project, version)
            provdb(*pip, "install", "-q", "--no-index", f"./tiny-{version}-py3-none-any.whl")
    rows = provdb.rows(
        "MATCH (e:Environment {path: 'env'})-[:wasGeneratedBy]->(a) "
        "RETURN e.content, e.distributions_json, a.packages ORDER BY e.sequence"
    )
    first, second = (f"./tiny-{version}-py3-none-any.whl" for version in ("1.0", "1.1"))
    assert rows == [["unknown", None, [first]], [None, '{"tiny": "1.1"}', [second]]]


INSTALL = """
import pathlib, sysconfig
folder = pathlib.Path(sysconfig.get_paths()["purelib"]) / "tiny-1.0.dist-info"
folder.mkdir()
(folder / "METADATA").write_text("Name: tiny\\nVersion: 1.0\\n")
"""


def test_an_installation_is_the_doing_of_its_command_though_nobody_looked_before(
    provdb: Any, project: Path, environment: str
) -> None:
    (project / "install.py").write_text(INSTALL)
    with ingestion_lock(os.fspath(project)) as held:  # so that nobody looks while it installs
        assert held
        provdb(environment, "install.py")
        time.sleep(0.01)
        provdb(environment, "-c", "pass")
    rows = provdb.rows(
        "MATCH (e:Environment {path: 'env'}) OPTIONAL MATCH (e)-[:wasGeneratedBy]->(a) "
        "OPTIONAL MATCH (e)<-[:used]-(u) RETURN e.sequence, e.distributions_json, a.script, u.number"
    )
    assert rows == [[1, '{"tiny": "1.0"}', "install.py", 2]]


def test_uv(provdb: Any, project: Path, environment: str) -> None:
    if shutil.which("uv", path=provdb.environment["PATH"]) is None:
        pytest.skip("uv is not installed")
    wheel(project, "1.0")
    uv = ["uv", "pip", "install", "-q", "--offline", "--no-index", "--python", environment]
    provdb(*uv, "./tiny-1.0-py3-none-any.whl", env={"VIRTUAL_ENV": None})
    # It may be done before anybody looked at what was there: then this is the first snapshot, and uv's doing.
    assert installed(provdb)[-1][1:] == [{"tiny": "1.0"}, "install", ["./tiny-1.0-py3-none-any.whl"]]
    (project / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "0"\nrequires-python = ">=3.9"\ndependencies = ["tiny"]\n'
        '[tool.uv.sources]\ntiny = { path = "tiny-1.0-py3-none-any.whl" }\n'
    )
    provdb("uv", "sync", "-q", "--offline", "--python", sys.executable, env={"VIRTUAL_ENV": None})
    rows = provdb.rows(
        "MATCH (e:Environment)-[:wasGeneratedBy]->(a) WHERE a.packages_action = 'sync' "
        "RETURN e.path, e.distributions_json"
    )
    assert rows == [[".venv", '{"tiny": "1.0"}']]
