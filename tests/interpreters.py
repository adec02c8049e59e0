"""Other Pythons on this machine, in which users' programs run."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
CLIENT_PATH = Path(__file__).resolve().parents[1] / "provgraph" / "client" / "path"


@functools.cache
def interpreter(version: str) -> str | None:
    """A Python of this version: on PATH, where pyenv or uv keep it, or the system's; None where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    found = [
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"{version}.*/bin/python3")),
        *sorted(uv.glob(f"cpython-{version}*/bin/python3")),
        f"/usr/bin/python{version}",
    ]
    for path in found:
        if path is not None and Path(path).exists() and _runs(str(path), version):
            return str(path)
    return None


def _runs(path: str, version: str) -> bool:
    """Whether it does: a shim of pyenv exists for versions that it then refuses to run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version


def required(version: str) -> str:
    """The same; the test is skipped where there is none."""
    found = interpreter(version)
    if found is None:
        pytest.skip(f"there is no Python {version} here (pyenv install {version})")
    return found
