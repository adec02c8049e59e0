"""Declarative ingestors: ``[[ingestors.rule]]`` of the configuration, checked, as frozen values.

A rule says which commands and files it is for, what it takes from them (by a regular expression, or by paths into a
document), and what becomes of that: properties of the activity or of the file, or series.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provgraph.errors import InputError
from provgraph.model.value_paths import Step, has_several, last_name, parse_path
from provgraph.model.vocabulary import OWN_KEYS

FORMS: Final = ("json", "jsonl", "yaml", "toml")
DIRECTIONS: Final = ("used", "generated", "both")
TARGETS: Final = ("activity", "file")
TYPES: Final = ("auto", "number", "integer", "text", "boolean")
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_PATTERN_CHARACTERS: Final = 4_096
_KEYS: Final[dict[str, type]] = {
    "name": str, "description": str, "utility": str, "command": str, "files": list, "media_types": list,
    "direction": str, "regex": str, "json": object, "jsonl": object, "yaml": object, "toml": object, "series": bool,
    "step": str, "to": str, "prefix": str, "type": str,
}  # fmt: skip
_WANTED: Final = {str: "a string", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class ValuePath:
    """A path into a document, and the property or series that its value becomes.

    ``name`` is "" where it is that of each value in its document.
    """

    name: str
    text: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class IngestorRule:
    """One rule. ``form`` and ``paths`` are empty where ``regex`` is given, and the other way round."""

    name: str
    description: str = ""
    utility: str = ""
    command: str = ""
    files: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    direction: str = "both"
    regex: str = ""
    form: str = ""
    paths: tuple[ValuePath, ...] = ()
    series: bool = False
    step: str = ""
    to: str = "activity"
    prefix: str = ""
    type: str = "auto"

    @property
    def reads_files(self) -> bool:
        """Whether it reads files; else its regular expression is searched in the command line."""
        return bool(self.files or self.media_types)


def parse_rules(where: str, entries: Any) -> tuple[IngestorRule, ...]:
    """The rules of ``[[ingestors.rule]]``.

    Parameters:
        where: names the configuration in messages.

    Raises:
        InputError: a rule that is none; the message names it, the key, and what to write.
    """
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{where}: a rule is a section of its own; write [[ingestors.rule]] with two brackets")
    rules: list[IngestorRule] = []
    for number, entry in enumerate(entries, 1):
        rules.append(_rule(f"{where}: ingestors.rule {entry.get('name', f'number {number}')!s}", entry))
        if rules[-1].name in {rule.name for rule in rules[:-1]}:
            raise InputError(f"{where}: there are two rules {rules[-1].name!r}; give each a name of its own")
    return tuple(rules)


def _rule(what: str, entry: Mapping[str, Any]) -> IngestorRule:
    _check_keys(what, entry)
    forms = [form for form in FORMS if form in entry]
    if ("regex" in entry) + len(forms) != 1:
        raise InputError(f"{what} must have exactly one of regex, {', '.join(FORMS)}: what it takes from the file")
    lists: dict[str, Any] = {key: _strings(f"{what}: {key}", entry.get(key, [])) for key in ("files", "media_types")}
    plain = {key: value for key, value in entry.items() if key not in (*FORMS, *lists)}
    paths = _paths(f"{what}: {forms[0]}", entry[forms[0]]) if forms else ()
    rule = IngestorRule(**plain, **lists, form=forms[0] if forms else "", paths=paths)
    for key in ("utility", "command", "regex"):
        check_pattern(f"{what}: {key}", getattr(rule, key))
    _check_regex(what, rule) if rule.regex else _check_paths(what, rule)
    _check_target(what, rule)
    _check_names(what, rule)
    return rule


def _check_keys(what: str, entry: Mapping[str, Any]) -> None:
    for key, value in entry.items():
        if key not in _KEYS:
            raise InputError(f"{what}: the key {key!r} is not known; known are {', '.join(_KEYS)}")
        wanted = _WANTED.get(_KEYS[key])
        if wanted and not isinstance(value, _KEYS[key]):
            raise InputError(f"{what}: {key} must be {wanted}, not {value!r}")
    name = entry.get("name", "")
    if not NAME.fullmatch(name):
        why = "has no name" if not name else f"has the name {name!r}"
        raise InputError(f'{what} {why}; name it with small letters, digits, - and _, as in name = "loss"')
    for key, words in (("direction", DIRECTIONS), ("to", TARGETS), ("type", TYPES)):
        if entry.get(key, words[0]) not in words:
            raise InputError(f"{what}: {key} is {entry[key]!r}; it must be one of {', '.join(words)}")


def match_entry(what: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a match (utility, command, files, media_types, direction), checked; all others as they are.

    Raises:
        InputError: one of them is wrong.
    """
    found = dict(entry)
    for key in ("files", "media_types"):
        if key in found:
            found[key] = _strings(f"{what}: {key}", found[key])
    for key in ("description", "utility", "command", "direction"):
        if not isinstance(found.get(key, ""), str):
            raise InputError(f"{what}: {key} must be a string, not {found[key]!r}")
    for key in ("utility", "command"):
        check_pattern(f"{what}: {key}", found.get(key, ""))
    if found.get("direction", "both") not in DIRECTIONS:
        raise InputError(f"{what}: direction is {found['direction']!r}; it must be one of {', '.join(DIRECTIONS)}")
    return found


