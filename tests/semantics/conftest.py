"""A project in a folder of its own, real commands in it, and the graph that they left."""

from pathlib import Path
from typing import Any

import pytest
from laboratory import Lab


@pytest.fixture
def lab(provdb: Any, project: Path) -> Lab:
    """A fresh project and the real command in it."""
    return Lab(provdb)
