"""`scripts/neo4j.py`: a real server starts, stops, survives a power cut, and never outlives who uses it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from neo4j_server import ROOT, available, script
from processes import eventually

SCRIPT = ROOT / "scripts/neo4j.py"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("JAVA_HOME", "MAKEFLAGS")}
pytestmark = pytest.mark.slow


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *words], env=ENVIRONMENT | environment, capture_output=True, text=True, check=False
    )


def make(target: str, options: str = "") -> subprocess.CompletedProcess[str]:
    words = ["make", "--no-print-directory", target, f"PYTHON={sys.executable}", f"NEO4J_OPTIONS={options}"]
    return subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def ask(server: Any, query: str, url: str | None = None, **parameters: Any) -> list[dict[str, Any]]:
    """What a query gives, through the real driver."""
    from neo4j import GraphDatabase

    with GraphDatabase.driver(url or server.url, auth=(server.user, server.password)) as driver, driver.session() as on:
        return [record.data() for record in on.run(query, **parameters)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a server of the command line's lies. Nothing of it is left."""
    yield tmp_path / "server"
    if server := script().running(tmp_path / "server"):
        server.kill9()


@pytest.mark.parametrize("release", ["5", "2026"])
def test_start_status_stop_wipe(folder: Path, release: str) -> None:
    if release == "2026" and all(java.major < 21 for java in script().javas()):
        pytest.skip("no Java 21 or later")
    available(release)
    assert run("status", "--folder", folder).returncode == 1
    if release == "5":
        done = make("neo4j", f"--folder {folder} --port 0 --release 5")
    else:  # what was fetched once is there: nobody needs Maven any more
        done = run("start", "--folder", folder, "--port", "0", "--release", release, PATH="/usr/bin/nowhere")
    assert done.returncode == 0, done.stderr
    server = script().running(folder)
    assert server.url in done.stdout
    assert str(server.pid) in done.stdout
    assert server.password not in done.stdout
    assert server.release.startswith(release)
    assert ask(server, "RETURN 1 AS one") == [{"one": 1}]
    assert run("start", "--folder", folder).stdout == done.stdout, "a second start finds it"
    assert server.url in run("status", "--folder", folder).stdout
    same = ("--port", str(server.port), "--release", release, "--heap", "512m")
    assert run("start", "--folder", folder, *same).stdout == done.stdout, "nothing else is asked for"
    for words, told in (
        (("--port", "1"), f"port {server.port}, not 1"),
        (("--release", "4"), f"release {server.release}, not 4"),
        (("--tls",), "tls off, not on"),
        (("--heap", "600m"), "heap 512m, not 600m"),
        (("--set", "a.b=c"), "settings none, not a.b=c"),
    ):
        refused = run("start", "--folder", folder, *words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"already, with other options ({told}): stop it first" in refused.stderr
    assert server.runs()
    stopped = run("stop", "--folder", folder)
    assert stopped.returncode == 0
    assert stopped.stdout == f"Neo4j {server.release} (process {server.pid}) ended; what it holds stays in {folder}\n"
    assert not server.runs()
    again = run("stop", "--folder", folder)
    assert (again.returncode, again.stdout) == (0, f"no server runs in {folder}\n")
    assert run("status", "--folder", folder).returncode == 1
    wiped = run("wipe", "--folder", folder)
    assert (wiped.returncode, wiped.stdout) == (0, f"removed {folder}, with all that the server held\n")
    assert not folder.exists()
    wiped = run("wipe", "--folder", folder)
    assert (wiped.returncode, wiped.stdout) == (0, f"there is no {folder}\n")


def test_a_server_in_turns(make_neo4j: Callable[..., Any]) -> None:
    """Its secrets and its reach; a power cut, after which all is there; choices that stand until others are made."""
    show = "SHOW SETTINGS YIELD name, value WHERE name = 'db.transaction.timeout' RETURN value"
    first = make_neo4j(settings={"db.transaction.timeout": "7s"})
    secrets_are_kept(first)
    ask(first, "UNWIND range(1, 1000) AS n CREATE (:Entity {uid: toString(n)})")
    first.kill9()
    assert not first.runs()
    second = make_neo4j()
    assert (second.url, second.password) == (first.url, first.password)
    assert second.pid != first.pid
    assert ask(second, "MATCH (n:Entity) RETURN count(n) AS n") == [{"n": 1000}]
    assert ask(second, show) == [{"value": "7s"}]
    second.stop()
    with pytest.raises(script().ServerError, match=r"did not start: .*console\.log"):
        make_neo4j(settings={"server.bolt.listen_address": "nowhere.invalid:1"})
    with pytest.raises(script().ServerError, match=r"did not start: .*no\.such\.setting"):
        make_neo4j(settings={"server.no.such.setting": "1"})
    third = make_neo4j(settings={})
    assert ask(third, show) != [{"value": "7s"}]
    assert ask(third, "MATCH (n:Entity) RETURN count(n) AS n") == [{"n": 1000}]


def secrets_are_kept(server: Any) -> None:
    for name in ("password", "server.json", "run/process.json", "conf/neo4j.conf"):
        assert (server.folder / name).stat().st_mode & 0o077 == 0, name
    secret = server.password.encode()
    assert secret not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert secret not in Path(f"/proc/{server.pid}/environ").read_bytes()
    assert server.password not in repr(server)
    assert not [path for path in (server.folder / "logs").rglob("*") if secret in path.read_bytes()]
    assert not list(listening(server.pid) - {"127.0.0.1", "::ffff:127.0.0.1"})


def listening(pid: int) -> set[str]:
    """The addresses on which a process takes connections."""
    sockets = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                words = bytes.fromhex(fields[1].partition(":")[0])
                address = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
                found.add(socket.inet_ntop(family, address))
    return found


def test_number_of_another_process_is_not_ended(folder: Path) -> None:
    (folder / "run").mkdir(parents=True)
    (folder / "password").write_text("secret\n")
    (folder / "server.json").write_text("{}")
    with subprocess.Popen(["sleep", "600"]) as other:
        state = {"port": 1, "tls": False, "pid": other.pid, "identity": "boot 1", "release": "5.26.30"}
        (folder / "run/process.json").write_text(json.dumps(state))
        assert script().running(folder) is None
        script().send_signal(other.pid, "boot 1", signal.SIGKILL)
        assert run("stop", "--folder", folder).returncode == 0
        assert run("wipe", "--folder", folder).returncode == 0
        assert other.poll() is None
        other.kill()


def test_it_ends_with_the_last_of_its_users(tmp_path: Path) -> None:
    available("5")
    users = (
        "import sys, time; from pathlib import Path; sys.path.append('tests')\n"
        "from neo4j_server import hold, script\n"
        "guard = hold(Path(sys.argv[1], 'users'))\n"
        "if len(sys.argv) > 2:\n"
        "    script().start(Path(sys.argv[1], 'server'), release='5', guard=guard, short_lived=True)\n"
        "print('ready', flush=True); time.sleep(600)\n"
    )

    def user(*words: str) -> subprocess.Popen[str]:
        argv: Sequence[str | Path] = [sys.executable, "-c", users, tmp_path, *words]
        process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    with user("start") as first, user() as second:
        server = script().running(tmp_path / "server")
        first.kill()
        first.wait()
        time.sleep(1.5)  # three times as long as it looks away
        assert server.runs()
        second.kill()
    eventually(lambda: not server.runs(), "the end of the server")


def test_what_is_missing_is_one_line_with_one_command(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    no_java = run("start", "--folder", tmp_path / "s", JAVA_HOME=str(empty))
    no_maven = run("start", "--folder", tmp_path / "s", PATH=str(empty), XDG_CACHE_HOME=str(empty))
    unknown = run("start", "--folder", tmp_path / "s", "--release", "4")
    for done, word in ((no_java, "needs a JDK"), (no_maven, "aven"), (unknown, "no release 4; there are 2026")):
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("neo4j: ")
        assert word in line
    assert not (tmp_path / "s/data").exists()


def test_folder_of_somebody_else_is_not_wiped(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run("wipe", "--folder", tmp_path)
    assert done.returncode == 1
    assert "nothing was removed" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_older_release_is_refused_what_a_newer_one_wrote(folder: Path) -> None:
    folder.mkdir()
    (folder / "server.json").write_text(json.dumps({"release": "9999.1.0", "finished": True}))
    done = run("start", "--folder", folder, "--release", "5")
    assert done.returncode == 1
    assert "was written by Neo4j 9999.1.0" in done.stderr


def test_make_lists_what_it_does_with_servers() -> None:
    assert {"neo4j", "neo4j-stop", "neo4j-wipe"} <= {line.split()[1] for line in make("help").stdout.splitlines()}
