"""DataLad and DVC, installed from the package index into an environment of their own, for the same run.

A Jupyter kernel, which one workload needs, comes into another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("datalad", "dvc")
ENVIRONMENT = Path(__file__).parent / ".env" / "peers"
NOTEBOOK = Path(__file__).parent / ".env" / "notebook"
PROV2NEO = Path(__file__).parent / ".env" / "prov2neo"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that records commands too: how a folder is prepared for it, and how it runs ``true``."""

    name: str
    version: str
    prepare: Callable[[Path], None]
    argv: tuple[str, ...]
    environment: dict[str, str]


def install() -> list[str]:
    """Install what is not there yet; returns a sentence for each thing that could not be had."""
    missing: list[str] = []
    for package in PACKAGES:
        if not (ENVIRONMENT / "bin" / package).exists():
            missing += _install_package(package, ENVIRONMENT)
    if shutil.which("git-annex") is None:
        missing += _install_git_annex()
    return missing


def notebook_python() -> Path:
    """An interpreter with a Jupyter kernel, installed where it is not there yet; it may lack it all the same."""
    if not (NOTEBOOK / "bin" / "jupyter-kernelspec").exists():
        _install_package("ipykernel", NOTEBOOK)
    return NOTEBOOK / "bin" / "python"


def prov2neo_python() -> Path | None:
    """An interpreter with prov2neo, installed where it is not there yet; None where it cannot be had.

    Its newest release names one release of py2neo that is gone, so what it needs is installed beside it.
    """
    python = PROV2NEO / "bin" / "python"
    if not (PROV2NEO / "bin" / "prov2neo").exists():
        missing = [line for name in ("py2neo", "prov", "neotime") for line in _install_package(name, PROV2NEO)]
        done = _quietly([str(python), "-m", "pip", "install", "-q", "--no-deps", "prov2neo==1.2.2"])
        if missing or done.returncode:
            return None
    return python


def _install_package(package: str, environment: Path) -> list[str]:
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    done = _quietly([str(python), "-m", "pip", "install", "-q", package])
    return [f"{package} could not be installed: {_last_line(done.stderr)}"] if done.returncode else []


def _install_git_annex() -> list[str]:
    """DataLad needs git-annex, which is a package of the system."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return ["git-annex is not installed, and this user cannot install it: no datalad"]
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "git-annex"]):
        done = _quietly(command, DEBIAN_FRONTEND="noninteractive")
        if done.returncode:
            return [f"git-annex could not be installed: {_last_line(done.stderr)}"]
    return []


def available() -> list[Peer]:
    """The peers that are installed and run."""
    bin_folder = ENVIRONMENT / "bin"
    environment = {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    found = []
    if (bin_folder / "datalad").exists() and shutil.which("git-annex"):
        argv = ("datalad", "run", "-m", "r", "true")
        found.append(Peer("datalad run", _version("datalad"), _datalad_dataset, argv, environment))
    if (bin_folder / "dvc").exists():
        found.append(Peer("dvc repro", _version("dvc"), _dvc_stage, ("dvc", "repro", "-f", "-q"), environment))
    return found


def _datalad_dataset(folder: Path) -> None:
    _quietly([str(ENVIRONMENT / "bin" / "datalad"), "create", "-f", "."], folder).check_returncode()


def _dvc_stage(folder: Path) -> None:
    dvc = str(ENVIRONMENT / "bin" / "dvc")
    for command in (["git", "init", "-q"], [dvc, "init", "-q"], [dvc, "stage", "add", "-q", "-n", "s", "true"]):
        _quietly(command, folder).check_returncode()


def _version(package: str) -> str:
    done = _quietly([str(ENVIRONMENT / "bin" / package), "--version"])
    return done.stdout.strip().rpartition(" ")[2] if done.returncode == 0 else "?"


def _quietly(command: list[str], cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", **variables}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]
