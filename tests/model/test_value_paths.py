"""Paths to values in documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.errors import InputError
from provgraph.model.value_paths import has_several, last_name, parse_path, values_at

DOCUMENT = {
    "optimizer": {"name": "adam", "lr": 0.1, "betas": [0.9, 0.99]},
    "layers": [{"size": 3}, {"size": 5}, {"kind": "pool"}],
    "odd names": {"a.b": 1},
    7: "seven",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("optimizer.lr", [("lr", 0.1)]),
        ("$.optimizer.lr", [("lr", 0.1)]),
        ("$['optimizer']['lr']", [("lr", 0.1)]),
        ("optimizer.betas", [("betas", [0.9, 0.99])]),
        ("optimizer.betas[-1]", [("betas", 0.99)]),
        ("optimizer.betas[2]", []),
        ("optimizer.betas[*]", [("betas", 0.9), ("betas", 0.99)]),
        ("layers[*].size", [("size", 3), ("size", 5)]),
        ("layers[0].size", [("size", 3)]),
        ("optimizer.*", [("name", "adam"), ("lr", 0.1), ("betas", [0.9, 0.99])]),
        ('["odd names"]["a.b"]', [("a.b", 1)]),
        ("7", [("7", "seven")]),
        ("nothing.there", []),
        ("optimizer.lr.more", []),
    ],
)
def test_what_a_path_leads_to(path: str, found: list[tuple[str, object]]) -> None:
    assert [(one.name, one.value) for one in values_at(DOCUMENT, parse_path(path))] == found


@pytest.mark.parametrize(
    "path", ["", "$", ".", "a..b", "a[", "a[x]", "a]", "a b", "a['b]", "a[0]b", "..a", "a.[?(@.b)]"]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(InputError, match="no path"):
        parse_path(path)


def test_names_and_numbers_of_values() -> None:
    assert last_name(parse_path("a.b")) == "b"
    assert last_name(parse_path("a[0]")) is None
    assert not has_several(parse_path("a[0].b"))
    assert has_several(parse_path("a[*].b"))
    several = {
        path: [one.one_of_several for one in values_at(DOCUMENT, parse_path(path))]
        for path in ("optimizer.*", "layers[*].size")
    }
    assert several == {"optimizer.*": [False, False, False], "layers[*].size": [True, True]}


@given(
    st.text(max_size=30),
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    ),
)
def test_any_text_is_a_path_or_refused(text: str, document: object) -> None:
    try:
        steps = parse_path(text)
    except InputError:
        return
    list(values_at(document, steps))
