"""The sample project, as a fixture."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))

from graph_samples import Sample, make_sample


@pytest.fixture
def sample(place: Path) -> Sample:
    """A small project with a past, in the folder ``place``."""
    return make_sample(place)
