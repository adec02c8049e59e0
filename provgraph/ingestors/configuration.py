"""Configuration files: what changed inside since their previous snapshot, value by value.

``changes`` lists it for people (``layer.pool: MAX → AVG``, ``+ dropout: 0.5``, ``- momentum: 0.9``), ``changes_json``
has the values with their types, ``changes_count`` says how many there are.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from provgraph.client.scrub_words import SCRUBBED, scrubbed_words
from provgraph.ingestors.documents import DocumentError, parse
from provgraph.ingestors.port import File, Findings, Match, Moment, Occurrence, Previous
from provgraph.ingestors.prototxt import PrototxtError, tree
from provgraph.ingestors.prototxt import parse as parse_prototxt

FORMATS: Final = {
    ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml", ".ini": "ini", ".cfg": "ini",
    ".prototxt": "prototxt", ".pbtxt": "prototxt",
}  # fmt: skip
MAX_BYTES: Final = 1 << 20
"""Larger files are data."""
IN_ALL: Final = 2 << 20
"""For all files of one command."""
LISTED: Final = 100
"""Changes that are told of one file."""
_FILES: Final = 50
_LEAVES: Final = 50_000
_DEPTH: Final = 100
_TEXT: Final = 200
_PLAIN_KEY: Final = re.compile(r"[\w$/-]+(?:\[\d+\])?")
_KEY: Final = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)+)"|(?P<plain>[^."\[\]]+)(?:\[\d+\])*', re.DOTALL)
_NAMES: Final = ("name", "id", "key")
"""What tells the items of a list apart where all have it."""
_LAYERS: Final = ("layer", "layers")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,300})(?:\.\d+)?(?:[eE][-+]?\d{1,3})?\Z", re.ASCII)


class Configuration:
    """Compares each configuration file that a command met with what was there before."""

    name = "configuration"
    version = "2"
    moment = Moment.AFTER
    match = Match(files=tuple(f"*{ending}" for ending in FORMATS))
    description = "YAML, JSON, TOML, INI, prototxt: what changed inside since the previous snapshot"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """The changes, as properties of the new snapshots."""
        findings = Findings()
        # Of a file that the command both used and generated, its path names what it generated.
        found = {file.path: file for file in reversed(occurrence.matching(self.match))}
        files = [file for file in reversed(found.values()) if _is_new(file)]
        if len(files) > _FILES:
            findings.note(f"only {_FILES} of {len(files):,} configuration files were compared")
        left = IN_ALL
        for file in files[:_FILES]:
            left -= file.size_bytes or 0
            if left < 0:
                findings.note(f"only {IN_ALL >> 20} MiB of configuration files were compared")
                break
            try:
                properties = _compared(file)
            except (ConfigurationError, OSError) as error:
                findings.note(f"{file.path}: {error}")
                continue
            if properties:
                findings.snapshot(file.path, **properties)
        return findings.to_json()


class ConfigurationError(ValueError):
    """A file that is none of its kind, or too large to be a configuration."""


class Changes:
    """What differs between two documents.

    Parameters:
        before: values by the way to them, as ``leaves`` gives them. after: the same.
    """

    def __init__(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        both = [key for key in after if key in before]
        self.changed = {key: (before[key], after[key]) for key in both if _differ(before[key], after[key])}
        self.added = {key: value for key, value in after.items() if key not in before}
        self.removed = {key: value for key, value in before.items() if key not in after}

    def __len__(self) -> int:
        return len(self.changed) + len(self.added) + len(self.removed)

    def properties(self) -> dict[str, Any]:
        """As properties of the new snapshot; what looks like a secret is not told."""
        told: dict[str, dict[str, Any]] = {"changed": {}, "added": {}, "removed": {}}
        lines: list[str] = []
        for key, (old, new) in islice(self.changed.items(), LISTED):
            both = _told(key, old), _told(key, new)
            told["changed"][key] = list(both)
            lines.append(f"{key}: {_shown(both[0])} → {_shown(both[1])}")
        for what, mark, values in (("added", "+", self.added), ("removed", "-", self.removed)):
            for key, value in islice(values.items(), LISTED - len(lines)):
                told[what][key] = _told(key, value)
                lines.append(f"{mark} {key}: {_shown(told[what][key])}")
        nested = {what: values for what, values in told.items() if values}
        return {"changes": lines, "changes_count": len(self), "changes_json": json.dumps(nested)}


def leaves(form: str, data: bytes) -> dict[str, Any]:
    """Each value of a document by the way to it: ``model.layers[2].size``, ``layer.conv1.convolution_param.stride``.

    Items of a list are told apart by their ``name``, ``id`` or ``key`` where all have one, else by their place.

    Raises:
        ConfigurationError: it is no such document, or too large.
    """
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"it is larger than {MAX_BYTES >> 20} MiB, so it is not read as a configuration")
    try:
        document = _parsed(form, data)
        found: dict[str, Any] = {}
        for key, value in _leaves(document, "", 0):
            found[key] = value
            if len(found) > _LEAVES:
                raise ConfigurationError(f"it has more than {_LEAVES:,} values")
    except (DocumentError, PrototxtError) as error:
        raise ConfigurationError(str(error)) from None
    return found


def _parsed(form: str, data: bytes) -> Any:
    if form == "prototxt":
        found = tree(parse_prototxt(data))
        return {key: [value] if key in _LAYERS and isinstance(value, dict) else value for key, value in found.items()}
    if form != "ini":
        return parse(form, data)
    return _ini(data)


def _ini(data: bytes) -> dict[str, Any]:
    # With no section for defaults, each section has its own values alone; [DEFAULT] is one like the others.
    reader = configparser.RawConfigParser(strict=False, allow_no_value=True, default_section="")
    reader.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        reader.read_string(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"it is no UTF-8 at byte {error.start}") from None
    except configparser.MissingSectionHeaderError as error:
        raise ConfigurationError(f"it is no INI: line {error.lineno} stands before the first [section]") from None
    except configparser.ParsingError as error:
        lines = ", ".join(str(line) for line, _ in error.errors[:5])
        raise ConfigurationError(f"it is no INI: line {lines} cannot be read") from None
    except AttributeError:
        raise ConfigurationError("it is no INI: an indented line follows a key without a value") from None
    except (configparser.Error, ValueError) as error:
        raise ConfigurationError(f"it is no INI ({type(error).__name__})") from None
    return {name: {key: _typed(value) for key, value in reader.items(name)} for name in reader.sections()}


def _typed(value: str | None) -> Any:
    return json.loads(value) if value is not None and _NUMBER.match(value) else value


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > _DEPTH:
        raise ConfigurationError(f"it is nested more than {_DEPTH} deep")
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, _below(path, str(key)), depth + 1)
    elif isinstance(value, list) and value:
        for step, item in _items(value, path):
            yield from _leaves(item, step, depth + 1)
    elif path or not isinstance(value, Mapping | list):
        yield path or "(document)", _scalar(value)


def _items(items: list[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Each item with the way to it."""
    if len(items) > _LEAVES:
        raise ConfigurationError(f"it has more than {_LEAVES:,} values")
    name = next((n for n in _NAMES if all(isinstance(i, Mapping) and isinstance(i.get(n), str) for i in items)), None)
    seen: dict[str, int] = {}
    for place, item in enumerate(items):
        if name is None:
            yield f"{path}[{place}]", item
            continue
        seen[item[name]] = seen.get(item[name], 0) + 1
        nth = f"[{seen[item[name]]}]" if seen[item[name]] > 1 else ""
        yield _below(path, item[name] + nth), {key: one for key, one in item.items() if key != name} or item


