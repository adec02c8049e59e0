"""Values that users type."""

import pytest

from provgraph.errors import QuestionError
from provgraph.session.values import metrics, own_properties, pairs, typed


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


def test_integers_of_more_than_64_bits_are_text() -> None:
    ends = [2**63 - 1, -(2**63)]
    assert own_properties({"a": ends[0], "b": ends[1], "c": ends, "d": True}) == {
        "a": ends[0], "b": ends[1], "c": ends, "d": True,
    }  # fmt: skip
    assert own_properties({"a": 2**63, "b": -(2**63) - 1, "c": [2**70, 2**71]}) == {
        "a": "9223372036854775808", "b": "-9223372036854775809", "c": [str(2**70), str(2**71)],
    }  # fmt: skip
    assert own_properties({"c": [1, 2**70]}) == {"c_json": '[1, "1180591620717411303424"]'}
    with pytest.raises(QuestionError, match="a is a number of 33,220 bits; make it a text"):
        own_properties({"a": 10**10_000})


def test_a_metric_stays_a_number() -> None:
    assert metrics({"a": 1, "b": 0.5, "c": 2**70}) == {"a": 1, "b": 0.5, "c": 2.0**70}
    for wrong in (10**400, float("nan"), True, "1"):
        with pytest.raises(QuestionError, match=r"the metric a is .*, and a metric is a finite number"):
            metrics({"a": wrong})
