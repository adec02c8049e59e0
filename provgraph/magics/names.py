"""Which names a cell uses, defines, deletes, and may change in place: read off its syntax, before it runs."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

_RUNS_PYTHON = frozenset({"time", "timeit", "capture", "prun", "provdb", "memit", "mprun", "lprun", "snakeviz"})
"""Magics whose line or cell is Python of the notebook's own namespace."""
_INSERTED = re.compile(r"\{\s*([A-Za-z_]\w*)|\$([A-Za-z_]\w*)")
"""What IPython puts into a shell command: ``{name}`` and ``$name``."""
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Names:
    """What a cell does to names of the notebook."""

    used: set[str] = field(default_factory=set)
    """Read before the cell itself has surely bound them."""
    bound: set[str] = field(default_factory=set)
    """Bound wherever the cell runs to its end."""
    maybe: set[str] = field(default_factory=set)
    """Bound on some path through it: in a branch, a loop, a function that says ``global``."""
    touched: set[str] = field(default_factory=set)
    """Possibly changed in place: a method, an argument, an attribute, a subscript, an alias."""
    commands: list[str] = field(default_factory=list)
    """Shell commands that it runs, as written."""
    parsed: bool = True
    """Whether it is Python at all."""


def names_of(source: str, transform: Callable[[str], str] = str) -> Names:
    """What a cell does to names.

    Parameters:
        source: the cell as Python, its magics already turned into calls.
        transform: turns the body of a magic into Python as well.
    """
    reader = _Reader(transform)
    reader.read(source)
    return reader.finish()


