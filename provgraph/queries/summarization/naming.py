"""What the groups of a summary are called, and the order in which they stand."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from provgraph.graph.arrays import RELATION_NAMES
from provgraph.graph.naming import UNSEEN
from provgraph.model.vocabulary import RELATIONS, Kind, Walk
from provgraph.queries.summarization.levels import longest
from provgraph.queries.summarization.mixing import pointers, rows_once
from provgraph.queries.summarization.union import Ints

Codes = npt.NDArray[np.integer[Any]]

_NAMING: Final[Mapping[Kind, tuple[tuple[str, ...], ...]]] = {
    Kind.ACTIVITY: (("command",), ("utility", "script"), ("script",), ("utility",), ("name",)),
    Kind.ENTITY: (("path",), ("name",)),
    Kind.AGENT: (("name",), ("email",)),
}
"""Which kept properties make a name: the first of these that are all there, joined by blanks."""
_COVERED: Final = {"command": ("utility", "script", "argv")}
_FLOW: Final = np.array([RELATIONS[name].walk in (Walk.ANCESTRY, Walk.REVISION) for name in RELATION_NAMES], np.bool_)


def base_name(kind: Kind, kept: Mapping[str, Any], unseen: bool = False) -> str:
    """The name of all that keep the same: ``python train.py``, ``model.pkl``, else the word for the kind.

    What is kept beyond that stands behind it: ``python train.py param_lr=0.1``.
    """
    naming = next((keys for keys in _NAMING[kind] if all(_said(kept.get(key)) for key in keys)), ())
    head = " ".join(_said(kept[key]) for key in naming) or (UNSEEN if unseen else kind.value.lower())
    covered = {*naming, *(other for key in naming for other in _COVERED.get(key, ()))}
    rest = [f"{key}={_said(value)}" for key, value in sorted(kept.items()) if key not in covered and value is not None]
    return " ".join([head, *rest])


def _said(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def numbered(bases: Sequence[str], ranks: Sequence[Any]) -> list[str]:
    """A unique name for each group: its base, numbered by rank (the commonest first) where several have the same.

    A number that would give the name of another group is left out.
    """
    same: dict[str, list[int]] = {}
    for group, base in enumerate(bases):
        same.setdefault(base, []).append(group)
    names = {groups[0]: base for base, groups in same.items() if len(groups) == 1}
    taken = set(names.values())
    for base in sorted(same):
        number = 0
        for group in sorted(same[base], key=ranks.__getitem__) if len(same[base]) > 1 else ():
            number += 1
            while (name := f"{base}#{number}") in taken:
                number += 1
            names[group] = name
            taken.add(name)
    return [names[group] for group in range(len(bases))]


def flow(count: int, sources: Codes, relations: Codes, targets: Codes) -> Ints:
    """For each group how far it is from the beginning: 0, or one more than the farthest of its causes.

    Groups on a cycle (only graphs from elsewhere have them) are taken as they come.

    Parameters:
        sources, relations, targets: the edges; relations are places in RELATION_NAMES.
    """
    causal = _FLOW[relations] & (sources != targets)
    cause, effect = rows_once(targets[causal], sources[causal])
    waiting, begin = np.bincount(effect, minlength=count), pointers(cause, count)
    depth = longest(waiting, begin, effect)
    return depth if depth.min(initial=0) >= 0 else _round_cycles(waiting.tolist(), begin.tolist(), effect.tolist())


def _round_cycles(waiting: list[int], begin: list[int], effects: list[int]) -> Ints:
    """What ``flow`` says, by the number of causes of each group, and the effects of each, one group at a time."""
    count = len(waiting)
    ready = [group for group in range(count) if not waiting[group]]
    depth, done = [0] * count, [False] * count
    for first in range(count):
        if not ready and not done[first]:
            ready.append(first)
        while ready:
            group = ready.pop()
            done[group] = True
            below = depth[group] + 1
            for effected in effects[begin[group] : begin[group + 1]]:
                if done[effected]:
                    continue
                depth[effected] = max(depth[effected], below)
                waiting[effected] -= 1
                if not waiting[effected]:
                    ready.append(effected)
    return np.array(depth, np.int64)
