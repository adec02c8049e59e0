"""Fixtures that all rooms' tests share: a clean place to work in, and the real command.

``provdb`` and ``project`` run the command in processes of its own, under a HOME, XDG folders and a git configuration
that belong to the test, so nothing of the user's is read or written.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings
from measuring import MEASURING, unmeasured
from processes import end_ingesters, eventually

ROOT = Path(__file__).resolve().parents[1]
pytest_plugins = ["neo4j_server"]

# Where pytest runs in the background of a shell, it ignores these, and so would every command that a test starts.
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)

# Without a deadline: a machine that is busy with something else must not fail a law.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile(
    "thorough",
    parent=settings.get_profile("default"),
    max_examples=2_000,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))

SCRIPT = Path(sys.executable).parent / "provdb"
COMMAND = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "provgraph"]
"""The installed command; as a module, the folder it runs in would come first on the module path."""

MEASURED_IN = 8
"""Of so many tests one has its commands measured: coverage costs a command more than all that it does by itself."""
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", *MEASURING)
"""What a test's commands inherit of the environment of pytest. All else could change what they do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, so that at the end no worker waits for one."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Leave unmeasured what repeats, and the commands of most tests: a name decides, so each run measures the same."""
    if item.get_closest_marker("repeats"):
        with unmeasured():
            return (yield)
    if crc32(item.nodeid.encode()) % MEASURED_IN == 0:
        return (yield)
    taken = {name: os.environ.pop(name) for name in MEASURING if name in os.environ}
    try:
        return (yield)
    finally:
        os.environ.update(taken)


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """An environment for commands, with ``home`` in the place of the user's, and an identity for git."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    scripts = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([scripts, environment.get("PATH", os.defpath)])
    environment |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Alice",
        "GIT_AUTHOR_EMAIL": "alice@example.org",
        "GIT_COMMITTER_NAME": "Alice",
        "GIT_COMMITTER_EMAIL": "alice@example.org",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SHELL": "/bin/sh",
    }
    return environment | more


@dataclass(frozen=True)
class Provdb:
    """The real ``provdb``, in a folder. Every call is a process of its own."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        *arguments: str | os.PathLike[str],
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        check: int | None = 0,
        timeout: float = 120,
        **more: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``provdb ARGUMENTS…``.

        Args:
            arguments: the words after ``provdb``.
            cwd: the folder to run in; the project's root where it is not given.
            env: variables to add, or with None to take away.
            check: the exit status that is expected; None accepts any.
            timeout: seconds after which the test fails. A safety net, never a measurement.
            more: as for `subprocess.run`.
        """
        return self.command([*COMMAND, *arguments], cwd, env, check, timeout, **more)

    def command(
        self,
        argv: Sequence[str | os.PathLike[str]],
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        check: int | None = 0,
        timeout: float = 120,
        **more: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run any command, seen by nobody (or, with ``provdb`` in it, by itself)."""
        environment: dict[str, str] = {**self.environment}
        for name, value in (env or {}).items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        if "input" not in more:
            more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        more.setdefault("text", True)
        if more["text"]:
            more.setdefault("errors", "surrogateescape")
        done = subprocess.run(argv, cwd=cwd or self.root, env=environment, timeout=timeout, check=False, **more)
        if check is not None and done.returncode != check:
            words = shlex.join(os.fspath(word) for word in argv)
            pytest.fail(
                f"{words} ended with {done.returncode}, not {check}\n"
                f"--- standard output\n{done.stdout}\n--- standard error\n{done.stderr}",
                pytrace=False,
            )
        return done

    def shell(self, text: str, shell: str = "sh", **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a line in a shell, with ``provdb`` on PATH."""
        return self.command([shell, "-c", text], **more)

    def json(self, *arguments: str, **more: Any) -> dict[str, Any]:
        """What ``provdb ARGUMENTS… --json`` prints, parsed."""
        document: dict[str, Any] = json.loads(self(*arguments, "--json", **more).stdout)
        return document

    def rows(self, query: str, **parameters: object) -> list[list[Any]]:
        """The rows that a Cypher query gives; parameters are written as JSON."""
        words = [part for key, value in parameters.items() for part in ("--param", f"{key}={json.dumps(value)}")]
        rows: list[list[Any]] = self.json("cypher", query, *words)["rows"]
        return rows


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A HOME of the test's own."""
    path = tmp_path / "home"
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder that is no project."""
    path = tmp_path / "work"
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture
def make_provdb(tmp_path: Path) -> Callable[..., Provdb]:
    """``make_provdb(folder, **environment)``: the command in another folder, or as another person."""

    def make(folder: Path, **environment: str) -> Provdb:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        return Provdb(folder, clean_environment(home, **environment))

    return make


@pytest.fixture
def provdb(place: Path, make_provdb: Callable[..., Provdb]) -> Iterator[Provdb]:
    """The real command in ``place``, which is no project until something runs ``provdb("init")``."""
    command = make_provdb(place)
    yield command
    end_ingesters(place, signal.SIGTERM)  # nobody asks any more what they would still find


@pytest.fixture
def project(provdb: Provdb) -> Path:
    """The root of a fresh project, the same folder that ``provdb`` runs in. Made by a real ``provdb init``."""
    provdb("init")
    return provdb.root


@pytest.fixture
def repository(provdb: Provdb) -> Path:
    """A git repository with one commit, the same folder that ``provdb`` runs in. No project yet."""
    provdb.command(["git", "init", "-q", "-b", "main"])
    (provdb.root / "README").write_text("A place.\n")
    provdb.command(["git", "add", "README"])
    provdb.command(["git", "commit", "-q", "-m", "Begin"])
    return provdb.root


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def shared_testdata() -> Path:
    """Real data of other people beside the checkout, each with its licence. Skips where it was not handed out."""
    path = Path(os.environ.get("PROVGRAPH_TESTDATA") or ROOT.parent / "shared/testdata")
    if not path.is_dir():
        pytest.skip(f"no test data at {path}; PROVGRAPH_TESTDATA may name another folder")
    return path


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """Wait for a condition."""
    return eventually
