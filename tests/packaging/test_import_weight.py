"""What is imported when: a prefixed command waits for the standard library alone, a question only for its own needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "IPython", "click", "fastjsonschema", "grafeo", "jsonschema", "keyring", "neo4j", "networkx", "numpy", "pandas",
    "pluggy", "rich", "sqlite_utils", "tree_sitter",
}  # fmt: skip


def imported_by(*statements: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter holds after some statements."""
    script = "; ".join([*statements, "import sys; print(*{name.partition('.')[0] for name in sys.modules})"])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import provgraph", "import provgraph.cli.entry", "import provgraph.capture.prefix"]
)
def test_light(statement: str) -> None:
    assert not imported_by(statement) & HEAVY


def test_prefix_alone(tmp_path: Path) -> None:
    """The same for a whole prefixed command, in a folder that is no project."""
    tell = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    script = (
        f"import atexit, sys; sys.argv = ['provdb', 'true']; atexit.register(lambda: exec({tell!r})); "
        "from provgraph.cli.entry import main; sys.exit(main())"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not set(done.stderr.split()) & HEAVY


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11"])
def test_package_imports_on_older_pythons(version: str, checkout: Path, tmp_path: Path) -> None:
    """`import provgraph` runs in users' own interpreters, where the program itself does not."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [*versions.glob(f"{version}*/bin/python3"), Path(f"/usr/bin/python{version}")]
    python = next((path for path in found if path.exists()), None)
    if python is None:
        pytest.skip(f"there is no Python {version} here (pyenv install {version})")
    (tmp_path / "provgraph").symlink_to(checkout / "provgraph")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import provgraph; print(*dir(provgraph))\n"
        "try: provgraph.open()\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([python, "-I", "-B", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ProvGraph" in done.stdout
    assert f"needs Python 3.12 or later; this is {version}" in done.stdout
