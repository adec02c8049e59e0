"""The user's configuration: ``.provdb/config.toml``, as one frozen value."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from provgraph.errors import InputError
from provgraph.model.ingestor_rules import IngestorRule, parse_rules

TEMPLATE: Final = """\
# Configuration of this provdb project. All lines are comments: what they show is the default.
# After a change, type `provdb trust .`: until then only what protects ([scrub], secret_names) is taken from here.

[limits]
# file_bytes = 104857600        # larger files keep their SHA-256 alone: not restorable
# preimage_bytes = 16777216     # old bytes up to this size are copied before a command overwrites them
# hash_bytes = 1073741824       # larger files are hashed at idle time, not while a command is being recorded
# collection_files = 1000       # more files than this below one folder become one Collection

[objects]
# budget_bytes = 0              # 0: 10 GiB or a tenth of the free space, whichever is less
# secret_names = []             # more file names (globs) that keep the SHA-256 alone, as .env, *.pem, id_rsa do

[scrub]
# patterns = []                 # more regular expressions: what their group 1 (or all) matches becomes <scrubbed>
# names = []                    # more names (of options, variables) whose values are secrets

[paths]                         # more path classes, before the built-in ones; absolute or from the root
# ignored = []
# environment = []
# external = []
# project = []

[capture]
# unsupervised = []             # more programs that the supervisor must leave alone, beside sudo, su, ...

[ingestors]
# disabled = []                 # names of ingestors that shall not run here, as `provdb ingestors list` shows them
# time_s = 10                   # one that works longer on a command is ended, and the command's record says so
# memory_bytes = 1073741824     # what an ingestor may take
# output_bytes = 33554432       # what it may say of one command
# content_bytes = 268435456     # contents that are unpacked for it, of one command
# Rules of your own are sections [[ingestors.rule]]; `provdb ingestors new NAME --language rule` adds one.

[sync]
# push = ""                     # a remote that new events are sent to in the background, as in push = "team"

[ask]
# at = ""                       # a remote whose server answers questions, as in at = "team"; --at local asks here
"""


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """A team's server, as ``[remotes.NAME]`` names it: never with a user or a password."""

    url: str
    database: str = "neo4j"
    insecure: bool = False
    """Whether a connection that anybody on the way can read is allowed."""

    @property
    def shown(self) -> str:
        """The address without what somebody may have written into it by hand: a user, a password."""
        return re.sub(r"//.*@", "//", self.url)


@dataclass(frozen=True, slots=True)
class Config:
    """What ``config.toml`` says; every field has the documented default. Sizes are bytes."""

    file_limit_bytes: int = 100 * 1024 * 1024
    preimage_limit_bytes: int = 16 * 1024 * 1024
    hash_limit_bytes: int = 1 << 30
    collection_threshold: int = 1000
    objects_budget_bytes: int = 0
    """0: 10 GiB or a tenth of the free space, whichever is less."""
    secret_names: tuple[str, ...] = ()
    scrub_patterns: tuple[str, ...] = ()
    scrub_names: tuple[str, ...] = ()
    path_classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Class → globs, for ``ignored``, ``environment``, ``external``, ``project``."""
    unsupervised: tuple[str, ...] = ()
    ingestor_rules: tuple[IngestorRule, ...] = ()
    disabled_ingestors: tuple[str, ...] = ()
    ingestor_time_s: int = 10
    ingestor_memory_bytes: int = 1 << 30
    ingestor_output_bytes: int = 32 * 1024 * 1024
    ingestor_content_bytes: int = 256 * 1024 * 1024
    remotes: Mapping[str, RemoteEntry] = field(default_factory=dict)
    push_to: str = ""
    """The remote that new events are sent to in the background."""
    ask_at: str = ""
    """The remote whose server answers questions."""

    def without_trust(self) -> "Config":
        """What may be taken from a store that this user has not trusted: the rules that protect, nothing else."""
        return Config(secret_names=self.secret_names, scrub_patterns=self.scrub_patterns, scrub_names=self.scrub_names)


_FIELDS: Final[dict[tuple[str, str], tuple[str, type]]] = {
    ("limits", "file_bytes"): ("file_limit_bytes", int),
    ("limits", "preimage_bytes"): ("preimage_limit_bytes", int),
    ("limits", "hash_bytes"): ("hash_limit_bytes", int),
    ("limits", "collection_files"): ("collection_threshold", int),
    ("objects", "budget_bytes"): ("objects_budget_bytes", int),
    ("objects", "secret_names"): ("secret_names", list),
    ("scrub", "patterns"): ("scrub_patterns", list),
    ("scrub", "names"): ("scrub_names", list),
    ("capture", "unsupervised"): ("unsupervised", list),
    ("ingestors", "disabled"): ("disabled_ingestors", list),
    ("ingestors", "time_s"): ("ingestor_time_s", int),
    ("ingestors", "memory_bytes"): ("ingestor_memory_bytes", int),
    ("ingestors", "output_bytes"): ("ingestor_output_bytes", int),
    ("ingestors", "content_bytes"): ("ingestor_content_bytes", int),
    ("sync", "push"): ("push_to", str),
    ("ask", "at"): ("ask_at", str),
}
_REMOTE: Final[dict[str, type]] = {"url": str, "database": str, "insecure": bool}
_CLASSES: Final = ("ignored", "environment", "external", "project")


def read_config(path: Path) -> Config:
    """The configuration in a file; the defaults where there is none.

    Raises:
        InputError: no TOML, an unknown key, or a value of the wrong type.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error
    return parse_config(document, str(path))


