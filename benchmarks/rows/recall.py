"""Whether what was recorded is what happened: workloads with hand-listed truth, and old contents."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import IO

import peers
from scratch import Bench, Scratch
from table import Figure, at_least, at_most, for_information
from workloads.recall import NOTEBOOK, PYTHON, Workload, workloads

COMMAND = "provdb …; provdb show %1 --json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many facts of a workload were found; the facts missing and those that are not true, in words."""

    facts: int
    missing: list[str]
    false: list[str]

    def in_words(self) -> str:
        """The first of each."""
        said = [f"missing {fact}" for fact in self.missing[:4]] + [f"false {fact}" for fact in self.false[:4]]
        more = len(self.missing) + len(self.false) - len(said)
        return ", ".join([*said, *([f"and {more} more"] if more else [])])


def measure(bench: Bench) -> list[Figure]:
    """Run each workload in a project of its own and compare what the graph says with the truth."""
    outcomes: dict[str, Outcome] = {}
    left_out = []
    for number, workload in enumerate(workloads()):
        if not _runs(bench, workload):
            left_out.append(workload.name)
            continue
        outcomes[workload.name] = _try(bench, number, workload)
    facts = sum(outcome.facts for outcome in outcomes.values())
    missing = sum(len(outcome.missing) for outcome in outcomes.values())
    false = sum(len(outcome.false) for outcome in outcomes.values())
    wrong = [
        f"{name}: "
        + ", ".join([f"missing {fact}" for fact in found.missing[:4]] + [f"false {f}" for f in found.false[:4]])
        for name, found in outcomes.items()
        if found.missing or found.false
    ]
    remarks = f"{len(outcomes)} workloads, {facts:,} facts; {len(outcomes) - len(wrong)} workloads without a fault"
    if left_out:
        remarks += f"; left out, for they do not run here: {', '.join(left_out)}"
    exact = 100 * (len(outcomes) - len(wrong)) / max(1, len(outcomes))
    return [
        at_least("recall of reads, writes and deletes", 100, 100 * (facts - missing) / facts, "%", COMMAND, remarks),
        at_most("files that were not read, written or deleted", 0, false, "files", COMMAND, "; ".join(wrong)),
        for_information("workloads recorded exactly", exact, "%", COMMAND),
    ]


def _runs(bench: Bench, workload: Workload) -> bool:
    folder = bench.project("probe").root
    probe = Scratch(folder, bench.provdb)
    for need in workload.needs:
        try:
            if shutil.which(need) is None:
                probe.plain([bench.python, "-c", f"import {need}"])
        except Exception:  # noqa: BLE001 - whatever the reason, it does not run here
            return False
    return True


def _try(bench: Bench, number: int, workload: Workload) -> Outcome:
    try:
        return _compare(bench, number, workload)
    except Exception as error:  # noqa: BLE001 - one workload that breaks must not hide the others
        facts = len(workload.reads) + len(workload.writes) + len(workload.deletes)
        return Outcome(facts, [f"everything ({error!r})"] * facts, [])


def _compare(bench: Bench, number: int, workload: Workload) -> Outcome:
    project = bench.project(f"recall-{number}")
    for name, content in workload.files.items():
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    if workload.prepare:
        workload.prepare(project.root)
    project.init()
    words = ["-c", workload.line] if workload.line else [_word(bench, word) for word in workload.argv]
    streams: dict[str, IO[bytes]] = {}
    if workload.stdin:
        streams["stdin"] = (project.root / workload.stdin).open("rb")
    if workload.stdout:
        streams["stdout"] = (project.root / workload.stdout).open("wb")
    try:
        project.wrap(words, **streams)
    finally:
        for stream in streams.values():
            stream.close()
    project.settle(0)
    truth = {("read", p) for p in workload.reads} | {("written", p) for p in workload.writes}
    truth |= {("deleted", p) for p in workload.deletes}
    found = _recorded(project)
    shutil.rmtree(project.root)
    return Outcome(len(truth), _in_words(truth - found), _in_words(found - truth))


def _word(bench: Bench, word: str) -> str:
    return bench.python if word == PYTHON else str(peers.notebook_python()) if word == NOTEBOOK else word


def _in_words(facts: set[tuple[str, str]]) -> list[str]:
    return sorted(f"{path!r} {what}" for what, path in facts)


def _recorded(project: Scratch) -> set[tuple[str, str]]:
    """What the graph says of the newest activity."""
    meaning = {("used", "out"): "read", ("wasGeneratedBy", "in"): "written", ("wasInvalidatedBy", "in"): "deleted"}
    facts: set[tuple[str, str]] = set()
    for related in project.json("show", "%1")["relations"]:
        what = meaning.get((related["type"], related["direction"]))
        if what is None or "Environment" in related["labels"]:
            continue
        if "Collection" in related["labels"]:
            facts.update((what, path) for path in _members(project, related["uid"]))
        else:
            facts.add((what, related["name"].rpartition("@")[0]))
    return facts


def _members(project: Scratch, uid: str) -> set[str]:
    """The paths of a collection's members: they are rows of a table, which only the library reads."""
    from provgraph.stores import open_store  # noqa: PLC0415 - all else needs only the command

    with open_store(str(project.root), write=False) as store:
        return {path for path, _ in store.knowledge.members(uid)}
