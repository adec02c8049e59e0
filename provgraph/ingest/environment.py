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
        chosen = choose(act.prefixes)
        if chosen == prefix:
            installed = self._installed(prefix)
            if installed is not None:
                act.environment = self._snapshot(act, prefix, installed, t)

    def finish(self, act: Act, t: int) -> Act:
        """Add the one ``used`` edge; where the command installed something, the new snapshot is its doing."""
        if act.environment is None:
            return act
        prefix, name = choose(act.prefixes), act.environment.path
        act = self.settler.use(act, act.environment, int(act.start["t"]))
        installed = self._installed(prefix)
        current = self.lookup.current(name)
        if installed is None or current is None or current.sha256 == installed.sha256 or prefix not in act.installed_in:
            return act
        new = self._new(prefix, installed, iso(act.wall_ns(t)))
        new.generator = act
        act.generated.append((new, t, "updated", None))
        act.own.add(id(new))
        act.derived.append((new, current, {"prov_type": "Revision"}))
        self.lookup.set_current(new)
        self.lookup.log.entries.append((act, new))
        return act

    def _snapshot(self, act: Act, prefix: str, installed: Installed, t: int) -> Snap:
        """The snapshot of what is installed: the current one, a first one, or one that changed unseen."""
        name = self.lookup.places.name(prefix)
        current = self.lookup.current(name)
        if current is not None and current.sha256 == installed.sha256:
            return current
        if current is not None and installed.changed_ns >= act.wall_ns(int(act.start["t"])):
            return current  # something is being installed: the end of what installs it will say so
        now = iso(act.wall_ns(t))
        new = self._new(prefix, installed, now)
        if current is None:
            act.first_seen.append(new)
            self.lookup.set_current(new)
            self.lookup.log.entries.append((act, new))
        else:
            self.lookup.notice(current, new, now)
        return new

    def _new(self, prefix: str, installed: Installed, at: str) -> Snap:
        places = self.lookup.places
        previous = self.lookup.current(places.name(prefix))
        return Snap(
            path=places.name(prefix),
            artifact=places.artifact(prefix),
            sequence=1 if previous is None else previous.sequence + 1,
            sha256=installed.sha256,
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


def choose(prefixes: Iterable[str]) -> str:
    """The one environment of an activity: a virtual one before an interpreter's own, that before the system."""
    ranked = sorted(
        (0 if os.path.exists(os.path.join(p, "pyvenv.cfg")) or os.path.isdir(os.path.join(p, "conda-meta")) else 1, p)
        if p != SYSTEM
        else (2, p)
        for p in prefixes
    )
    return ranked[0][1]


def _python(prefix: str, folders: list[str]) -> Installed:
    distributions: dict[str, str] = {}
    for folder in folders:
        for entry in os.listdir(folder):
            stem, kind = os.path.splitext(entry)
            if kind in (".dist-info", ".egg-info") and "-" in stem:
                name, _, version = stem.partition("-")
                distributions[name.lower().replace("_", "-")] = version.partition("-py")[0]
    for entry in glob.glob(os.path.join(prefix, "conda-meta", "*.json")):
        parts = os.path.basename(entry)[: -len(".json")].rsplit("-", 2)
        if len(parts) == 3:
            distributions[f"conda:{parts[0]}"] = "-".join(parts[1:])
    python = _python_version(prefix, folders)
    described = json.dumps([python, sorted(distributions.items())], separators=(",", ":"))
    properties: dict[str, Any] = {"python_version": python, "distributions_count": len(distributions)}
    properties["distributions_json"] = json.dumps(dict(sorted(distributions.items())))
    return Installed(hashlib.sha256(described.encode()).hexdigest(), properties)


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
