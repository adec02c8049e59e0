"""Path classes: what is ignored, environment, external data or the project's own (rule 15), as one table.

The first matching line of :data:`RULES` wins for a folder, a folder inherits from its parent, and the project's root
and HOME start anew: a project below /opt or in a hidden folder of HOME stays a project.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Iterable

IGNORED, ENVIRONMENT, EXTERNAL, PROJECT = "ignored", "environment", "external", "project"

# (class, kind, patterns). Kinds: "name" = a file or folder of this name anywhere; "suffix" = a file whose name ends so;
# "below" = this absolute path and what lies below it; "home" = the same from HOME; "marker" = a folder that holds an
# entry of this name; "hidden" = hidden files and folders of HOME itself.
RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (IGNORED, "name", (".git", ".hg", ".svn", ".bzr", ".jj", ".provdb", "__pycache__", ".ipynb_checkpoints")),
    (IGNORED, "name", (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".tox", ".nox", ".pytype")),
    (IGNORED, "suffix", (".pyc", ".pyo")),
    (IGNORED, "below", ("/proc", "/sys", "/dev")),
    (EXTERNAL, "below", ("/var/tmp", "/private/tmp")),  # noqa: S108 - a class of paths, nothing is written there
    (EXTERNAL, "below", ("/var/folders", "/private/var/folders", "/run/media", "/opt/ml")),
    (EXTERNAL, "home", (".cache/huggingface", ".cache/torch", ".torch", ".keras", ".cache/keras", ".cache/kagglehub")),
    (EXTERNAL, "home", (".cache/openml", ".openml", ".cache/seaborn", ".cache/tensorflow_datasets", ".fastai")),
    (EXTERNAL, "home", (".scikit_learn_data", ".cache/scikit-learn", ".cache/gensim-data", ".cache/nltk_data")),
    (ENVIRONMENT, "marker", ("pyvenv.cfg", "conda-meta")),
    (ENVIRONMENT, "name", ("site-packages", "dist-packages", "node_modules")),
    (ENVIRONMENT, "below", ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/etc", "/var", "/run")),
    (ENVIRONMENT, "below", ("/opt", "/nix", "/gnu", "/snap", "/boot", "/System", "/Library", "/Applications")),
    (ENVIRONMENT, "below", ("/private/etc", "/private/var")),
    (ENVIRONMENT, "hidden", (".",)),
)

SYSTEM_PREFIX = "/usr"  # stands for what the machine and the user's settings bring, outside any smaller environment
_OWN_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CACHED_FOLDERS = 100_000

_State = tuple[str, str]  # class, prefix of the environment ("" where it is none)


class Classifier:
    """Sorts absolute paths into the four classes.

    Parameters:
        root: the project's root.
        home: the user's home folder, "" where there is none.
        extra: further lines for the table, in front of it (the user's configuration).

    Cost: a path in a folder seen before is one look-up, a new folder three stats at most. What is known of a folder is
    kept; where a file ``pyvenv.cfg`` or ``conda-meta`` passes, its folder becomes an environment from then on.
    """

    def __init__(self, root: str, home: str, extra: Iterable[tuple[str, str, tuple[str, ...]]] = ()) -> None:
        self.root = os.path.realpath(root)
        home = os.path.realpath(home) if home.startswith("/") else ""
        self.home = "" if home == "/" else home
        self._names: dict[str, str] = {}
        self._below: dict[str, str] = {}
        self._markers: list[str] = []
        self._suffixes: dict[str, str] = {}
        for kind_of, kind, patterns in (*extra, *RULES):
            for pattern in patterns:
                self._add(kind_of, kind, pattern)
        if not _is_below(_OWN_PACKAGE, self.root):
            self._below[_OWN_PACKAGE] = IGNORED
        self._endings = tuple(self._suffixes)
        self._folders: dict[str, _State] = {}

    def _add(self, kind_of: str, kind: str, pattern: str) -> None:
        if kind == "name":
            self._names.setdefault(pattern, kind_of)
        elif kind == "suffix":
            self._suffixes.setdefault(pattern, kind_of)
        elif kind == "marker":
            self._markers.append(pattern)
        elif kind == "below":
            self._below.setdefault(pattern, kind_of)
        elif kind == "home" and self.home:
            self._below.setdefault(f"{self.home}/{pattern}", kind_of)

    def classify(self, path: str) -> str:
        """The class of the file at ``path``: "ignored", "environment", "external" or "project"."""
        folder, _, name = path.rpartition("/")
        state = self._folders.get(folder) or self._state(folder)
        if name in self._markers and folder != self.root:
            self._found_environment(folder)
            return self._state(folder)[0]
        if name.startswith(".") or name in self._names:
            return self._child(folder, name, state)[0]
        if name.endswith(self._endings):
            return self._by_suffix(name)
        return state[0]

    def classify_folder(self, path: str) -> str:
        """The class of what lies in the folder ``path``."""
        return (self._folders.get(path) or self._state(path))[0]

    def environment_prefix(self, path: str) -> str:
        """The folder that identifies the environment of a file of class "environment".

        That is the folder with ``pyvenv.cfg`` or ``conda-meta``, else the one that holds a Python of its own
        (``bin/python3``), else the ``node_modules``, else :data:`SYSTEM_PREFIX`.
        """
        folder, _, name = path.rpartition("/")
        self.classify(path)  # notices a marker
        state = self._state(folder)
        return state[1] or self._child(folder, name, state)[1] or SYSTEM_PREFIX

    def _by_suffix(self, name: str) -> str:
        return next(kind for suffix, kind in self._suffixes.items() if name.endswith(suffix))

    def _state(self, folder: str) -> _State:
        """The state of a folder ("" is /), from its parent's; iterative where Python would recurse too deep."""
        chain = []
        state = self._folders.get(folder)
        while state is None:
            chain.append(folder)
            if not folder or folder == self.root:
                state = (EXTERNAL, "")
                break
            folder = folder.rpartition("/")[0]
            state = self._folders.get(folder)
        if len(self._folders) > _CACHED_FOLDERS:
            self._folders.clear()
        for folder in reversed(chain):
            state = self._folder(folder, state)
            self._folders[folder] = state
        return state

    def _folder(self, folder: str, parent: _State) -> _State:
        if folder == self.root or (not folder and self.root == "/"):
            return PROJECT, ""
        if not folder:
            return EXTERNAL, ""
        above, _, name = folder.rpartition("/")
        if folder == self.home:
            return (PROJECT if parent[0] == PROJECT else EXTERNAL), ""
        state = self._child(above, name, parent)
        if state[0] == IGNORED or _is_below(self.root, folder):
            return state
        if any(os.path.lexists(f"{folder}/{marker}") for marker in self._markers):
            return ENVIRONMENT, folder
        if not state[1] and state[0] != PROJECT and os.path.lexists(f"{folder}/bin/python3"):
            return ENVIRONMENT, folder
        return state

    def _child(self, folder: str, name: str, parent: _State) -> _State:
        """The state of the entry ``name`` in ``folder``, by the table, without a look at the disk."""
        path = f"{folder}/{name}"
        kind = self._names.get(name)
        if kind == IGNORED or parent[0] == IGNORED:
            return IGNORED, ""
        below = self._below.get(path)
        if below is not None:
            return below, ""
        if parent[0] == ENVIRONMENT:
            return parent
        if kind is not None:
            return kind, path if kind == ENVIRONMENT else ""
        if folder == self.home and self.home and name.startswith("."):
            return ENVIRONMENT, ""
        return parent

    def _found_environment(self, prefix: str) -> None:
        """``prefix`` holds a marker: forget what was known below it."""
        if self._state(prefix)[0] in (PROJECT, EXTERNAL):
            below = prefix + "/"
            for folder in [known for known in self._folders if known.startswith(below)]:
                del self._folders[folder]
            self._folders[prefix] = (ENVIRONMENT, prefix)


def _is_below(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
