"""The ingestor port: what an ingestor is, what it is given, what it returns.

An ingestor knows what some commands mean. It is *matched* against a command's words and files, runs *before*, *during*
or *after* the command, sees an :class:`Occurrence` and returns *findings* (``provgraph/findings/1``; :class:`Findings`
builds them): properties of the activity, of its snapshots and of derivations, further vertices and edges, series.

It is pure: it sees the occurrence and the bytes of its files, no store. What it returns is checked; where it fails,
hangs or lies, the activity says so and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, BinaryIO, Final, Protocol, runtime_checkable

from provgraph.errors import InputError
from provgraph.ingestors.patterns import command_pattern, fits_globs, fits_media_type

FINDINGS: Final = "provgraph/findings/1"
OCCURRENCE: Final = "provgraph/occurrence/1"
DIRECTIONS: Final = ("used", "generated", "both")


class Moment(StrEnum):
    """When an ingestor runs."""

    BEFORE = "before"
    """As soon as the command is known to have begun."""
    DURING = "during"
    """While it runs: fed with what is written to a file."""
    AFTER = "after"
    """Once it has ended and what it used and generated is known."""


@dataclass(frozen=True, slots=True)
class Match:
    r"""Which commands an ingestor is for. Command patterns and file patterns must both hold where both are given.

    Parameters:
        utility: a regular expression that fits the whole of the program's name (``python``, ``train_\w+``).
        command: a regular expression that is found somewhere in the command line.
        files: globs as in ``.gitignore``; one of the activity's files must fit.
        media_types: ``text/csv``, ``image/*``; a file fits by these or by ``files``.
        direction: whether such a file must have been ``used``, ``generated``, or either (``both``).

    One without any pattern fits every command.
    """

    utility: str = ""
    command: str = ""
    files: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    direction: str = "both"

    def explain(self, occurrence: Occurrence) -> str:
        """Why an ingestor with this match fires; "" where it does not.

        Raises:
            re.error: a pattern is no regular expression.
        """
        reasons, activity = [], occurrence.activity
        if self.utility:
            if command_pattern(self.utility).fullmatch(activity.utility) is None:
                return ""
            reasons.append(f"the program is {activity.utility}")
        if self.command:
            found = command_pattern(self.command).search(activity.command)
            if found is None:
                return ""
            reasons.append(f"the command has {found[0]!r}")
        if self.files or self.media_types:
            file = next(iter(occurrence.matching(self)), None)
            if file is None:
                return ""
            direction = "generated" if any(file is one for one in occurrence.generated) else "used"
            reasons.append(f"it {direction} {file.path}")
        return ", ".join(reasons) or "it is for every command"

    def fits_file(self, path: str, media_type: str | None) -> bool:
        """Whether a file fits, whatever was done with it; all do where no file pattern is given."""
        if not self.files and not self.media_types:
            return True
        return fits_globs(self.files, path) or fits_media_type(self.media_types, media_type)


@dataclass(frozen=True, slots=True)
class Previous:
    """The state of a file before: what the activity replaced, or of what it used, whoever changed it last."""

    path: str
    sha256: str | None = None
    content: str | None = None

    def open(self) -> BinaryIO:
        """Its bytes.

        Raises:
            FileNotFoundError: nobody has them any more.
        """
        return _open(self.path, self.content)


@dataclass(frozen=True, slots=True)
class File:
    """A file in the state in which the activity used or generated it."""

    path: str
    """As the graph names it: from the project's root, absolute outside of it."""
    absolute: str = ""
    media_type: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    role: str | None = None
    content: str | None = None
    """Absolute path of a file that holds exactly these bytes, maybe for this run only; None where nobody has them."""
    previous: Previous | None = None

    def open(self) -> BinaryIO:
        """Its bytes, as they were then.

        Raises:
            FileNotFoundError: nobody has them any more.
        """
        return _open(self.path, self.content)


@dataclass(frozen=True, slots=True)
class ActivityWords:
    """What is known of the activity itself; words are without secrets."""

    uid: str = ""
    argv: tuple[str, ...] = ()
    command: str = ""
    utility: str = ""
    cwd: str = ""
    """Absolute."""
    exit_status: int | None = None
    started_at: str | None = None
    ended_at: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What an ingestor is given (``provgraph/occurrence/1``)."""

    moment: Moment
    project: str
    """The absolute path of the project's root."""
    activity: ActivityWords
    used: tuple[File, ...] = ()
    generated: tuple[File, ...] = ()

    def matching(self, match: Match) -> list[File]:
        """The files that a match is about, those that were generated first."""
        generated = self.generated if match.direction != "used" else ()
        used = self.used if match.direction != "generated" else ()
        return [file for file in (*generated, *used) if match.fits_file(file.path, file.media_type)]

    def to_json(self) -> dict[str, Any]:
        """The document that an executable reads."""
        return {
            "schema": OCCURRENCE,
            "moment": str(self.moment),
            "project": self.project,
            "activity": {**asdict(self.activity), "argv": list(self.activity.argv)},
            "used": [asdict(file) for file in self.used],
            "generated": [asdict(file) for file in self.generated],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Occurrence:
        """The occurrence of a document; what is not known is left out."""
        words = _known(ActivityWords, document.get("activity") or {})
        words["argv"] = tuple(words.get("argv") or ())
        return cls(
            Moment(document.get("moment", Moment.AFTER)),
            str(document.get("project", "")),
            ActivityWords(**words),
            tuple(_file(one) for one in document.get("used") or ()),
            tuple(_file(one) for one in document.get("generated") or ()),
        )


@runtime_checkable
class Ingestor(Protocol):
    """One that knows what some commands mean."""

    @property
    def name(self) -> str:
        """Lower case, unique in a project; an ingestor of the project goes before a built-in one of its name."""

    @property
    def version(self) -> str:
        """Changes when it would say something else of the same command."""

    @property
    def moment(self) -> Moment:
        """When it runs."""

    @property
    def match(self) -> Match:
        """Which commands it is for."""

    @property
    def description(self) -> str:
        """One line."""

    def ingest(self, occurrence: Occurrence) -> Findings | Mapping[str, Any] | None:
        """What it finds in an occurrence that its match fits; None or nothing where there is nothing to say."""


@runtime_checkable
class Follower(Protocol):
    """What follows one growing file while the command runs."""

    def feed(self, data: bytes) -> Findings | Mapping[str, Any] | None:
        """The findings that are new with these bytes, which follow the earlier ones; empty at the end of the file."""


@runtime_checkable
class Following(Protocol):
    """What an ingestor with the moment *during* has besides."""

    def follow(self, occurrence: Occurrence, file: File) -> Follower:
        """Begin to follow a file that the command writes."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """An ingestor that somebody wrote and that cannot be loaded: told, never raised."""

    name: str
    where: str
    """The file or the section of the configuration."""
    error: str


class Findings:
    """Collects what an ingestor finds; every method returns the builder itself, but :meth:`to_json`.

    A node is ``"activity"``, a path as in ``File.path``, or ``{"key": k}`` of a vertex that was added here.
    """

    def __init__(self) -> None:
        self._activity: dict[str, Any] = {}
        self._lists: dict[str, list[Any]] = {}

    def _add(self, part: str, item: Any) -> Findings:
        self._lists.setdefault(part, []).append(item)
        return self

    def activity(self, **properties: Any) -> Findings:
        """Properties of the activity: ``param_lr=0.1``."""
        self._activity.update(properties)
        return self

    def snapshot(self, path: str, **properties: Any) -> Findings:
        """Properties of a snapshot that the activity used or generated."""
        return self._add("snapshots", {"path": path, "properties": properties})

    def derivation(self, generated: str, used: str, **properties: Any) -> Findings:
        """That a file which the activity generated came from one that it used, and what is to be said of that."""
        return self._add("derivations", {"generated": generated, "used": used, "properties": properties})

    def vertex(self, key: str, labels: Sequence[str], **properties: Any) -> Findings:
        """A further vertex, known here by ``key``; one label is Entity, Activity or Agent."""
        return self._add("vertices", {"key": key, "labels": list(labels), "properties": properties})

    def edge(
        self, type: str, source: str | Mapping[str, str], target: str | Mapping[str, str], **properties: Any
    ) -> Findings:
        """A further PROV relation between two nodes."""
        ends = {"source": _node(source), "target": _node(target)}
        return self._add("edges", {"type": type, **ends, "properties": properties})

    def series(
        self,
        of: str | Mapping[str, str],
        name: str,
        steps: Iterable[int],
        values: Iterable[float],
        times: Iterable[int] | None = None,
    ) -> Findings:
        """Measurements of a node over steps; ``times`` are Unix nanoseconds. Points follow earlier ones."""
        item: dict[str, Any] = {"of": _node(of), "name": name, "steps": list(steps), "values": list(values)}
        if times is not None:
            item["times"] = list(times)
        if len({len(item[column]) for column in item.keys() - {"of", "name"}}) == 1:  # else it is refused as it is
            for known in self._lists.get("series", ()):
                if known.keys() == item.keys() and (known["of"], known["name"]) == (item["of"], name):
                    for column in item.keys() - {"of", "name"}:
                        known[column] += item[column]
                    return self
        return self._add("series", item)

    def record(self, generated: str, row: Any, used: Sequence[Mapping[str, Any]]) -> Findings:
        """From which rows, ``{"path": p, "row": key}``, one row of a generated file came."""
        return self._add("records", {"generated": generated, "row": row, "used": [dict(one) for one in used]})

    def note(self, text: str) -> Findings:
        """What could not be read, for people."""
        return self._add("notes", text)

    def to_json(self) -> dict[str, Any]:
        """The findings as a document."""
        activity = {"activity": dict(self._activity)} if self._activity else {}
        return {"schema": FINDINGS, **activity, **{part: list(items) for part, items in self._lists.items()}}


def findings_document(returned: Any, method: str) -> dict[str, Any] | None:
    """What a method of an ingestor returned, as a document: of a builder, of a dict, or None.

    Parameters:
        method: its name, for the message.

    Raises:
        InputError: it returned something else.
    """
    if returned is None:
        return None
    if isinstance(returned, Mapping):
        return dict(returned)
    if not isinstance(returned, type) and callable(getattr(returned, "to_json", None)):
        return findings_document(dict(returned.to_json()), method)
    raise InputError(
        f"{method} returned {_kind(returned)}; it must return a Findings, a dict like "
        f'{{"schema": "{FINDINGS}", "activity": {{"param_lr": 0.1}}}}, or None where there is nothing to say'
    )


def checked_follower(returned: object) -> Follower:
    """What ``follow`` returned, if it is a follower.

    Raises:
        InputError: it is none.
    """
    if isinstance(returned, Follower) and not isinstance(returned, type):
        return returned
    raise InputError(f"follow returned {_kind(returned)}; it must return an object that has a method feed(data)")


def _kind(value: object) -> str:
    return f"the class {value.__name__} itself" if isinstance(value, type) else f"a {type(value).__name__}"


def _node(node: str | Mapping[str, str]) -> str | dict[str, str]:
    if not isinstance(node, str):
        return dict(node)
    return node if node == "activity" else {"path": node}


def _open(path: str, content: str | None) -> BinaryIO:
    if content is None:
        raise FileNotFoundError(f"nobody has the bytes that {path} had then")
    return open(content, "rb")


def _known(cls: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(cls)}
    return {key: value for key, value in document.items() if key in names}


def _file(document: Mapping[str, Any]) -> File:
    values = _known(File, document)
    if values.get("previous") is not None:
        values["previous"] = Previous(**_known(Previous, values["previous"]))
    return File(**values)
