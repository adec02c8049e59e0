"""A project's ingestors, as people ask for them: listing, showing, trying out, making new ones, applying them anew."""

import base64
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import InputError, QuestionError, TrustError
from provgraph.graph.naming import display_name
from provgraph.ingestors.loading import CONFIGURATION, FOLDER, TESTS, project_files
from provgraph.ingestors.port import Moment, Occurrence, Unusable
from provgraph.model.ingestor_rules import NAME
from provgraph.session.interpreting import trial
from provgraph.session.interpreting.catalogue import Catalogue
from provgraph.session.interpreting.ingesting import BUILT_IN, Described, left_alone
from provgraph.session.interpreting.process import IngestorProcess
from provgraph.session.interpreting.skeletons import SKELETONS, files_of, rule
from provgraph.session.interpreting.skeletons import test_of as skeleton_test
from provgraph.session.interpreting.trial import Trial
from provgraph.stores import files, trust
from provgraph.stores.config import parse_config, read_config

if TYPE_CHECKING:
    from provgraph.session.interpreting.replaying import Replayed
    from provgraph.session.opened import Opened

LANGUAGES: Final = tuple(SKELETONS)
_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Row:
    """An ingestor, and whether it fires for the command that was asked about.

    ``fires`` is None where no command was named, or where it hangs on files that nobody knows yet; ``why`` says it.
    """

    described: Described
    fires: bool | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The shape of one in ``provgraph/ingestors/1``."""
        return {**self.described.to_json(), "fires": self.fires, "why": self.why}


@dataclass(frozen=True, slots=True)
class Listing:
    """All ingestors, those that cannot be loaded, and files that are left alone because the store is not trusted."""

    rows: tuple[Row, ...]
    unusable: tuple[Unusable, ...]
    untrusted: tuple[str, ...]
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/ingestors/1``."""
        return {
            "schema": "provgraph/ingestors/1",
            "command": self.command or None,
            "ingestors": [row.to_json() for row in self.rows],
            "unusable": [{"name": one.name, "where": one.where, "error": one.error} for one in self.unusable],
            "untrusted": list(self.untrusted),
        }


