"""Which notebook it is, where a command line names more than one ``.ipynb``."""

from pathlib import Path

import kernels
import nbformat
import pytest
from desk import Desk, cell

SETUP = "%load_ext provgraph\n%provdb on"


@pytest.fixture
def plain(desk: Desk, tmp_path: Path) -> dict[str, str]:
    """An environment whose kernels don't record of themselves."""
    return {**desk.environment, "IPYTHONDIR": str(kernels.profile(tmp_path / "plain", ["pass"]))}


def _write(desk: Desk, name: str, *sources: str) -> None:
    nbformat.write(kernels.notebook(SETUP, *sources), desk.root / name)


def _notebooks(desk: Desk) -> list[object]:
    graph = desk.graph()
    return [graph.vertices[uid].get("notebook") for uid in graph.of("Cell")]


@pytest.mark.parametrize(
    "words",
    [
        ("jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "done.ipynb", "n.ipynb"),
        ("jupyter", "nbconvert", "--execute", "--to", "notebook", "--output=done.ipynb", "n.ipynb"),
        ("papermill", "--no-progress-bar", "-p", "where", "other.ipynb", "n.ipynb", "done.ipynb"),
    ],
    ids=("nbconvert", "nbconvert with =", "papermill"),
)
def test_what_is_written_is_not_what_runs(desk: Desk, plain: dict[str, str], words: tuple[str, ...]) -> None:
    """The second time it is there, with the same cells."""
    _write(desk, "n.ipynb", "x = 1", "y = x + 1")
    _write(desk, "other.ipynb", "x = 1", "y = x + 1")
    for _ in range(2):
        desk.lab.provdb.command(words, env=plain)
    assert (desk.root / "done.ipynb").exists()
    assert set(_notebooks(desk)) == {"n.ipynb"}


def test_notebooks_that_begin_alike(desk: Desk, plain: dict[str, str]) -> None:
    _write(desk, "na.ipynb", "x = 1", "a = x + 1", "b = a")
    _write(desk, "nb.ipynb", "x = 1", "c = x + 2", "d = c")
    desk.lab.provdb.command(("jupyter", "nbconvert", "--execute", "--inplace", "na.ipynb", "nb.ipynb"), env=plain)
    graph = desk.graph()
    assert _notebooks(desk) == [None, "na.ipynb", "na.ipynb", None, "nb.ipynb", "nb.ipynb"]
    first, second = graph.snapshots("kernel:x")
    assert {first, second}.intersection(graph.targets("used", cell(graph, "a = x"))) == {first}
    assert {first, second}.intersection(graph.targets("used", cell(graph, "c = x"))) == {second}
    assert graph.generated(cell(graph, "c = x")) == {"nb.ipynb:c"}
    assert graph.used(cell(graph, "d = c")) == {"nb.ipynb:c"}


def test_notebooks_that_differ_from_the_first_cell(desk: Desk, plain: dict[str, str]) -> None:
    _write(desk, "na.ipynb", "a = 1", "same = 0")
    _write(desk, "nb.ipynb", "b = 1", "same = 0")
    desk.lab.provdb.command(("jupyter", "nbconvert", "--execute", "--inplace", "na.ipynb", "nb.ipynb"), env=plain)
    assert _notebooks(desk) == ["na.ipynb", "na.ipynb", "nb.ipynb", "nb.ipynb"]


def test_a_notebook_that_is_told_late_goes_on_with_its_variables(desk: Desk) -> None:
    desk.run("x = 1", "%provdb on --notebook late.ipynb", "y = x + 1")
    graph = desk.graph()
    assert graph.used(cell(graph, "y = x")) == {"kernel:x"}
    assert graph.generated(cell(graph, "y = x")) == {"late.ipynb:y"}


def test_the_code_of_a_cell_is_recorded_without_its_secrets(desk: Desk) -> None:
    source = 'import os\npassword = "hunter2"\nos.environ["API_KEY"] = "hunter2"\nprint(len(password))'
    assert desk.texts(source) == ["7\n"]
    graph = desk.graph()
    assert graph.vertices[cell(graph, "os.environ")]["source"] == source.replace("hunter2", "<scrubbed>")
    files = [path for path in (desk.root / ".provdb").rglob("*") if path.is_file()]
    assert not [path.name for path in files if b"hunter2" in path.read_bytes()]
