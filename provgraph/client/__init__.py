"""Recording from within: what runs inside a user's own Python (3.9 to 3.14), with the standard library alone.

Nothing here prints, and nothing raises but for wrong arguments. Nothing else of ProvGraph is imported.

For users, `provgraph.activity` is :class:`provgraph.client.context.activity`. For what else records from within (the
magics of notebooks), an activity is begun and ended by hand::

    run = begin("cell", name="cell 3", about={"source": …}, process=True)
    run.operation("u", "frame")                    # ["u", t, "frame"] in a record `progress`
    run.operation("b", "model", {"type": "SVC"})
    run.say(properties={…}, params={…}, metrics={"loss": 0.3}, tags={…}, note="…", used=[…], generated=[…])
    run.end(error=exception_or_None)               # status: 0, or 1 where there is an error

`begin(kind, name=None, about=None, *, params=None, tags=None, note=None, process=False, audit=True, durable=True,
root=None)`
    always returns an :class:`~provgraph.client.recording.Activity`. Where nothing may be recorded (no project,
    PROVDB_DISABLE, somebody else's store, a full disk) its `recorded` is False and its methods do nothing.

    - `process`: it is the activity of all of this process that has none of its own, not only of the calling context
      (a thread or an asyncio task): what a cell is.
    - `audit`: whether Python's audit hook records which files are opened, where no supervisor watches. It may be
      switched while it runs: `run.audit = False`.
    - `durable`: whether its beginning and its end wait for the disk (some milliseconds); cells do not.
    - The parent is :func:`current` before the call, else the recorded command that this process is part of.

`Activity`
    `uid`, `root`, `recorded`, `capture` ("seccomp" where a supervisor watches this process, else "audit"), `ended`;
    `say`, `operation`, `end`; what users have: `used`, `generated`, `log_metric`, `log_metrics`, `log_param`,
    `log_params`, `tag`, `note`. All may be called from every thread, and from forked children.

`current()`: the innermost open activity of the calling context, or None.
`project_root()`: the root of the project that would be recorded into now, or None; `why_not()`: one line that says why.
`scrubbed(text)`: a text without secrets, by the rules of that project. `about`, names, notes and errors are scrubbed by
`begin`, `say` and `end` themselves.

In a forked child an activity goes on: what the child does belongs to it, and only the process that began it ends it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from provgraph.client.context import activity
    from provgraph.client.recording import Activity, begin, current, project_root, scrubbed, why_not

__all__ = ["Activity", "activity", "begin", "current", "project_root", "scrubbed", "why_not"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'provgraph.client' has no attribute {name!r}")
    from importlib import import_module

    place = "provgraph.client.context" if name == "activity" else "provgraph.client.recording"
    value = getattr(import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted(__all__)
