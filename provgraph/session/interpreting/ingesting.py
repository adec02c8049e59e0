"""The ingestors of a project: where they come from, trying one out, applying new ones to old activities."""

import hashlib
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provgraph.ingestors.builtin import builtin_ingestors
from provgraph.ingestors.patterns import command_pattern
from provgraph.ingestors.port import Ingestor, Match, Moment, Occurrence, Unusable
from provgraph.stores import files

if TYPE_CHECKING:
    from provgraph.session.interpreting.replaying import Replayed
    from provgraph.session.opened import Opened
    from provgraph.stores import EmbeddedStore
    from provgraph.stores.config import Config

BUILT_IN: Final = "built in"
INSTALLED: Final = "installed packages"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Ingestors in the order in which they run, each name once; where each comes from; and what could not be loaded."""

    ingestors: list[Ingestor] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    failures: list[Unusable] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Described:
    """What is to be known of an ingestor to see whether it fires, without running any of its code."""

    name: str
    version: str
    moment: Moment
    match: Match
    description: str
    source: str

    def explain(self, occurrence: Occurrence) -> str:
        """Why it fires; "" where it does not."""
        return self.match.explain(occurrence)

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        match = {name: getattr(self.match, name) for name in Match.__slots__}
        return {**{name: getattr(self, name) for name in self.__slots__}, "match": match}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Described":
        """The other way.

        Raises:
            LookupError, TypeError, ValueError: it is none.
        """
        lists = {name: tuple(document["match"][name]) for name in ("files", "media_types")}
        match = Match(**{**document["match"], **lists})
        found = cls(**{**document, "moment": Moment(document["moment"]), "match": match})
        _must_be_texts(found.name, found.version, found.description, found.source, *_patterns(match))
        return found


def ingestors_of(store: "EmbeddedStore") -> list[Ingestor]:
    """All ingestors that may run in a project, in the order in which they do. Runs the code that brings them.

    What other packages offer, and what lies in the project itself, is there only where the store is trusted.
    """
    return load(str(store.root), store.config, trusted=store.trusted).ingestors


def load(
    root: str,
    config: "Config",
    *,
    trusted: bool,
    without: Collection[str] = (),
    loading: Callable[[str], None] = lambda _place: None,
) -> Loaded:
    """The same, with what could not be loaded.

    Of several with one name the project's own goes before that of a package, and that before the built-in one.

    Parameters:
        without: what is passed over, of ``places_with_code``.
        loading: is told each of them before its code runs, and "" at the end.
    """
    from provgraph.ingestors.loading import load_project

    project = load_project(root, config, trusted, without=without, loading=loading)
    found: list[tuple[Any, str]] = [(one, BUILT_IN) for one in builtin_ingestors()]
    if trusted and INSTALLED not in without:
        loading(INSTALLED)
        found += _installed()
        loading("")
    found += [(one, project.where.get(one.name, root)) for one in project.ingestors]
    loaded = Loaded(failures=list(project.unusable))
    chosen: dict[str, Ingestor] = {}
    for one, source in found:
        unusable = one if isinstance(one, Unusable) else _unusable(one, source)
        if unusable is not None:
            loaded.failures.append(unusable)
        elif one.name not in config.disabled_ingestors:
            chosen[one.name] = one
            loaded.sources[one.name] = source
    loaded.ingestors.extend(chosen.values())
    return loaded


def places_with_code(root: str) -> list[str]:
    """What runs when the ingestors of a trusted project are loaded: Python files, and installed packages as one."""
    from provgraph.ingestors.loading import python_files

    return [*python_files(root), INSTALLED]


def _installed() -> Iterator[tuple[Any, str]]:
    """What other packages offer by entry points."""
    from provgraph.plugins import Plugins

    plugins = Plugins(installed=True)
    for name, ingestor in plugins.ingestors():
        yield ingestor, f"entry point {name}"
    for failure in plugins.failures:
        yield Unusable(failure.plugin, f"entry point {failure.plugin}", failure.error), ""


def _unusable(ingestor: Any, source: str) -> Unusable | None:
    """What is wrong with an object that should be an ingestor; None where nothing is."""
    name = str(getattr(ingestor, "name", type(ingestor).__name__))
    try:
        described = describe(ingestor, source)
        for pattern in (described.match.utility, described.match.command):
            command_pattern(pattern)
    except Exception as error:  # noqa: BLE001 - other people's code
        return Unusable(name, source, f"{type(error).__name__}: {error}")
    if not callable(getattr(ingestor, "ingest", None)):
        return Unusable(name, source, "it has no method ingest(occurrence)")
    return None


def describe(ingestor: Any, source: str) -> Described:
    """What is to be known of an ingestor.

    Raises:
        Exception: it is none.
    """
    if not isinstance(ingestor.match, Match):
        raise TypeError(f"its match is a {type(ingestor.match).__name__}, not a provgraph.ingestors.port.Match")
    _must_be_texts(*_patterns(ingestor.match))
    name = str(ingestor.name)
    if not name or name != name.strip() or ":" in name:
        raise ValueError(f"its name {name!r} is none; take lower-case letters, digits and dashes")
    return Described(
        name, str(ingestor.version), Moment(ingestor.moment), ingestor.match, str(ingestor.description), source
    )


def _patterns(match: Match) -> tuple[Any, ...]:
    return match.utility, match.command, match.direction, *match.files, *match.media_types


def _must_be_texts(*values: Any) -> None:
    """Only texts go from process to process unchanged.

    Raises:
        TypeError: one is none.
    """
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is no text")


# -- whether code is needed to know them


def code_key(root: str) -> str:
    """Changes with whatever could bring other ingestors: the project's files, installed packages, this program."""
    import provgraph
    from provgraph.plugins import offered
    from provgraph.stores.trust import code_digest

    installed = [f"{one.name}={one.value} {one.dist.version if one.dist else ''}" for one in offered()]
    parts = (code_digest(files.store_folder(root)), *sorted(installed), provgraph.__version__, sys.version)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def has_code(root: str) -> bool:
    """Whether code of others tells which ingestors a trusted project has: files of its own, installed packages."""
    from provgraph.ingestors.loading import project_files
    from provgraph.plugins import offered

    return bool(project_files(root)) or bool(offered())


