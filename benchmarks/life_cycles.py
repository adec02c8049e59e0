"""Made-up life cycles of any size, with a seed, and shapes that are hard on whoever walks them.

After the generator of H. Miao and A. Deshpande, Understanding Data Science Lifecycle Provenance via Graph Segmentation
and Summarization (ICDE 2019), section V: members of a project perform activities one after the other; each uses
1 + Poisson entities, chosen among those that exist by a Zipf law over their rank from the newest, and generates
1 + Poisson.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """A graph as plain arrays. Vertices: entities 0 to e - 1, oldest first, activities after them, then agents.

    Parameters:
        used: (activity, entity) pairs, activities counted from 0; shape (2, …). generated: (entity, activity).
        derived: (entity, entity). worked: the agent of each activity, counted from 0.
        utility, variant: of each activity: the program that ran, and which of its command lines.
    """

    entities: int
    activities: int
    agents: int
    used: Positions
    generated: Positions
    derived: Positions
    worked: Positions
    utility: Positions
    variant: Positions

    @property
    def vertices(self) -> int:
        """The number of vertices."""
        return self.entities + self.activities + self.agents

    @property
    def edges(self) -> int:
        """The number of edges: also one attribution for each generated entity, one association for each activity."""
        return self.used.shape[1] + 2 * self.generated.shape[1] + self.derived.shape[1] + self.activities

    def root_of(self, entity: int) -> int:
        """A root that the entity came from: always on to the oldest input."""
        makers = np.full(self.entities, -1, np.int64)
        makers[self.generated[0]] = self.generated[1]
        first = np.searchsorted(self.used[0], np.arange(self.activities))
        while makers[entity] >= 0:
            entity = int(self.used[1, first[makers[entity]]])
        return entity

    def newest_tenth(self, seed: int) -> int:
        """An entity among the newest tenth."""
        return int(np.random.default_rng(seed).integers(int(self.entities * 0.9), self.entities))


def life_cycle(
    vertices: int,
    *,
    seed: int = 1,
    inputs: float = 3.0,
    outputs: float = 2.0,
    skew: float = 1.5,
    work_skew: float = 1.2,
    utilities: int = 20,
    variants: int = 10,
) -> LifeCycle:
    """A life cycle of about so many vertices, three times as many edges.

    Parameters:
        inputs, outputs: the means of Poisson; one is added to each.
        skew: of the choice of inputs; 0 is uniform, larger prefers the newest.
        work_skew: of the agents' work; there are ln(vertices) agents.
        utilities, variants: how many programs, and command lines of each; chosen uniformly.
    """
    rng = np.random.default_rng(seed)
    agents = max(1, int(np.log(vertices)))
    roots = 10
    activities = max(1, int((vertices - roots - agents) / (2 + outputs)))
    taken = 1 + rng.poisson(inputs, activities)
    made = 1 + rng.poisson(outputs, activities)
    first = roots + np.concatenate(([0], np.cumsum(made)))
    entities = int(first[-1])
    user = np.repeat(np.arange(activities), taken)
    there = first[user]
    input_ = there - _zipf(rng, skew, there)
    pairs = np.unique(user.astype(np.int64) * entities + input_)
    used = np.stack((pairs // entities, pairs % entities)).astype(np.int32)
    generated = np.stack((np.arange(roots, entities), np.repeat(np.arange(activities), made))).astype(np.int32)
    first_input = used[1, np.searchsorted(used[0], np.arange(activities))]
    derived = np.stack((first[:-1], first_input)).astype(np.int32)
    worked = (_zipf(rng, work_skew, np.full(activities, agents)) - 1).astype(np.int32)
    utility = rng.integers(0, utilities, activities).astype(np.int32)
    variant = rng.integers(0, variants, activities).astype(np.int32)
    return LifeCycle(entities, activities, agents, used, generated, derived, worked, utility, variant)


def _zipf(rng: np.random.Generator, skew: float, largest: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ranks from 1 to ``largest``, each with a probability as rank to the power -skew (the continuous law, cut off)."""
    draw = rng.random(len(largest))
    if skew == 1:
        rank = np.exp(draw * np.log(largest + 1.0))
    else:
        rank = (1 - draw * (1 - (largest + 1.0) ** (1 - skew))) ** (1 / (1 - skew))
    return np.clip(rank.astype(np.int64), 1, largest)


def _shape(entities: int, activities: int, used: Sequence[npt.NDArray[np.int64]], generated: npt.NDArray[np.int64]
           ) -> LifeCycle:  # fmt: skip
    pairs = np.unique(np.concatenate(used, axis=1), axis=1).astype(np.int32)
    none = np.zeros(activities, np.int32)
    return LifeCycle(
        entities, activities, 1, pairs, generated.astype(np.int32), np.zeros((2, 0), np.int32), none, none, none
    )


