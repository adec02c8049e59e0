"""Declarative ingestors: what a rule of the configuration takes from a command line or from files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, Final

from provgraph.ingestors.documents import DOCUMENT_BYTES, DocumentError, parse, property_value
from provgraph.ingestors.lines import Lines
from provgraph.ingestors.port import File, Findings, Match, Moment, Occurrence
from provgraph.ingestors.taken import Taken
from provgraph.model.ingestor_rules import IngestorRule
from provgraph.model.value_paths import parse_path, values_at

FILE_BYTES: Final = 64 * 1024 * 1024
"""What a rule reads of one file, line by line."""
_FILES: Final = 100
_CHUNK: Final = 1 << 18
_LOGIC: Final = "2"
"""Part of a rule's version: changes where the same rule comes to find something else."""


class RuleIngestor:
    """The ingestor of one rule.

    Parameters:
        rule: as the configuration says it.
    """

    def __init__(self, rule: IngestorRule) -> None:
        self.rule = rule
        self.name = rule.name
        self.version = hashlib.sha256(f"{_LOGIC} {rule!r}".encode()).hexdigest()[:16]
        self.match = Match(rule.utility, rule.command, rule.files, rule.media_types, rule.direction)
        self.moment = Moment.AFTER
        self.description = rule.description or _described(rule)

    def __repr__(self) -> str:
        return f"<RuleIngestor {self.name}>"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """What the rule takes."""
        findings = Findings()
        if not self.rule.reads_files:
            taken = Taken(self.rule)
            reader = _Reader(self.rule, taken)
            reader.line(occurrence.activity.command)
            return self._told(findings, {"": taken})
        files = occurrence.matching(self.match)
        if len(files) > _FILES:
            findings.note(f"{len(files):,} files fit; the first {_FILES} were read")
        found: dict[str, Taken] = {}
        for file in files[:_FILES]:
            if file.path not in found:
                found[file.path] = self._file(file, findings)
        return self._told(findings, found)

    def _file(self, file: File, findings: Findings) -> Taken:
        taken = Taken(self.rule)
        try:
            with file.open() as stream:
                self._read(stream, taken)
        except OSError as error:
            findings.note(f"{file.path}: {error.strerror or error}")
        for note in taken.notes():
            findings.note(f"{file.path}: {note}")
        return taken

    def _read(self, stream: BinaryIO, taken: Taken) -> None:
        if self.rule.form in ("json", "yaml", "toml"):
            _take_document(self.rule, stream.read(DOCUMENT_BYTES + 1), taken)
            return
        reader, left = _Reader(self.rule, taken), FILE_BYTES
        while left > 0 and (data := stream.read(min(_CHUNK, left))):
            reader.feed(data)
            left -= len(data)
        reader.feed(b"")
        if left <= 0 and stream.read(1):
            taken.say(f"only the first {FILE_BYTES >> 20} MiB were read")

    def _told(self, findings: Findings, found: Mapping[str, Taken]) -> dict[str, Any] | None:
        """The findings; of several files that have the same for the activity, the first counts."""
        first: dict[str, str] = {}
        for path, taken in found.items():
            for name in taken.names():
                if self.rule.to == "activity" and first.setdefault(name, path) != path:
                    findings.note(
                        f'{first[name]} and {path} both have {name}; the first counts (to = "file" keeps both)'
                    )
                    taken.drop(name)
            taken.tell(findings, path)
        document = findings.to_json()
        return document if len(document) > 1 else None


class FollowedRule:
    """The same while a file grows, for a rule that takes series from lines. It ends with what the rule itself finds.

    Parameters:
        ingestor: of the rule.
    """

    moment = Moment.DURING

    def __init__(self, ingestor: RuleIngestor) -> None:
        self._rule = ingestor.rule
        self.name, self.version = f"{ingestor.name}-live", ingestor.version
        self.match = replace(ingestor.match, direction="generated")
        self.description = f"{ingestor.name}, while the command runs"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """Nothing more."""

    def follow(self, occurrence: Occurrence, file: File) -> RuleFollower:
        """Begin to follow a file."""
        return RuleFollower(self._rule, file.path)


