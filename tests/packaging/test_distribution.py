"""The sdist and the wheel, built, installed in an environment of their own, and imported."""

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

LINKS = ("cli", "ingestors", "queries", "schemas")


def run(*words: str | Path, cwd: Path | None = None) -> str:
    """Run a command outside of the checkout's influence; its standard output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    done = subprocess.run(
        words, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive. Built with the back end that is installed, so no index is asked."""
    out = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", out, checkout)
    (archive,) = out.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what the source archive holds."""
    out = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(out, filter="data")
    (tree,) = (path for path in out.iterdir() if path.is_dir())
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, tree)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment that holds the wheel.

    What it depends on comes from the environment of the tests, through a path file: nothing is downloaded. That the
    dependencies which the wheel declares suffice is a test of its own.
    """
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, with_pip=True)
    python = place / "bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel)
    return python


def test_archive_leaves_the_links_out(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert "provgraph/py.typed" in names
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= set(names)
    assert not [name for name in names if name.split("/")[0] in LINKS]


def test_wheel_holds_the_package_alone(wheel: Path, checkout: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"provgraph"}
    data = [path for path in (checkout / "provgraph").rglob("*") if path.suffix in {".json", ".typed", ".toml", ".sql"}]
    assert {path.relative_to(checkout).as_posix() for path in data} <= set(names)
    assert "provdb=provgraph.cli.entry:main" in points.replace(" ", "")


def test_every_module_imports(installed: Path, tmp_path: Path, checkout: Path) -> None:
    """In the installed wheel, run from an empty folder: every module, and no top-level names but provgraph's."""
    script = tmp_path / "everything.py"
    script.write_text(
        "import importlib, pkgutil, site, sys\n"
        f"sys.path.extend({[path for path in sys.path if path.endswith('site-packages')]!r})\n"
        "import provgraph\n"
        "assert provgraph.__file__.startswith(sys.prefix), provgraph.__file__\n"
        "def failed(name): raise SystemExit(f'cannot import {name}')\n"
        "found = [m.name for m in pkgutil.walk_packages(provgraph.__path__, 'provgraph.', onerror=failed)]\n"
        "for name in found:\n"
        "    if not name.endswith('__main__'):\n"
        "        importlib.import_module(name)\n"
        f"strangers = set(sys.modules) & {set(LINKS)!r}\n"
        "assert not strangers, strangers\n"
        "print(*found)\n"
    )
    found = run(installed, "-I", script, cwd=tmp_path).split()
    rooms = {path.parent.name for path in (checkout / "provgraph").glob("*/__init__.py")}
    assert {*LINKS, "capture", "events", "graph", "ingest", "model", "render", "session", "stores"} <= rooms
    assert {f"provgraph.{room}" for room in rooms} <= set(found)


def test_installed_command_runs(installed: Path, tmp_path: Path, checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    command = installed.parent / "provdb"
    # The wrapping path needs the standard library alone: this environment holds nothing else.
    assert run(command, "echo", "hello", cwd=tmp_path) == "hello\n"
    assert run(installed, "-c", "import provgraph; print(provgraph.__version__)").strip() == project["version"]


@pytest.mark.network
@pytest.mark.slow
def test_declared_dependencies_suffice(wheel: Path, tmp_path: Path) -> None:
    """From an index, as a user does it. Skips where no index can be reached."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    installing: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    done = subprocess.run(installing, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode and "No matching distribution" not in done.stderr.replace("Could not find a version", ""):
        pytest.skip("no package index can be reached: " + done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert "init" in run(python.parent / "provdb", "--help", cwd=tmp_path)


def test_links_open_the_rooms(checkout: Path) -> None:
    for name in LINKS:
        link = checkout / name
        assert link.is_symlink()
        assert not Path(os.readlink(link)).is_absolute()
        assert link.resolve() == checkout / "provgraph" / name
        assert link.is_dir()


def test_no_room_is_imported_through_its_link(checkout: Path) -> None:
    """The checkout is on the module path of an editable install; the links must not become modules of their own."""
    assert not set(sys.modules) & set(LINKS)
    sources = [*(checkout / "provgraph").rglob("*.py"), *(checkout / "tests").rglob("*.py")]
    for path in sources:
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] in {"import", "from"}:
                assert words[1].split(".")[0] not in LINKS, f"{path}: {line}"


def test_version_is_one(checkout: Path) -> None:
    import provgraph

    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert provgraph.__version__ == project["version"]
