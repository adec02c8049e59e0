"""Where logins come from, where they are kept, and who may read them."""

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provgraph.errors import InputError, RemoteError, StoreError
from provgraph.stores.credentials import credentials_file, find_login, keep_login

URL = "bolt+s://neo4j.example.org:7687"
OTHER = "bolt+s://evil.example.org:7687"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring of whoever runs the tests is left alone."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    if "keyring" in sys.modules:
        import keyring
        import keyring.backends.null

        monkeypatch.setattr(keyring.core, "_keyring_backend", keyring.backends.null.Keyring())


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def test_environment_comes_first(environ: dict[str, str]) -> None:
    keep_login(URL, "alice", "kept", environ)
    environ |= {"PROVDB_NEO4J_USER": "everybody", "PROVDB_NEO4J_PASSWORD": "common"}
    found = find_login("my-team", URL, environ)
    assert (found.user, found.password) == ("everybody", "common")
    environ |= {"PROVDB_MY_TEAM_USER": "bob", "PROVDB_MY_TEAM_PASSWORD": "own"}
    found = find_login("my-team", URL, environ)
    assert (found.user, found.password, found.source) == ("bob", "own", "PROVDB_MY_TEAM_PASSWORD")
    assert "own" not in repr(found)


def test_empty_variables_say_nothing(environ: dict[str, str]) -> None:
    keep_login(URL, "alice", "kept", environ)
    environ |= {"PROVDB_TEAM_USER": "", "PROVDB_TEAM_PASSWORD": "", "PROVDB_NEO4J_PASSWORD": ""}
    assert find_login("team", URL, environ).user == "alice"


