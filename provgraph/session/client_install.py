"""The client in other interpreters: a ``.pth`` in their site-packages that names the folder of ``provgraph.client``.

Where an interpreter has a ProvGraph of its own that one is taken; the ``.pth`` stands behind it.
"""

import contextlib
import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import provgraph
from provgraph.errors import QuestionError

PTH: Final = "provgraph_client.pth"
OLDEST: Final = (3, 9)
_ASK: Final = """
import json, os, site, sys, sysconfig
from importlib.machinery import PathFinder
found = PathFinder.find_spec("provgraph", [entry for entry in sys.path if entry])
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:3]),
    "site_packages": sysconfig.get_path("purelib"),
    "user_site": site.getusersitepackages() if site.ENABLE_USER_SITE else None,
    "is_environment": sys.prefix != sys.base_prefix or os.path.isdir(os.path.join(sys.prefix, "conda-meta")),
    "managed": os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")),
    "origin": found.origin if found else None,
}))
"""


@dataclass(frozen=True, slots=True)
class Client:
    """What one interpreter knows of the client.

    ``state``: "own" (a ProvGraph of its own), "installed" (by a ``.pth`` of ours), "stale" (one that names a folder
    which is gone, or another installation), "absent".
    """

    python: str
    version: str
    state: str
    pth: str | None
    place: str | None
    """The folder that it finds ``provgraph`` in."""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document that ``--json`` prints."""
        return {"schema": "provgraph/client/1", **asdict(self), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class _Interpreter:
    executable: str
    version: tuple[int, ...]
    site_packages: str
    user_site: str | None
    is_environment: bool
    managed: bool
    origin: str | None

    @property
    def shown(self) -> str:
        return ".".join(map(str, self.version))

    def files(self) -> list[Path]:
        """Where a ``.pth`` of ours may be."""
        folders = [self.site_packages, *([self.user_site] if self.user_site else [])]
        return [path for folder in folders if (path := Path(folder, PTH)).exists()]


def folder() -> str:
    """The folder that a ``.pth`` names."""
    return str(Path(provgraph.__file__).resolve().parent / "client" / "path")


def install(python: str, *, user: bool = False) -> Client:
    """Make the client importable in an interpreter.

    Parameters:
        python: a Python, by path or by its name on PATH, or the folder of a virtual environment.
        user: into the user's own site-packages instead of the interpreter's.
    Raises:
        QuestionError: there is no such Python, it is too old, or its packages are not ours to change.
    """
    found = _examine(python)
    if found.version[:2] < OLDEST:
        raise QuestionError(f"{found.executable} is Python {found.shown}, and the client needs 3.9 or later")
    if _state(found) == "own":
        return _client(found, ("it has a ProvGraph of its own: nothing was changed",))
    path = Path(_target(found, user=user), PTH)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(folder() + "\n", "utf-8")
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise QuestionError(
            f"{path.parent} cannot be written: {error.strerror}; "
            f"try `provdb client install {python} --user`, or make a virtual environment"
        ) from error
    return _client(_examine(python))


def status(python: str) -> Client:
    """Whether an interpreter finds the client, and where.

    Raises:
        QuestionError: there is no such Python.
    """
    return _client(_examine(python))


def remove(python: str) -> Client:
    """Take back what :func:`install` did.

    Raises:
        QuestionError: there is no such Python, or its packages are not ours to change.
    """
    found = _examine(python)
    files = found.files()
    for path in files:
        try:
            path.unlink()
        except OSError as error:
            raise QuestionError(f"{path} cannot be removed: {error.strerror}; remove it as its owner") from error
    notes = tuple(f"removed {path}" for path in files) or ("there was nothing to remove",)
    return _client(_examine(python), notes)


def _target(found: _Interpreter, *, user: bool) -> str:
    if user:
        if found.is_environment or found.user_site is None:
            raise QuestionError(
                f"{found.executable} does not look into the user's own site-packages; leave --user away"
                if found.is_environment
                else f"{found.executable} has no user site-packages; make a virtual environment: "
                f"{found.executable} -m venv .venv"
            )
        return found.user_site
    if found.managed and not found.is_environment:
        raise QuestionError(
            f"the packages of {found.executable} are the system's to manage; "
            "add --user for your own site-packages, or make a virtual environment"
        )
    return found.site_packages


def _state(found: _Interpreter) -> str:
    ours = Path(folder())
    if found.origin is not None and Path(found.origin).parent.parent.resolve() != ours:
        return "own" if not found.files() or "client/path" not in found.origin else "stale"
    if found.origin is not None:
        return "installed" if found.files() else "own"
    return "stale" if found.files() else "absent"


def _client(found: _Interpreter, notes: tuple[str, ...] = ()) -> Client:
    files = found.files()
    place = None if found.origin is None else str(Path(found.origin).parent)
    state = _state(found)
    if state == "stale":
        notes += ("its .pth names another installation; `provdb client install` renews it",)
    return Client(found.executable, found.shown, state, str(files[0]) if files else None, place, notes)


def _examine(python: str) -> _Interpreter:
    """Ask an interpreter about itself, outside of any project and without the environment's settings."""
    program = _program(python)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [program, "-c", _ASK], cwd="/", env=environ, capture_output=True, timeout=60, check=False, text=True
        )
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout else None
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise QuestionError(f"{program} cannot be run: {error}; name a Python, like python3.11 or .venv") from error
    if not isinstance(answer, dict):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise QuestionError(f"{program} is no Python that can be asked: {last}; name one, like python3.11 or .venv")
    return _Interpreter(**{**answer, "version": tuple(answer["version"])})


def _program(python: str) -> str:
    path = Path(python).expanduser()
    if path.is_dir():
        inside = next((found for name in ("python3", "python") if (found := path / "bin" / name).exists()), None)
        if inside is None:
            raise QuestionError(f"{python} holds no bin/python: name a Python, or the folder of an environment")
        return str(inside.absolute())
    if os.sep in python:
        if not path.exists():
            raise QuestionError(
                f"there is no {python}; name a Python, like python3.11, or the folder of an environment"
            )
        return str(path.absolute())
    program = shutil.which(python)
    if program is None:
        raise QuestionError(f"there is no {python} on PATH; name a Python, like /usr/bin/python3, or an environment")
    return program
