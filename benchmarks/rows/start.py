"""What the prefix adds to the shortest command there is, beside what peers add to it."""

from __future__ import annotations

from functools import partial

import peers
from measuring import Comparison, in_turns, run
from scratch import Bench
from table import Figure, at_most, failed, for_information

WHAT = "`provdb true` over `true`"
SHARE = "share of what {} adds"


def measure(bench: Bench) -> list[Figure]:
    """`provdb true`, `true` and the peers in turns; then `provdb true` where no ingester runs."""
    missing = peers.install()
    project = bench.project("start").init()
    variants = {"true": partial(project.plain, ["true"]), "provdb": partial(project.wrap, ["true"])}
    found = in_turns(variants, bench.rounds(40), project.settle)
    compared = Comparison(found["true"], found["provdb"])
    figures = [at_most(WHAT, 30, compared.added_ms, "ms added", "provdb true", compared.in_words())]
    figures += _beside_peers(bench, missing)
    cold = in_turns(variants, bench.rounds(8), project.rest)
    compared = Comparison(cold["true"], cold["provdb"])
    remarks = f"no ingester was running; {compared.in_words()}"
    figures.append(for_information(f"{WHAT}, first in a while", compared.added_ms, "ms added", "provdb true", remarks))
    return figures


def _beside_peers(bench: Bench, missing: list[str]) -> list[Figure]:
    """Peers are slow, so they get a loop of their own, with both of ours in it."""
    project = bench.project("start-beside-peers").init()
    variants = {"true": partial(project.plain, ["true"]), "provdb": partial(project.wrap, ["true"])}
    found_peers = peers.available()
    for peer in found_peers:
        folder = bench.project(peer.name.replace(" ", "-")).root
        peer.prepare(folder)
        variants[peer.name] = partial(run, peer.argv, folder, peer.environment)
    found = in_turns(variants, bench.rounds(9), project.settle)
    ours = Comparison(found["true"], found["provdb"])
    figures = []
    for peer in found_peers:
        theirs = Comparison(found["true"], found[peer.name])
        share = ours.added_ms / theirs.added_ms
        remarks = f"{ours.added_ms:.1f} ms added by provdb, {theirs.added_ms:.0f} ms by {peer.name} {peer.version}"
        figures.append(at_most(SHARE.format(peer.name), 0.1, share, "×", " ".join(peer.argv), remarks))
    reason = "; ".join(missing) or "it does not run here"
    absent = {"datalad run", "dvc repro"} - {peer.name for peer in found_peers}
    return figures + [failed(SHARE.format(name), "≤ 0.1 ×", name, reason) for name in sorted(absent)]
