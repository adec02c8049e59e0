"""The programs that run notebooks: nbconvert, papermill, kernels that know nothing of provgraph, other Pythons."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kernels
import nbformat
import pytest
from desk import Desk, cell
from interpreters import VERSIONS, required

SOURCES = ("%load_ext provgraph\n%provdb on", "rate = 1", "with open('out.txt', 'w') as out:\n    out.write(str(rate))")


def _written(desk: Desk, name: str, *sources: str) -> nbformat.NotebookNode:
    document = kernels.notebook(*sources)
    nbformat.write(document, desk.root / name)
    return document


def _plain(desk: Desk, tmp_path: Path) -> dict[str, str]:
    """An environment whose kernels don't record of themselves."""
    return {**desk.environment, "IPYTHONDIR": str(kernels.profile(tmp_path / "plain", ["pass"]))}


@pytest.mark.parametrize(
    "words",
    [
        ("jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "done.ipynb", "n.ipynb"),
        ("jupyter", "execute", "n.ipynb"),
        ("papermill", "--no-progress-bar", "n.ipynb", "done.ipynb"),
    ],
    ids=("nbconvert", "execute", "papermill"),
)
def test_notebooks_that_a_program_runs(desk: Desk, words: tuple[str, ...], tmp_path: Path) -> None:
    document = _written(desk, "n.ipynb", *SOURCES)
    desk.lab.provdb.command(words, env=_plain(desk, tmp_path))
    graph = desk.graph()
    writer = graph.vertices[cell(graph, "out.txt")]
    assert (writer["notebook"], writer["cell_id"]) == ("n.ipynb", document.cells[2].id)
    assert graph.generated(cell(graph, "out.txt")) == {"out.txt"}
    assert graph.used(cell(graph, "out.txt")) == {"n.ipynb:rate"}


def test_papermills_parameters_are_a_cell(desk: Desk, tmp_path: Path) -> None:
    document = kernels.notebook(*SOURCES)
    document.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(document, desk.root / "n.ipynb")
    words = ["papermill", "--no-progress-bar", "n.ipynb", "done.ipynb", "-p", "rate", "7"]
    desk.lab.provdb.command(words, env=_plain(desk, tmp_path))
    assert (desk.root / "out.txt").read_text() == "7"
    graph = desk.graph()
    given = cell(graph, "rate = 7")
    assert graph.targets("wasDerivedFrom", graph.snapshots("n.ipynb:rate")[1]) == [graph.snapshots("n.ipynb:rate")[0]]
    assert graph.generator(graph.snapshots("n.ipynb:rate")[1]) == given


def test_visual_studio_code_names_the_file_in_the_cells_id(desk: Desk) -> None:
    """What its messages hold, sent through the kernel's own hooks."""
    script = (
        "from types import SimpleNamespace\nfrom provgraph.magics.notebooks import Whereabouts\n"
        "shell = SimpleNamespace(user_ns={}, kernel=None, parent_header=None)\n"
        "where = Whereabouts(shell)\n"
        "one = where.of('x', 'vscode-notebook-cell:/tmp/a%20b/n.ipynb#W3sZmlsZQ==')\n"
        "two = where.of('x', 'vscode-notebook-cell:/tmp/a%20b/m.ipynb#W4sZmlsZQ==')\n"
        "print(one.notebook, one.cell_id, two.notebook, two.before, sep='|')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "/tmp/a b/n.ipynb|W3sZmlsZQ==|/tmp/a b/m.ipynb|['/tmp/a b/n.ipynb']"


def test_a_kernel_that_cannot_import_provgraph(desk: Desk, tmp_path: Path) -> None:
    lines = ["import sys; sys.modules['provgraph'] = None"]
    environment = {**desk.environment, "IPYTHONDIR": str(kernels.profile(tmp_path / "without", lines))}
    shown = kernels.run(kernels.notebook("%load_ext provgraph", "1 + 1"), desk.root, environment).cells
    assert "provgraph" in kernels.text_of(shown[0])
    assert kernels.text_of(shown[1]) == "2"


_MINUTES_S = 180
SESSION = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "provgraph")
shell.run_line_magic("provdb", "on")
for source in json.loads(sys.stdin.read()):
    shell.run_cell(source, store_history=True)
"""


def _session(python: str, desk: Desk, checkout: Path, *sources: str) -> str:
    """Run cells in the IPython of another interpreter."""
    done = desk.lab.provdb.command(
        [python, "-c", SESSION],
        env={"PYTHONPATH": str(checkout), "IPYTHONDIR": str(desk.root.parent / "other")},
        input=json.dumps(sources),
    )
    return str(done.stdout) + str(done.stderr)


def _records(python: str, desk: Desk, checkout: Path) -> None:
    shown = _session(
        python,
        desk,
        checkout,
        "x = [1]",
        "x.append(2)\nprint('seen', x)",
        "open('out.txt', 'w').write(str(x)) and None",
        "await __import__('asyncio').sleep(0)\ny = x",
        "!cp out.txt copy.txt",
        "%%bash\ncp copy.txt again.txt",
        "%provdb log --limit 3 --into found",
        "print(len(found.rows), 'rows')",
        "%provdb nonsense",
    )
    assert "seen [1, 2]" in shown
    assert "3 rows" in shown
    assert "'nonsense' is none of" in shown
    assert "Traceback" not in shown
    graph = desk.graph()
    assert graph.used(cell(graph, "open('out")) == {"kernel:x"}
    assert graph.generated(cell(graph, "open('out")) == {"out.txt"}
    assert graph.generated(graph.command("cp out.txt copy.txt")) == {"copy.txt"}
    assert graph.targets("wasInformedBy", graph.command("bash")) == [cell(graph, "%%bash")]
    assert len(graph.snapshots("kernel:x")) == 2
    assert graph.vertices[cell(graph, "x = [1]")]["execution_count"] == 1


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_other_pythons(version: str, desk: Desk, checkout: Path, tmp_path: Path) -> None:
    """IPython as it is for that Python, in an environment of its own, without provgraph installed."""
    if os.environ.get("CI"):
        pytest.skip("it takes IPython from a package index; run it where CI is not set")
    place = tmp_path / "venv"
    subprocess.run([required(version), "-m", "venv", str(place)], check=True, timeout=_MINUTES_S)
    mine = place / "bin/python"
    installing = [str(mine), "-m", "pip", "install", "-q", "--retries", "0", "--timeout", "10", "ipython"]
    try:
        installed = subprocess.run(
            installing, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=_MINUTES_S
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the package index is slow")
    if installed.returncode:
        pytest.skip("no package index can be reached: " + installed.stderr.decode(errors="replace").strip()[-200:])
    _records(str(mine), desk, checkout)


def test_the_ipython_of_this_python(desk: Desk, checkout: Path) -> None:
    _records(sys.executable, desk, checkout)
    assert os.path.exists(desk.root / "again.txt")


def test_unloading(desk: Desk) -> None:
    shown: list[Any] = desk.texts("x = 1", "%unload_ext provgraph", "y = 2\ny", "%load_ext provgraph", "%provdb status")
    assert shown[2] == "2"
    assert "recording: off" in shown[4]
    graph = desk.graph()
    assert next(graph.vertices[uid]["source"] for uid in graph.of("Cell")) == "x = 1"
    assert not graph.snapshots("kernel:y")
