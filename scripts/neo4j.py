"""A real Neo4j Community on this machine alone: for trying provgraph with a team's server, for tests, for CI.

    python scripts/neo4j.py start [--folder F] [--port N] [--java HOME] [--release 5|2026] [--tls] [--heap 512m]
                                  [--set SETTING=VALUE]…
    python scripts/neo4j.py stop | wipe | status [--folder F]

The program comes from Maven Central, once, into the user's cache; what the server holds lies in the folder
(``build/neo4j``), with its password in a file that only its owner may read. It listens on the loopback address, under a
user ``neo4j``. What was chosen at a start stands until another start chooses otherwise.

Tests load this file: `start` gives a `Server`. It needs nothing but the standard library, a JDK and Maven.
"""

import argparse
import contextlib
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# Never this folder itself, where this file would hide the driver of the same name.
sys.path.append(str(Path(__file__).resolve().parent / "neo4j"))

from neo4j_process import CHILDREN, LOOPBACK, began, free_port, send_signal
from neo4j_program import RELEASES, Java, Release, ServerError, chosen, class_path, javas, locked

__all__ = ["Server", "ServerError", "chosen", "class_path", "javas", "running", "start", "wipe"]

HERE: Final = Path(__file__).resolve().parent / "neo4j"
DEFAULT_FOLDER: Final = HERE.parents[1] / "build/neo4j"
USUAL_PORT: Final = 7687
USER: Final = "neo4j"

