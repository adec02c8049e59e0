"""``--dot``, ``--svg FILE`` and ``--mermaid``: an answer as a picture."""

import os
import sys
import tempfile
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from provgraph.cli.output import Command, note, say
from provgraph.errors import QuestionError

if TYPE_CHECKING:
    from provgraph.graph.comparison import Comparison
    from provgraph.graph.provgraph import ProvGraph
    from provgraph.graph.summary import Summary

    Answer = ProvGraph | Summary | Comparison


@dataclass(frozen=True, slots=True)
class Faces:
    """Which picture is wanted; false where none is."""

    dot: bool = False
    svg: str | None = None
    mermaid: bool = False

    def __bool__(self) -> bool:
        return self.dot or self.svg is not None or self.mermaid

    def draw(self, answer: "Answer") -> int:
        """Draw an answer, and say what is worth knowing about it on standard error; returns the exit status.

        Raises:
            QuestionError: the file cannot be written, or there is too much for a picture.
        """
        from provgraph.session.display import picture_of

        picture = picture_of(answer)
        note(picture.notes)
        if self.dot:
            from provgraph.render.pictures.dot import dot_text

            say(dot_text(picture))
        elif self.mermaid:
            from provgraph.render.pictures.mermaid import mermaid_text

            say(mermaid_text(picture))
        else:
            from provgraph.render.pictures.svg import svg_text

            _write(str(self.svg), svg_text(picture))
        return 0


def picture_options(command: Command) -> Command:
    """``--dot``, ``--svg FILE`` and ``--mermaid``, handed over as ``faces``; one of these and ``--json`` at a time."""

    @click.option("--dot", is_flag=True, help="Print Graphviz.")
    @click.option("--svg", metavar="FILE", help="Draw a picture (- is standard output).")
    @click.option("--mermaid", is_flag=True, help="Print a Mermaid flowchart, for a README.")
    @wraps(command)
    def with_faces(*args: Any, dot: bool, svg: str | None, mermaid: bool, **more: Any) -> Any:
        given = {"--json": more.get("as_json"), "--dot": dot, "--svg": svg is not None, "--mermaid": mermaid}
        named = [name for name, is_given in given.items() if is_given]
        if len(named) > 1:
            raise click.UsageError(f"{' and '.join(named)} are different answers; ask for one at a time")
        if svg == "":
            raise click.UsageError("--svg needs the name of a file; - is standard output")
        if svg is not None:
            _check_folder(svg)
        return command(*args, faces=Faces(dot, svg, mermaid), **more)

    return with_faces


def _check_folder(file: str) -> None:
    """Say what is wrong before the work is done."""
    if file == "-":
        return
    folder = os.path.dirname(file) or "."
    if not os.path.isdir(folder):
        raise QuestionError(f"{folder} is no folder, so {file} cannot be written; `mkdir -p {folder}` makes it")
    if os.path.isdir(file):
        raise QuestionError(f"{file} is a folder; --svg needs the name of a file")


def _write(file: str, text: str) -> None:
    """Write a picture: whoever looks at the file meanwhile sees the old one or the new one, whole."""
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        if os.path.exists(file) and not os.path.isfile(file):  # a terminal, a pipe: nothing to put in its place
            with open(file, "w", encoding="utf-8") as stream:
                stream.write(text)
            return
        _replace(os.path.realpath(file), text)
    except OSError as error:
        raise QuestionError(f"{file} cannot be written: {error.strerror}") from error


def _replace(file: str, text: str) -> None:
    mode = os.stat(file).st_mode & 0o777 if os.path.exists(file) else 0o666 & ~_umask()
    number, beside = tempfile.mkstemp(dir=os.path.dirname(file), prefix=".provdb-", suffix=".svg")
    try:
        with open(number, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(beside, mode)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
