"""What an activity says about itself: properties, and the agents it was associated with (semantics rules 7, 20)."""

import os
import pwd
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provgraph.ingest.said import flat
from provgraph.ingest.state import Act

Annotate = Callable[[Sequence[str], str], Mapping[str, Any]]
_NAME_LENGTH = 40
_GIT = ("git", "--no-optional-locks")
INSIDE: Final = {"run": "Run", "cell": "Cell"}
"""Kinds of activities inside a process → their label."""
_SETTINGS = ("EMAIL", "HOME", "XDG_CONFIG_HOME")
"""Variables by which git finds a user's settings: the command's count, not the ingester's."""


@dataclass(slots=True)
class Description:
    """Properties of an activity, its label, and (label, properties, role) of its agents."""

    label: str
    properties: dict[str, Any]
    agents: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)


class Describer:
    """Describes commands, and what runs inside of them.

    Parameters:
        annotate: the ingestors' view of a command line.
        number: the number of the next activity.
    """

    def __init__(self, annotate: Annotate, number: Callable[[], int], root: str) -> None:
        self._annotate, self._number, self._root = annotate, number, root
        self._people: dict[tuple[tuple[str, str], ...], tuple[tuple[int, ...], tuple[str, str | None]]] = {}

    def describe(self, act: Act) -> Description:
        """The description of an activity, or of a part of one (which shares name and command)."""
        start = act.start
        if act.whole is not None:
            act.number = act.whole.number
        elif not act.number:
            act.number = self._number()
        kind = str(start.get("kind") or "command")
        label, properties, program = self._within(act, kind) if kind in INSIDE else ("Command", *self._command(act))
        if start.get("note"):
            properties["note"] = start["note"]
        if kind not in INSIDE or act.parent is None:  # else what it is in says that
            for name, value in (start.get("env") or {}).items():
                properties[f"env_{name}"] = value
            properties |= self._git(act)
        properties |= dict(start.get("tags") or {})
        name, email = self.person(start)
        person: dict[str, Any] = {"name": name, "email": email} if email else {"name": name}
        agents: list[tuple[str, dict[str, Any], str | None]] = [("Person", person, None)]
        if program:
            agents.append(("SoftwareAgent", {"name": program}, "program"))
        return Description(label, {k: v for k, v in properties.items() if v is not None}, agents)

    def _within(self, act: Act, kind: str) -> tuple[str, dict[str, Any], str | None]:
        """What is begun inside a process: no command, but what it is called and what it says of itself."""
        start, about = act.start, act.start.get("about") or {}
        name = start.get("name") or kind
        properties: dict[str, Any] = {}
        for key, value in about.items():
            properties |= flat(key, value)
        if "notebook" in properties:
            properties["notebook"] = self._cwd(str(properties["notebook"]))
        properties |= {
            "name": f"{name} #{act.number}",
            "number": act.number,
            "cwd": self._cwd(start["cwd"]),
            "capture": start["capture"],
            "host": start["host"],
        }
        if kind == "run" and act.parent is None:  # else it is the command's
            argv = [str(word) for word in start["argv"]]
            properties |= {"command": _joined(argv), "argv": argv}
        return INSIDE[kind], properties, None

    def _command(self, act: Act) -> tuple[dict[str, Any], str | None]:
        start = act.start
        argv = [str(word) for word in start["argv"]]
        annotated = dict(self._annotate(argv, start["cwd"]))
        label = start.get("name") or _short_name(argv, annotated, start.get("line"))
        named = [*annotated.get("operands", ()), *([annotated["script"]] if annotated.get("script") else ())]
        act.operands = frozenset(os.path.normpath(os.path.join(start["cwd"], str(word))) for word in named)
        line = start.get("line")
        properties: dict[str, Any] = {
            "name": f"{label} #{act.number}",
            "number": act.number,
            "command": line["source"] if line else _joined(argv),
            "argv": argv,
            "cwd": self._cwd(start["cwd"]),
            "capture": start["capture"],
            "host": start["host"],
            **annotated,
        }
        if line:
            properties |= {"line": line["text"], "element": line["element"]}
        utility = annotated.get("utility")
        return properties, None if utility is None else str(utility)

    def person(self, start: Mapping[str, Any]) -> tuple[str, str | None]:
        """(name, e-mail or None) of who ran a command: git's identity, else the system's user."""
        identity = {str(k): str(v) for k, v in (start.get("identity") or {}).items()}
        key = (("cwd", str(start["cwd"])), ("uid", str(start.get("uid"))), *sorted(identity.items()))
        settings = tuple(_mtime_ns(path) for path in _git_settings(start, identity))
        known = self._people.get(key)
        if known is None or known[0] != settings:
            person = self._ask_git(str(start["cwd"]), identity) or _system_user(start)
            self._people[key] = known = (settings, person)
        return known[1]

    def _ask_git(self, cwd: str, identity: Mapping[str, str]) -> tuple[str, str | None] | None:
        name, email = identity.get("GIT_AUTHOR_NAME"), identity.get("GIT_AUTHOR_EMAIL") or identity.get("EMAIL")
        if not (name and email):
            listed = _run([*_GIT, "config", "--null", "--get-regexp", r"^user\.(name|email)$"], cwd, identity)
            values = dict(entry.split("\n", 1) for entry in (listed or "").split("\0") if "\n" in entry)
            name, email = name or values.get("user.name"), email or values.get("user.email")
        if not email:
            return None
        name = name or email.partition("@")[0]
        if os.path.exists(os.path.join(self._root, ".mailmap")):
            mapped = _run([*_GIT, "check-mailmap", f"{name} <{email}>"], self._root, identity)
            if mapped and "<" in mapped:
                name, _, rest = mapped.strip().rpartition(" <")
                email = rest.rstrip(">")
        return name, email.lower()

    def _git(self, act: Act) -> dict[str, Any]:
        """Commit, branch and dirtiness at its start; what it changed itself since does not count as dirt."""
        git = act.start.get("git")
        if not git:
            return {}
        found: dict[str, Any] = {"git_commit": git.get("head"), "git_branch": git.get("branch")}
        if act.start.get("kind") == "cell":
            return found  # cells are many, and git takes long to look at a large tree
        top = str(git["dir"])
        listed = _run([*_GIT, "status", "--porcelain", "-z", "--untracked-files=no"], top, {})
        if listed is not None:
            paths = {os.path.join(top, entry[3:]) for entry in listed.split("\0") if len(entry) > 3}
            found["git_dirty"] = bool(paths - set(act.writes) - set(act.deleted))
        return found

    def _cwd(self, cwd: str) -> str:
        if cwd == self._root:
            return "."
        return cwd[len(self._root) + 1 :] if cwd.startswith(self._root + "/") else cwd


