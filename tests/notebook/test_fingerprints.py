"""Fingerprints: equal for equal content in every process, different where it differs, bounded whatever the size."""

import math
import subprocess
import sys
import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.magics.describing import describe
from provgraph.magics.fingerprints import STEPS, Fingerprint, type_name


def fingerprint(value: object) -> str:
    return str(describe(value, math.inf)["fingerprint"])


@dataclass
class Point:
    x: int
    y: Any = None


VALUES: list[Any] = [
    None, True, 1, 1.0, "1", b"1", 1j, (), [], {}, set(), [1], (1,), {1}, frozenset({1}), {"a": 1}, {"a": 2}, [[]],
    [1, 2], [2, 1], range(3), slice(1), Point(1), Point(2), np.arange(3), np.arange(3.0), np.arange(4),
    np.zeros((2, 2)),
    np.array(["a", None], dtype=object), pd.Series([1, 2]), pd.Series([1, 2], name="a"),
    pd.DataFrame({"a": [1, 2]}),
    pd.DataFrame({"b": [1, 2]}), pd.DataFrame({"a": [1, 2]}, index=[5, 6]), pd.DataFrame({"a": ["x", "y"]}), Point, int,
]  # fmt: skip


def test_different_values_have_different_fingerprints() -> None:
    found = [fingerprint(value) for value in VALUES]
    assert len(set(found)) == len(found)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
        max_leaves=12,
    )
)
def test_equal_content_has_an_equal_fingerprint(value: Any) -> None:
    import copy

    assert fingerprint(value) == fingerprint(copy.deepcopy(value))


def test_the_same_in_another_process() -> None:
    script = (
        "import math, sys; from provgraph.magics.describing import describe\n"
        "print(describe({'a': {'x', 'y', 'z'}, 'b': [1.5, None]}, math.inf)['fingerprint'])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {fingerprint({"a": {"x", "y", "z"}, "b": [1.5, None]})}


@pytest.mark.parametrize(
    "value",
    [
        list(range(10**6)),
        {number: str(number) for number in range(10**5)},
        [[number] * 9 for number in range(5000)],
        np.zeros((4000, 1000)),
        np.arange(10**6).reshape(1000, -1).T,
        pd.DataFrame(np.zeros((10**5, 30))),
        pd.DataFrame({str(number): [number] for number in range(3000)}),
        "x" * 10**7,
    ],
    ids=lambda value: type(value).__name__,
)
def test_large_values_are_sampled_and_say_so(value: Any) -> None:
    into = Fingerprint(math.inf)
    into.value(value)
    assert into.sampled
    assert into.steps <= 2 * STEPS + 2000
    assert describe(value, math.inf)["sampled"]
    assert fingerprint(value) == fingerprint(value)


def test_time_gives_no_fingerprint_rather_than_another_one() -> None:
    value = [[number] for number in range(500)]
    assert "fingerprint" not in describe(value, perf_counter() - 1)
    assert describe(value, math.inf)["fingerprint"]


def test_a_change_at_the_end_of_a_long_list_is_seen() -> None:
    values = list(range(100_000))
    before = fingerprint(values)
    values[-1] = -1
    assert fingerprint(values) != before


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_looking_warns_of_nothing(value: Any) -> None:
    """A warning would be shown in the user's cell, and catching it would make others be shown again."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        describe(value, math.inf)


def test_what_holds_itself() -> None:
    box: list[Any] = [1]
    box.append(box)
    assert fingerprint(box)


def test_functions_by_what_they_do() -> None:
    def one(x: int) -> int:
        return x + 1

    def two(x: int) -> int:
        return x + 2

    assert fingerprint(one) != fingerprint(two)
    assert "opaque" not in describe(one, math.inf)
    assert describe(object(), math.inf)["opaque"]


def test_sources_of_random_numbers() -> None:
    generator = np.random.default_rng(1)
    before = fingerprint(generator)
    assert before == fingerprint(np.random.default_rng(1))
    generator.normal()
    assert fingerprint(generator) != before


def test_what_is_told() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    told = describe(SVC(C=2.5, kernel="poly"), math.inf)
    assert (told["class"], told["param_C"], told["param_kernel"]) == ("sklearn.svm._classes.SVC", 2.5, "poly")
    assert describe(make_pipeline(StandardScaler()), math.inf)["class"] == "sklearn.pipeline.Pipeline"
    assert type_name(pd.DataFrame) == "pandas.DataFrame"
    assert type_name(SVC) == "sklearn.svm.SVC"
    assert describe(7, math.inf)["value"] == 7
    assert "value" not in describe(float("nan"), math.inf)
    assert "value" not in describe("secret", math.inf)
    assert describe(pd.DataFrame({"a": [1]}), math.inf)["columns"] == ["a"]


def test_polars_frames() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    one, two = (polars.DataFrame({"a": [1, end]}) for end in (2, 3))
    assert describe(one, math.inf)["shape"] == [2, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would be shown in the user's cell
        assert describe(one.lazy(), math.inf)["opaque"]
    assert fingerprint(one) != fingerprint(two)
