"""The ingestors that come with provgraph, in the order in which they run.

Each stands in a module of its own that ends with ``INGESTOR`` or ``INGESTORS``; a line here adds it. They are imported
where they are needed: a module must not load anything heavy before it is asked to ingest.
"""

from importlib import import_module
from typing import Final

from provgraph.ingestors.port import Ingestor

MODULES: Final[tuple[str, ...]] = (
    "python_commands",
    "installing",
    "downloads",
    "configuration",
    "tables",
    "caffe",
    "training_log",
)
"""Names of modules in ``provgraph.ingestors``."""


def builtin_ingestors() -> list[Ingestor]:
    """All of them. Cost: imports the modules that are not imported yet."""
    found: list[Ingestor] = []
    for name in MODULES:
        module = import_module(f"provgraph.ingestors.{name}")
        several = getattr(module, "INGESTORS", None)
        found += several if several is not None else [module.INGESTOR]
    return found