# Neo4j's own scripts give these to Java. Each begins with a version that knows it.
JAVA_OPTIONS: Final = (
    (17, "-XX:-OmitStackTraceInFastThrow"),
    (17, "-Dio.netty.tryReflectionSetAccessible=true"),
    (17, "-Dlog4j2.disable.jmx=true"),
    (17, "--add-opens=java.base/java.nio=ALL-UNNAMED"),
    (17, "--add-opens=java.base/java.io=ALL-UNNAMED"),
    (17, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"),
    (17, "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED"),
    (22, "--enable-native-access=ALL-UNNAMED"),
    (24, "--sun-misc-unsafe-memory-access=allow"),
)
SHORT_LIVED: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Half the processor time until it answers; slower where much is asked for long."""


def settings_of(port: int, tls: bool, more: Mapping[str, str]) -> dict[str, str]:
    """The contents of ``neo4j.conf``; ``more`` wins."""
    settings = {
        "server.bolt.enabled": "true",
        "server.bolt.listen_address": f"{LOOPBACK}:{port}",
        "server.bolt.advertised_address": f"{LOOPBACK}:{port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "dbms.security.auth_enabled": "true",  # off where a server is started as this one is
        "dbms.usage_report.enabled": "false",
        "server.memory.pagecache.size": "128m",
        "db.tx_log.preallocate": "false",
        # It waits ten seconds for connections, after it has closed the databases.
        "internal.server.bolt.thread_pool_shutdown_wait_time": "100ms",
        "internal.server.bolt.connection_shutdown_wait_time": "100ms",
        "db.tx_log.rotation.retention_policy": "keep_none",
    }
    if tls:
        settings |= {
            "dbms.ssl.policy.bolt.enabled": "true",
            "dbms.ssl.policy.bolt.base_directory": "certificates/bolt",
            "server.bolt.tls_level": "REQUIRED",
        }
    return settings | dict(more)


@dataclass
class Server:
    """A server that was started from a folder."""

    folder: Path
    port: int
    tls: bool
    pid: int
    identity: str = field(repr=False)
    release: str
    password: str = field(repr=False)
    user: str = USER

    @property
    def url(self) -> str:
        """What a driver connects to; with TLS without asking who signed the certificate."""
        return f"{'bolt+ssc' if self.tls else 'bolt'}://{LOOPBACK}:{self.port}"

    @property
    def certificate(self) -> Path:
        """The self-signed certificate, where it was started with TLS."""
        return self.folder / "certificates/bolt/public.crt"

    def runs(self) -> bool:
        """Whether its process is there."""
        return began(self.pid) == self.identity

    def stop(self, timeout_s: float = 60) -> None:
        """End it in order, or by force where it does not end in time."""
        send_signal(self.pid, self.identity, signal.SIGTERM)
        if not self._ended(timeout_s):
            self.kill9()

    def kill9(self) -> None:
        """End it as a power cut would."""
        send_signal(self.pid, self.identity, signal.SIGKILL)
        if not self._ended(30):
            raise ServerError(f"process {self.pid} does not end")

    def _ended(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.runs():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def running(folder: str | os.PathLike[str]) -> Server | None:
    """The server that runs in a folder."""
    home = Path(folder).resolve()
    try:
        process = json.loads((home / "run/process.json").read_text(encoding="utf-8"))
        password = (home / "password").read_text(encoding="utf-8").strip()
        server = Server(home, **process, password=password)
    except (OSError, ValueError, TypeError):
        return None
    return server if server.runs() else None


def start(
    folder: str | os.PathLike[str],
    port: int | None = None,
    *,
    tls: bool | None = None,
    settings: Mapping[str, str] | None = None,
    java: str | None = None,
    release: str | None = None,
    heap: str | None = None,
    short_lived: bool | None = None,
    guard: Path | None = None,
    timeout_s: float = 300,
) -> Server:
    """Start a server in a folder, or return the one that runs there as it is asked for.

    Args:
        folder: holds everything of it but the program.
        port: of the loopback address; 0 for any free one. This and the next ones, but the guard, are as at the last
            start where they are not given.
        tls: whether connections must be encrypted, with a self-signed certificate that is made on the way.
        settings: more lines of ``neo4j.conf``.
        java: the folder of a JDK.
        release: ``5`` or ``2026``.
        heap: Java's memory for objects, as ``512m``.
        short_lived: start sooner, at the cost of speed later.
        guard: a file on which the caller holds a POSIX lock (`fcntl.lockf`): the server ends when nobody does.
        timeout_s: how long to wait until it answers.

    Raises:
        ServerError: it cannot be started, or runs with other options.
    """
    home = Path(folder).resolve()
    with locked(home / "lock"):
        kept = _kept(home)
        if server := running(home):
            asked = {"port": port or None, "release": release, "tls": tls, "heap": heap, "settings": settings}
            _check_alike(server, kept, asked)
            return server
        given = {"tls": tls, "settings": settings, "heap": heap, "java": java, "short_lived": short_lived}
        asked = {"tls": False, "settings": {}, "heap": "512m", "short_lived": False} | kept
        asked |= {key: value for key, value in given.items() if value is not None}
        series = release or kept.get("release", "").partition(".")[0]
        jdk, known = chosen(asked.get("java"), series or None)
        asked |= {"port": port or free_port(kept.get("port") if port is None else None), "release": known.version}
        if _number(asked["release"]) < _number(kept.get("release", "0")):
            raise ServerError(
                f"{home} was written by Neo4j {kept['release']}, which {asked['release']} does not read:"
                " start the newer one, or wipe it"
            )
        first = not kept.get("finished")
        _prepare(home, jdk, asked, first=first)
        _launch(home, jdk, known, asked, guard, timeout_s, first=first)
        _write(home / "server.json", json.dumps({**asked, "finished": True}, indent=1))
        server = running(home)
        if not server:
            raise ServerError(f"Neo4j ended right after it began: {home}/logs")
        return server


def _check_alike(server: Server, kept: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse options that the server that runs was not started with."""
    present = {"port": server.port, "release": server.release, "tls": server.tls}
    present |= {key: kept.get(key) for key in ("heap", "settings")}
    if f"{server.release}.".startswith(f"{asked['release']}."):
        present["release"] = asked["release"]
    other = {key: value for key, value in asked.items() if value is not None and value != present[key]}
    if other:
        told = ", ".join(f"{key} {_shown(present[key])}, not {_shown(value)}" for key, value in other.items())
        raise ServerError(f"a server runs in {server.folder} already, with other options ({told}): stop it first")


def _shown(value: object) -> str:
    """A value of an option, in words."""
    if isinstance(value, Mapping):
        return " ".join(f"{key}={text}" for key, text in value.items()) or "none"
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _kept(home: Path) -> dict[str, Any]:
    """What was chosen at the last start."""
    try:
        kept: dict[str, Any] = json.loads((home / "server.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    partial.replace(path)


def _prepare(home: Path, jdk: Java, asked: dict[str, Any], *, first: bool) -> None:
    """Write what a server reads when it starts."""
    if first:  # a first start that was interrupted left a server whose password nobody knows
        shutil.rmtree(home / "data", ignore_errors=True)
        _write(home / "password", secrets.token_urlsafe(24))
        _write(home / "server.json", json.dumps(asked, indent=1))
    for name in ("conf", "logs", "run", "certificates/bolt"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "run/ready").unlink(missing_ok=True)
    if asked["tls"] and not (home / "certificates/bolt/public.crt").exists():
        _certify(home / "certificates/bolt", jdk)
    lines = settings_of(asked["port"], asked["tls"], asked["settings"]).items()
    _write(home / "conf/neo4j.conf", "\n".join(f"{key}={value}" for key, value in lines))


def _certify(folder: Path, jdk: Java) -> None:
    """Make a key and a self-signed certificate for the loopback address, with what a JDK has."""
    store = folder / "keystore.p12"
    store.unlink(missing_ok=True)
    environment = {**os.environ, "KEYSTORE_PASSWORD": secrets.token_urlsafe(24)}
    for words in (
        [
            *(jdk.tool("keytool"), "-genkeypair", "-alias", "neo4j", "-keyalg", "RSA", "-keysize", "2048"),
            *("-validity", "3650", "-dname", "CN=localhost", "-ext", f"san=dns:localhost,ip:{LOOPBACK}"),
            *("-ext", "bc:critical=ca:true", "-storetype", "PKCS12", "-keystore", str(store)),
            *("-storepass:env", "KEYSTORE_PASSWORD"),
        ],
        [jdk.tool("java"), str(HERE / "Certificate.java"), str(store), str(folder)],
    ):
        done = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, umask=0o077
        )
        if done.returncode:
            raise ServerError(f"no certificate: {(done.stdout + done.stderr).strip()}")
    store.unlink()


def _launch(
    home: Path, jdk: Java, release: Release, asked: dict[str, Any], guard: Path | None, timeout_s: float, *, first: bool
) -> None:
    """Start the process, tell it the first password, and wait until it answers."""
    words = [jdk.tool("java"), f"-Xmx{asked['heap']}"]
    words += [option for since, option in JAVA_OPTIONS if jdk.major >= since]
    words += SHORT_LIVED if asked["short_lived"] else ()
    words += ["-cp", class_path(jdk, release), "Launcher", str(home), *([str(guard)] if guard else [])]
    with (home / "logs/console.log").open("ab") as log:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=home, start_new_session=True, umask=0o077
        )
    CHILDREN[process.pid] = process
    identity = began(process.pid) or ""
    known = {"port": asked["port"], "tls": asked["tls"], "pid": process.pid, "identity": identity}
    _write(home / "run/process.json", json.dumps({**known, "release": release.version}))
    assert process.stdin
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write((home / "password").read_bytes() if first else b"\n")
    deadline = time.monotonic() + timeout_s
    while not (home / "run/ready").exists():
        if process.poll() is not None:
            raise ServerError(f"Neo4j {release.version} did not start: {_reason(home)}")
        if time.monotonic() > deadline:
            send_signal(process.pid, identity, signal.SIGKILL)
            process.wait()
            raise ServerError(f"Neo4j {release.version} did not answer within {timeout_s:.0f} s: {home}/logs")
        time.sleep(0.05)


def _reason(home: Path) -> str:
    """The innermost cause that Java named, and where to read more."""
    text = (home / "logs/console.log").read_text(encoding="utf-8", errors="replace")
    causes = re.findall(r"^(?:Caused by|Exception in thread[^:]*|Error): ?(.*)", text, re.MULTILINE)
    return f"{causes[-1] if causes else 'no reason given'} ({home}/logs/console.log)"


def wipe(folder: str | os.PathLike[str]) -> None:
    """Stop the server of a folder and remove all that it holds.

    Raises:
        ServerError: the folder is no server's.
    """
    home = Path(folder).resolve()
    if not home.exists():
        return
    if not (home / "server.json").exists():
        raise ServerError(f"{home} is not a folder that this script made; nothing was removed")
    with locked(home / "lock"):
        if server := running(home):
            server.stop()
        shutil.rmtree(home)


# --- The command line ----------------------------------------------------------------------------------------------


def pair(text: str) -> tuple[str, str]:
    """``SETTING=VALUE``."""
    key, equals, value = text.partition("=")
    if not (key and equals) or "\n" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not SETTING=VALUE")
    return key, value


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    top = argparse.ArgumentParser(description="A real Neo4j Community on this machine alone.")
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (
        ("start", "start it, and say where it answers"),
        ("stop", "end it; what it holds stays"),
        ("wipe", "end it, and remove what it holds"),
        ("status", "say whether it runs (exit status 1 if not)"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where it lies (build/neo4j)")
        if name == "start":
            command.add_argument("--port", type=int, help=f"{USUAL_PORT} where it is free, else any")
            command.add_argument("--java", metavar="HOME", help="the folder of a JDK; else JAVA_HOME, else the newest")
            command.add_argument("--release", help=" or ".join(release.version for release in RELEASES))
            command.add_argument("--tls", action="store_true", default=None, help="encrypted connections only")
            command.add_argument("--heap", help="Java's memory for objects (512m)")
            command.add_argument("--set", type=pair, action="append", metavar="SETTING=VALUE", help="in neo4j.conf")
    return top


def told(server: Server) -> str:
    """What people need to know of a server that runs."""
    known = f"process {server.pid}; user {server.user}, password in {secret(server)}"
    return f"Neo4j {server.release} answers at {server.url} ({known})"


def secret(server: Server) -> str:
    """The file with the password, from here where it is below."""
    path, here = server.folder / "password", Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def main() -> None:
    """The command."""
    words = parser().parse_args()
    try:
        if words.command == "start":
            port = words.port
            if port is None and not _kept(words.folder).get("port"):
                port = free_port(USUAL_PORT)
            more = dict(words.set) if words.set else None
            options = {"java": words.java, "release": words.release, "heap": words.heap, "tls": words.tls}
            server = start(words.folder, port, settings=more, **options)
            print(told(server))
            file = shlex.quote(secret(server))
            print(f"provdb remote add team {server.url} --user {server.user} --password-stdin <{file}")
        elif words.command == "wipe":
            there = words.folder.exists()
            wipe(words.folder)
            print(f"removed {words.folder}, with all that the server held" if there else f"there is no {words.folder}")
        elif server := running(words.folder):
            if words.command == "status":
                print(told(server))
            else:
                server.stop()
                print(f"Neo4j {server.release} (process {server.pid}) ended; what it holds stays in {words.folder}")
        elif words.command == "stop":
            print(f"no server runs in {words.folder}")
        elif words.command == "status":
            sys.exit(f"no server runs in {words.folder}")
    except ServerError as error:
        sys.exit(f"neo4j: {error}")


if __name__ == "__main__":
    main()