def left_alone(store: "EmbeddedStore") -> tuple[str, ...]:
    """What a project has of its own and is not used, for its store is not trusted as it is now; from its root."""
    from provgraph.ingestors.loading import CONFIGURATION, FOLDER, project_files
    from provgraph.stores.config import read_config

    if store.trusted:
        return ()
    found = [f"{FOLDER}/{path.name}" for path in project_files(str(store.root))]
    if read_config(files.store_folder(store.root) / files.CONFIG).ingestor_rules:
        found.append(CONFIGURATION)
    return tuple(found)


def left_alone_note(store: "EmbeddedStore") -> list[str]:
    """The note that says so; none where there is nothing to say."""
    found = left_alone(store)
    if not found:
        return []
    listed = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    next_step = f"look at them, then type `provdb trust {store.root}`"
    return [
        f"the project's own ingestors are not used ({listed}), for the store is not trusted as it is now: {next_step}"
    ]


def replay(project: "Opened", names: Sequence[str] = (), references: Sequence[str] = (), **more: Any) -> "Replayed":
    """Apply ingestors to activities of the past, as :func:`provgraph.session.interpreting.replaying.replay`."""
    from provgraph.session.interpreting.replaying import replay as apply

    return apply(project, names, references, **more)


__all__ = [
    "BUILT_IN", "INSTALLED", "Described", "Loaded", "code_key", "describe", "has_code", "ingestors_of", "left_alone",
    "left_alone_note", "load", "places_with_code", "replay",
]  # fmt: skip
