"""`provgraph.activity`: a part of a program as an activity, with ``with`` or as a decorator."""

from __future__ import annotations

import functools
import inspect

from provgraph.client.recording import Activity, begin
from provgraph.client.values import name_of, plain_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any


class activity:  # noqa: N801 - it is called like a function
    """A part of a program, recorded as an activity of its own.

    ::

        with provgraph.activity("train", params={"lr": 0.1}) as run:
            run.used("data.csv")
            run.log_metric("loss", 0.3, step=1)

        @provgraph.activity("evaluate")
        def evaluate(): ...

    What is opened within belongs to it, whatever library opens it. Within a recorded command, or another activity, it
    is a child of that. An exception is recorded and goes on. Where nothing is recorded (no project, PROVDB_DISABLE) the
    program runs all the same.

    Parameters:
        name: what it is called.
        params: parameters; each is a property ``param_NAME``.
        tags: further properties, under the keys given.
        note: any text.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: a name is empty.
    """

    def __init__(
        self,
        name: str,
        *,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, object] | None = None,
        note: str | None = None,
    ) -> None:
        self._name = name_of(name)
        self._params = plain_mapping("params", params) if params else None
        self._tags = plain_mapping("tags", tags) if tags else None
        self._note = note
        self._open: list[Activity] = []

    def __enter__(self) -> Activity:
        run = begin("run", self._name, params=self._params, tags=self._tags, note=self._note)
        self._open.append(run)
        return run

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.pop().end(error=error)

    async def __aenter__(self) -> Activity:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _anew(self) -> activity:
        return activity(self._name, params=self._params, tags=self._tags, note=self._note)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """As a decorator: each call is an activity."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self._anew():
                    return await function(*args, **kwargs)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self._anew():
                return function(*args, **kwargs)

        return called
