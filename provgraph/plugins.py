"""Plug-ins: one hook with a signature, found by entry points, loaded late, harmless when it breaks.

A package offers a plug-in by an entry point of the group ``provgraph`` that names a module or object with functions
marked by :data:`hookimpl`. What it finds becomes properties of the activity, and more where it brings ingestors; where
it fails, the activity says so and nothing else changes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pluggy

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "provgraph"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

_SECTION = re.compile(rb"^\s*\[\s*provgraph\s*\]", re.MULTILINE)
_SCALARS = (str, int, float, bool, type(None))


class IngestorHooks:
    """What a plug-in may implement."""

    @hookspec
    def provgraph_annotate(self, argv: Sequence[str], cwd: str) -> Mapping[str, Any] | None:
        """Properties that a command's own words tell, or None where the plug-in does not know the command.

        Parameters:
            argv: the command and its arguments, without secrets.
            cwd: the absolute path of the folder that it ran in.

        Returns:
            Names and values: strings, numbers, booleans, or lists of one of these.
        """

    @hookspec
    def provgraph_ingestors(self) -> Iterable[object] | None:
        """Ingestors that the plug-in brings: objects as in ``provgraph.ingestors.port.Ingestor``.

        They are asked in a process of their own, and only for the commands that their match fits.
        """


class Finding(NamedTuple):
    """What one plug-in said of one command. Either ``properties`` or ``error`` is empty."""

    plugin: str
    properties: dict[str, Any]
    error: str


class Plugins:
    """The plug-ins in use.

    Parameters:
        builtin: plug-ins that come with provgraph, asked first, in this order.
        installed: whether to load those that other packages offer. They run code: the caller has made sure that the
            store is trusted.
    """

    def __init__(self, builtin: Iterable[object] = (), *, installed: bool = False) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(IngestorHooks)
        self.failures: list[Finding] = []
        self._names: list[str] = []
        for plugin in builtin:
            self._register(plugin, getattr(plugin, "__name__", type(plugin).__name__))
        if installed:
            self._load_installed()

    def _register(self, plugin: object, name: str) -> None:
        try:
            self._manager.register(plugin, name)
        except Exception as error:  # noqa: BLE001 - other people's code
            self.failures.append(Finding(name, {}, _said(error)))
        else:
            self._names.append(name)

    def _load_installed(self) -> None:
        for entry in offered():
            try:
                plugin = entry.load()
            except Exception as error:  # noqa: BLE001
                self.failures.append(Finding(entry.name, {}, _said(error)))
            else:
                self._register(plugin, entry.name)

    def ingestors(self) -> list[tuple[str, object]]:
        """(plug-in, ingestor) for every ingestor that the plug-ins bring; one that fails is among ``failures``."""
        found: list[tuple[str, object]] = []
        for name, hook in self._each("provgraph_ingestors"):
            try:
                found += [(name, ingestor) for result in hook() for ingestor in result]
            except Exception as error:  # noqa: BLE001
                self.failures.append(Finding(name, {}, _said(error)))
        return found

    def _each(self, hook: str) -> Iterator[tuple[str, Callable[..., list[Any]]]]:
        """Every plug-in by name, and what calls one hook of it alone."""
        for name in self._names:
            others = [self._manager.get_plugin(other) for other in self._names if other != name]
            yield name, self._manager.subset_hook_caller(hook, others)

    def annotate(self, argv: Sequence[str], cwd: str) -> list[Finding]:
        """What the plug-ins say of a command, one finding for each that knew it or failed; in order of registration."""
        findings = []
        for name, hook in self._each("provgraph_annotate"):
            try:
                results = hook(argv=list(argv), cwd=cwd)
                findings += [Finding(name, _checked(result), "") for result in results]
            except Exception as error:  # noqa: BLE001
                findings.append(Finding(name, {}, _said(error)))
        return findings


def offered() -> list[EntryPoint]:
    """The entry points of our group in the packages that are installed as folders, sorted.

    Cost: 5 ms among 200 packages; where none has any, as nearly everywhere, no metadata is parsed (60 ms).
    """
    if not any(map(_offers, sys.path)):
        return []
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def _offers(folder: str) -> bool:
    """Whether a package in a folder has such an entry point."""
    try:
        names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return False
    for name in names:
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                if _SECTION.search(file.read()):
                    return True
        except OSError:
            continue
    return False


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip()


def _checked(result: object) -> dict[str, Any]:
    """The result, if it has the shape that the hook's signature promises.

    Raises:
        TypeError: it has not.
    """
    if not isinstance(result, Mapping):
        raise TypeError(f"provgraph_annotate returned {type(result).__name__}, not a mapping")
    for key, value in result.items():
        items = value if isinstance(value, (list, tuple)) else [value]
        if not isinstance(key, str) or not all(isinstance(item, _SCALARS) for item in items):
            raise TypeError(f"provgraph_annotate returned {key!r}: {value!r}, which is no property")
    return {key: list(value) if isinstance(value, tuple) else value for key, value in result.items()}
