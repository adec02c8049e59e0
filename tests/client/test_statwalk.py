"""The stat walk: what it finds, and what it infers from words, redirections and Python's audit events."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from provgraph.capture import audit
from provgraph.client.path_class import Classifier
from provgraph.client.statwalk import ops, status_of, walk


@pytest.fixture
def root(tmp_path):
    (tmp_path / "p").mkdir()
    return tmp_path / "p"


def observed(root, argv, redirections=(), stdin=None):
    """The operations of a real command, without times and stats: code and paths."""
    classifier = Classifier(str(root), "/nonexistent")
    before = walk(classifier)
    report = root.parent / "audit"
    report.write_bytes(b"")
    subprocess.run(
        argv,
        cwd=root,
        env=audit.hooked_environment(os.environ, str(report)),
        stdin=stdin,
        check=True,
        capture_output=True,
    )
    after = walk(classifier)
    found = ops(
        before,
        after,
        argv,
        str(root),
        redirections,
        classifier,
        started=1,
        ended=2,
        opened=audit.opened_files(str(report)),
    )
    prefix = str(root) + "/"
    return [[str(item).replace(prefix, "") if isinstance(item, str) else item for item in op] for op in found]


def short(found):
    """Code and paths, and how for writes; environments left out."""
    return [
        (op[0], *[item for item in op[2:4] if isinstance(item, str)], *([op[4]] if op[0] == "w" else []))
        for op in found
        if op[0] != "v"
    ]


def shell(root, text):
    return short(observed(root, ["sh", "-c", text]))


def test_created_changed_deleted(root):
    (root / "a").write_text("1")
    (root / "b").write_text("1")
    (root / "c").write_text("1")
    assert shell(root, "echo new > n; echo longer > b; rm c; ln -s n l") == [
        ("d", "c"),
        ("w", "b", "truncate"),
        ("w", "l", "symlink"),
        ("w", "n", "create"),
    ]


def test_stats_before_and_order(root):
    (root / "b").write_text("1")
    was = status_of(str(root / "b"))
    (op,) = [op for op in observed(root, ["sh", "-c", "echo longer > b"]) if op[0] == "w"]
    assert was
    assert op[3] == list(was)
    assert op[1] == 2


def test_renames_by_inode(root):
    (root / "a").write_text("1")
    (root / "over").write_text("22")
    (root / "b").write_text("333")
    assert shell(root, "mv a a2; mv b over") == [("m", "a", "a2"), ("m", "b", "over")]


def test_a_hard_link_and_a_mode(root):
    (root / "a").write_text("1")
    (root / "m").write_text("1")
    found = shell(root, "ln a h; chmod 600 m")
    assert ("l", "a", "h") in found
    assert ("w", "m", "mode") in found


def test_a_renamed_folder_is_one_operation(root):
    (root / "d/e").mkdir(parents=True)
    for number in range(20):
        (root / f"d/e/{number}").write_text(str(number))
    assert shell(root, "mv d f; echo x > f/e/3") == [("m", "d", "f"), ("w", "f/e/3", "truncate")]


def test_a_restored_mtime_is_found(root):
    (root / "a").write_text("1")
    assert ("w", "a", "truncate") in shell(root, "echo 2 | head -c 1 > x; touch -r a x2; cat x > a; touch -r x2 a")


def test_reads_from_operands_options_and_redirections(root):
    for name in ("in", "conf", "k", "script.py"):
        (root / name).write_text("")
    (root / "conf").write_text("a")
    argv = ["grep", "-s", "--file=conf", "-f", "k", "-e", "a", "conf", "in"]
    assert sorted(short(observed(root, ["sh", "-c", '"$@"; true', "x", *argv]))) == []
    assert short(observed(root, ["env", *argv, "/dev/null"])) == [("r", "conf"), ("r", "k"), ("r", "in")]
    with open(root / "in") as stdin:
        status = status_of(str(root / "in"))
        redirections = [{"fd": 0, "path": str(root / "in"), "mode": "r", "stat": status}]
        assert short(observed(root, ["cat"], redirections, stdin)) == [("r", "in")]


def test_names_of_what_is_written_or_not_read(root):
    (root / "a").write_text("1")
    (root / "b").write_text("2")
    assert short(observed(root, ["cp", "a", "b"])) == [("r", "a"), ("w", "b", "truncate")]
    assert short(observed(root, ["sed", "-i", "s/1/3/", "a"]))[0] == ("r", "a")
    assert short(observed(root, ["touch", "a"]))[0][0] == "w"
    assert short(observed(root, ["ls", "a"])) == []


def test_a_script_of_the_shell_and_its_words(root):
    (root / "a").write_text("1")
    assert shell(root, "sort a|uniq>out") == [("r", "a"), ("w", "out", "create")]


def test_output_redirected_out_of_the_project(root, tmp_path):
    redirections = [{"fd": 1, "path": str(tmp_path / "out"), "mode": "a", "stat": None}]
    assert short(observed(root, ["true"], redirections)) == [("w", str(tmp_path / "out"), "append")]


def test_a_symlink_and_its_target_are_read(root, tmp_path):
    (tmp_path / "data").write_text("1")
    (root / "l").symlink_to("../data")
    assert short(observed(root, ["cat", "l"])) == [("r", "l"), ("r", str(tmp_path / "data"))]


def test_ignored_and_environment_folders_are_not_walked(root):
    for folder in (".git", "__pycache__", ".venv/lib", "node_modules/x"):
        (root / folder).mkdir(parents=True)
        (root / folder / "f").touch()
    (root / ".venv/pyvenv.cfg").touch()
    (root / "f").touch()
    (root / "f.pyc").touch()
    os.mkfifo(root / "fifo")
    assert [os.path.relpath(path, root) for path in walk(Classifier(str(root), "/h")).files] == ["f"]


def test_python_reports_what_it_opens(root):
    (root / "data.csv").write_text("1")
    (root / "helper.py").write_text("x = 1")
    (root / "train.py").write_text(
        textwrap.dedent("""
            import os, helper, subprocess, sys
            name = "da" + "ta.csv"
            open(name).read()
            open("model", "w").write("m")
            subprocess.run([sys.executable, "-c", "open('other').read()"], check=True)
        """)
    )
    (root / "other").write_text("o")
    found = short(observed(root, [sys.executable, "-B", "train.py"]))
    assert sorted(op[1] for op in found if op[0] == "r") == ["data.csv", "helper.py", "other", "train.py"]
    assert [op for op in found if op[0] != "r"] == [("w", "model", "create")]


@pytest.mark.parametrize("environ", [{"PROVDB_AUDIT": "/nonexistent/folder/x"}, {"PROVDB_AUDIT": ""}, {}])
def test_the_hook_never_fails_a_program(root, environ):
    code = "import os; open(os.devnull).close(); print(open(0).read())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": audit.HOOK_FOLDER, **environ},
        input="in",
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("in\n", "")


def test_the_users_own_sitecustomize_still_runs(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.mine = 'mine'")
    report = tmp_path / "report"
    report.touch()
    environ = audit.hooked_environment({**os.environ, "PYTHONPATH": str(tmp_path)}, str(report))
    code = "import sitecustomize, sys; print(mine, sitecustomize.__file__, open(sys.argv[1]).read())"
    (tmp_path / "x").write_text("X")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x")], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["mine", str(tmp_path / "sitecustomize.py"), "X"]
    assert ("r", str(tmp_path / "x")) in audit.opened_files(str(report))
    assert audit.opened_files(str(tmp_path / "absent")) == []


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.13", "3.14"])
def test_the_hook_in_other_interpreters(tmp_path, version):
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", "pass"], capture_output=True, check=False).returncode:
        pytest.skip(f"no Python {version} on PATH")
    (tmp_path / "x").write_text("X")
    report = tmp_path / "report"
    report.touch()
    code = "import sys; print(open(sys.argv[1]).read())"
    done = subprocess.run(
        [python, "-c", code, str(tmp_path / "x")],
        env=audit.hooked_environment(os.environ, str(report)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("X\n", "")
    assert ("r", str(tmp_path / "x")) in audit.opened_files(str(report))
