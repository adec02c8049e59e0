"""Plug-ins: one hook with a signature, found by entry points, loaded late, harmless when it breaks.

A package offers a plug-in by an entry point of the group ``provgraph`` that names a module or object with functions
marked by :data:`hookimpl`. What it finds becomes properties of the activity; where it fails, the activity says so and
nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pluggy

GROUP = "provgraph"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

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
        from importlib.metadata import entry_points

        for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
            try:
                plugin = entry.load()
            except Exception as error:  # noqa: BLE001
                self.failures.append(Finding(entry.name, {}, _said(error)))
            else:
                self._register(plugin, entry.name)

    def annotate(self, argv: Sequence[str], cwd: str) -> list[Finding]:
        """What the plug-ins say of a command, one finding for each that knew it or failed; in order of registration."""
        findings = []
        for name in self._names:
            plugin = self._manager.get_plugin(name)
            others = [self._manager.get_plugin(other) for other in self._names if other != name]
            hook = self._manager.subset_hook_caller("provgraph_annotate", others)
            try:
                results = hook(argv=list(argv), cwd=cwd) if plugin is not None else []
                findings += [Finding(name, _checked(result), "") for result in results]
            except Exception as error:  # noqa: BLE001
                findings.append(Finding(name, {}, _said(error)))
        return findings


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
