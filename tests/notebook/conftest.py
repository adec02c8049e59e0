"""A project in which notebooks run in real kernels."""

from pathlib import Path
from typing import Any

import kernels
import pytest
from desk import Desk
from laboratory import Lab


@pytest.fixture
def desk(provdb: Any, project: Path, tmp_path: Path) -> Desk:
    """A project in which kernels record from the first cell on."""
    profile = kernels.profile(tmp_path / "ipython", kernels.RECORDED)
    return Desk(Lab(provdb), kernels.environment_of(provdb.environment, profile))
