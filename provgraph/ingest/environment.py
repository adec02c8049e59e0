"""Environments: what is installed at a prefix (semantics rule 8)."""

import glob
import hashlib
import json
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.settle import Settler
from provgraph.ingest.state import Act, Snap

SYSTEM: Final = "/usr"
_PACKAGE_LISTS: Final = ("/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite")
_SITE_FOLDERS: Final = ("lib/python3*/site-packages", "lib/python3*/dist-packages", "lib64/python3*/site-packages")


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed at a prefix: a digest, and properties for the snapshot."""

    sha256: str
    properties: dict[str, Any]
    changed_ns: int = 0
    """When the list of what is installed last changed, Unix nanoseconds."""
    newest_ns: int = 0
    """When the newest of it was installed."""


_OVERTAKEN: Final = Installed("", {})
"""What a command left behind that installed something, where another one has installed more since."""


class Environments:
    """Reads environments (cached by the mtimes of their listings) and makes them snapshots."""

    def __init__(self, lookup: Lookup, settler: Settler) -> None:
        self.lookup, self.settler = lookup, settler
        self._cache: dict[str, tuple[tuple[int, ...], Installed]] = {}
        self._folders: dict[str, list[str]] = {}

    def meet(self, act: Act, prefix: str, t: int, *, changed: bool = False) -> None:
        """A file of this environment was used (or ``changed``): fix what is installed in it now."""
        if changed:
            act.installed_in.add(prefix)
        if prefix not in act.prefixes:
            act.prefixes.append(prefix)
        if _of(act) == prefix:
            installed = self._installed(prefix)
            if installed is not None:
                act.environment = self._snapshot(act, prefix, installed, t)

    def finish(self, act: Act, t: int) -> Act:
        """Add the one ``used`` edge; where the command installed something, the new snapshot is its doing."""
        if not act.prefixes:
            return act
        prefix = _of(act)
        installed = self._installed(prefix)
        if installed is None:
            return act
        current = self.lookup.current(self.lookup.places.name(prefix))
        if act.environment is None and prefix not in act.installed_in:
            act.environment = current or self._first(act, prefix, installed, t)
        if act.environment is not None:
            act = self.settler.use(act, act.environment, int(act.start["t"]))
        if prefix not in act.installed_in:
            return act
        if installed.newest_ns > int((act.end or act.start)["time"]):
            installed = _OVERTAKEN
        elif current is not None and current.sha256 == installed.sha256:
            return act
        new = self._new(prefix, installed, iso(act.wall_ns(t)))
        new.generator = act
        act.generated.append((new, t, "updated", None))
        act.own.add(id(new))
        if current is not None:
            act.derived.append((new, current, {"prov_type": "Revision"}))
        self.lookup.set_current(new)
        self.lookup.log.entries.append((act, new))
        return act

    def _snapshot(self, act: Act, prefix: str, installed: Installed, t: int) -> Snap | None:
        """The snapshot of what is installed: the current one, a first one, or one that changed unseen.

        Where something has been installed since the command began, it may be this very command that does it; what was
        there before is the current one, or None if nobody has looked. The end of what installs it says what is new.
        """
        current = self.lookup.current(self.lookup.places.name(prefix))
        if current is not None and current.sha256 == installed.sha256:
            return current
        if installed.changed_ns >= act.wall_ns(int(act.start["t"])):
            return current
        if current is None:
            return self._first(act, prefix, installed, t)
        now = iso(act.wall_ns(t))
        new = self._new(prefix, installed, now)
        self.lookup.notice(current, new, now)
        return new

    def _first(self, act: Act, prefix: str, installed: Installed, t: int) -> Snap:
        """The first snapshot of an environment, which nobody has looked at before."""
        new = self._new(prefix, installed, iso(act.wall_ns(t)))
        act.first_seen.append(new)
        self.lookup.set_current(new)
        self.lookup.log.entries.append((act, new))
        return new

    def _new(self, prefix: str, installed: Installed, at: str) -> Snap:
        places = self.lookup.places
        previous = self.lookup.current(places.name(prefix))
        return Snap(
            path=places.name(prefix),
            artifact=places.artifact(prefix),
            sequence=1 if previous is None else previous.sequence + 1,
            sha256=installed.sha256 or None,
            content=None if installed.sha256 else "unknown",
            size=None,
            mode=None,
            stat=None,
            seen_at=at,
            created_at=at,
            labels=("Environment",),
            properties={**places.properties(prefix), **installed.properties},
        )

    def _installed(self, prefix: str) -> Installed | None:
        folders = self._folders.get(prefix) or [
            folder for pattern in _SITE_FOLDERS for folder in sorted(glob.glob(os.path.join(prefix, pattern)))
        ]
        self._folders[prefix] = folders
        key = tuple(_mtime(path) for path in (_PACKAGE_LISTS if prefix == SYSTEM else folders))
        cached = self._cache.get(prefix)
        if cached is None or cached[0] != key:
            found = _system() if prefix == SYSTEM else _python(prefix, folders)
            self._cache[prefix] = cached = (key, replace(found, changed_ns=max(key, default=0)))
        return cached[1]


def _of(act: Act) -> str:
    """The one environment of an activity: that in which it installs something, whichever it runs in."""
    return choose([prefix for prefix in act.prefixes if prefix in act.installed_in] or act.prefixes)


def choose(prefixes: Iterable[str]) -> str:
    """One of several environments: a virtual one before an interpreter's own, that before the system."""
    ranked = sorted(
        (0 if os.path.exists(os.path.join(p, "pyvenv.cfg")) or os.path.isdir(os.path.join(p, "conda-meta")) else 1, p)
        if p != SYSTEM
        else (2, p)
        for p in prefixes
    )
    return ranked[0][1]


