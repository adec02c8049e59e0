"""Rule 15: each line of the table, and what starts anew."""

import os

import pytest

from provgraph.client.path_class import SYSTEM_PREFIX, Classifier


@pytest.fixture
def place(tmp_path):
    """A project with a virtual environment in it, and a HOME beside it."""
    for folder in ("project/.venv/lib/python3.12/site-packages/numpy", "project/src", "home/.config/app", "home/data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "project/.venv/pyvenv.cfg").touch()
    return tmp_path


@pytest.fixture
def classifier(place):
    return Classifier(str(place / "project"), str(place / "home"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("data.csv", "project"),
        ("src/new/deep/a.py", "project"),
        (".env", "project"),
        (".provdbignore", "project"),
        ("cache.pycx", "project"),
        (".git/HEAD", "ignored"),
        ("sub/.git", "ignored"),
        (".provdb/journal.db", "ignored"),
        ("src/__pycache__/a.cpython-312.pyc", "ignored"),
        ("src/a.pyc", "ignored"),
        (".mypy_cache/3.12/x.json", "ignored"),
        (".ruff_cache/x", "ignored"),
        (".pytest_cache/v/x", "ignored"),
        ("n/.ipynb_checkpoints/a.ipynb", "ignored"),
        (".venv/lib/python3.12/site-packages/numpy/core.so", "environment"),
        (".venv/bin/python", "environment"),
        (".venv/lib/python3.12/site-packages/numpy/__pycache__/x.pyc", "ignored"),
        ("node_modules/left-pad/index.js", "environment"),
        ("../elsewhere/data.csv", "external"),
        ("../home/data/x.csv", "external"),
        ("../home/.bashrc", "environment"),
        ("../home/.config/app/settings", "environment"),
        ("../home/.cache/pip/x", "environment"),
        ("../home/.cache/huggingface/hub/x", "external"),
        ("../home/.cache/torch/hub/x", "external"),
        ("../home/.keras/datasets/mnist.npz", "external"),
        ("../home/scikit_learn_data/x", "external"),
    ],
)
def test_paths_below_project_and_home(classifier, place, path, kind):
    absolute = os.path.normpath(place / "project" / path)
    assert classifier.classify(absolute) == kind
    assert classifier.classify(absolute) == kind  # now from the cache


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/proc/self/maps", "ignored"),
        ("/sys/kernel/x", "ignored"),
        ("/dev/null", "ignored"),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "environment"),
        ("/usr/lib/locale/locale-archive", "environment"),
        ("/lib/ld-linux.so.2", "environment"),
        ("/bin/sh", "environment"),
        ("/etc/passwd", "environment"),
        ("/var/lib/x", "environment"),
        ("/run/x", "environment"),
        ("/opt/x/y", "environment"),
        ("/nix/store/x", "environment"),
        ("/var/tmp/x", "external"),
        ("/tmp/x.csv", "external"),
        ("/mnt/data/x", "external"),
        ("/x", "external"),
        ("/data/lib/python3.12/site-packages/x.py", "environment"),
    ],
)
def test_paths_of_the_system(path, kind):
    assert Classifier("/nonexistent/project", "/nonexistent/home").classify(path) == kind


@pytest.mark.parametrize("root", ["/opt/app/project", "/var/www/p", "/usr/src/p", "/home/u/.hidden/p", "/dev/shm/p"])
def test_a_project_in_a_folder_of_another_class_is_a_project(root):
    classifier = Classifier(root, "/home/u")
    assert classifier.classify(f"{root}/a.csv") == "project"
    assert classifier.classify(f"{root}/b/c.csv") == "project"
    assert classifier.classify(f"{root}/.git/x") == "ignored"
    assert classifier.classify("/opt/other/x") == "environment"


def test_a_project_that_is_home_or_the_root_folder():
    home = Classifier("/home/u", "/home/u")
    assert [home.classify(p) for p in ("/home/u/a", "/home/u/.bashrc", "/home/u/.cache/x/y")] == [
        "project",
        "environment",
        "environment",
    ]
    everything = Classifier("/", "")
    assert [everything.classify(p) for p in ("/a", "/work/b", "/usr/lib/x")] == ["project", "project", "environment"]


def test_a_project_in_an_environment_is_no_environment(tmp_path):
    (tmp_path / "pyvenv.cfg").touch()
    classifier = Classifier(str(tmp_path), "/home/u")
    assert classifier.classify(f"{tmp_path}/train.py") == "project"
    assert classifier.classify(f"{tmp_path}/lib/python3.12/site-packages/x.py") == "environment"


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "conda-meta"])
def test_an_environment_that_is_made_while_we_look(classifier, place, marker):
    prefix = place / "project/env"
    assert classifier.classify(f"{prefix}/lib/x.so") == "project"
    assert classifier.classify(f"{prefix}/{marker}") == "environment"
    assert classifier.classify(f"{prefix}/lib/x.so") == "environment"
    assert classifier.environment_prefix(f"{prefix}/lib/x.so") == str(prefix)


def test_prefixes(classifier, place, tmp_path):
    own = tmp_path / "home/.pyenv/versions/3.12.1"
    (own / "bin").mkdir(parents=True)
    (own / "bin/python3").touch()
    venv = str(place / "project/.venv")
    for path, prefix in {
        f"{venv}/lib/python3.12/site-packages/numpy/core.so": venv,
        f"{venv}/bin/python": venv,
        f"{own}/lib/python3.12/os.py": str(own),
        f"{place}/project/node_modules/a/b.js": f"{place}/project/node_modules",
        "/etc/ld.so.cache": SYSTEM_PREFIX,
        f"{place}/home/.bashrc": SYSTEM_PREFIX,
    }.items():
        assert classifier.classify(path) == "environment"
        assert classifier.environment_prefix(path) == prefix


def test_lines_of_the_user_come_first(place):
    classifier = Classifier(
        str(place / "project"), "/h", [("external", "below", ("/opt/data",)), ("ignored", "name", ("tmp",))]
    )
    assert classifier.classify("/opt/data/x") == "external"
    assert classifier.classify("/opt/other/x") == "environment"
    assert classifier.classify(f"{place}/project/tmp/x") == "ignored"


def test_our_own_package_is_nobodys_input():
    import provgraph.client.path_class as module

    assert Classifier("/nonexistent", "/h").classify(module.__file__) == "ignored"
    checkout = os.path.dirname(os.path.dirname(os.path.dirname(module.__file__)))
    assert Classifier(checkout, "/h").classify(module.__file__) == "project"


def test_a_very_deep_path(classifier, place):
    assert classifier.classify(f"{place}/project/" + "d/" * 5000 + "x") == "project"