class _Reader(ast.NodeVisitor):
    def __init__(self, transform: Callable[[str], str]) -> None:
        self.names = Names()
        self._transform = transform
        self._locals: list[frozenset[str]] = []
        self._depth = 0
        self._bodies: dict[str, Names] = {}
        """What the functions and classes that the cell defines do once they are called."""
        self._called: set[str] = set()

    def read(self, source: str) -> None:
        try:
            tree = _parsed(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.names.parsed = False
            return
        try:
            self.visit(tree)
        except RecursionError:
            self.names.parsed = False

    def finish(self) -> Names:
        """Add what the cell's own functions do, where the cell also names them."""
        waiting = sorted(self._called)
        while waiting:
            body = self._bodies.pop(waiting.pop(), None)
            if body is None:
                continue
            self.names.used |= body.used - self.names.bound
            self.names.touched |= body.touched
            self.names.maybe |= body.maybe
            waiting += [name for name in body.used if name in self._bodies]
        self.names.maybe -= self.names.bound
        return self.names

    # -- names -------------------------------------------------------------------------------------------------

    def _is_local(self, name: str) -> bool:
        return any(name in found for found in self._locals)

    def _load(self, name: str) -> None:
        if self._is_local(name):
            return
        if name in self._bodies:
            self._called.add(name)
        if name not in self.names.bound:
            self.names.used.add(name)

    def _store(self, name: str, *, surely: bool = True) -> None:
        if not self._is_local(name):
            (self.names.bound if surely and not self._depth else self.names.maybe).add(name)

    def _touch(self, node: ast.AST) -> None:
        name = _base(node)
        if name is not None and not self._is_local(name):
            self.names.touched.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._load(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._store(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._store(node.target.id, surely=False)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._store(alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._store(alias.asname or alias.name)

    # -- changes in place --------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._touch(node)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._touch(node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._touch_alias(node.value)
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self._touch_alias(node.value)
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._load(node.target.id)
            self._store(node.target.id)
        else:
            self.visit(node.target)

    def _touch_alias(self, value: ast.AST) -> None:
        """``b = a["k"]``: what later happens to b happens to a."""
        if isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)):
            self._touch(value)

    def visit_Call(self, node: ast.Call) -> None:
        if self._is_magic(node):
            return
        if isinstance(node.func, ast.Attribute):
            self._touch(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if isinstance(argument, (ast.Name, ast.Attribute, ast.Subscript, ast.Starred)):
                self._touch(argument.value if isinstance(argument, ast.Starred) else argument)
        self.generic_visit(node)

    # -- what may not happen -----------------------------------------------------------------------------------

    def _sometimes(self, *parts: list[ast.stmt]) -> None:
        self._depth += 1
        for part in parts:
            for statement in part:
                self.visit(statement)
        self._depth -= 1

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._sometimes(node.body, node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._sometimes(node.body, node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._touch_alias(node.iter)
        self.visit(node.iter)
        self._depth += 1
        self.visit(node.target)
        self._depth -= 1
        self._sometimes(node.body, node.orelse)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.visit_For(node)

    def visit_Try(self, node: ast.Try) -> None:
        self._sometimes(node.body)
        for handler in node.handlers:
            if handler.type is not None:
                self.visit(handler.type)
            self._locals.append(frozenset({handler.name} if handler.name else ()))  # gone when the handler ends
            self._sometimes(handler.body)
            self._locals.pop()
        self._sometimes(node.orelse)
        for statement in node.finalbody:
            self.visit(statement)

    def visit_TryStar(self, node: Any) -> None:
        self.visit_Try(node)

    def visit_Match(self, node: ast.AST) -> None:
        self.visit(node.subject)  # type: ignore[attr-defined]
        self._depth += 1
        for case in node.cases:  # type: ignore[attr-defined]
            for part in ast.walk(case.pattern):
                bound = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(bound, str):
                    self._store(bound)
            self.visit(case)
        self._depth -= 1

    # -- scopes ------------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *_defaults(node.args), *_annotations(node)):
            self.visit(part)
        self._store(node.name)
        if self._locals:  # a function inside another: what it does is the outer one's
            self._body(node, node.body)
            return
        self._later(node.name, lambda: self._body(node, node.body))
        if node.decorator_list:  # who knows what a decorator does with it
            self._load(node.name)

    def _later(self, name: str, visit: Callable[[], None]) -> None:
        """Read what happens only when a function or a class of the cell is called."""
        outer, self.names = self.names, Names()
        depth, self._depth = self._depth, 0
        visit()
        body, self.names, self._depth = self.names, outer, depth
        known = self._bodies.setdefault(name, Names())
        known.used |= body.used
        known.touched |= body.touched
        known.maybe |= body.maybe | body.bound
        self.names.commands += body.commands

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in _defaults(node.args):
            self.visit(part)
        self._body(node, [node.body])

    def _body(self, node: ast.AST, body: Sequence[ast.AST]) -> None:
        self._locals.append(_locals(node))
        self._depth += 1
        for part in body:
            self.visit(part)
        self._depth -= 1
        self._locals.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(part)
        self._store(node.name)
        own = frozenset(name.id for name in _stores(node.body)) | frozenset(_defined(node.body))
        for statement in node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and not self._locals:
                for part in (*statement.decorator_list, *_defaults(statement.args), *_annotations(statement)):
                    self.visit(part)
                self._later(node.name, partial(self._body, statement, statement.body))
                continue
            self._locals.append(own)
            self.visit(statement)
            self._locals.pop()

    def _comprehension(self, node: ast.AST) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        for generator in generators:
            self._touch_alias(generator.iter)
        stored = {name.id for generator in generators for name in _stores([generator.target])}
        self.visit(generators[0].iter)
        self._locals.append(frozenset(stored))
        for part in ast.iter_child_nodes(node):
            self.visit(part)
        self._locals.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    # -- magics ------------------------------------------------------------------------------------------------

    def _is_magic(self, node: ast.Call) -> bool:
        """``get_ipython().run_line_magic("time", "x = f()")`` and the like: what IPython makes of ``%time x = f()``."""
        called = node.func
        if not (isinstance(called, ast.Attribute) and _base(called.value) == "get_ipython"):
            return False
        words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        texts = [word for word in words if isinstance(word, str)]
        if called.attr in ("system", "getoutput", "getoutputs") and texts:
            self._command(texts[0])
        elif called.attr == "run_line_magic" and len(texts) > 1:
            if texts[0] in ("sx", "system", "sc"):
                self._command(texts[1])
            elif texts[0] in _RUNS_PYTHON:
                self._code(re.sub(r"^(\s*-\S+(\s+\d+)?)+\s*", "", texts[1]))
            else:
                self._inserted(texts[1])
        elif called.attr == "run_cell_magic" and len(texts) > 2:
            if texts[0] in _RUNS_PYTHON:
                self._code(texts[2])
            else:
                self.names.commands.append(f"%%{texts[0]} {texts[1]}".strip())
                self._inserted(texts[1])
        else:
            return False
        return True

    def _command(self, text: str) -> None:
        self.names.commands.append(text)
        self._inserted(text)

    def _inserted(self, text: str) -> None:
        for match in _INSERTED.finditer(text):
            self._load(match[1] or match[2])

    def _code(self, source: str) -> None:
        inner = names_of(self._transform(source), self._transform)
        self.names.used |= inner.used - self.names.bound
        self.names.maybe |= inner.bound | inner.maybe
        self.names.touched |= inner.touched
        self.names.commands += inner.commands


def _parsed(source: str) -> ast.AST:
    """The syntax of a cell. What the parser warns of is not shown: IPython's own parser is about to say it.

    `warnings.catch_warnings` would make the user's other warnings forget that they were shown already.
    """
    shown = warnings.showwarning
    warnings.showwarning = lambda *_, **__: None
    try:
        return ast.parse(source)
    finally:
        warnings.showwarning = shown


def _base(node: ast.AST) -> str | None:
    """The name that a chain of attributes, subscripts and calls begins with: ``df`` of ``df.groupby("a")["b"].sum``."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Await)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    found = [node.returns, *(argument.annotation for argument in _arguments(node.args))]
    return [annotation for annotation in found if annotation is not None]


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return found + [one for one in (arguments.vararg, arguments.kwarg) if one is not None]


def _locals(node: ast.AST) -> frozenset[str]:
    """The names that are local to a function."""
    arguments: ast.arguments = node.args  # type: ignore[attr-defined]
    found = {argument.arg for argument in _arguments(arguments)}
    body = getattr(node, "body", [])
    if isinstance(body, list):
        found |= {name.id for name in _stores(body)} | set(_defined(body))
        found -= {name for part in _within(body) if isinstance(part, ast.Global) for name in part.names}
    return frozenset(found)


def _stores(body: Sequence[ast.AST]) -> list[ast.Name]:
    return [part for part in _within(body) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]


def _defined(body: Sequence[ast.AST]) -> Iterator[str]:
    for part in _within(body):
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield part.name
        elif isinstance(part, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.split(".")[0] for alias in part.names)
        elif isinstance(part, ast.ExceptHandler) and part.name:
            yield part.name


def _within(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The nodes below a body, those of inner functions and classes left out."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*_SCOPES, *_COMPREHENSIONS, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
