"""``git-hooks``: let a repository's hooks record commits, checkouts, merges and rewrites, beside the hooks it has.

Two ways. Where git looks for hooks inside the repository's own folder, or in one that git ignores (husky's), the lines
go into the hooks there. Where ``core.hooksPath`` names a folder of tracked files, or one outside that other
repositories share, nothing there is touched: ``core.hooksPath`` then names a folder of ours, whose hooks run those.
"""

import base64
import contextlib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provgraph.client.project import find_project
from provgraph.errors import InputError, QuestionError
from provgraph.session import hook_files

HOOKS: Final = ("post-commit", "post-merge", "post-checkout", "post-rewrite")
_ALL: Final = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "pre-rebase", "pre-push", "pre-receive", "update", "post-receive", "post-update", "pre-auto-gc",
    "sendemail-validate", *HOOKS,
)  # fmt: skip
"""Hooks whose being there changes nothing as long as they do nothing (githooks(5)): these are passed on to always."""
_PLACE: Final = "provdb"
_RECORD: Final = """\
#!/bin/sh
# Tells the provenance store what git did. Made by `provdb git-hooks install`, taken away by `provdb git-hooks remove`.
case ${{PROVDB_DISABLE:-0}} in 0) ;; *) exit 0 ;; esac
if [ -n "$PROVDB_ACTIVITY" ] && [ -e "$PROVDB_ROOT/.provdb/spool/$PROVDB_ACTIVITY.jsonl" ]; then
    # Inside a recorded command: a note beside its record.
    top=$(pwd -P) && found=$top
    while [ -n "$found" ] && [ ! -e "$found/.provdb/project.json" ]; do found=${{found%/*}}; done
    if [ "$found" = "$PROVDB_ROOT" ]; then
        umask 077
        {{
            printf '%s\\t%s\\t%s\\n' "$1" "$top" "$(git rev-parse HEAD)"
            [ "$1" != post-rewrite ] || cat
        }} >> "$found/.provdb/spool/pre/$PROVDB_ACTIVITY.git"
        exit 0
    fi
fi
[ ! -x {python} ] || [ ! -f {script} ] || exec {python} -I -S -c {start} {package} "$@"
exit 0
"""


_SAY: Final = r'printf "%s/%s\0" "$toplevel" "$sm_path"'
"""What the shell does in each submodule: paths as they are, with spaces and all."""
_START: Final = (
    "import os, sys; sys.path.insert(0, sys.argv.pop(1)); from provgraph.capture.git_hook import main; "
    "main(sys.argv[1:]); os._exit(0)"
)
"""Imported, not run as a file, it is compiled once and for all; and nothing is there to be tidied up at the end."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook. ``state`` is ``recording``, ``absent``, ``outdated`` (made by another installation) or ``bypassed``
    (git looks for hooks elsewhere); ``others`` says whether something else runs in it too.
    """

    name: str
    state: str
    path: str
    others: bool


@dataclass(frozen=True, slots=True)
class HookedRepository:
    """A repository's hooks. ``folder`` is where git looks for hooks, or would without ``redirected``."""

    path: str
    folder: str
    redirected: bool
    hooks: tuple[Hook, ...]


