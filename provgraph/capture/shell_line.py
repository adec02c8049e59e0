"""A shell line, taken apart into the elements of its top-level list and put together again with marks.

``provdb -c 'a | b && c; d'`` runs the line in one shell, so that ``cd``, variables, functions and the exit status are
the shell's own; each element of the list is made to open a file below the store's ``marks`` before it begins, which
the supervisor sees. How a mark is attached depends on what must not change:

- In the foreground the element becomes ``{ E; } 7<"…/element/0" 7<"…/status/$?" 7<&-``. A brace group runs in the shell
  itself; its redirections come first, keep ``$?``, and are undone after it.
- In the background a group would put a subshell between the shell and the program, and ``kill $!`` would miss it. There
  a simple command gets the redirections itself, in front of its words; each stage of a pipeline likewise.

No line feed is added (here-documents, LINENO). A line that this cannot do exactly is left alone: it is one activity.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from tree_sitter import Node

from provgraph.capture.here_document import UnreadableError, without_here_documents

MAX_ELEMENTS = 256  # as many marks as there are
_MARK_DESCRIPTORS = (7, 6, 8, 5, 4, 9, 3)  # scripts like 3 and 9 best

# What a line says about itself would show the marks, or its parts are not what they seem.
_SELF_AWARE = re.compile(
    rb"(?<![\w./-])(?:alias|fc|history|BASH_EXECUTION_STRING|BASH_COMMAND|ulimit|verbose)(?![\w./-])"
    rb"|(?<![\w./-])set\s+(?:[^;&|\n]*\s)?-[A-Za-z]*v"
    rb"|(?<![\w./-])(?:jobs|fg|bg|disown)(?![\w./-])"
)
_GAP_TOKEN = re.compile(rb"[ \t\r]+|\\\n|#[^\n]*|&&|\|\||[;&\n]")
_RESERVED = frozenset({b"!", b"time", b"coproc", b"function", b"select", b"[[", b"{", b"exec"})
_EXPANDING = frozenset({"command_substitution", "process_substitution"})


class Place(NamedTuple):
    """Where a mark goes: around or beside the bytes from ``start`` to ``end``."""

    start: int
    end: int
    how: str  # "group", "before", "after" or "subshell"


class Element(NamedTuple):
    """One operand of the top-level list; ``start`` and ``end`` are offsets in bytes."""

    number: int
    start: int
    end: int
    source: str
    kind: str  # "simple", "assignment", "pipeline", "function" or "compound"
    background: bool  # belongs to an AND-OR list that ends in &
    last: bool  # of its AND-OR list
    stages: tuple[Place, ...]  # of a pipeline, itself where it is none: where marks go in the background


class Line(NamedTuple):
    """A shell line and the elements of its top-level list.

    ``unparsed`` says why it is one activity as it stands; "" where it was taken apart.
    """

    text: str
    elements: tuple[Element, ...]
    unparsed: str


def parse(text: str) -> Line:
    """Take ``text`` apart. Cost: 25 ms for loading the grammar, then 0.1 ms a line.

    What does not parse, or cannot be marked exactly, comes back with the reason and without elements.
    """
    raw = os.fsencode(text)
    try:
        masked = without_here_documents(raw)
        elements = tuple(_elements(raw, masked))
    except UnreadableError as error:
        return Line(text, (), str(error))
    if _SELF_AWARE.search(masked):
        return Line(text, (), "it looks at its own text or jobs")
    if len(elements) > MAX_ELEMENTS:
        return Line(text, (), f"over {MAX_ELEMENTS} commands")
    return Line(text, elements, "")


def rewrite(line: Line, marks: str, fd: int) -> str:
    """The line with its marks; an unparsed one as it is.

    Parameters:
        line: what :func:`parse` returned.
        marks: the folder that holds ``element/0`` … and ``status/0`` …
        fd: a descriptor from 3 to 9 that neither the line nor its environment uses, see :func:`free_descriptor`.
    """
    raw = os.fsencode(line.text)
    quoted = re.sub(rb'([\\"$`])', rb"\\\1", os.fsencode(marks))
    pieces: list[bytes] = []
    done = 0
    for element in line.elements:
        mark = b'%d<"%s/element/%d" %d<"%s/status/$?" %d<&-' % (fd, quoted, element.number, fd, quoted, fd)
        for place in _places(element):
            pieces += [raw[done : place.start], _marked(raw[place.start : place.end], mark, place.how)]
            done = place.end
    return os.fsdecode(b"".join([*pieces, raw[done:]]))


def _places(element: Element) -> tuple[Place, ...]:
    """The stretches of an element that carry its mark."""
    if element.background and element.last:
        return element.stages
    first = element.stages[0]
    if first.how == "after" and first.end < element.end:
        # dash forgets the redirections of a subshell that is all there is in a group with redirections of its own.
        return element.stages
    return (Place(element.start, element.end, "group"),)


def _marked(source: bytes, mark: bytes, how: str) -> bytes:
    if how == "group":
        return b"{ " + source + b"; } " + mark
    if how == "before":
        return mark + b" " + source
    return (source if how == "after" else b"( " + source + b" )") + b" " + mark


def free_descriptor(text: str, inherited: Collection[int] = ()) -> int | None:
    """A descriptor from 3 to 9 that ``text`` does not name and that is not ``inherited``; None where all are taken."""
    for fd in _MARK_DESCRIPTORS:
        if fd not in inherited and not re.search(rf"(?<!\w){fd}[<>]|[<>]&\s*{fd}", text):
            return fd
    return None


def accepted(shell: str, text: str) -> bool:
    """Whether ``shell`` (a path) finds no fault in the grammar of ``text``. Cost: starting the shell, 1 to 2 ms."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    environ = {name: value for name, value in os.environ.items() if name not in {"BASH_ENV", "ENV"}}
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in range(3)]
    try:
        pid = os.posix_spawn(shell, [shell, "-n", "-c", text], environ, file_actions=actions)
        return os.waitpid(pid, 0)[1] == 0
    except (OSError, ValueError):
        return False
    finally:
        os.close(null)