@dataclass(frozen=True, slots=True)
class Created:
    """What ``new`` wrote, from the project's root; the test is the last.

    Attributes:
        trusted: whether it will run. replaces: whether it takes the place of a built-in one of that name.
    """

    name: str
    language: str
    files: tuple[str, ...]
    trusted: bool
    replaces: bool = False

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/ingestor-created/1``."""
        named = {key: getattr(self, key) for key in ("name", "language", "trusted", "replaces")}
        return {"schema": "provgraph/ingestor-created/1", **named, "files": list(self.files)}


class Ingestors:
    """The ingestors of a project.

    Parameters:
        project: the project.
    """

    def __init__(self, project: "Opened") -> None:
        self._project = project

    def __repr__(self) -> str:
        return f"<Ingestors of {self._project.root}>"

    def list(
        self,
        command: Sequence[str] = (),
        *,
        used: Iterable[str] = (),
        generated: Iterable[str] = (),
        of: str | None = None,
    ) -> Listing:
        """All ingestors, in the order in which they run; for a command, whether each fires, and why.

        Parameters:
            command: its words.
            used, generated: files of the command; without any, those that its words name and that are there.
            of: a reference to a command that was recorded, in the place of one in words.

        Raises:
            QuestionError: ``of`` names no activity, or a file is not there.
        """
        with self._catalogue() as catalogue:
            described, unusable = catalogue.described(), tuple(catalogue.failures)
        occurrence = None if of is None else self._recorded(of)
        if occurrence is None and command:
            occurrence = trial.imagine(self._project.disk, command, used, generated)
        rows = tuple(_row(one, occurrence, all_known=of is not None) for one in described)
        line = "" if occurrence is None else occurrence.activity.command
        return Listing(rows, unusable, left_alone(self._project.store()), line)

    def show(self, name: str) -> Row:
        """One ingestor.

        Raises:
            QuestionError: there is none of that name, or it cannot be loaded.
        """
        with self._catalogue() as catalogue:
            return Row(self._find(name, catalogue))

    def test(
        self,
        ingestor: str,
        command: Sequence[str] = (),
        *,
        used: Iterable[str] = (),
        generated: Iterable[str] = (),
        say: int | None = None,
    ) -> Trial:
        """Run an ingestor on a command and files on the disk, or without a command on its own test. Records nothing.

        Parameters:
            ingestor: its name, or a file that holds it: that runs, whether the project is trusted or not.
            command: the words of the command.
            used, generated: as for ``list``.
            say: a descriptor that what the ingestor prints beside its findings goes to.

        Raises:
            QuestionError: there is no such ingestor, file or test.
        """
        path = self._project.disk.absolute(ingestor) if "/" in ingestor or "." in ingestor else ""
        if path and not os.path.isfile(path):
            raise QuestionError(f"there is no file {ingestor}; `provdb ingestors list` names those that are there")
        with self._catalogue(say) as catalogue:
            process = catalogue.process
            if not path:
                found = [self._find(ingestor, catalogue)]
            else:
                try:
                    listed = _must(process, {"do": "list", "file": path})["ingestors"]
                except InputError as error:
                    return Trial(os.path.basename(path).partition(".")[0], ingestor, error=str(error))
                found = [Described.from_json(one) for one in listed]
            if not command:
                return self._own_test(process, found[0], path)
            occurrence = trial.imagine(self._project.disk, command, used, generated)
            tried = [_try(process, one, occurrence, path) for one in found]
            return next((one for one in tried if one.why), tried[0])

    def new(self, name: str, language: str = "python") -> Created:
        """Write an ingestor that works, and its test; trust is renewed where there was trust.

        Parameters:
            language: one of ``LANGUAGES``.

        Raises:
            QuestionError: a name that is none, or taken; a language that is not known.
        """
        if not NAME.fullmatch(name):
            raise QuestionError(f"{name!r} names no ingestor: small letters, digits, - and _, beginning with a letter")
        if language not in SKELETONS:
            raise QuestionError(f"there is no skeleton in {language}; there are {', '.join(LANGUAGES)}")
        same = next((row.described for row in self.list().rows if row.described.name == name), None)
        if same is not None and same.source != BUILT_IN:
            raise QuestionError(f"{name} is there already, in {same.source}; choose another name")
        root = self._project.root
        trusted = trust.runs_code(root)
        folder, test = Path(root, FOLDER), Path(root, FOLDER, TESTS, f"{name}.toml")
        written = {folder / file: text for file, text in files_of(language, name).items()} | {test: skeleton_test(name)}
        for path in written:
            if path.exists():
                raise QuestionError(f"{path} is there already; remove it, or choose another name")
        if language == "rule":
            self._add_rule(name)
        for path, text in written.items():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            is_program = SKELETONS[language].is_program and path.parent == folder and path.suffix != ".toml"
            files.write_atomically(path, text.encode(), 0o700 if is_program else 0o600)
        files.give_to_owner(files.store_folder(root))
        if trusted:
            trust.trust(root)
        self._project.close()
        shown = [*([CONFIGURATION] if language == "rule" else []), *(str(path.relative_to(root)) for path in written)]
        return Created(name, language, tuple(shown), trusted, same is not None)

    def replay(
        self,
        names: Sequence[str] = (),
        references: Sequence[str] = (),
        *,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> "Replayed":
        """Apply new and changed ingestors to commands of the past; the same version is not run again.

        Parameters:
            names: of ingestors; without any, all. references: of activities; without any, all of this disk.
            progress: is told how many activities of how many are done.

        Raises:
            QuestionError: there is no such ingestor, or a reference names no activity.
        """
        from provgraph.session.interpreting.replaying import replay

        return replay(self._project, names, references, progress=progress)

    def _add_rule(self, name: str) -> None:
        path = files.store_folder(self._project.root) / files.CONFIG
        text = path.read_text("utf-8") if path.exists() else ""
        new = f"{text.rstrip()}\n\n{rule(name)}".lstrip("\n")
        if re.search(r"(?m)^\s*rule\s*=", text):  # else two ways of saying the same, which is no TOML
            raise QuestionError(
                f"{path} has its rules as `rule = […]`; write them as sections [[ingestors.rule]] first"
            )
        parse_config(_toml(new, path), str(path))
        files.write_atomically(path, new.encode())

    # -- how they are reached

    def _recorded(self, reference: str) -> Occurrence:
        """A command as it was recorded."""
        from provgraph.ingest.places import Places
        from provgraph.queries.references import resolve_one
        from provgraph.session.interpreting.occurring import Recollection

        project = self._project
        project.settle_pending()
        store = project.store()
        vertex, notes = resolve_one(store.reader, reference, project.places())
        project.notes += notes
        recollection = Recollection(store, Places(project.root, "", store.namespace, lambda _path: "project"))
        recorded = recollection.recorded(vertex.uid)
        if recorded is None:
            raise QuestionError(f"{display_name(vertex)} is no activity; ingestors are for commands, like %1")
        return recollection.given(recorded, Moment.AFTER).occurrence

    @contextmanager
    def _catalogue(self, say: int | None = None) -> Iterator[Catalogue]:
        catalogue = Catalogue(self._project.store(), say=say, anew=True)
        try:
            yield catalogue
        finally:
            catalogue.process.close()

    def _find(self, name: str, catalogue: Catalogue) -> Described:
        for one in catalogue.described():
            if one.name == name:
                return one
        for broken in catalogue.failures:
            if broken.name == name:
                raise QuestionError(f"{name} cannot be loaded from {broken.where}: {broken.error}")
        root = self._project.root
        if not self._project.store().trusted:
            rules = read_config(files.store_folder(root) / files.CONFIG).ingestor_rules
            there = [f"{FOLDER}/{path.name}" for path in project_files(root) if path.name.partition(".")[0] == name]
            there += [CONFIGURATION] if any(rule.name == name for rule in rules) else []
            for place in there[:1]:
                raise TrustError(
                    f"{name} of {place} does not run, for the store is not trusted as it is now: look at it, then type "
                    f"`provdb trust {root}`"
                )
        raise QuestionError(f"there is no ingestor {name!r}; `provdb ingestors list` shows those that are there")

    def _own_test(self, process: IngestorProcess, described: Described, path: str) -> Trial:
        """Run the test that lies beside an ingestor."""
        beside = Path(path).parent if path else Path(self._project.root, FOLDER)
        place = beside / TESTS / f"{described.name}.toml"
        if not place.is_file():
            raise QuestionError(
                f"{described.name} has no test {place}; name a command to try it on, as in "
                f"`provdb ingestors test {described.name} python train.py`"
            )
        test = trial.read_test(place)
        with trial.folder_for_test() as made:
            occurrence = trial.lay_out(test, place.parent, os.path.realpath(made))
            tried = _try(process, described, occurrence, path)
        if tried.error:
            return replace(tried, differences=())
        if bool(tried.why) != test.fires:
            what = "it fires, and should not" if tried.why else "it does not fire, and should"
            return replace(tried, differences=(what,))
        return replace(tried, differences=tuple(trial.differences(dict(test.expected), tried.findings or {})))


def _must(process: IngestorProcess, request: dict[str, Any]) -> dict[str, Any]:
    """What the process answers.

    Raises:
        InputError: it is an error.
    """
    process.ask(request)
    answer = process.wait()
    if answer.error:
        raise InputError(answer.error)
    return answer.value


def _try(process: IngestorProcess, described: Described, occurrence: Occurrence, path: str) -> Trial:
    """Run one ingestor on an occurrence, in the process where it may do no harm."""
    occurrence = replace(occurrence, moment=described.moment)
    where, why = described.source, described.explain(occurrence)
    if not why:
        return Trial(described.name, where)
    request = {"name": described.name, "file": path, "held": []}
    try:
        if described.moment is Moment.DURING:
            findings = _followed(process, request, described, occurrence)
        else:
            findings = _must(process, {**request, "do": "run", "occurrence": occurrence.to_json()})["findings"]
    except InputError as failed:
        return Trial(described.name, where, why, error=str(failed))
    error = "" if findings is None else trial.refused(findings, occurrence)
    return Trial(described.name, where, why, findings, error)


def _followed(
    process: IngestorProcess, request: dict[str, Any], described: Described, occurrence: Occurrence
) -> dict[str, Any] | None:
    """What one finds that follows files while the command runs: each file is fed to it in pieces."""
    found: dict[str, Any] = {}
    for number, file in enumerate(occurrence.matching(described.match)):
        one = replace(occurrence, generated=(file,)).to_json()
        _must(process, {**request, "do": "follow", "id": number, "occurrence": one})
        with file.open() as stream:
            pieces = [*iter(lambda stream=stream: stream.read(_PIECE), b""), b""]  # type: ignore[misc]
        for piece in pieces:
            data = base64.b64encode(piece).decode()
            for part, value in (_must(process, {"do": "feed", "id": number, "data": data})["findings"] or {}).items():
                if isinstance(value, list):
                    _extend(found.setdefault(part, []), value)
                else:
                    found[part] = {**found.get(part, {}), **value} if isinstance(value, dict) else value
    return found or None


def _extend(rows: list[Any], more: list[Any]) -> None:
    """Add what came later; points of a series that is there follow those before them."""
    for one in more:
        points = {"steps", "values"} <= one.keys() if isinstance(one, dict) else False
        key = [one.get("of"), one.get("name"), sorted(one)] if points else None
        for known in rows if points else ():
            if isinstance(known, dict) and [known.get("of"), known.get("name"), sorted(known)] == key:
                for column in one.keys() - {"of", "name"}:
                    known[column] = [*known[column], *one[column]]
                break
        else:
            rows.append(one)


def _row(described: Described, occurrence: Occurrence | None, *, all_known: bool) -> Row:
    """Whether one fires for a command.

    Parameters:
        all_known: whether all files of the command are known, as of one that was recorded.
    """
    if occurrence is None:
        return Row(described)
    occurrence = replace(occurrence, moment=described.moment)
    why, match = described.explain(occurrence), described.match
    if why:
        return Row(described, fires=True, why=why)
    command = replace(match, files=(), media_types=())
    fitting = command.explain(occurrence) if match.files or match.media_types else ""
    if not fitting:
        return Row(described, fires=False, why="the command does not fit")
    wanted = " ".join((*match.files, *match.media_types))
    if all_known:
        did = {"used": "read", "generated": "wrote", "both": "read or wrote"}[match.direction]
        return Row(described, fires=False, why=f"the command {did} no {wanted}")
    does = {"used": "reads", "generated": "writes", "both": "reads or writes"}[match.direction]
    but = f"{fitting}, and " if match.utility or match.command else ""
    return Row(described, fires=None, why=f"{but}it fires where the command {does} {wanted}")


def _toml(text: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no TOML: {error}") from error


__all__ = ["LANGUAGES", "Created", "Ingestors", "Listing", "Row", "Trial"]
