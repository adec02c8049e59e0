"""What breaking things needs: conditions to wait for, processes to find, a verdict on the store, an ordinary user."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from laboratory import Graph, Lab

from provgraph.stores import open_store

NOBODY = 65534


@pytest.fixture
def lab(provdb: Any, project: Path) -> Lab:
    """A fresh project and the real command in it."""
    return Lab(provdb)


@pytest.fixture
def sound() -> Callable[[Lab], Graph]:
    """The verdict: ``doctor`` finds nothing bad, the graph has no cycle, a rebuild changes no byte of its digest."""

    def verdict(lab: Lab) -> Graph:
        graph = lab.graph()
        report = lab.provdb.json("doctor")
        assert report["healthy"], [finding for finding in report["findings"] if finding["state"] == "bad"]
        assert graph.is_acyclic()
        with open_store(str(lab.root), write=True) as store:
            before = store.digest()
            assert store.rebuild() == before
        return graph

    return verdict


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """``tmpfs(size)``: a small file system of one's own. Skips where mounting is not allowed."""
    mounted: list[Path] = []

    def mount(size: str, name: str = "small") -> Path:
        folder = tmp_path.resolve() / name
        folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "none", str(folder)]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("no right to mount a file system")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass(frozen=True)
class Ordinary:
    """An ordinary user, and an environment that this user can reach."""

    folder: Path
    environment: dict[str, str]
    python: Path

    def run(
        self, *words: str | Path, cwd: Path | None = None, check: int | None = 0, uid: int = NOBODY
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command as this user, without any capability."""
        argv = [str(word) for word in words]
        if uid:
            argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *argv]
        done = subprocess.run(
            argv,
            cwd=cwd or self.folder / "work",
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert check is None or done.returncode == check, (argv, done.stdout, done.stderr)
        return done

    def provdb(self, *words: str | Path, **more: Any) -> "subprocess.CompletedProcess[str]":
        """``provdb WORDS…`` as this user."""
        return self.run(self.python, "-m", "provgraph", *words, **more)


def _link(source: str, target: str) -> str:
    """A hard link, which costs nothing; a copy where there cannot be one."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


@pytest.fixture(scope="session")
def reachable(checkout: Path) -> Iterator[tuple[Path, dict[str, str], Path]]:
    """An interpreter with provgraph and what it needs, below a folder that everybody can enter."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to become another user")
    folder = Path(tempfile.mkdtemp(prefix="provgraph-ordinary-"))
    try:
        folder.chmod(0o755)
        base = Path(sys.base_prefix)
        library = Path(sysconfig.get_path("stdlib"))
        python = folder / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        python.parent.mkdir()
        _link(os.path.realpath(sys.executable), str(python))
        target = folder / "lib" / library.name
        left_out = shutil.ignore_patterns("site-packages", "test", "tests", "__pycache__", "idlelib", "ensurepip")
        shutil.copytree(library, target, symlinks=True, copy_function=_link, ignore=left_out)
        for shared in (base / "lib").glob("libpython*.so*"):
            _link(str(shared), str(folder / "lib" / shared.name))
        site = target / "site-packages"
        shutil.copytree(checkout / "provgraph", site / "provgraph", copy_function=_link)
        for name in _needed("provgraph"):
            _install(name, site)
        environment = {"LD_LIBRARY_PATH": str(folder / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
        words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(python)]
        tried = subprocess.run(
            [*words, "-c", "import sqlite3, click, provgraph.session.project"],
            env=environment, capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if tried.returncode:
            pytest.skip(f"no interpreter that another user can run: {tried.stderr.strip().splitlines()[-1:]}")
        yield folder, environment, python
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _needed(name: str, seen: set[str] | None = None) -> set[str]:
    """The distributions that one needs, with what these need; extras left out."""
    seen = set() if seen is None else seen
    for requirement in metadata.requires(name) or ():
        if ";" in requirement and "extra" in requirement:
            continue
        other = requirement.split(";")[0].split(">")[0].split("=")[0].split("<")[0].split("!")[0].split("[")[0].strip()
        if other not in seen:
            try:
                metadata.distribution(other)
            except metadata.PackageNotFoundError:
                continue  # for another system
            seen.add(other)
            _needed(other, seen)
    return seen


def _install(name: str, site: Path) -> None:
    for file in metadata.files(name) or ():
        source, target = Path(str(file.locate())), site / file
        if ".." in file.parts or file.suffix == ".pyc" or not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            _link(str(source), str(target))


@pytest.fixture
def ordinary(reachable: tuple[Path, dict[str, str], Path]) -> Iterator[Ordinary]:
    """An ordinary user with a folder ``work`` of their own."""
    prefix, environment, python = reachable
    folder = Path(tempfile.mkdtemp(prefix="provgraph-work-"))
    folder.chmod(0o755)
    for name in ("work", "home"):
        (folder / name).mkdir(mode=0o755)
        os.chown(folder / name, NOBODY, NOBODY)
    path = f"{prefix}/bin:{os.environ.get('PATH', os.defpath)}"
    home = {"HOME": str(folder / "home"), "PATH": path, "SHELL": "/bin/sh", "GIT_CONFIG_GLOBAL": os.devnull}
    user = Ordinary(folder, {**environment, **home}, python)
    yield user
    if (folder / "work/.provdb").is_dir():
        user.provdb("status", check=None)
    shutil.rmtree(folder, ignore_errors=True)
