"""Finding an interpreter wherever it is kept, and making an environment of it, as `make` does on a fresh machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BASE = Path(os.path.realpath(sys.executable))


def program(path: Path, text: str) -> None:
    """An executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def find(checkout: Path, home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """``find-python.sh`` on a machine whose PATH names an older Python, and a shim that refuses."""
    shims = home / "shims"
    program(shims / "python3", 'case "$*" in *platform*) echo "python3 here is 3.11.7" ;; *) exit 1 ;; esac')
    program(shims / "python3.12", 'echo "pyenv: python3.12: command not found" >&2; exit 127')
    for tool in ("sh", "dirname", "env"):
        source = next(Path(folder) / tool for folder in os.defpath.split(os.pathsep) if (Path(folder) / tool).exists())
        if not (shims / tool).exists():
            (shims / tool).symlink_to(source)
    environment = {"PATH": str(shims), "HOME": str(home), **more}
    script = checkout / "scripts/find-python.sh"
    return subprocess.run([script, *words], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "place",
    [
        ".pyenv/versions/3.12.1/bin/python3",
        ".pyenv/versions/3.13.0/bin/python3",
        ".local/share/uv/python/cpython-3.12.8-linux-x86_64-gnu/bin/python3",
        ".local/share/mise/installs/python/3.13.1/bin/python3",
        ".asdf/installs/python/3.12.2/bin/python3",
        "miniconda3/envs/work/bin/python3",
    ],
)
def test_found_where_path_does_not_name_it(checkout: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    program(tmp_path / place, f'exec {BASE} "$@"')
    done = find(checkout, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / place) or not done.stdout.startswith(str(tmp_path))


def test_older_one_of_a_version_manager_is_passed_by(checkout: Path, tmp_path: Path) -> None:
    program(tmp_path / ".pyenv/versions/3.12.0/bin/python3", "exit 1")
    program(tmp_path / ".pyenv/versions/3.12.9/bin/python3", f'exec {BASE} "$@"')
    assert find(checkout, tmp_path).stdout.strip().endswith("3.12.9/bin/python3")


def test_nothing_found_is_one_line(checkout: Path, tmp_path: Path) -> None:
    done = find(checkout, tmp_path)
    if done.returncode == 0:
        assert Path(done.stdout.strip()).is_absolute(), "one stands in a place that every user of this machine shares"
        return
    (line,) = done.stderr.splitlines()
    assert "3.12 or later" in line
    assert "python3 here is 3.11.7" in line
    assert "To get one:" in line


def test_named_one_ends_the_search(checkout: Path, tmp_path: Path) -> None:
    program(tmp_path / ".pyenv/versions/3.12.1/bin/python3", f'exec {BASE} "$@"')
    assert find(checkout, tmp_path, PYTHON=str(BASE)).stdout.strip() == str(BASE)
    refused = find(checkout, tmp_path, PYTHON="python3.12")
    assert refused.returncode == 1
    assert "PYTHON=python3.12" in refused.stderr


def test_environment_of_somebody_else_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    program(mine / "bin/python", "exit 1")
    script = checkout / "scripts/environment.sh"
    environment = {**os.environ, "VENV": str(mine)}
    done = subprocess.run([script, "demo"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "remove it, or choose another folder" in done.stderr
    assert [path.name for path in mine.iterdir()] == ["bin"]


def test_groups_are_expanded(checkout: Path) -> None:
    words: list[str | Path] = [sys.executable, checkout / "scripts/dependency_group.py"]
    listed = subprocess.run([*words, "dev"], capture_output=True, text=True, check=True).stdout
    assert {"ruff", "pytest", "sphinx", "scikit-learn"} <= {line.split(">")[0] for line in listed.splitlines()}
    unknown = subprocess.run([*words, "devel"], capture_output=True, text=True, check=False)
    assert unknown.returncode == 1
    assert "devel" in unknown.stderr
