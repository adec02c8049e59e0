"""Records where the files of a data science project came from, and answers questions about it.

    import provgraph
    project = provgraph.open()                      # the nearest project; provgraph.init(path) makes one
    graph = project.lineage("model.pkl")            # a ProvGraph

Everything is loaded when it is first asked for: this module alone runs on Python 3.9, the rest needs 3.12.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # what a type checker sees; at run time __getattr__ below does it
    from provgraph.errors import ProvGraphError
    from provgraph.graph.provgraph import ProvGraph
    from provgraph.graph.rows import Rows
    from provgraph.queries.comparison import compare
    from provgraph.queries.segmenting import segment
    from provgraph.queries.summarization import summarize
    from provgraph.session.project import Project, init, open

    __version__: str

__all__ = [
    "Project", "ProvGraph", "ProvGraphError", "Rows", "__version__", "compare", "init", "open", "segment", "summarize",
]  # fmt: skip

_PLACES = {
    "ProvGraph": "provgraph.graph.provgraph",
    "ProvGraphError": "provgraph.errors",
    "Project": "provgraph.session.project",
    "Rows": "provgraph.graph.rows",
    "compare": "provgraph.queries.comparison",
    "init": "provgraph.session.project",
    "open": "provgraph.session.project",
    "segment": "provgraph.queries.segmenting",
    "summarize": "provgraph.queries.summarization",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("provgraph")
    if name not in _PLACES:
        raise AttributeError(f"module 'provgraph' has no attribute {name!r}")
    from importlib import import_module
    from sys import version_info

    if version_info < (3, 12):
        raise ImportError(
            f"provgraph.{name} needs Python 3.12 or later; this is {version_info[0]}.{version_info[1]}. "
            "The command `provdb` runs on an interpreter of its own: install it with `uv tool install`"
        )
    import_module("provgraph.session.display")  # a notebook shows graphs as pictures
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted(__all__)
