"""Records where the files of a data science project came from, and answers questions about it.

    import provgraph
    project = provgraph.open()                      # the nearest project; provgraph.init(path) makes one
    graph = project.lineage("model.pkl")            # a ProvGraph

    with provgraph.activity("train", params={"lr": 0.1}) as run:      # a part of a program, from Python 3.9 on
        run.log_metric("loss", 0.3, step=1)

Everything is loaded when it is first asked for: this module and the client run on Python 3.9, the rest needs 3.12.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # what a type checker sees; at run time __getattr__ below does it
    from provgraph.client.context import activity
    from provgraph.errors import ProvGraphError
    from provgraph.graph.provgraph import ProvGraph
    from provgraph.graph.rows import Rows
    from provgraph.queries.comparison import compare
    from provgraph.queries.segmenting import segment
    from provgraph.queries.summarization import summarize
    from provgraph.session.project import Project, init, open

    __version__: str

__all__ = [
    "Project", "ProvGraph", "ProvGraphError", "Rows", "__version__", "activity", "compare", "init", "open", "segment",
    "summarize",
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


_CLIENT = {"activity": "provgraph.client.context"}
"""What runs in users' own interpreters."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("provgraph")
    from importlib import import_module
    from sys import version_info

    if name in _CLIENT:
        value = getattr(import_module(_CLIENT[name]), name)
        globals()[name] = value
        return value
    if name not in _PLACES:
        raise AttributeError(f"module 'provgraph' has no attribute {name!r}")
    if globals().get("_CLIENT_ALONE"):
        raise ImportError(
            f"provgraph.{name} needs the whole program, and this Python has its client alone: ask with `provdb`, "
            "or install provgraph here"
        )
    if version_info < (3, 12):
        raise ImportError(
            f"provgraph.{name} needs Python 3.12 or later; this is {version_info[0]}.{version_info[1]}. "
            "The command `provdb` runs on an interpreter of its own: install it with `uv tool install`"
        )
    import_module("provgraph.session.display")  # a notebook shows graphs as pictures
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: object) -> None:
    """``%load_ext provgraph``: the magics of notebooks."""
    from provgraph.magics import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """``%unload_ext provgraph``."""
    from provgraph.magics import unload

    unload(shell)


def __dir__() -> "list[str]":
    return sorted(__all__)
