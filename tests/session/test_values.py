"""Values that users type."""

import pytest

from provgraph.errors import QuestionError
from provgraph.session.values import own_properties, pairs, typed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("-3", -3), ("0.5", 0.5), ("1e-3", 0.001), ("007", "007"), ("1_000", "1_000"), ("true", True),
        ("True", "True"), ("null", "null"), ('"12"', "12"), ('"broken', '"broken'), ("", ""), ("a=b", "a=b"),
        ("[1, 2]", [1, 2]), ('{"a": 1}', {"a": 1}), ("[]", []), ("[1,", "[1,"), ("[NaN]", "[NaN]"), ("{", "{"),
        ('"', '"'), ("9" * 5000, "9" * 5000), ("[" * 9999 + "]" * 9999, "[" * 9999 + "]" * 9999),
        ("1e999", "1e999"), ("nan", "nan"), ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)  # fmt: skip
def test_numbers_stay_numbers(text: str, value: object) -> None:
    assert typed(text) == value and type(typed(text)) is type(value)


def test_pairs_split_at_the_first_equals_sign() -> None:
    assert pairs(["a=b=c", " k =1"]) == {"a": "b=c", "k": 1}
    for wrong in ("a", "=1"):
        with pytest.raises(QuestionError, match=r"lr=0\.1"):
            pairs([wrong])


def test_nested_values_are_json_text_and_flat_lists_are_lists() -> None:
    assert own_properties({"a": {"b": 1}, "l": [1, 2.5], "m": [1, "x"], "s": ("x",)}) == {
        "a_json": '{"b": 1}', "l": [1, 2.5], "m_json": '[1, "x"]', "s": ["x"],
    }  # fmt: skip
    with pytest.raises(QuestionError, match="JSON has no such thing"):
        own_properties({"a": object()})
