"""What goes into the stores comes out, bit for bit."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.stores.encoding import column, dumps, loads, pack, unpack

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    """Equal in type and bits; NaN is NaN."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


@given(VALUES)
def test_json_round_trip(value: Any) -> None:
    assert same(loads(dumps(value)), value)
    assert same(unpack(pack(value)), value)


@pytest.mark.parametrize(
    "value",
    [{"$float": "nan"}, {"$$float": math.inf}, {"$float": "x", "b": 1}, [1 << 70, -0.0, 0.1, 1e300], "a\ud800b\udcff"],
)
def test_json_round_trip_of_what_looks_like_an_escape(value: Any) -> None:
    assert same(loads(dumps(value)), value)


def test_text_is_strict_ascii_json() -> None:
    assert dumps([math.nan, "é\udcff"]) == '[{"$float":"nan"},"\\u00e9\\udcff"]'


def test_compressed_only_where_it_saves() -> None:
    assert pack("a" * 10_000)[:1] == b"\x01"
    assert pack("short")[:1] == b"\x00"


@pytest.mark.parametrize("blob", [b"", b"\x02{}", b"\x01nonsense", b"\x00{"])
def test_damaged_blob_is_a_value_error(blob: bytes) -> None:
    with pytest.raises(ValueError, match=r"blob|Expecting|decod|column"):
        unpack(blob)


def test_column_holds_any_path() -> None:
    assert column("a\udcffb") == "a%FFb"
    assert column("ä") == "ä"
