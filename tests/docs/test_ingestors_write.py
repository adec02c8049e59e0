"""The tables of what authors of ingestors have say what the classes have: all of it, and nothing else."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from provgraph.ingestors.port import ActivityWords, File, Findings, Occurrence, Previous

PAGE = Path(__file__).parents[2] / "docs" / "ingestors_write.md"
CLASSES: dict[str, type] = {
    "occurrence": Occurrence,
    "activity": ActivityWords,
    "file": File,
    "previous": Previous,
    "findings": Findings,
}


def said(name: str) -> set[str]:
    """What the first columns of the page's tables say that such an object has."""
    rows = re.findall(r"^\| (`[a-z]+\.[^|]*) \|", PAGE.read_text(), re.MULTILINE)
    texts = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    return {text.removeprefix(f"{name}.") for text in texts if text.startswith(f"{name}.")}


def there(kind: type) -> set[str]:
    """What the class has: attributes, and methods with their parameters."""
    attributes = set() if kind is Findings else {one.name for one in fields(kind)}
    found = {name: getattr(kind, name) for name in vars(kind) if not name.startswith("_") and name not in attributes}
    return attributes | {f"{name}({_parameters(one)})" for name, one in found.items()}


def _parameters(method: object) -> str:
    assert callable(method)
    parameters = inspect.signature(method).parameters.values()
    return ", ".join(
        str(one.replace(annotation=one.empty, default=one.empty)) for one in parameters if one.name != "self"
    )


@pytest.mark.parametrize("name", CLASSES)
def test_the_table_is_complete_and_true(name: str) -> None:
    assert said(name) == there(CLASSES[name])
