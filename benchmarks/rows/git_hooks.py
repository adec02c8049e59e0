"""What the four git hooks add to a commit, a checkout and a merge, each run as often with them as without."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

from measuring import Comparison, in_turns
from scratch import Bench, Scratch
from table import Figure, at_most

WHAT = "a git hook, in `{}`"


def measure(bench: Bench) -> list[Figure]:
    """Two projects with the same repository, hooks in one of them; an ingester runs in both."""
    plain, hooked = (_repository(bench, name) for name in ("git-plain", "git-hooked"))
    hooked.plain([hooked.provdb, "git-hooks", "install"])
    figures = []
    for words, hooks in (("commit", 1), ("checkout", 1), ("commit --amend", 2)):
        variants = {"plain": _turn(plain, words), "hooked": _turn(hooked, words)}
        compared = Comparison(*in_turns(variants, bench.rounds(25), hooked.settle).values())
        said = f"{hooks} hook{'s' if hooks > 1 else ''} each; {compared.in_words()}"
        figures.append(
            at_most(WHAT.format(f"git {words}"), 30, compared.added_ms / hooks, "ms added", f"git {words}", said)
        )
    return figures


def _repository(bench: Bench, name: str) -> Scratch:
    project = bench.project(name).init()
    for line in (
        "git init -q -b main",
        "git config user.name Bench",
        "git config user.email bench@example.org",
        "git commit -q --allow-empty -m Begin",
        "git branch other",
    ):
        project.plain(line.split())
    return project


def _turn(project: Scratch, words: str) -> Callable[[], object]:
    """The git command; a checkout goes to and fro."""
    if words != "checkout":
        return partial(project.plain, ["git", *words.split(), "-q", "--allow-empty", "-m", "x"])
    branches = itertools.cycle(("other", "main"))
    return lambda: project.plain(["git", "checkout", "-q", next(branches)])
