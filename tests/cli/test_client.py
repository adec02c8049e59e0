"""`provdb client`: the client in other interpreters."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from interpreters import CLIENT_PATH, VERSIONS, required

PTH = "provgraph_client.pth"


def environment(python: str, folder: Path) -> Path:
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


@pytest.mark.parametrize("version", VERSIONS)
def test_a_virtual_environment(provdb, project, tmp_path, version):
    venv = environment(required(version), tmp_path / "venv")
    python = str(venv / "bin/python3")
    assert provdb("client", "status", str(venv), check=1).stdout.strip().endswith("does not find the client")
    done = provdb.json("client", "install", str(venv))
    assert (done["state"], Path(done["pth"]).name, done["place"]) == ("installed", PTH, str(CLIENT_PATH / "provgraph"))
    again = provdb.json("client", "install", python)
    assert again == done
    assert provdb.json("client", "status", python) == done
    program = "import provgraph\nwith provgraph.activity('a') as run: print(run.recorded)"
    assert provdb.command([python, "-c", program]).stdout == "True\n"
    assert "removed" in provdb("client", "remove", str(venv)).stderr
    assert not list(venv.rglob(PTH))
    assert provdb.command([python, "-c", program], check=1).stdout == ""
    assert provdb("client", "remove", str(venv)).stderr.endswith("there was nothing to remove\n")


def test_an_installation_that_is_gone(provdb, project, tmp_path):
    venv = environment(sys.executable, tmp_path / "venv")
    provdb("client", "install", str(venv))
    (pth,) = venv.rglob(PTH)
    pth.write_text(str(tmp_path / "gone") + "\n")
    stale = provdb("client", "status", str(venv), "--json", check=1)
    assert json.loads(stale.stdout)["state"] == "stale"
    assert "renews it" in stale.stderr
    assert provdb.json("client", "install", str(venv))["state"] == "installed"


def test_an_interpreter_with_a_provgraph_of_its_own(provdb, project, tmp_path):
    venv = environment(sys.executable, tmp_path / "venv")
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "provgraph").mkdir()
    (site / "provgraph/__init__.py").touch()
    done = provdb("client", "install", str(venv))
    assert "of its own: nothing was changed" in done.stderr
    assert not list(venv.rglob(PTH))


def test_a_python_that_is_the_systems_to_manage(provdb, project, tmp_path):
    """A copy of an interpreter whose packages bear the mark that PEP 668 asks for."""
    marked = tmp_path / "sitecustomize.py"
    home = tmp_path / "stdlib"
    home.mkdir()
    (home / "EXTERNALLY-MANAGED").touch()
    marked.write_text(f"import sysconfig\nreal = sysconfig.get_path\nsysconfig.get_path = lambda name, *more, **most: "
                      f"{str(home)!r} if name == 'stdlib' else real(name, *more, **most)\n")  # fmt: skip
    python = tmp_path / "python"
    base = os.path.realpath(sys.executable)
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {base} "$@"\n')
    python.chmod(0o755)
    refused = provdb("client", "install", str(python), check=2)
    assert "the system's to manage; add --user" in refused.stderr
    done = provdb.json("client", "install", str(python), "--user")
    assert done["pth"].startswith(provdb.environment["HOME"])
    assert done["state"] == "installed"
    assert provdb.json("client", "remove", str(python))["state"] == "absent"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["install", "python0.1"], "there is no python0.1 on PATH"),
        (["install", "./nothing"], "there is no ./nothing; name a Python"),
        (["install", "."], ". holds no bin/python"),
        (["status", "true"], "is no Python that can be asked"),
        (["install", "VENV", "--user"], "leave --user away"),
    ],
)
def test_bad_input(provdb, project, tmp_path, words, says):
    if "VENV" in words:
        words = [str(environment(sys.executable, tmp_path / "venv")) if word == "VENV" else word for word in words]
    assert says in provdb("client", *words, check=2).stderr
