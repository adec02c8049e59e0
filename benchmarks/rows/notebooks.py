"""What recording adds to a cell: of other people's notebooks, of a training, beside a kernel that does not record."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from kernels import notebooks, side_by_side
from measuring import Comparison, Series
from scratch import Bench
from table import Figure, at_most

COMMAND = "`%provdb on` in one of two kernels, cell by cell in turns"
LOAD = """\
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
data, target = load_digits(return_X_y=True)"""
TRAIN = """\
forest = RandomForestClassifier({trees}, random_state=1, n_jobs=1)
forest.fit(data, target)"""
TURNS = 5
"""So often each cell runs in each of the kernels; the least of the times counts."""


def measure(bench: Bench) -> list[Figure]:
    """The median notebook of the test data, and a cell that trains."""
    return [_median_notebook(bench), _training(bench)]


def _median_notebook(bench: Bench) -> Figure:
    """The cells of each notebook, some times in turns in both kernels: what a cell takes longer, on the median."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "testdata"
    folder = Path(os.environ.get("PROVGRAPH_TESTDATA", beside)) / "notebooks"
    found = notebooks(folder)
    added, cells = [], 0
    for name, sources in found[: 3 if bench.quick else None]:
        project = bench.project(f"notebook-{name}").init()
        with side_by_side(project.root) as (plain, recording):
            differences = []
            for source in sources:
                turns = [(kernel, kernel.cell(source)[0]) for _ in range(TURNS) for kernel in (plain, recording)]
                least = {kernel: min(took for one, took in turns if one is kernel) for kernel in (plain, recording)}
                differences.append(least[recording] - least[plain])
            added.append(1000 * statistics.median(differences))
            cells += len(sources)
        project.settle(0)
    low, high = sorted(added)[len(added) // 4], sorted(added)[-1 - len(added) // 4]
    said = f"{len(added)} notebooks with {cells} cells; quartiles {low:.1f} and {high:.1f} ms"
    return at_most("a cell of the median notebook", 5, statistics.median(added), "ms added", COMMAND, said)


def _training(bench: Bench) -> Figure:
    """A cell of about two seconds, several times in both kernels in turns."""
    project = bench.project("notebook-training").init()
    train = TRAIN.format(trees=50 if bench.quick else 1000)
    times: tuple[list[float], list[float]] = ([], [])
    with side_by_side(project.root) as kernels:
        for kernel in kernels:
            kernel.cell(LOAD)
        for number in range(bench.rounds(15) + 1):
            for kernel, taken in zip(kernels, times, strict=True):
                seconds, _ = kernel.cell(train)
                if number:
                    taken.append(seconds)
    compared = Comparison(Series(tuple(times[0])), Series(tuple(times[1])))
    added = 100 * (compared.ratio - 1)
    return at_most("a cell that trains a random forest", 5, added, "% longer", COMMAND, compared.in_words())
