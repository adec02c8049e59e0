"""Notebooks of other people run recorded and unrecorded, in real kernels, to the same outputs."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import kernels
import nbformat
import pytest
from nbformat import NotebookNode

NOT_RUN = {
    "Interrupt.ipynb": "its first cell never ends: tests/notebook/test_cells.py interrupts one",
    "keyboard_interrupt.ipynb": "sleeps for a minute and waits for an interrupt",
    "test_autosave.ipynb": "names a kernel `python` that is not installed",
    "gcs-simple_notebook.ipynb": "sleeps for ten seconds and does nothing else that others do not",
    "notebook_inject.ipynb": "writes into /tmp",
    "binder.ipynb": "runs papermill on a notebook three folders up",
}
VARIES = {"Sleep1s.ipynb", "notebook2.ipynb"}
"""Print times, random numbers: only the kinds of outputs are compared."""
TOGETHER = 3


def _documents(folder: Path) -> list[tuple[Path, NotebookNode]]:
    found = []
    for path in sorted((folder / "notebooks").rglob("*.ipynb")):
        document = nbformat.read(path, as_version=4)
        language = document.metadata.get("kernelspec", {}).get("name") or "python3"
        code = [cell for cell in document.cells if cell.cell_type == "code" and cell.source.strip()]
        if path.name not in NOT_RUN and language in ("python3", "Python [Root]", "python3_mydev") and code:
            found.append((path, document))
    return found


def _kinds(outputs: list[list[dict[str, Any]]]) -> list[list[Any]]:
    return [[output["output_type"] for output in cell] for cell in outputs]


async def _both(path: Path, document: NotebookNode, place: Path, environments: list[dict[str, str]]) -> Any:
    """How a notebook went, and what it put out, in a fresh folder: unrecorded, then recorded."""
    went = []
    for number, environment in enumerate(environments):
        cwd = place / "runs" / f"{path.parent.parent.name}-{path.stem}"
        shutil.rmtree(cwd, ignore_errors=True)
        shutil.copytree(path.parent, cwd, ignore=shutil.ignore_patterns("*.ipynb"))
        copy = nbformat.from_dict(document)
        how = await kernels.execute(copy, cwd, environment, seconds=30, store_widget_state=False)
        went.append((how, kernels.outputs(copy)))
        assert number < 2
    return path, went


WARNING = """
import warnings
def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)
for _ in range(3):
    old()
"""
DELICATE = [
    "pattern = '\\d'\npattern",
    "1 is 1",
    WARNING,
    "for _ in range(2):\n    old()",
    "warnings.simplefilter('always', SyntaxWarning)\nother = '\\w'",
    "import sys\nprint('a', end='', flush=True)\nprint('b', file=sys.stderr)\nsys.stdout.write('c')",
    "class Loud:\n    def __repr__(self):\n        print('asked')\n        return 'loud'\nlouder = [Loud()]",
    "louder",
    "_, __, ___",
    "%%capture kept\nprint('kept')",
    "kept.stdout, 'kept' in _i",
    "!echo out; echo err >&2",
    "x = !printf 'a\\nb'\nx, x.s",
    "%%bash --out said\necho hi",
    "said",
    "%%script false --no-raise-error\n",
    "_exit_code",
    "%timeit -n1 -r1 -q 1 + 1",
    "sys.stdout.write is sys.__stdout__.write, type(sys.stdout).__name__",
    "display({'text/plain': 'shown'}, raw=True)",
    "?len",
    "1 +",
    "raise KeyboardInterrupt",
    "len(In), sorted(Out)",
]


def test_delicate_cells_put_out_the_same(project: Path, provdb: Any, tmp_path: Path) -> None:
    shown = []
    for name, lines in (("plain", ["pass"]), ("recorded", kernels.RECORDED)):
        environment = kernels.environment_of(provdb.environment, kernels.profile(tmp_path / name, lines))
        document = kernels.notebook(*DELICATE)
        assert asyncio.run(kernels.execute(document, project, environment)) == "done"
        shown.append(kernels.outputs(document))
    for source, plain, recorded in zip(DELICATE, *shown, strict=True):
        assert recorded == plain, source


@pytest.mark.slow
def test_the_same_outputs(shared_testdata: Path, project: Path, provdb: Any, tmp_path: Path) -> None:
    documents = _documents(shared_testdata)
    assert len(documents) > 45
    environments = [
        kernels.environment_of(provdb.environment, kernels.profile(tmp_path / name, lines))
        for name, lines in (("plain", ["pass"]), ("recorded", kernels.RECORDED))
    ]

    async def everything() -> list[Any]:
        gate = asyncio.Semaphore(TOGETHER)

        async def one(path: Path, document: NotebookNode) -> Any:
            async with gate:
                return await _both(path, document, project, environments)

        return await asyncio.gather(*(one(*each) for each in documents))

    cells = 0
    for path, (plain, recorded) in asyncio.run(everything()):
        varies = path.name in VARIES
        assert recorded[0] == plain[0], path
        assert (_kinds(recorded[1]) if varies else recorded[1]) == (_kinds(plain[1]) if varies else plain[1]), path
        cells += sum(1 for outputs in plain[1] if outputs)
    assert cells > 90
    recorded_cells = provdb.rows("MATCH (c:Cell) RETURN count(c)")[0][0]
    assert recorded_cells > cells