def _run(argv: list[str], cwd: str, identity: Mapping[str, str]) -> str | None:
    """What a git command prints; None where it fails or git is not here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**environment, **dict.fromkeys(_SETTINGS, ""), **identity}
    environment = {name: value for name, value in environment.items() if value or name not in _SETTINGS}
    try:
        done = subprocess.run(
            argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def _git_settings(start: Mapping[str, Any], identity: Mapping[str, str]) -> list[str]:
    """The files in which git looks for who works here (what they include is not followed)."""
    home = identity.get("HOME", "")
    files = [os.path.join(identity.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git", "config")]
    files += [os.path.join(home, ".gitconfig"), identity.get("GIT_CONFIG_GLOBAL", ""), "/etc/gitconfig"]
    repository = start.get("git")
    return [*files, os.path.join(repository["dir"], ".git", "config")] if repository else files


def _mtime_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _system_user(start: Mapping[str, Any]) -> tuple[str, None]:
    try:
        entry = pwd.getpwuid(int(start["uid"]))
    except (KeyError, ValueError):
        return f"user {start.get('uid')}", None
    return entry.pw_gecos.split(",")[0] or entry.pw_name, None


def _short_name(argv: Sequence[str], annotated: Mapping[str, Any], line: Mapping[str, Any] | None) -> str:
    """The name of a command for people: its script where an interpreter runs one, else its program."""
    script = annotated.get("script")
    if script:
        return os.path.basename(str(script))
    if line:
        text = " ".join(str(line["source"]).split())
        return text if len(text) <= _NAME_LENGTH else text[: _NAME_LENGTH - 1].rstrip() + "…"
    return os.path.basename(argv[0]) if argv else "?"


def _joined(argv: Sequence[str]) -> str:
    return shlex.join(argv)
