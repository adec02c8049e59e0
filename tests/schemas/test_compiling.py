"""What is compiled is kept beside the byte code of the modules."""

from pathlib import Path

import pytest

from provgraph.schemas import compiling

TEXT = '{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}'


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is kept."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(compiling, "cache_from_source", lambda path: f"{tmp_path}/{Path(path).name}c")
    return tmp_path


def _judges(text: str = TEXT) -> None:
    fits = compiling.compiled("sample", text)
    fits({"a": 1})
    with pytest.raises(compiling.RefusedError) as refused:
        fits({"a": "x"})
    assert refused.value.path == ("data", "a")


def test_once_for_each_schema(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _judges()
    [file] = kept.iterdir()
    first = file.stat().st_mtime_ns
    monkeypatch.setattr("fastjsonschema.compile_to_code", lambda *_, **__: pytest.fail("it is there"))
    _judges()
    monkeypatch.undo()
    assert file.stat().st_mtime_ns == first


def test_another_schema_of_the_same_name(kept: Path) -> None:
    _judges()
    fits = compiling.compiled("sample", TEXT.replace("integer", "string"))
    fits({"a": "x"})
    assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\xe3", b"i\x01\x00\x00\x00"])
def test_what_is_kept_is_damaged(kept: Path, data: bytes) -> None:
    _judges()
    [file] = kept.iterdir()
    file.write_bytes(data)
    _judges()
    assert file.stat().st_size > 100, "written anew"


def test_nothing_can_be_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "cache_from_source", lambda path: f"{kept}/nowhere/{Path(path).name}")
    _judges()
    assert not list(kept.iterdir())
