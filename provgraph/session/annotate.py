"""The ingestors' view of a command line, as the ingester needs it."""

from collections.abc import Mapping, Sequence
from typing import Any

from provgraph.ingestors import posix
from provgraph.plugins import Plugins


class Annotator:
    """Asks the plug-ins, and says on the activity which of them failed.

    Parameters:
        trusted: whether plug-ins that other packages offer may run for this project.
    """

    def __init__(self, *, trusted: bool) -> None:
        self._plugins = Plugins([posix], installed=trusted)

    def __call__(self, argv: Sequence[str], cwd: str) -> Mapping[str, Any]:
        """Properties of an activity: utility, options, operands, script. Never raises."""
        properties: dict[str, Any] = {}
        failed = []
        for finding in self._plugins.annotate(argv, cwd):
            properties.update(finding.properties)
            if finding.error:
                failed.append(f"{finding.plugin}: {finding.error}")
        if failed:
            properties["ingestors_failed"] = failed
        return properties
