"""What a Neo4j server is run with: a JDK of this machine, and the program from Maven Central."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent


class ServerError(Exception):
    """The server cannot be started or reached; the message says what to do."""


@dataclass(frozen=True)
class Release:
    """A release of Neo4j, and the versions of Java that it is made for."""

    version: str
    lowest: int
    highest: int | None


RELEASES: Final = (Release("2026.08.1", 21, None), Release("5.26.30", 17, 21))
"""The newest first; 5.26 is the one with long-term support."""


@dataclass(frozen=True)
class Java:
    """A JDK."""

    home: Path
    major: int

    def tool(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.home / "bin" / name)


def java_at(home: Path) -> Java | None:
    """The JDK in a folder; None where there is none, or one without a compiler."""
    if not ((home / "bin/java").exists() and (home / "bin/javac").exists()):
        return None
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        done = subprocess.run([home / "bin/java", "-version"], capture_output=True, text=True, check=False)
        text = done.stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)', text)
    return Java(home, int(found[1])) if found else None


def javas() -> list[Java]:
    """All JDKs in the usual places, that of ``PATH`` first."""
    on_path = shutil.which("javac")
    home = Path.home()
    homes = [Path(os.path.realpath(on_path)).parents[1]] if on_path else []
    for root, pattern in (
        (Path("/usr/lib/jvm"), "*"),
        (Path("/usr/java"), "*"),
        (Path("/Library/Java/JavaVirtualMachines"), "*/Contents/Home"),
        (home / "Library/Java/JavaVirtualMachines", "*/Contents/Home"),
        (Path("/opt/homebrew/opt"), "openjdk*/libexec/openjdk.jdk/Contents/Home"),
        (home / ".sdkman/candidates/java", "*"),
        (home / ".jdks", "*"),
    ):
        homes += sorted(root.glob(pattern))
    unique = dict.fromkeys(Path(os.path.realpath(home)) for home in homes)
    return [java for java in map(java_at, unique) if java]


def to_install(*, java: bool = False, maven: bool = False) -> str:
    """The one command that brings what is missing, as far as this machine's package manager is known."""
    prefix = "" if os.geteuid() == 0 else "sudo "
    for manager, command, jdk in (
        ("apt-get", prefix + "apt-get install --yes", "default-jdk-headless"),
        ("dnf", prefix + "dnf install --assumeyes", "java-21-openjdk-devel"),
        ("pacman", prefix + "pacman --sync", "jdk21-openjdk"),
        ("apk", prefix + "apk add", "openjdk21-jdk"),
        ("brew", "brew install", "openjdk@21"),
    ):
        if shutil.which(manager):
            return " ".join([command, *[jdk] * java, *["maven"] * maven])
    return "a JDK is at https://adoptium.net" if java else "Maven is at https://maven.apache.org/install.html"


def chosen(home: str | None = None, release: str | None = None) -> tuple[Java, Release]:
    """The JDK and the release that go together: the newest, or as asked for.

    Args:
        home: the folder of a JDK; else ``JAVA_HOME``; else all that can be found.
        release: the beginning of a version: ``5`` or ``2026``.

    Raises:
        ServerError: there is none.
    """
    fitting = [known for known in RELEASES if not release or f"{known.version}.".startswith(f"{release}.")]
    if not fitting:
        raise ServerError(f"no release {release}; there are {', '.join(known.version for known in RELEASES)}")
    named = home or os.environ.get("JAVA_HOME")
    present = [java for java in [java_at(Path(named))] if java] if named else javas()
    for known in fitting:
        for java in present:
            if known.lowest <= java.major <= (known.highest or java.major):
                return java, known
    there = ", ".join(f"{java.major} in {java.home}" for java in present) or (f"none in {named}" if named else "none")
    needs = " or ".join(
        f"Neo4j {known.version} needs a JDK of {known.lowest}"
        + (f" to {known.highest}" if known.highest else " or later")
        for known in reversed(fitting)
    )
    if named:
        raise ServerError(f"{needs} (here: {there}); name another with --java HOME or JAVA_HOME, or none")
    raise ServerError(f"{needs} (here: {there}): {to_install(java=True, maven=not maven())}")


def maven() -> str | None:
    """The path of Maven's command."""
    return shutil.which("mvn")


def cache() -> Path:
    """Where the program is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "provgraph/neo4j"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock on a file; whoever else wants it waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def class_path(java: Java, release: Release) -> str:
    """The program and our launcher, ready to run; fetched and compiled where they are not."""
    home = cache() / release.version
    source = HERE / "Launcher.java"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    classes = home / f"launcher-{digest}-java{java.major}"
    with locked(cache() / "lock"):
        if not home.is_dir():
            fetch(release, home)
        if not classes.is_dir():
            made = home / "launcher.partial"
            shutil.rmtree(made, ignore_errors=True)
            words = [java.tool("javac"), "-cp", f"{home}/lib/*", "-d", str(made), str(source)]
            run(words, "the launcher does not compile")
            made.rename(classes)
    return f"{classes}:{home}/lib/*"


def fetch(release: Release, home: Path) -> None:
    """Fetch the program; the folder appears when it is complete."""
    command = maven()
    if not command:
        raise ServerError(f"Maven is missing, which fetches Neo4j: {to_install(maven=True)}")
    print(f"Fetching Neo4j {release.version} into {home} (once; about 130 MB)", file=sys.stderr)
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    run(
        [
            *(command, "--quiet", "--batch-mode", "--strict-checksums", "--file", str(HERE / "pom.xml")),
            *(f"-Dneo4j.version={release.version}", "dependency:copy-dependencies"),
            *("-DincludeScope=runtime", f"-DoutputDirectory={partial}/lib"),
        ],
        f"Maven could not fetch Neo4j {release.version} (a mirror goes into ~/.m2/settings.xml)",
    )
    partial.rename(home)


def run(words: Sequence[str], failure: str) -> None:
    """Run a program to its end.

    Raises:
        ServerError: it failed; with the first line that says why.
    """
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        reason = next((line for line in lines if "ERROR" in line or "error:" in line), lines[-1] if lines else "")
        raise ServerError(f"{failure}: {reason.removeprefix('[ERROR] ')}")
