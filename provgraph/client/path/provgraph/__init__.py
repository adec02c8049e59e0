"""Found where the folder above is on PYTHONPATH or in a ``.pth``: the client, for a Python that has no ProvGraph.

Where this Python has a ProvGraph of its own, that one is taken, as if this folder were not there.
"""

import os
import sys


def _place() -> "tuple[str, bool]":
    """The folder of the package to load, and whether it is another than the one that this file belongs to."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for entry in sys.path:
        folder = os.path.join(entry or os.getcwd(), "provgraph")
        if os.path.abspath(os.path.dirname(folder)) != here and os.path.isfile(os.path.join(folder, "__init__.py")):
            return folder, True
    return os.path.dirname(os.path.dirname(here)), False


_folder, _is_own = _place()
_CLIENT_ALONE = not _is_own
__path__ = [_folder]
__file__ = os.path.join(_folder, "__init__.py")
if __spec__ is not None:
    __spec__.submodule_search_locations = __path__
    __spec__.origin = __file__
with open(__file__, "rb") as _source:
    exec(compile(_source.read(), __file__, "exec"))  # noqa: S102 - the very package, under its own name
