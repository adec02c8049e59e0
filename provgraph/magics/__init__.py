"""Recording notebooks from within the kernel, and asking from there: ``%load_ext provgraph``.

Runs in the user's own Python (3.9 to 3.14), on the standard library, IPython, and :mod:`provgraph.client`. Questions go
to the ``provdb`` process.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME = "_provgraph_recorder"


def load(shell: Any) -> None:
    """What ``%load_ext provgraph`` does; a second time, nothing."""
    if getattr(shell, _NAME, None) is not None:
        return
    from provgraph.magics.completing import add_matcher
    from provgraph.magics.magic import ProvMagics
    from provgraph.magics.options import transformed
    from provgraph.magics.recorder import Recorder

    recorder = Recorder(shell)
    setattr(shell, _NAME, recorder)
    shell.register_magics(ProvMagics(shell, recorder))
    callbacks = shell.events.callbacks
    shell.events.register("pre_run_cell", recorder.before)
    # First of all, so that what %autoreload reads before a cell is the cell's.
    callbacks["pre_run_cell"].insert(0, callbacks["pre_run_cell"].pop())
    shell.events.register("post_run_cell", recorder.after)
    shell.input_transformers_cleanup.insert(0, transformed)
    add_matcher(shell)


def unload(shell: Any) -> None:
    """What ``%unload_ext provgraph`` does."""
    recorder = getattr(shell, _NAME, None)
    if recorder is None:
        return
    from provgraph.magics.completing import remove_matcher
    from provgraph.magics.options import transformed

    recorder.close()
    for event, callback in (("pre_run_cell", recorder.before), ("post_run_cell", recorder.after)):
        if callback in shell.events.callbacks[event]:
            shell.events.unregister(event, callback)
    if transformed in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(transformed)
    remove_matcher(shell)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("provdb", None)
    setattr(shell, _NAME, None)
