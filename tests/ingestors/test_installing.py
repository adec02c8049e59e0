"""What ``pip install`` and its like ask for."""

import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingestors.installing import INGESTOR, asked_for


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "pip install numpy==1.26 'pandas>=2' -r r.txt -e .",
            ("install", ["numpy==1.26", "pandas>=2"], ["r.txt"], ["."]),
        ),
        ("python -m pip install -U ./dist/x.whl --no-index -f dist", ("install", ["./dist/x.whl"], [], [])),
        (
            "python -m pip --python /x install -rreq.txt y --requirement=more.txt",
            ("install", ["y"], ["req.txt", "more.txt"], []),
        ),
        ("pip3.12 uninstall -y x y", ("uninstall", ["x", "y"], [], [])),
        ("uv pip install -p 3.12 x --index-url https://h/simple", ("install", ["x"], [], [])),
        ("uv pip sync a.txt b.txt", ("sync", [], ["a.txt", "b.txt"], [])),
        ("uv sync --frozen --extra dev", ("sync", [], [], [])),
        ("uv sync --python-preference only-system", ("sync", [], [], [])),
        ("uv sync --no-binary --upgrade-group dev stray", ("sync", [], [], [])),
        ("uv pip install --torch-backend cpu ./x.whl", ("install", ["./x.whl"], [], [])),
        ("uv pip install --overrides o.txt --no-binary y x", ("install", ["x"], [], [])),
        ("uv add --python-preference only-system tinypkg", ("add", ["tinypkg"], [], [])),
        ("uv add --no-binary --editable ./tiny", ("add", ["./tiny"], [], [])),
        ("pip install --install-option --user x", ("install", ["x"], [], [])),
        ("uv --quiet add --dev pytest", ("add", ["pytest"], [], [])),
        ("env A=1 uv remove x", ("remove", ["x"], [], [])),
        ("pip --version", None),
        ("pip list", None),
        ("uv run pip", None),
        ("python train.py", None),
    ],
)
def test_asked_for(command: str, expected: Any) -> None:
    asked = asked_for(shlex.split(command))
    assert (asked if asked is None else tuple(asked)[:4]) == expected


def test_properties(folder: Any) -> None:
    found = folder.found(INGESTOR, folder.occurrence("python -m pip install numpy -r r.txt"))
    assert found["activity"] == {"packages_action": "install", "packages": ["numpy"], "requirements": ["r.txt"]}
    for command in ("echo pip install x", "pip list", "python install.py", "uv run train.py"):
        assert "activity" not in folder.found(INGESTOR, folder.occurrence(command))


@pytest.mark.parametrize("command", ["pip install --dry-run x", "uv add x --dry-run", "uv sync --check"])
def test_dry_runs(command: str, folder: Any) -> None:
    assert folder.found(INGESTOR, folder.occurrence(command))["activity"]["packages_dry_run"] is True


def test_credentials_in_urls_are_left_out(folder: Any) -> None:
    command = (
        "pip install 'a @ https://u:p4ss@h/a.whl' git+https://tok3n@h/b.git -e git+ssh://me@h/c -i https://u:p4ss@h/s"
    )
    told = json.dumps(folder.found(INGESTOR, folder.occurrence(command)))
    assert "p4ss" not in told
    assert "tok3n" not in told
    assert "a @ https://h/a.whl" in told


@given(
    st.lists(
        st.text(max_size=6) | st.sampled_from(["pip", "uv", "-m", "install", "-r", "-e", "--index-url", "sync", "@"])
    )
)
def test_any_words(words: list[str]) -> None:
    asked_for(["pip", *words])
