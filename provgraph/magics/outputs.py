"""What a cell puts out, as it passes by: text of the standard streams, displays, the result. Bounded."""

from __future__ import annotations

import os
import sys
from _thread import RLock

from provgraph.client.values import SLACK, shortened, without_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TEXT = 2_000
"""Characters that are kept of the beginning of a stream, and as many of its end."""
SHOWN = 1_000
"""Characters that are kept of the text of a display."""
DISPLAYS = 20
_HELD = TEXT + SLACK
_lock = RLock()
"""What is put out in the middle of this (by a handler of a signal, by a finalizer) is put out by the same thread."""


def _in_child() -> None:
    """After a fork: what another thread held is nobody's now."""
    global _lock  # noqa: PLW0603 - one process has one
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


class Stream:
    """The beginning and the end of a text of any length."""

    def __init__(self) -> None:
        self.size = 0
        self._head = ""
        self._tail = ""

    def add(self, text: str) -> None:
        self.size += len(text)
        room = _HELD - len(self._head)
        if room > 0:
            self._head += text[:room]
            text = text[room:]
        if text:
            self._tail = (self._tail + text[-_HELD:])[-_HELD:]

    def text(self, scrub: Callable[[str], str]) -> str:
        """Without secrets: first they are taken out, then it is cut."""
        if self.size <= len(self._head) + len(self._tail):
            whole = scrub(self._head + self._tail)
            if len(whole) <= 2 * TEXT:
                return whole
            head, tail, size = whole[:TEXT], whole[-TEXT:], len(whole)
        else:
            head, tail, size = without_end(scrub(self._head), _HELD)[:TEXT], _end(scrub(self._tail)), self.size
        return f"{head}\n… {max(0, size - len(head) - len(tail))} characters …\n{tail}"


def _end(done: str) -> str:
    """The same as without_end, for the other end."""
    return without_end(done[::-1], _HELD)[::-1][-TEXT:]


class Outputs:
    """Listens to one shell while a cell runs. What goes by is passed on untouched, whatever happens here."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._streams: dict[str, Stream] = {}
        self._displays: list[dict[str, object]] = []
        self._more = 0
        self._undo: list[Callable[[], None]] = []
        self._listening = False

    def begin(self) -> None:
        """Listen from now on."""
        self._streams, self._displays, self._more = {}, [], 0
        self._listening = True
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name, None)
            if stream is not None:
                self._over(stream, "write", self._writes(name))
        publisher = getattr(self._shell, "display_pub", None)
        if publisher is not None:
            self._over(publisher, "publish", self._publishes)
        hook = getattr(self._shell, "displayhook", None)
        if hook is not None:
            self._over(hook, "write_format_data", self._results)

    def end(self, scrub: Callable[[str], str] = str) -> list[dict[str, object]]:
        """Listen no longer; returns what was put out, without secrets: streams, then displays and the result."""
        self._listening = False
        while self._undo:
            try:
                self._undo.pop()()
            except Exception:  # somebody else's object: it stays as it is, and passes all on
                continue
        with _lock:
            streams, displays, more = list(self._streams.items()), list(self._displays), self._more
        found: list[dict[str, object]] = [
            {"type": "stream", "name": name, "text": stream.text(scrub), "characters": stream.size}
            for name, stream in streams
        ]
        for shown in displays:
            text = shown.get("text")
            found.append({**shown, "text": shortened(text, SHOWN, scrub)} if isinstance(text, str) else shown)
        if more:
            found.append({"type": "more", "displays": more})
        return found

    def _over(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put something in the place of a method of one object, as IPython itself does to keep outputs."""
        try:
            before, own = getattr(owner, name), name in vars(owner)
            mine = make(before)
            setattr(owner, name, mine)
        except Exception:  # an object that does not allow it
            return

        def undo() -> None:
            if vars(owner).get(name) is not mine:
                return  # somebody came after us, and will restore ours: it passes all on
            if own:
                setattr(owner, name, before)
            else:
                delattr(owner, name)

        self._undo.append(undo)

    def _writes(self, name: str) -> Callable[[Any], Any]:
        def make(write: Any) -> Any:
            def passing_on(text: Any, *arguments: Any, **more: Any) -> Any:
                if self._listening and isinstance(text, str):
                    with _lock:
                        self._streams.setdefault(name, Stream()).add(text)
                return write(text, *arguments, **more)

            return passing_on

        return make

    def _publishes(self, publish: Any) -> Any:
        def passing_on(data: Any, *arguments: Any, **more: Any) -> Any:
            self._display("display", data)
            return publish(data, *arguments, **more)

        return passing_on

    def _results(self, write: Any) -> Any:
        def passing_on(data: Any, *arguments: Any, **more: Any) -> Any:
            self._display("result", data)
            return write(data, *arguments, **more)

        return passing_on

    def _display(self, kind: str, data: Any) -> None:
        if not self._listening or not isinstance(data, dict):
            return
        shown: dict[str, object] = {"type": kind, "media_types": sorted(str(name) for name in data)}
        text = data.get("text/plain")
        if isinstance(text, str):
            shown["text"] = text[: SHOWN + SLACK]
            shown["characters"] = len(text)
        with _lock:
            if len(self._displays) < DISPLAYS:
                self._displays.append(shown)
            else:
                self._more += 1
