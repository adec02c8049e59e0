"""Documents, also hostile ones."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingestors.documents import DocumentError, parse, property_value


def test_numbers_as_everybody_means_them() -> None:
    assert parse("yaml", b"lr: 1e-4\nb: 2.5E+3\nc: .5\nname: 1e-4x\n") == {
        "lr": 1e-4,
        "b": 2500.0,
        "c": 0.5,
        "name": "1e-4x",
    }


def test_several_documents_of_yaml_are_a_list() -> None:
    assert parse("yaml", b"a: 1\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]


def test_what_json_cannot_say_becomes_text() -> None:
    found = property_value(parse("toml", b"d = 2020-01-02\nt = 07:30:00\nn = nan\nbig = [[1]]"))
    assert found == {"d": "2020-01-02", "t": "07:30:00", "n": "nan", "big": [[1]]}
    assert property_value(10**40) == str(10**40)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("form", ["json", "yaml", "toml"])
@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"{", b"a: b: c", b"[" * 200_000, b"a = " + b"[" * 5_000, b"a: " * 5_000, b"x" * (9 << 20)]
)
def test_what_is_no_document_is_said(form: str, data: bytes) -> None:
    try:
        parse(form, data)
    except DocumentError as error:
        assert len(str(error)) < 400  # noqa: PT017
    else:
        assert form == "yaml"


def test_references_of_yaml_do_not_explode() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    bomb = "\n".join(["l0: &l0 [1, 1]", *levels]).encode()
    with pytest.raises(DocumentError, match="more than"):
        property_value(parse("yaml", bomb))
    with pytest.raises(DocumentError):
        property_value(parse("yaml", b"a: &a [*a]"))


def test_yaml_makes_no_objects() -> None:
    with pytest.raises(DocumentError, match="no YAML"):
        parse("yaml", b"!!python/object/apply:os.system ['true']")


@given(
    st.sampled_from(["json", "yaml", "toml"]),
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")),
)
def test_any_bytes_are_a_document_or_refused(form: str, data: bytes) -> None:
    with contextlib.suppress(DocumentError):
        json.dumps(property_value(parse(form, data)), allow_nan=False)