def _strings(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InputError(f'{what} must be a list of strings, as in ["*.log"], not {value!r}')
    return tuple(value)


def check_pattern(what: str, pattern: str) -> None:
    """Refuse what is no regular expression, or a very long one.

    Raises:
        InputError: it is.
    """
    if len(pattern) > _PATTERN_CHARACTERS:
        raise InputError(f"{what} has {len(pattern):,} characters; {_PATTERN_CHARACTERS:,} are allowed: make two rules")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        hint = (
            "in TOML, write it in single quotes: '\\d+'"
            if "\\" in pattern
            else "Python's module re says how to write one"
        )
        raise InputError(f"{what} = {pattern!r} is no regular expression: {error}; {hint}") from error


def _check_regex(what: str, rule: IngestorRule) -> None:
    groups = re.compile(rule.regex).groupindex
    step = rule.step or "step"
    if not set(groups) - ({step} if rule.series else set()):
        raise InputError(
            f"{what}: regex has no named group, so nothing is taken; write (?P<loss>[\\d.]+) for what becomes `loss`"
        )
    if rule.step and rule.step not in groups:
        raise InputError(
            f"{what}: step names the group {rule.step!r}, which regex does not have; it has {', '.join(groups)}"
        )
    if not rule.reads_files and not (rule.command or rule.utility):
        raise InputError(
            f'{what} does not say what it is for: give files = ["*.log"] to read files, or command or utility to read '
            "the line"
        )
    if not rule.reads_files and (rule.series or rule.to == "file"):
        raise InputError(
            f'{what} reads the command line, as it has no files; then series and to = "file" have no sense'
        )


def _check_paths(what: str, rule: IngestorRule) -> None:
    if not rule.reads_files:
        raise InputError(f'{what} must say which files it reads, as in files = ["*.{rule.form}"]')
    if rule.step:
        parse_path(rule.step)
    for path in rule.paths:
        if rule.series and rule.form != "jsonl" and not has_several(path.steps):
            raise InputError(
                f"{what}: a series needs several values, and {path.text!r} names one; write it like history[*].loss"
            )


def _check_target(what: str, rule: IngestorRule) -> None:
    if rule.step and not rule.series:
        raise InputError(f"{what}: step is for a series; add series = true, or take step out")
    if rule.series and rule.prefix not in ("", "metric_"):
        raise InputError(f"{what}: prefix is {rule.prefix!r}, and a series is always metric_NAME; take prefix out")
    if rule.series and rule.type not in ("auto", "number", "integer"):
        raise InputError(f"{what}: type is {rule.type!r}, and a series is of numbers; take type out")


def _check_names(what: str, rule: IngestorRule) -> None:
    """Refuse names that would be the base's own properties."""
    names = [*re.compile(rule.regex).groupindex, *(path.name or last_name(path.steps) or "" for path in rule.paths)]
    for name in names:
        if not rule.series and f"{rule.prefix}{name}" in OWN_KEYS:
            raise InputError(
                f"{what}: {rule.prefix}{name} is a property of the base; give the rule a prefix, as in "
                'prefix = "param_", or choose another name'
            )


def _paths(what: str, value: Any) -> tuple[ValuePath, ...]:
    """A path, a list of paths, or a table of names and paths."""
    if isinstance(value, dict) and value and all(isinstance(text, str) for text in value.values()):
        return tuple(_path(what, text, name) for name, text in value.items())
    texts: Sequence[Any] = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise InputError(
            f'{what} must be a path like "optimizer.lr", a list of such, or a table like {{ lr = "optimizer.lr" }}, '
            f"not {value!r}"
        )
    found = tuple(_path(what, text, "") for text in texts)
    for path in found:
        if last_name(path.steps) is None and path.steps[-1] is not None:
            raise InputError(f'{what}: {path.text!r} ends in no name; name it, as in {{ size = "{path.text}" }}')
    return found


def _path(what: str, text: str, name: str) -> ValuePath:
    try:
        return ValuePath(name, text, parse_path(text))
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