def instrument(text: str, marks: str, shell: str, inherited: Collection[int] = ()) -> tuple[Line, str]:
    """Parse and rewrite, and have the shell itself confirm that both texts are its grammar.

    Returns:
        The line and what to run: the original where ``line.unparsed`` is not empty.
    """
    line = parse(text)
    if not line.elements:
        return line, text
    fd = free_descriptor(text, inherited)
    if fd is None:
        return Line(text, (), "it uses all descriptors"), text
    marked = rewrite(line, marks, fd)
    # The grammar we parse with is bash's; where the shell reads the text otherwise, one of these fails.
    if not (accepted(shell, text) and accepted(shell, marked)):
        return Line(text, (), f"{os.path.basename(shell)} reads it differently"), text
    return line, marked


def _elements(raw: bytes, masked: bytes) -> list[Element]:
    """The elements of the top-level list, with the text between them checked against the grammar of lists."""
    import tree_sitter
    import tree_sitter_bash

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
    root = parser.parse(masked).root_node
    if root.has_error:
        raise UnreadableError("it is not in the grammar")
    operands = [
        part for child in root.children if child.is_named and child.type != "comment" for part in _operands(child)
    ]
    gaps = _gaps(masked, [(operand.node.start_byte, operand.end) for operand in operands])
    elements: list[Element] = []
    for number, operand in enumerate(operands):
        start, end = operand.node.start_byte, operand.end
        if (end - len(masked[:end].rstrip(b"\\"))) % 2:
            raise UnreadableError("a backslash at the end")
        background = next(gap for gap in gaps[number + 1 :] if gap not in {b"&&", b"||"}) == b"&"
        if background and masked[start:end].startswith(b"!"):
            raise UnreadableError("the status of `! … &` differs between shells and forms")
        elements.append(
            Element(
                number=number,
                start=start,
                end=end,
                source=os.fsdecode(raw[start:end]),
                kind=_kind(operand.node),
                background=background,
                last=gaps[number + 1] not in {b"&&", b"||"},
                stages=_stages(operand, masked),
            )
        )
    return elements


class _Operand(NamedTuple):
    """An operand of a list. The grammar gives the redirections of the last one to the whole list; here they are its."""

    node: Node
    end: int
    redirects: tuple[Node, ...] = ()