@dataclass(frozen=True, slots=True)
class GitHooks:
    """How the hooks stand: of the repository that was asked about, then of its submodules."""

    repositories: tuple[HookedRepository, ...]
    notes: tuple[str, ...] = ()

    @property
    def recording(self) -> bool:
        """Whether all hooks of the first repository record."""
        return all(hook.state == "recording" for hook in self.repositories[0].hooks)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/git-hooks/1``."""
        return {
            "schema": "provgraph/git-hooks/1",
            "repositories": [
                {
                    "path": one.path,
                    "folder": one.folder,
                    "redirected": one.redirected,
                    "hooks": [
                        {"name": h.name, "state": h.state, "path": h.path, "others": h.others} for h in one.hooks
                    ],
                }
                for one in self.repositories
            ],
            "notes": list(self.notes),
        }


class _Repository:
    """Where a repository keeps its hooks.

    Parameters:
        path: a folder in it: of a work tree, or of a bare repository.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        common = self.git("rev-parse", "--git-common-dir")
        if common is None:
            raise QuestionError(f"{self.path} is in no git repository; `git init` makes one")
        self.common = Path(os.path.realpath(os.path.join(self.path, common)))
        self.top = self.git("rev-parse", "--show-toplevel") or str(self.common)
        self.place = self.common / _PLACE

    def git(self, *words: str) -> str | None:
        """What git answers, without the line's end; None where it fails."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        kept = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM")
        environment |= {name: os.environ[name] for name in kept if name in os.environ}
        try:
            done = subprocess.run(
                ["git", *words], cwd=self.path, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                check=False,
            )  # fmt: skip
        except OSError as error:
            raise QuestionError(f"git cannot be run ({error.strerror}); install it") from error
        return os.fsdecode(done.stdout).removesuffix("\n") if done.returncode == 0 else None

    @property
    def ours(self) -> Path:
        """The folder that ``core.hooksPath`` is redirected to, where it is."""
        return self.place / "hooks"

    def configured(self) -> str | None:
        """What ``core.hooksPath`` says, wherever it is configured."""
        return self.git("config", "--type=path", "core.hooksPath") or None

    @property
    def redirected(self) -> bool:
        """Whether git looks for hooks in our folder."""
        configured = self.configured()
        return configured is not None and os.path.realpath(os.path.join(self.top, configured)) == str(self.ours)

    def state(self) -> dict[str, Any]:
        """What ``install`` noted for ``remove``."""
        try:
            found = json.loads((self.place / "state.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def own_folder(self) -> str:
        """Where git looks for hooks, as configured, or would without us."""
        configured = self.state().get("effective") if self.redirected else self.configured()
        return str(configured) if configured else str(self.common / "hooks")

    def folder(self) -> Path:
        """The same, absolute."""
        return Path(os.path.realpath(os.path.join(self.top, self.own_folder())))

    def is_theirs(self) -> bool:
        """Whether nothing may be put into that folder: files there are tracked, or other repositories use them."""
        folder = self.folder()
        if folder.is_relative_to(self.common):
            return False
        inside = folder.is_relative_to(self.top)
        return not inside or self.git("check-ignore", "--quiet", str(folder / HOOKS[0])) is None


def install(path: str) -> GitHooks:
    """Let the hooks of the repository at ``path``, and of its submodules, record. Called again, it renews them.

    Raises:
        QuestionError: there is no repository. InputError: its hooks cannot be written.
    """
    found = _repositories(path)
    for repository in found:
        try:
            _install(repository)
        except OSError as error:
            raise InputError(
                f"{error.filename or repository.place}: {error.strerror}; nothing else was changed"
            ) from error
    return _standing(found, to_record=True)


def remove(path: str) -> GitHooks:
    """Restore the hooks of the repository at ``path``, and of its submodules, as they were.

    Raises:
        QuestionError, InputError: as ``install``.
    """
    found = _repositories(path)
    for repository in found:
        try:
            _remove(repository)
        except OSError as error:
            raise InputError(f"{error.filename or repository.place}: {error.strerror}") from error
    return _standing(found)


def status(path: str, *, submodules: bool = True) -> GitHooks:
    """How the hooks of the repository at ``path``, and of its submodules, stand.

    Raises:
        QuestionError: there is no repository.
    """
    return _standing(_repositories(path) if submodules else [_Repository(path)], to_record=True)


def _repositories(path: str) -> list[_Repository]:
    first = _Repository(path)
    if not os.path.exists(f"{first.top}/.gitmodules"):
        return [first]
    listed = first.git("submodule", "foreach", "--recursive", "--quiet", _SAY) or ""
    there = [folder for folder in listed.split("\0") if folder and os.path.lexists(f"{folder}/.git")]
    return [first, *(_Repository(folder) for folder in there)]


def _install(repository: _Repository) -> None:
    repository.place.mkdir(exist_ok=True)
    record = repository.place / "record"
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    script = os.path.join(package, "provgraph", "capture", "git_hook.py")
    words = {"python": sys.executable, "script": script, "start": _START, "package": package}
    text = _RECORD.format(**{key: shlex.quote(word) for key, word in words.items()})
    if not record.is_file() or record.read_text("utf-8", "replace") != text:
        record.write_text(text, "utf-8")
    record.chmod(0o755)
    if repository.redirected or repository.is_theirs():
        _redirect(repository)
        return
    folder = repository.folder()
    if not folder.is_dir():
        folder.mkdir(parents=True)
        _note(repository, made=str(folder))
    for hook in HOOKS:
        if not any(hook_files.held(path, hook) != "absent" for path in list(hook_files.legacies(folder, hook))[1:]):
            hook_files.put_in(folder / hook, hook)


def _redirect(repository: _Repository) -> None:
    own, folder = repository.own_folder(), repository.folder()
    repository.ours.mkdir(exist_ok=True)
    more = [path.name for path in folder.iterdir() if _is_hook(path)] if folder.is_dir() else []
    for hook in dict.fromkeys((*_ALL, *more)):
        path = repository.ours / hook
        path.write_bytes(hook_files.redirecting(hook, own, records=hook in HOOKS))
        path.chmod(0o755)
    if repository.redirected:
        return
    config = repository.common / "config"
    before, local = config.read_bytes(), repository.git("config", "--local", "core.hooksPath")
    _note(repository, effective=own, local=local, config=base64.b64encode(before).decode("ascii"))
    repository.git("config", "--local", "core.hooksPath", str(repository.ours))
    _note(repository, after=hashlib.sha256(config.read_bytes()).hexdigest())


def _is_hook(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK) and "." not in path.name


def _note(repository: _Repository, **more: object) -> None:
    text = json.dumps({**repository.state(), **more})
    (repository.place / "state.json").write_text(text + "\n", "utf-8")


def _remove(repository: _Repository) -> None:
    state = repository.state()
    if repository.redirected:
        config = repository.common / "config"
        if hashlib.sha256(config.read_bytes()).hexdigest() == state.get("after"):
            config.write_bytes(base64.b64decode(state["config"]))
        elif state.get("local"):
            repository.git("config", "--local", "core.hooksPath", state["local"])
        else:
            repository.git("config", "--local", "--unset", "core.hooksPath")
    folders = dict.fromkeys((repository.folder(), repository.common / "hooks"))
    for folder in folders:
        if folder.is_relative_to(repository.place):
            continue
        for hook in HOOKS:
            for path in hook_files.legacies(folder, hook):
                hook_files.take_out(path, hook)
    if state.get("made"):
        with contextlib.suppress(OSError):
            os.rmdir(state["made"])
    shutil.rmtree(repository.place, ignore_errors=True)


def _standing(found: Sequence[_Repository], *, to_record: bool = False) -> GitHooks:
    rows = tuple(_hooked(repository) for repository in found)
    notes = [
        f"{row.path}: core.hooksPath was set since the hooks were installed, so git does not run them; "
        "`provdb git-hooks install` puts them beside the others"
        for row in rows
        if any(hook.state == "bypassed" for hook in row.hooks)
    ]
    if to_record:
        notes += [_without_project(repository) for repository in found if not _in_project(repository)]
    return GitHooks(rows, tuple(notes))


def _in_project(repository: _Repository) -> bool:
    """Whether its hooks find a project to record into, as they look for it themselves."""
    found = find_project(repository.top, os.environ) or find_project(os.path.dirname(repository.common), {})
    return found is not None


def _without_project(repository: _Repository) -> str:
    return f"{repository.top} is in no project, so its hooks record nothing yet; type `provdb init` there"


def _hooked(repository: _Repository) -> HookedRepository:
    redirected, folder = repository.redirected, repository.folder()
    where = repository.ours if redirected else folder
    return HookedRepository(
        repository.top, str(folder), redirected, tuple(_hook(repository, where, folder, hook) for hook in HOOKS)
    )


def _hook(repository: _Repository, where: Path, folder: Path, name: str) -> Hook:
    found = [path for path in hook_files.legacies(where, name) if hook_files.held(path, name) != "absent"]
    path = found[0] if found else where / name
    how = hook_files.held(path, name)
    if repository.redirected:
        others = os.access(folder / name, os.X_OK)
    else:
        others = how not in ("alone", "absent") or path.name != name or (how == "absent" and os.access(path, os.X_OK))
    if how != "absent":
        record = repository.place / "record"
        current = os.access(record, os.X_OK) and shlex.quote(sys.executable) in record.read_text("utf-8", "replace")
        state = "recording" if current and os.access(path, os.X_OK) else "outdated"
    else:
        elsewhere = (repository.ours / name, repository.common / "hooks" / name)
        was = any(hook_files.held(other, name) != "absent" for other in elsewhere)
        state = "bypassed" if was else "absent"
    return Hook(name, state, str(path), others)
