"""Whether the prefix's own time depends on the size of the project."""

from __future__ import annotations

from functools import partial

from measuring import Comparison, in_turns
from scratch import Bench, tree
from table import Figure, at_most, for_information

FILES = 100_000


def measure(bench: Bench) -> list[Figure]:
    """`true` and `provdb true` in a small and in a large project, in turns; then as fast as they can be typed."""
    files = FILES // 20 if bench.quick else FILES
    small, large = bench.project("small").init(), bench.project("large")
    tree(large.root / "data", files, 20)
    large.init()
    variants = {
        "true": partial(small.plain, ["true"]),
        "small": partial(small.wrap, ["true"]),
        "large": partial(large.wrap, ["true"]),
    }

    def settle() -> None:
        small.settle(0.1)
        large.settle()

    found = in_turns(variants, bench.rounds(30), settle)
    in_small, in_large = (Comparison(found["true"], found[name]) for name in ("small", "large"))
    added = f"{in_large.added_ms:.1f} ms added in the large tree, {in_small.added_ms:.1f} ms in the small one"
    figures = [
        at_most(
            f"`provdb true` among {files:,} files over the small tree",
            1.3,
            in_large.added_ms / in_small.added_ms,
            "×",
            "provdb true",
            f"{added}; {Comparison(found['small'], found['large']).in_words()}",
        )
    ]
    found = in_turns(variants, bench.rounds(30))
    in_small, in_large = (Comparison(found["true"], found[name]) for name in ("small", "large"))
    figures.append(
        for_information(
            "the same, one right after the other",
            in_large.added_ms / in_small.added_ms,
            "×",
            "provdb true",
            f"ingestion of one runs beside the next; {in_large.added_ms:.1f} and {in_small.added_ms:.1f} ms added",
        )
    )
    large.rest()
    return figures