def _operands(node: Node) -> list[_Operand]:
    body, redirects = _without_redirects(node)
    if body.type != "list":
        return [_Operand(node, node.end_byte)]
    found = [part for child in body.children if child.is_named and child.type != "comment" for part in _operands(child)]
    if redirects:
        found[-1] = _Operand(found[-1].node, node.end_byte, (*found[-1].redirects, *redirects))
    return found


def _gaps(masked: bytes, spans: list[tuple[int, int]]) -> list[bytes]:
    """The operator before, between and behind the spans: ``;`` stands for a line feed too, and for the end."""
    edges = [0, *(edge for span in spans for edge in span), len(masked)]
    gaps = []
    for number, start in enumerate(edges[::2]):
        text = masked[start : edges[2 * number + 1]]
        first, last = number == 0, number == len(spans)
        tokens, at = [], 0
        while at < len(text):
            match = _GAP_TOKEN.match(text, at)
            if match is None:
                raise UnreadableError("it is not in the grammar")
            if match[0].strip(b" \t\r") and match[0][:1] not in {b"\\", b"#"}:
                tokens.append(match[0])
            at = match.end()
        operator = tokens[0] if tokens else b"\n"
        if (not tokens and not first and not last) or any(token != b"\n" for token in tokens[1:]):
            raise UnreadableError("it is not in the grammar")
        if (first and operator != b"\n") or (last and operator in {b"&&", b"||"}):
            raise UnreadableError("it is not in the grammar")
        gaps.append(operator if operator in {b"&", b"&&", b"||"} else b";")
    return gaps


def _kind(node: Node) -> str:
    node, _ = _without_redirects(node)
    if node.type in {"variable_assignment", "variable_assignments"}:
        return "assignment"
    if node.type in {"command", "declaration_command", "unset_command", "test_command", "redirected_statement"}:
        return "simple"
    kinds = {"pipeline": "pipeline", "function_definition": "function"}
    return kinds.get(node.type, "compound")


def _stages(operand: _Operand, masked: bytes) -> tuple[Place, ...]:
    """Where the marks go in the background: one for each command of a pipeline, for others just one."""
    node, end = operand.node, operand.end
    inner, redirects = _without_redirects(node)
    redirects += operand.redirects
    if inner.type != "pipeline" or _first_word(node, masked) == b"time":
        place = _place(node, end, masked)
        expands = any(_contains(redirect, _EXPANDING) for redirect in operand.redirects)
        return (place._replace(how="subshell") if expands and place.how == "before" else place,)
    parts = [child for child in inner.children if child.is_named and child.type != "comment"]
    # `a | b > c` is parsed as a redirected pipeline, but the redirection is the last command's.
    last = _place(parts[-1], end, masked)
    if last.how == "before" and any(_contains(redirect, _EXPANDING) for redirect in redirects):
        last = last._replace(how="subshell")
    return (*(_place(part, part.end_byte, masked) for part in parts[:-1]), last)


def _place(node: Node, end: int, masked: bytes) -> Place:
    """How a command in a subshell of its own can be marked without another process in between."""
    inner, _ = _without_redirects(node)
    first = _first_word(node, masked)
    if inner.type == "subshell":
        return Place(inner.start_byte, inner.end_byte, "after")
    # Expansions come before redirections: what runs there would not be seen as this element's.
    plain = inner.type == "command" and first not in _RESERVED and not _contains(node, _EXPANDING)
    return Place(node.start_byte, end, "before" if plain else "subshell")


def _without_redirects(node: Node) -> tuple[Node, list[Node]]:
    redirects: list[Node] = []
    while node.type == "redirected_statement" and node.named_children and not _is_redirect(node.named_children[0]):
        redirects += [child for child in node.named_children if _is_redirect(child)]
        node = node.named_children[0]
    return node, redirects


def _is_redirect(node: Node) -> bool:
    return node.type.endswith("_redirect")


def _first_word(node: Node, masked: bytes) -> bytes:
    words = masked[node.start_byte : node.end_byte].split(None, 1)
    return words[0] if words else b""


def _contains(node: Node, types: Collection[str]) -> bool:
    return node.type in types or any(_contains(child, types) for child in node.children)
