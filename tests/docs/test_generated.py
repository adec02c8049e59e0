"""The docs name everything that exists, and what is pasted from code is what the code says now."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from provgraph import schemas
from provgraph.cli.words import AVAILABLE, LATER
from provgraph.events.envelope import KINDS
from provgraph.model.vocabulary import LABELS, PROPERTIES, RELATIONS
from provgraph.stores import config


@pytest.fixture(scope="module")
def generate(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", checkout / "docs/scripts/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def prose(checkout: Path) -> str:
    """All pages as a reader sees them, in one text."""
    return "\n".join(page.read_text(encoding="utf-8") for page in sorted((checkout / "docs").glob("*.md")))


@pytest.fixture(scope="module")
def hand_written(prose: str, generate: ModuleType) -> str:
    """The same without what a program wrote."""
    return generate.PART.sub("", prose)


def test_generated_parts_are_current(checkout: Path, generate: ModuleType) -> None:
    pages = {page: page.read_text(encoding="utf-8") for page in (checkout / "docs").glob("*.md")}
    stale = [page.name for page, text in pages.items() if generate.current(text).split() != text.split()]
    assert not stale, "make docs-help writes them anew"


def test_every_generated_part_is_on_a_page(prose: str, generate: ModuleType) -> None:
    assert {found[2] for found in generate.PART.finditer(prose)} == set(generate.PARTS)


@pytest.mark.parametrize("command", sorted(AVAILABLE))
def test_command_is_explained(command: str, hand_written: str) -> None:
    assert re.search(
        rf"`[^`\n]*provdb {re.escape(command)}\b|^\$ provdb {re.escape(command)}\b", hand_written, re.MULTILINE
    )


@pytest.mark.parametrize("word", sorted({*AVAILABLE, *LATER}))
def test_reserved_word_is_listed(word: str, checkout: Path) -> None:
    assert f"`{word}`" in (checkout / "docs/reserved.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("term", sorted({*KINDS, *RELATIONS, *LABELS, *PROPERTIES}))
def test_term_is_named(term: str, prose: str) -> None:
    assert f"`{term}`" in prose


@pytest.mark.parametrize("name", schemas.names())
def test_schema_is_named(name: str, prose: str) -> None:
    assert f"`{name}.json`" in prose


def test_every_setting_is_explained(hand_written: str) -> None:
    keys = {f"{section}.{key}" for section, key in config._FIELDS}
    missing = [key for key in sorted(keys) if f"`{key}`" not in hand_written]
    assert not missing


def test_pages_are_in_the_contents(checkout: Path) -> None:
    contents = (checkout / "docs/index.md").read_text(encoding="utf-8")
    pages = {page.stem for page in (checkout / "docs").glob("*.md")} - {"index"}
    assert not {page for page in pages if not re.search(rf"^{page}$", contents, re.MULTILINE)}