class RuleFollower:
    """Applies a rule to a file that grows.

    Parameters:
        rule: one that ``follows``.
        path: of the file, as the graph names it.
    """

    def __init__(self, rule: IngestorRule, path: str) -> None:
        self._path = path
        self._taken = Taken(rule)
        self._reader = _Reader(rule, self._taken)

    def feed(self, data: bytes) -> Mapping[str, Any] | None:
        """The points that are new with these bytes."""
        self._reader.feed(data)
        findings = Findings()
        self._taken.tell(findings, self._path, only_new=True)
        document = findings.to_json()
        return document if len(document) > 1 else None


class _Reader:
    """Takes from lines what a rule with a regular expression, or of JSON lines, names."""

    def __init__(self, rule: IngestorRule, taken: Taken) -> None:
        self._rule, self._taken, self._lines = rule, taken, Lines()
        self._regex = re.compile(rule.regex)
        groups = self._regex.groupindex
        self._step = rule.step or ("step" if "step" in groups else "")
        self._names = [name for name in groups if not rule.series or name != self._step]

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self.line(line.text)
        if not data and self._lines.too_long:
            self._taken.say(f"{self._lines.too_long} lines are too long to be log lines and were left out")

    def line(self, text: str) -> None:
        if self._rule.form == "jsonl":
            self._document(text)
            return
        for match in self._regex.finditer(text):
            step = match[self._step] if self._step and self._rule.series else None
            self._taken.add(((name, match[name]) for name in self._names if match[name] is not None), step)

    def _document(self, text: str) -> None:
        if not text.strip():
            return
        try:
            _take(self._rule, parse("json", text.encode()), self._taken)
        except DocumentError as error:
            self._taken.skip(str(error))


def _take_document(rule: IngestorRule, data: bytes, taken: Taken) -> None:
    try:
        _take(rule, parse(rule.form, data), taken)
    except DocumentError as error:
        taken.say(str(error))


def _take(rule: IngestorRule, document: Any, taken: Taken) -> None:
    steps = [found.value for found in values_at(document, parse_path(rule.step))] if rule.step else []
    for path in rule.paths:
        values: dict[str, list[Any]] = {}
        several = False
        for found in values_at(document, path.steps):
            name = path.name or found.name
            values.setdefault(name, []).append(found.value)
            several = several or found.one_of_several or len(values[name]) > 1
        for name, items in values.items():
            if rule.series:
                _take_points(taken, name, items, steps)
            else:
                taken.add([(name, property_value(items if several else items[0]))], None)


def _take_points(taken: Taken, name: str, values: Sequence[Any], steps: Sequence[Any]) -> None:
    if steps and len(steps) != len(values):
        taken.say(f"{name} has {len(values):,} values and step {len(steps):,}; they were counted instead")
        steps = ()
    for value, step in zip(values, steps or [None] * len(values), strict=True):
        taken.add([(name, value)], step)


def _described(rule: IngestorRule) -> str:
    what = "series" if rule.series else "properties"
    names: Iterator[str] = (path.name or path.text for path in rule.paths)
    if rule.regex:
        names = (name for name in re.compile(rule.regex).groupindex if name != (rule.step or "step") or not rule.series)
    where = f" from {' '.join((*rule.files, *rule.media_types))}" if rule.reads_files else " from the command line"
    return f"{what} {', '.join(names)}{where}, of the {rule.to} (a rule of the configuration)"


def rule_ingestors(rules: Sequence[IngestorRule]) -> Iterator[RuleIngestor | FollowedRule]:
    """The ingestors of a configuration's rules."""
    for rule in rules:
        ingestor = RuleIngestor(rule)
        yield ingestor
        if rule.series and rule.direction != "used" and (rule.regex or rule.form == "jsonl"):
            yield FollowedRule(ingestor)
