"""The magics themselves: ``%provdb`` and ``%%provdb``."""

from __future__ import annotations

import keyword

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from provgraph.client import project_root, why_not
from provgraph.magics.answers import Answer
from provgraph.magics.asking import Asker, AskingError
from provgraph.magics.options import CELL_USAGE, WrongWordsError, parse, words_of
from provgraph.magics.questions import INTO, OWN, QUESTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from provgraph.magics.recorder import Recorder

_ON_USAGE = "%provdb on [--tag KEY=VALUE] [--notebook FILE] records every cell from the next one on"


@magics_class
class ProvMagics(Magics):  # type: ignore[misc, unused-ignore]
    """``%provdb`` and ``%%provdb`` of one shell."""

    def __init__(self, shell: Any, recorder: Recorder) -> None:
        super().__init__(shell)
        self._ip = shell
        self.recorder = recorder
        self._asker: Asker | None = None

    @line_cell_magic  # type: ignore[untyped-decorator, unused-ignore]
    def provdb(self, line: str, cell: str | None = None) -> Any:
        """Record cells, and ask where things came from.

        ::

            %provdb on | off | status       record every cell from the next one on; no longer; how it stands
            %%provdb [--name NAME] [--tag KEY=VALUE] [--note TEXT]
                                            record this cell
            %provdb lineage model.pkl       ask: any question of provdb's (segment, compare, log, order, …)
            %%provdb cypher                 the cell is a Cypher query

        The answer shows itself, and lands in the variable ``_provdb``, or in NAME with ``--into NAME``.
        """
        try:
            if cell is not None:
                return self._cell(words_of(line), cell)
            return self._line(words_of(line))
        except (WrongWordsError, AskingError) as error:
            raise UsageError(str(error)) from None

    def _cell(self, words: list[str], cell: str) -> Any:
        if words[:1] == ["cypher"]:
            return self._ask(["cypher", cell, *words[1:]])
        parse(words, CELL_USAGE)
        # Where the transformer of the extension did not take the line away: a cell that another magic runs.
        return self._ip.run_cell(cell, store_history=False).result

    def _line(self, words: list[str]) -> Any:
        what = words[0] if words else "status"
        if what == "on":
            return self._on(words[1:])
        if what == "off":
            self._alone(words)
            self.recorder.on = False
            return None
        if what == "status":
            self._alone(words)
            self._status()
            return None
        if what not in QUESTIONS:
            near = ", ".join((*OWN, *QUESTIONS))
            raise WrongWordsError(f"{what!r} is none of {near}; `!provdb {what} …` runs a program")
        return self._ask(words)

    def _alone(self, words: list[str]) -> None:
        if len(words) > 1:
            raise WrongWordsError(f"%provdb {words[0]} takes no more words, not {' '.join(words[1:])!r}")

    def _on(self, words: list[str]) -> None:
        options = parse(words, _ON_USAGE, notebook=True)
        reason = why_not()
        if reason is not None:
            raise WrongWordsError(reason)
        if options.notebook is not None:
            self.recorder.whereabouts.tell(options.notebook)
        self.recorder.tags, self.recorder.on = options.tags, True

    def _status(self) -> None:
        recorder = self.recorder
        reason = why_not()
        said = ["recording: on" if recorder.on else "recording: off (`%provdb on` records every cell)"]
        said.append(f"project: {project_root()}" if reason is None else f"not recorded: {reason}")
        said.append(f"cells recorded: {recorder.count} in session {recorder.session[:8]}")
        if recorder.cost_s:
            ordered = sorted(recorder.cost_s)
            said.append(f"cost of a cell: {ordered[len(ordered) // 2] * 1e3:.1f} ms (median)")
        if recorder.trouble:
            said.append(f"the newest cell was not wholly recorded: {recorder.trouble}")
        print("\n".join(said))

    def _ask(self, words: list[str]) -> None:
        words, name = _into(words)
        if words == ["order"]:
            words += ["--session", self.recorder.session]
        if self._asker is None:
            self._asker = Asker()
        answer = Answer(self._asker.ask(words))
        self._ip.user_ns[name] = answer
        display(answer)  # type: ignore[no-untyped-call, unused-ignore]


def _into(words: list[str]) -> tuple[list[str], str]:
    """The words without ``--into NAME``, and the name."""
    left, name, waiting = [], INTO, list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--into" or word.startswith("--into="):
            name = word.partition("=")[2] or (waiting.pop(0) if waiting else "")
            if not name.isidentifier() or keyword.iskeyword(name):
                raise WrongWordsError(f"--into needs the name of a variable, not {name!r}")
        else:
            left.append(word)
    return left, name
