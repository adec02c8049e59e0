"""What the prefix costs where it matters: beside a real computation."""

from __future__ import annotations

import json
import shutil
from functools import partial

from measuring import Comparison, in_turns
from scratch import WORKLOADS, Bench, Scratch
from table import Figure, at_most, failed

WHAT = "a scikit-learn training"
TREES = 400
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def measure(bench: Bench) -> list[Figure]:
    """The same training with and without the prefix, in turns."""
    project = bench.project("training")
    try:
        _prepare(project)
    except ImportError as error:
        return [failed(WHAT, "≤ 1.05 ×", "provdb python training.py", f"{error}: install the group `demo`")]
    project.init()
    argv = ["env", *(f"{name}={value}" for name, value in ONE_THREAD.items()), bench.python, "training.py"]
    variants = {"plain": partial(project.plain, argv), "provdb": partial(project.wrap, argv)}
    found = in_turns(variants, bench.rounds(11), project.settle)
    compared = Comparison(found["plain"], found["provdb"])
    what = f"{WHAT} of {compared.plain.median:.1f} s"
    return [at_most(what, 1.05, compared.ratio, "×", "provdb python training.py", compared.in_words())]


def _prepare(project: Scratch) -> None:
    import numpy as np  # noqa: PLC0415 - not everybody who runs the other rows has them
    from sklearn.datasets import load_digits  # noqa: PLC0415

    digits = load_digits()
    table = np.column_stack([digits.data, digits.target])
    np.savetxt(project.root / "digits.csv", table, fmt="%d", delimiter=",")
    (project.root / "config.json").write_text(json.dumps({"seed": 0, "trees": TREES}))
    shutil.copy(WORKLOADS / "training.py", project.root)
