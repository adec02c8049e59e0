"""The text format of protocol buffers."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingestors.prototxt import MAX_BYTES, MAX_DEPTH, Enum, PrototxtError, parse, tree


def fault(data: bytes) -> str | None:
    """What is wrong with a text; None where nothing is."""
    try:
        parse(data)
    except PrototxtError as error:
        return str(error)
    return None


def test_all_real_files_are_read(caffe_files: Path) -> None:
    files = sorted(caffe_files.rglob("*.prototxt"))
    assert len(files) == 66
    for file in files:
        assert tree(parse(file.read_bytes())), file


def test_values() -> None:
    text = b"""
    # a comment, with { "quotes
    whole: -1; octal: 017 hex: 0x1F, large: 12345678901234567890
    part: - 2.5e-3f least: -inf none: nan
    text: 'x' "y\\n\\x41\\101\\u00e4" 'it\\'s'
    truth: true word: MAX
    """
    found = tree(parse(text))
    assert math.isnan(found.pop("none"))
    assert found == {
        "whole": -1,
        "octal": 15,
        "hex": 31,
        "large": 12345678901234567890,
        "part": -0.0025,
        "least": -math.inf,
        "text": "xy\nAAäit's",
        "truth": True,
        "word": "MAX",
    }
    assert isinstance(found["word"], Enum)


def test_messages_and_lists() -> None:
    text = b"""
    a { b: 1 } a: < b: 2; > list: [1, 2] empty: [] several: [{ c: 1 }, { c: 2 }]
    [ext.name]: 3 [a.b/C] { d: 4 }
    layer: 1 layer: 2"""
    assert tree(parse(text)) == {
        "a": [{"b": 1}, {"b": 2}],
        "list": [1, 2],
        "several": [{"c": 1}, {"c": 2}],
        "[ext.name]": 3,
        "[a.b/C]": {"d": 4},
        "layer": [1, 2],
    }
    assert parse(b"") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"lr 0.1", "line 1, column 4: after the name 'lr' comes ':' or '{', not '0.1'"),
        (b"\n  lr:", "line 2, column 6: the value of 'lr' is missing: 'the end' is none"),
        (b"a: 1\nb {\n c: 2\n", "line 2, column 3: the text ends before the '}' of what is opened here"),
        (b"a: 1 }", "line 1, column 6: '}' closes nothing"),
        (b'a: "x\n"', "line 1, column 4: the text that begins here is not closed on its line"),
        (b"a: 1.2.3", "line 1, column 4: '1.2.3' cannot stand here"),
        (b"a: 08", "line 1, column 4: '08' is no number"),
        (b"a: [1 2]", "line 1, column 7: a list goes on with ',' or ends with ']', not '2'"),
        (b'a: "\\q"', "line 1, column 5: '\\\\q' is no escape"),
        (b"a: 1\n b: \xc3", "line 2, column 5: it is no UTF-8"),
        (b"PK\x03\x04", "line 1, column 3: '\\x03\\x04' cannot stand here"),
        (b"<html>", "line 1, column 1: '<' stands where the name of a field is expected"),
    ],
)
def test_what_is_none_says_where(text: bytes, message: str) -> None:
    with pytest.raises(PrototxtError) as raised:
        parse(text)
    assert str(raised.value) == message


def test_limits() -> None:
    assert parse(b"a{" * MAX_DEPTH + b"}" * MAX_DEPTH)
    with pytest.raises(PrototxtError, match="nested more than 100 deep"):
        parse(b"a{" * 100_000)
    with pytest.raises(PrototxtError, match="it has more than 4,194,304 bytes"):
        parse(b" " * (MAX_BYTES + 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_fields_or_an_error_with_its_place(data: bytes) -> None:
    assert (fault(data) or "line ").startswith("line ")


_WORDS = st.sampled_from(
    [
        "a",
        "layer",
        ":",
        "{",
        "}",
        "<",
        ">",
        "[",
        "]",
        ",",
        ";",
        "1",
        "-",
        ".5e",
        '"',
        "'",
        "\\",
        "#",
        "\n",
        "true",
        "\0",
        "é",
    ]
)


@given(st.lists(_WORDS, max_size=60))
def test_any_marks_are_fields_or_an_error_with_its_place(words: list[str]) -> None:
    assert (fault(" ".join(words).encode()) or "line ").startswith("line ")


@given(st.integers(0, 60_000), st.integers(0, 60_000))
def test_a_torn_net(caffe_files: Path, start: int, end: int) -> None:
    data = (caffe_files / "resnet-cifar10/resnet-20/trainval.prototxt").read_bytes()
    assert (fault(data[start : start + end]) or "line ").startswith("line ")


_SCALARS = st.one_of(st.integers(-(1 << 63), 1 << 63), st.floats(allow_nan=False), st.booleans(), st.text(max_size=20))
_MESSAGES = st.recursive(
    _SCALARS, lambda inner: st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), inner, max_size=4)
)


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "{" + " ".join(f"{key}: {_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
    return repr(value)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), _MESSAGES, max_size=5))
def test_what_is_written_is_read(message: dict[str, object]) -> None:
    assert tree(parse(_written(message)[1:-1].encode())) == message