def _python(prefix: str, folders: list[str]) -> Installed:
    distributions: dict[str, str] = {}
    newest = 0
    for folder in folders:
        for entry in os.listdir(folder):
            stem, kind = os.path.splitext(entry)
            if kind in (".dist-info", ".egg-info") and "-" in stem:
                name, _, version = stem.partition("-")
                distributions[name.lower().replace("_", "-")] = version.partition("-py")[0]
                newest = max(newest, _mtime(os.path.join(folder, entry)))
    for entry in glob.glob(os.path.join(prefix, "conda-meta", "*.json")):
        parts = os.path.basename(entry)[: -len(".json")].rsplit("-", 2)
        if len(parts) == 3:
            distributions[f"conda:{parts[0]}"] = "-".join(parts[1:])
    python = _python_version(prefix, folders)
    described = json.dumps([python, sorted(distributions.items())], separators=(",", ":"))
    properties: dict[str, Any] = {"python_version": python, "distributions_count": len(distributions)}
    properties["distributions_json"] = json.dumps(dict(sorted(distributions.items())))
    return Installed(hashlib.sha256(described.encode()).hexdigest(), properties, newest_ns=newest)


def _python_version(prefix: str, folders: list[str]) -> str | None:
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition("=")
                if key.strip() in ("version", "version_info"):
                    return ".".join(value.strip().split(".")[:3])
    except OSError:
        pass
    for folder in folders:
        return os.path.basename(os.path.dirname(folder)).removeprefix("python")
    return None


def _system() -> Installed:
    try:
        release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        release = f"{platform.system()} {platform.release()}"
    sha = hashlib.sha256(f"{release}\0{platform.machine()}\0".encode())
    for path in _PACKAGE_LISTS:
        try:
            with open(path, "rb") as file:
                sha.update(hashlib.file_digest(file, "sha256").digest())
        except OSError:
            continue
    return Installed(sha.hexdigest(), {"system": release, "machine": platform.machine()})


def _mtime(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
