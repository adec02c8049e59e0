"""The configuration file."""

from pathlib import Path

import pytest

from provgraph.errors import InputError
from provgraph.stores.config import TEMPLATE, Config, read_config


def test_the_template_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "c").write_text(TEMPLATE)
    assert read_config(tmp_path / "c") == read_config(tmp_path / "none") == Config()


def test_every_commented_line_is_a_key_with_its_default(tmp_path: Path) -> None:
    lines = [line[2:] if line.startswith("# ") and " = " in line else line for line in TEMPLATE.splitlines()]
    (tmp_path / "c").write_text("\n".join(line for line in lines if not line.startswith("# ")))
    found = read_config(tmp_path / "c")
    assert found.path_classes == dict.fromkeys(("ignored", "environment", "external", "project"), ())
    assert found == Config(path_classes=found.path_classes)


@pytest.mark.parametrize(
    "text", ["x = 1", "[limits]\nfile_byte = 1", "[limits]\nfile_bytes = -1", "[scrub]\nnames = 1", "["]
)
def test_a_mistake_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "c").write_text(text)
    with pytest.raises(InputError, match="c"):
        read_config(tmp_path / "c")
