"""The two things that capture makes slower: starting processes and opening files."""

from __future__ import annotations

import shutil
from functools import partial

from measuring import Comparison, in_turns
from scratch import WORKLOADS, Bench, tree
from table import Figure, at_most

FILES = 5000


def measure(bench: Bench) -> list[Figure]:
    """Each workload with and without the prefix, in turns; beside it `provdb true`, to tell start-up from the rest."""
    return [
        _compare(bench, "200 short subprocesses", 1.6, ["processes.py"]),
        _compare(bench, f"{FILES:,} small reads", 2.8, ["reads.py", "data"]),
    ]


def _compare(bench: Bench, what: str, limit: float, words: list[str]) -> Figure:
    project = bench.project(words[0].removesuffix(".py"))
    shutil.copy(WORKLOADS / words[0], project.root)
    if "data" in words:
        tree(project.root / "data", FILES, 100)
    project.init()
    argv = [bench.python, *words]
    variants = {
        "plain": partial(project.plain, argv),
        "provdb": partial(project.wrap, argv),
        "true": partial(project.plain, ["true"]),
        "provdb true": partial(project.wrap, ["true"]),
    }
    found = in_turns(variants, bench.rounds(15), project.settle)
    compared, start = Comparison(found["plain"], found["provdb"]), Comparison(found["true"], found["provdb true"])
    after_start = (compared.variant.median - start.added_ms / 1000) / compared.plain.median
    remarks = f"{compared.in_words()}; without the {start.added_ms:.0f} ms that `provdb true` adds {after_start:.2f} ×"
    return at_most(what, limit, compared.ratio, "×", f"provdb python {' '.join(words)}", remarks)