def diamond_ladder(rungs: int) -> LifeCycle:
    """Each rung's entity comes from the one before by two activities: 2 to the power of ``rungs`` walks."""
    rung = np.arange(rungs)
    user = np.concatenate((2 * rung, 2 * rung + 1))
    return _shape(rungs + 1, 2 * rungs, [np.stack((user, np.tile(rung, 2)))], np.stack((np.tile(rung + 1, 2), user)))


def star(rays: int) -> LifeCycle:
    """One entity from which so many activities made one each; a last activity used all of these."""
    ray = np.arange(rays)
    used = [np.stack((ray, np.zeros(rays, np.int64))), np.stack((np.full(rays, rays), ray + 1))]
    return _shape(rays + 2, rays + 1, used, np.stack((np.arange(1, rays + 2), np.arange(rays + 1))))


def chain(vertices: int) -> LifeCycle:
    """One entity from another, by an activity each."""
    steps = np.arange(vertices // 2)
    return _shape(len(steps) + 1, len(steps), [np.stack((steps, steps))], np.stack((steps + 1, steps)))


def chain_with_skips(vertices: int, skips: Sequence[int] = (1, 8, 64, 512)) -> LifeCycle:
    """A deep chain in which each activity also uses what was there so many steps ago, and makes two entities.

    All skips agree modulo 7, and so do the lengths of walks between two vertices: their sets fall to pieces.
    """
    steps = np.arange(vertices // 3)
    used = [np.stack((steps[steps + 1 >= skip], steps[steps + 1 >= skip] + 1 - skip)) for skip in skips]
    aside = len(steps) + 1 + steps
    generated = np.concatenate((np.stack((steps + 1, steps)), np.stack((aside, steps))), axis=1)
    return _shape(2 * len(steps) + 1, len(steps), used, generated)


def layers(depth: int, width: int) -> LifeCycle:
    """Layers of ``width`` activities; each uses all that the layer before made and makes one entity."""
    activity = np.arange(depth * width)
    layer = activity // width
    used = np.stack((np.repeat(activity, width), (layer[:, None] * width + np.arange(width)).ravel()))
    return _shape((depth + 1) * width, depth * width, [used], np.stack((activity + width, activity)))


def record(graph: LifeCycle, root: str, *, per_batch: int = 2000) -> list[str]:
    """Write a life cycle into the project at ``root`` as events; returns the entities' uids, oldest first.

    Cost: 0.4 ms an activity with all that hangs on it.
    """
    from provgraph.stores import open_store  # noqa: PLC0415 - only this needs the library

    uses = np.split(graph.used[1], np.searchsorted(graph.used[0], np.arange(1, graph.activities)))
    makes = np.split(graph.generated[0], np.searchsorted(graph.generated[1], np.arange(1, graph.activities)))
    sources = dict(graph.derived.T.tolist())
    uids = [""] * graph.entities
    with open_store(root, write=True) as store:
        with store.journal.batch() as batch:
            event = batch.event("activity.ended", _at(0))
            roots = sorted(set(range(graph.entities)) - set(graph.generated[0].tolist()))
            for entity in roots:
                uids[entity] = _snapshot(event, entity, 0)
            people = [event.vertex(["Agent", "Person"], {"name": f"Person {n}"}) for n in range(graph.agents)]
        for start in range(0, graph.activities, per_batch):
            with store.journal.batch() as batch:
                for number in range(start, min(start + per_batch, graph.activities)):
                    event = batch.event("activity.ended", _at(number + 1))
                    activity = _activity(event, graph, number)
                    event.edge("wasAssociatedWith", activity, people[graph.worked[number]])
                    for entity in uses[number].tolist():
                        event.edge("used", activity, uids[entity])
                    for entity in makes[number].tolist():
                        uids[entity] = uid = _snapshot(event, entity, number + 1)
                        event.edge("wasGeneratedBy", uid, activity)
                        event.edge("wasAttributedTo", uid, people[graph.worked[number]])
                        if entity in sources:
                            event.edge("wasDerivedFrom", uid, uids[sources[entity]], prov_type="Revision")
    return uids


def _at(number: int) -> str:
    return (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=60 * number)).isoformat()


def _snapshot(event: Any, entity: int, number: int) -> str:
    uid: str = event.vertex(["Entity", "Snapshot"], {
        "path": f"results/{entity // 1000:04}/part-{entity:08}.csv", "sha256": f"{entity:064x}",
        "size_bytes": 1000 + entity % 977, "mode": 33188, "sequence": 1, "created_at": _at(number), "restorable": False,
    })  # fmt: skip
    return uid


def _activity(event: Any, graph: LifeCycle, number: int) -> str:
    utility = f"step{graph.utility[number]}.py"
    command = f"python {utility} --variant {graph.variant[number]}"
    uid: str = event.vertex(["Activity", "Command"], {
        "name": f"{utility} #{number + 1}", "command": command, "argv": command.split(), "utility": utility, "cwd": ".",
        "exit_status": 0, "started_at": _at(number), "ended_at": _at(number + 1), "duration_s": 60.0,
        "capture": "seccomp", "host": "made-up", "number": number + 1, "param_variant": int(graph.variant[number]),
    })  # fmt: skip
    return uid