def _below(path: str, key: str) -> str:
    word = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key[:_TEXT], ensure_ascii=False)
    return f"{path}.{word}" if path else word


def _scalar(value: Any) -> Any:
    """A value as JSON can say it."""
    if isinstance(value, bool | dict | list) or value is None:
        return value
    if isinstance(value, int) and value.bit_length() > 1_000:
        return "a large number"
    if isinstance(value, int) or (isinstance(value, float) and value - value == 0):
        return value
    return str(value)


def _keys(path: str) -> list[str]:
    """The names on the way to a value: what stands below ``auth.token`` is as secret as it."""
    return [found["quoted"] or found["plain"] for found in _KEY.finditer(path)]


def _told(path: str, value: Any) -> Any:
    """A value without secrets, and not too long."""
    if isinstance(value, bool | dict | list) or value is None:
        return value
    text = str(value)
    named = [f"{key}={text}" for key in _keys(path)]
    if any(scrubbed_words([one]) != [one] for one in named):
        return SCRUBBED
    return f"{text[:_TEXT]}…" if isinstance(value, str) and len(text) > _TEXT else value


def _is_new(file: File) -> bool:
    return file.previous is not None and file.previous.sha256 != file.sha256 and file.content is not None


def _compared(file: File) -> dict[str, Any] | None:
    form = next(form for ending, form in FORMATS.items() if file.path.endswith(ending))
    if file.previous is None:
        return None
    before, after = _read(file.previous), _read(file)
    if before is None or after is None:
        return None
    changes = Changes(leaves(form, before), leaves(form, after))
    return changes.properties() if changes else {"changes_count": 0}


def _read(file: File | Previous) -> bytes | None:
    if file.content is None:
        return None
    with file.open() as opened:
        return opened.read(MAX_BYTES + 1)


def _differ(one: Any, other: Any) -> bool:
    return bool(one != other) or isinstance(one, bool) != isinstance(other, bool)


def _shown(value: Any) -> str:
    """A value for people: a text as it is, unless one would take it for something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return value if value.isprintable() and value.strip() == value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


INGESTOR = Configuration()
