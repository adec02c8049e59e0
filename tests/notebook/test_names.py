"""What a cell does to names, read off its syntax."""

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from provgraph.magics.names import names_of

TRANSFORM = TransformerManager().transform_cell


def _names(source: str) -> dict[str, str]:
    found = names_of(TRANSFORM(source), TRANSFORM)
    assert found.parsed, source
    sets = {"used": found.used, "bound": found.bound, "maybe": found.maybe, "touched": found.touched}
    return {key: " ".join(sorted(names)) for key, names in sets.items() if names}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\ny = x + z", {"used": "z", "bound": "x y"}),
        ("x += 1", {"used": "x", "bound": "x"}),
        ("x: int = y", {"used": "int y", "bound": "x", "touched": "y"}),
        ("x: int", {"used": "int"}),
        ("a, (b, *c) = d", {"used": "d", "bound": "a b c", "touched": "d"}),
        ("if a:\n    b = 1", {"used": "a", "maybe": "b"}),
        ("for i in n:\n    t += i\nelse:\n    e = 1", {"used": "i n t", "maybe": "e i t", "touched": "n"}),
        ("while go:\n    x = 1", {"used": "go", "maybe": "x"}),
        (
            "try:\n    x = 1\nexcept E as e:\n    y = e\nfinally:\n    z = 1",
            {"used": "E", "bound": "z", "maybe": "x y"},
        ),
        ("with f() as g:\n    x = g", {"used": "f", "bound": "g x", "touched": "g"}),
        (
            "match p:\n    case [a, *b]:\n        c = a\n    case {'k': d, **e}:\n        pass",
            {"used": "a p", "maybe": "a b c d e", "touched": "a"},
        ),
        ("import os.path, numpy as np\nfrom m import a as b, c", {"bound": "b c np os"}),
        ("from m import *", {}),
        ("d['k'] = v", {"used": "d v", "touched": "d v"}),
        ("d.a.b = 1", {"used": "d", "touched": "d"}),
        ("del d['k']\ndel e", {"used": "d", "touched": "d"}),
        ("df.groupby('a')['b'].sum()", {"used": "df", "touched": "df"}),
        ("f(a, *b, k=c.d)", {"used": "a b c f", "touched": "a b c"}),
        ("b = a['k']\nb.append(1)", {"used": "a", "bound": "b", "touched": "a b"}),
        ("[i * k for i in xs if i in ys]", {"used": "k xs ys", "touched": "xs"}),
        ("{k: v for k, v in d.items()}", {"used": "d", "touched": "d"}),
        ("(lambda a, b=c: a + b + d)(1)", {"used": "c d"}),
        ("if (n := len(a)) > 1: pass", {"used": "a len", "maybe": "n", "touched": "a"}),
        ("def f(a, b=k):\n    c = a\n    return c + g", {"used": "k", "bound": "f", "touched": ""}),
        ("def f():\n    return g\nf()", {"used": "g", "bound": "f"}),
        ("def f():\n    return h()\ndef h():\n    return g\nf()", {"used": "g", "bound": "f h"}),
        ("def f():\n    global n\n    n = 1\nf()", {"bound": "f", "maybe": "n"}),
        ("def f():\n    box.append(1)\nf()", {"used": "box", "bound": "f", "touched": "box"}),
        ("class A(B):\n    x = y\n    def m(self):\n        return z", {"used": "B y", "bound": "A", "touched": "y"}),
        ("class A:\n    def m(self):\n        return z\nA().m()", {"used": "z", "bound": "A", "touched": "A"}),
        ("async def f():\n    async with a as b:\n        pass\nawait f()", {"used": "a", "bound": "f"}),
        ("r = await g(x)", {"used": "g x", "bound": "r", "touched": "x"}),
        ("%time y = f(x)", {"used": "f x", "maybe": "y", "touched": "x"}),
        ("%%time\ny = f(x)", {"used": "f x", "maybe": "y", "touched": "x"}),
        ("%%capture out\n%timeit -n 3 g(x)", {"used": "g x", "touched": "x"}),
        ("!cp {source} $target", {"used": "source target"}),
        ("lines = !ls {folder}", {"used": "folder", "bound": "lines"}),
        ("print(f'{a:{b}}')", {"used": "a b print"}),
    ],
)  # fmt: skip
def test_names(source: str, expected: dict[str, str]) -> None:
    assert _names(source) == {key: names for key, names in expected.items() if names}


def test_commands_are_told() -> None:
    found = names_of(TRANSFORM("!ls -l\nx = !pwd"), TRANSFORM)
    assert found.commands == ["ls -l", "pwd"]
    assert names_of(TRANSFORM("%%bash -e\nls"), TRANSFORM).commands == ["%%bash -e"]


@pytest.mark.parametrize("source", ["def", "x = (", "\0", "(" * 3000, "-" * 100_000 + "1"])
def test_what_is_no_python_has_no_names(source: str) -> None:
    assert not names_of(source).used