def parse_config(document: Mapping[str, Any], where: str = "the configuration") -> Config:
    """The configuration in a parsed document.

    Raises:
        InputError: an unknown key, or a value of the wrong type.
    """
    values: dict[str, Any] = {}
    classes: dict[str, tuple[str, ...]] = {}
    remotes: dict[str, RemoteEntry] = {}
    rules: tuple[IngestorRule, ...] = ()
    for section, table in document.items():
        if not isinstance(table, dict):
            hint = "an ingestor's rule is `[[ingestors.rule]]`; " if isinstance(table, list) else ""
            raise InputError(f"{where}: `{section}` stands outside of a section; {hint}see the comments in it")
        for key, value in table.items():
            what = f"{where}: {section}.{key}"
            if section == "paths" and key in _CLASSES:
                classes[key] = _strings(what, value)
                continue
            if section == "remotes":
                remotes[key] = _remote(what, value)
                continue
            if (section, key) == ("ingestors", "rule"):
                rules = parse_rules(where, value)
                continue
            if (section, key) not in _FIELDS:
                known = sorted(f"{s}.{k}" for s, k in _FIELDS) + [f"paths.{name}" for name in _CLASSES]
                known += ["[[ingestors.rule]]", "[remotes.NAME]"]
                raise InputError(f"{what} is not known; known are {', '.join(known)}")
            name, type_ = _FIELDS[section, key]
            values[name] = _READ[type_](what, value)
    return Config(path_classes=classes, remotes=remotes, ingestor_rules=rules, **values)


def _remote(what: str, value: Any) -> RemoteEntry:
    if not isinstance(value, dict) or "url" not in value:
        raise InputError(f'{what} must be a section with a url, as in url = "bolt+s://host:7687"')
    for key, item in value.items():
        if key not in _REMOTE:
            hint = "; credentials are never kept here: see `provdb remote add --help`"
            known = ", ".join(_REMOTE)
            raise InputError(f"{what}.{key} is not known; known are {known}{hint}")
        if not isinstance(item, _REMOTE[key]):
            wanted = "true or false" if _REMOTE[key] is bool else "a string"
            raise InputError(f"{what}.{key} must be {wanted}, not {item!r}")
    return RemoteEntry(**value)


def _strings(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{what} must be a list of strings, not {value!r}")
    return tuple(value)


def _string(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{what} must be a string, not {value!r}")
    return value


def _size(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"{what} must be a whole number, 0 or more, not {value!r}")
    return value


_READ: Final[dict[type, Callable[[str, Any], Any]]] = {list: _strings, int: _size, str: _string}