def test_file_is_for_its_owner_alone(environ: dict[str, str]) -> None:
    path = credentials_file(environ)
    old = os.umask(0)
    try:
        assert keep_login(URL, "alice", 'p"\\\x7f\u00fc\U0001f600 x', environ) == str(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert find_login("team", URL, environ).password == 'p"\\\x7f\u00fc\U0001f600 x'
    for mode in (0o640, 0o604, 0o660, 0o644):
        path.chmod(mode)
        with pytest.raises(StoreError, match=f"chmod 600 {path}"):
            find_login("team", URL, environ)
        with pytest.raises(StoreError, match="chmod 600"):
            keep_login(URL, "alice", "new", environ)


def test_kept_by_address_not_by_name(environ: dict[str, str]) -> None:
    keep_login(URL, "alice", "hers", environ)
    with pytest.raises(RemoteError, match="PROVDB_TEAM_PASSWORD") as caught:
        find_login("team", OTHER, environ)
    assert not caught.value.passing
    keep_login(OTHER, "eve", "other", environ)
    assert find_login("a", URL, environ).password == "hers"
    assert find_login("a", OTHER, environ).password == "other"


def test_changing_what_is_kept(environ: dict[str, str]) -> None:
    assert keep_login(URL, None, None, environ) is None
    assert not credentials_file(environ).exists()
    keep_login(URL, "alice", "one", environ)
    keep_login(URL, None, "two", environ)
    assert (find_login("t", URL, environ).user, find_login("t", URL, environ).password) == ("alice", "two")
    keep_login(URL, "bob", None, environ)
    with pytest.raises(RemoteError, match="no password of bob"):
        find_login("t", URL, environ)
    assert find_login("t", URL, environ, lambda question: f"for {question}").password == f"for Password of bob at {URL}"
    with pytest.raises(RemoteError):
        find_login("t", URL, environ, lambda _question: "")


def test_password_of_another_user_is_not_used(environ: dict[str, str]) -> None:
    keep_login(URL, "alice", "hers", environ)
    bob = environ | {"PROVDB_TEAM_USER": "bob"}
    with pytest.raises(RemoteError, match="no password of bob"):
        find_login("team", URL, bob)
    keep_login(OTHER, None, "of neo4j", environ)
    assert find_login("team", OTHER, environ).user == "neo4j"
    with pytest.raises(RemoteError, match="no password of bob"):
        find_login("team", OTHER, bob)


def test_environment_alone_needs_no_file(environ: dict[str, str]) -> None:
    keep_login(URL, "alice", "hers", environ)
    credentials_file(environ).chmod(0o644)
    environ |= {"PROVDB_TEAM_USER": "bob", "PROVDB_TEAM_PASSWORD": "his"}
    assert find_login("team", URL, environ).password == "his"


@pytest.mark.parametrize("text", ["[[server]\n", "server = 3\n", "server = [1]\n", "\xff"])
def test_damaged_file(text: str, environ: dict[str, str]) -> None:
    path = credentials_file(environ)
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(InputError, match=r"credentials\.toml"):
        find_login("team", URL, environ)


def test_relative_folder_of_configuration_is_ignored(environ: dict[str, str]) -> None:
    assert credentials_file({"XDG_CONFIG_HOME": "relative"}) == Path.home() / ".config/provgraph/credentials.toml"


# -- the keyring: the real package, with a store that is a file of the test's

BACKEND = """
import json, os, threading
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 1
    file = os.environ["TEST_KEYRING"]

    def _all(self):
        try:
            return json.load(open(self.file))
        except FileNotFoundError:
            return {}

    def get_password(self, service, username):
        return self._all().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        json.dump({**self._all(), f"{service}/{username}": password}, open(self.file, "w"))

    def delete_password(self, service, username):
        raise NotImplementedError

class Locked(Keyring):
    def get_password(self, service, username):
        raise RuntimeError("locked")

    set_password = get_password


class Waiting(Keyring):
    # Wants to be unlocked at a desktop where nobody sits.

    def get_password(self, service, username):
        threading.Event().wait()
"""


@pytest.fixture
def ring(tmp_path: Path) -> dict[str, str]:
    pytest.importorskip("keyring", reason="needs keyring: pip install keyring")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/ring.py").write_text(BACKEND)
    return {
        "PYTHONPATH": str(tmp_path / "modules"),
        "PYTHON_KEYRING_BACKEND": "ring.Keyring",
        "TEST_KEYRING": str(tmp_path / "ring.json"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


def login(environ: dict[str, str]) -> str:
    """What another process finds."""
    script = (
        "import os; from provgraph.stores.credentials import find_login;"
        f"found = find_login('team', {URL!r}, os.environ); print(found.user, found.password, found.source)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | environ, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def keep(environ: dict[str, str], password: str) -> str:
    script = (
        "import os; from provgraph.stores.credentials import keep_login;"
        f"print(keep_login({URL!r}, 'alice', {password!r}, os.environ))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_keyring_keeps_passwords(ring: dict[str, str], tmp_path: Path) -> None:
    assert keep(ring, "in-the-ring") == "the keyring"
    file = tmp_path / "config/provgraph/credentials.toml"
    assert "in-the-ring" not in file.read_text()
    assert login(ring) == "alice in-the-ring the keyring"
    assert "no password" in login(ring | {"PROVDB_TEAM_USER": "bob"})


def test_locked_keyring_is_none(ring: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "config/provgraph/credentials.toml"
    ring["PYTHON_KEYRING_BACKEND"] = "ring.Locked"
    assert keep(ring, "in-the-file") == str(file)
    assert login(ring) == f"alice in-the-file {file}"


def test_keyring_that_waits_for_a_desktop_holds_up_no_sending_in_the_background(
    ring: dict[str, str], project: Path, provdb: Any
) -> None:
    ring = ring | provdb.environment | {"PYTHON_KEYRING_BACKEND": "ring.Waiting"}
    provdb("remote", "add", "team", "bolt://localhost:1", "--user", "alice")
    file = project / ".provdb/config.toml"
    file.write_text(file.read_text().replace("[sync]\n", '[sync]\npush = "team"\n'))
    provdb("trust", ".")
    script = (
        "import sys; from provgraph.session import background; background._KEYRING_S = 0.2; "
        "print(background._push_once(sys.argv[1]))"
    )
    words = [sys.executable, "-c", script, str(project)]
    done = subprocess.run(words, env=ring, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "False\n"
    (remote,) = provdb.json("status")["remotes"]
    assert "the keyring that may hold the password of alice" in remote["failure"]
    assert "PROVDB_TEAM_PASSWORD" in remote["failure"]
    kept = Path(ring["XDG_CONFIG_HOME"], "provgraph/credentials.toml")
    kept.write_text('[[server]]\nurl = "bolt://localhost:1"\nuser = "alice"\npassword = "in-the-file"\n')
    subprocess.run(words, env=ring, capture_output=True, text=True, check=True, timeout=120)
    assert "nobody listens" in provdb.json("status")["remotes"][0]["failure"], "the file's is taken"


def test_keyring_is_loaded_only_when_asked(tmp_path: Path) -> None:
    script = "import sys, provgraph.stores.credentials, provgraph.session.remotes; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# -- the command


def test_password_from_standard_input(provdb: Any, project: Path) -> None:
    home = Path(provdb.environment["HOME"])
    environment = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    words = ("remote", "add", "team", URL, "--user", "alice", "--password-stdin")
    done = provdb(*words, input="hunter2\n", env=environment)
    assert "hunter2" not in done.stdout + done.stderr
    file = home / ".config/provgraph/credentials.toml"
    assert str(file) in done.stdout
    assert "hunter2" in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"hunter2" not in b"".join(p.read_bytes() for p in (project / ".provdb").rglob("*") if p.is_file())
    assert "standard input is empty" in provdb(*words, input="", env=environment, check=2).stderr
    provdb(*words, input="changed\r\n", env=environment)
    assert 'password = "changed"' in file.read_text()


def typed(provdb: Any, words: list[str], answer: bytes) -> str:
    """What a terminal shows where a person answers."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        os.chdir(provdb.root)
        os.execve(
            sys.executable,
            [sys.executable, "-m", "provgraph", *words],
            {**provdb.environment, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
        )
    shown = b""
    try:
        while True:
            part = os.read(terminal, 4096)
            if not part:
                break
            shown += part
            if answer and shown.rstrip().endswith(b":"):
                os.write(terminal, answer)
                answer = b""
    except OSError:
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode()


def test_asked_for_at_a_terminal(provdb: Any, project: Path) -> None:
    shown = typed(provdb, ["remote", "add", "team", URL, "--user", "alice"], b"hunter2\n")
    assert f"Password of alice at {URL}" in shown and "hunter2" not in shown
    file = Path(provdb.environment["HOME"]) / ".config/provgraph/credentials.toml"
    assert 'password = "hunter2"' in file.read_text()
    again = typed(provdb, ["remote", "add", "team", URL], b"")
    assert "Password" not in again, "it is known"


def test_nothing_is_kept_where_nothing_is_typed(provdb: Any, project: Path) -> None:
    typed(provdb, ["remote", "add", "team", "bolt://localhost:1"], b"\n")
    assert not (Path(provdb.environment["HOME"]) / ".config/provgraph/credentials.toml").exists()
    shown = typed(provdb, ["push"], b"typed\n")
    assert "Password of neo4j at bolt://localhost:1" in shown and "nobody listens" in shown
    assert "typed" not in shown


def test_nobody_to_ask(provdb: Any, project: Path) -> None:
    provdb("remote", "add", "team", "bolt://localhost:1")
    done = provdb("push", check=3)
    assert "there is no password of neo4j" in done.stderr and "--password-stdin" in done.stderr
